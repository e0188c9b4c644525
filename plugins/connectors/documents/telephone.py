"""Which telephone numbers does a text name? In their international form, by the region a number is dialled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

_GOES_ON = r"[\d \u00a0().\-/]{6,40}\d(?!\w)"
_PHONE = re.compile(rf"(?<![\w+])(?:\+|\(?0){_GOES_ON}")
# Where one begins. Patterns that begin with one sign run over a text many times as quickly as the one above.
_FROM_PLUS = ("+", re.compile(rf"\+(?<![\w+]\+){_GOES_ON}"))
_FROM_ZERO = ("0", re.compile(rf"0(?<![\w+]0){_GOES_ON}"))
_DAY = re.compile(r"\d\d[-./]\d\d[-./]\d{4}")
_FEWEST_DIGITS = 7
_SHORTEST_NATIONAL = 9  # digits without country code: shorter ones are dates and order numbers


def numbers_in(text: str, region: str) -> Iterator[str]:
    """Every number, E.164."""
    for candidate in _candidates(text):
        yield from _international(candidate, region)


def _candidates(text: str) -> Iterator[str]:
    """What `_PHONE` finds, one after the other."""
    plus = _next(_FROM_PLUS, text, 0)
    zero = _next(_FROM_ZERO, text, 0)
    while (start := min(plus, zero)) < len(text):
        match = (text[start - 1 : start] == "(" and _PHONE.match(text, start - 1)) or _PHONE.match(text, start)
        end = match.end() if match else start + 1
        if match:
            yield match.group()
        if plus < end:
            plus = _next(_FROM_PLUS, text, end)
        if zero < end:
            zero = _next(_FROM_ZERO, text, end)


def _next(beginning: tuple[str, re.Pattern[str]], text: str, position: int) -> int:
    sign, pattern = beginning
    first = text.find(sign, position)
    match = pattern.search(text, first) if first != -1 else None
    return match.start() if match else len(text)


@lru_cache(maxsize=4096)
def _international(candidate: str, region: str) -> tuple[str, ...]:
    if _DAY.match(candidate):
        return ()
    matcher = phonenumbers.PhoneNumberMatcher(candidate, region, leniency=phonenumbers.Leniency.POSSIBLE)
    return tuple(
        phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        for match in matcher
        if _is_long_enough(match.number.national_number, match.raw_string) and match.raw_string.lstrip("(")[0] in "+0"
    )


def _is_long_enough(national: int | None, written: str) -> bool:
    """A number with its country code is one from seven digits on; without, it must look like no date and no order."""
    fewest = _FEWEST_DIGITS if written.startswith("+") else _SHORTEST_NATIONAL
    return len(str(national or "")) >= fewest
