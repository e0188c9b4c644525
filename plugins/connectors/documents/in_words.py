"""Which addresses are written in words, so that machines shall not find them, as in "jane [at] example dot com"?

What is found is a guess about what somebody meant: evidence that may protect, and never erases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_AT_IN_BRACKETS = r"\s{0,3}[\[({<]\s{0,3}(?:at|@|ät)\s{0,3}[\])}>]\s{0,3}"
_BARE_AT = r"\s{1,3}at\s{1,3}"
_DOT = r"\s{0,3}[\[({<]\s{0,3}(?:dot|punkt|\.)\s{0,3}[\])}>]\s{0,3}|\s{1,3}dot\s{1,3}"
_ANY_DOT = rf"{_DOT}|\."
_LOCAL = rf"(?<![\w.+\-])([a-z0-9][\w+\-]{{0,40}}(?:(?:{_ANY_DOT})[\w+\-]{{1,40}}){{0,3}}?)"


def _pattern(at: str, dot: str) -> re.Pattern[str]:
    domain = rf"([a-z0-9\-]{{1,60}}(?:(?:{dot})[a-z0-9\-]{{1,60}}){{1,4}})(?![\w\-])"
    return re.compile(rf"{_LOCAL}(?:{at}){domain}", re.IGNORECASE)


# "look at example.com" is no address: without brackets, a dot must be in words too.
_PATTERNS = (_pattern(_AT_IN_BRACKETS, _ANY_DOT), _pattern(_BARE_AT, _DOT))
_EITHER_DOT = re.compile(_ANY_DOT, re.IGNORECASE)


def addresses_in_words(text: str) -> Iterator[str]:
    """Each as it is meant; whether its domain can be one is for the caller to say."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            local, domain = (_EITHER_DOT.sub(".", part) for part in match.groups())
            yield f"{local}@{domain}"
