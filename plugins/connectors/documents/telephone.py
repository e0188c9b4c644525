"""Which telephone numbers does a text name? In their international form, by the region a number is dialled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

_PHONE = re.compile(r"(?<![\w+])(?:\+|\(?0)[\d \u00a0().\-/]{6,40}\d(?!\w)")
_DAY = re.compile(r"\d\d[-./]\d\d[-./]\d{4}")
_FEWEST_DIGITS = 7
_SHORTEST_NATIONAL = 9  # digits without country code: shorter ones are dates and order numbers
_BLOCK = 4096
_FEWEST_IN_A_ROW = "0" * _FEWEST_DIGITS
# Digits become zeros, what may stand between two of them goes, all else stays something else.
_TO_ZEROS = {
    **{ord(digit): "0" for digit in "0123456789"},
    **{ord(sign): None for sign in " \u00a0().-/"},
}
_TO_ZEROS_IN_ASCII = bytes(ord("0") if chr(code).isdigit() and code < 128 else code for code in range(256))


def numbers_in(text: str, region: str) -> Iterator[str]:
    """Every number, E.164. Most texts hold none, and that is seen without looking at each of their digits."""
    for start, end in _blocks(text):
        block = text[start:end]
        if _has_digits_enough(block):
            for match in _PHONE.finditer(block):
                yield from _international(match.group(), region)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Pieces that end where a line or a block does, since no number reaches over that."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _BLOCK) + 1 or len(text)
        yield start, end
        start = end


def _has_digits_enough(block: str) -> bool:
    if block.isascii():
        return _FEWEST_IN_A_ROW.encode() in block.encode().translate(_TO_ZEROS_IN_ASCII, b" ().-/")
    return _FEWEST_IN_A_ROW in block.translate(_TO_ZEROS)


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
