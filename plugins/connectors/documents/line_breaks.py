"""Which addresses may stand on two lines? A narrow column breaks them at an "@", a dot or a hyphen.

Each reading is a guess: whoever finds addresses in it reports them as not whole, beside what stands on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_REACH = 160
_BREAK = r"[ \t]{0,40}\r?\n[ \t]{0,40}"
_BEFORE_AT = re.compile(rf"([\w.+\-]*\w){_BREAK}$")
_IN_LOCAL = re.compile(rf"((?:[\w.+\-]*\w)?[a-z0-9][.\-_+]){_BREAK}([a-z0-9][\w.+\-]*)$")
_AFTER_AT = re.compile(rf"{_BREAK}(\w[\w.\-]*)")
_IN_DOMAIN = re.compile(rf"((?:[\w\-]+\.)*[\w\-]*\w)(-|\.|)({_BREAK})(\.?\w[\w.\-]*)")
_TWO_PARTS_OF_A_COUNTRY = frozenset(("co", "com", "org", "ac", "gov", "net", "edu", "ltd", "me"))


def joined(text: str, at: int) -> Iterator[str]:
    """What may stand around an "@" once line breaks are taken out, each with exactly one "@"."""
    left, right = text[max(0, at - _REACH) : at], text[at + 1 : at + 1 + _REACH]
    if "\n" not in left and "\n" not in right:
        return
    lefts, rights = list(_lefts(left)), list(_rights(right))
    if not lefts and not rights:
        return
    whole_left = re.split(r"[\s@\x1e]", left)[-1]
    whole_right = re.split(r"[\s@\x1e]", right, maxsplit=1)[0]
    for one in (whole_left, *lefts):
        for other in (whole_right, *rights):
            if (one, other) != (whole_left, whole_right) and one and other:
                yield f"{one}@{other}"


def _lefts(left: str) -> Iterator[str]:
    if match := _BEFORE_AT.search(left):
        yield match.group(1)
    elif match := _IN_LOCAL.search(left):
        yield from _with_and_without_hyphen(match.group(1), match.group(2))


def _rights(right: str) -> Iterator[str]:
    if match := _AFTER_AT.match(right):
        yield match.group(1)
        return
    match = _IN_DOMAIN.match(right)
    if match is None:
        return
    first, sign, _, second = match.groups()
    if not sign and not second.startswith("."):
        return
    if sign == "." and "." in first and not _is_country_behind(first, second):
        return  # an address at the end of a sentence
    yield from _with_and_without_hyphen(first + sign, second)


def _is_country_behind(first: str, second: str) -> bool:
    return first.rpartition(".")[2] in _TWO_PARTS_OF_A_COUNTRY and re.fullmatch(r"[a-z]{2}\.?", second) is not None


def _with_and_without_hyphen(first: str, second: str) -> Iterator[str]:
    yield first + second
    if first.endswith("-"):
        yield first[:-1] + second
