"""Is this text a record id, and which one? Fifteen characters that heed case, or eighteen with a check on it."""

from __future__ import annotations

import re

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?")


def checksum(short: str) -> str:
    """The three characters that make a 15-character id safe where case is lost."""
    chunks = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(_SUFFIX[sum(1 << bit for bit, char in enumerate(chunk) if char.isupper())] for chunk in chunks)


def long_id(given: str) -> str | None:
    """The 18-character form of a well-formed id, or None. A long id repairs the case of its first fifteen."""
    if not _SHAPE.fullmatch(given):
        return None
    short = given[:15]
    if len(given) == 15:
        return short + checksum(short)
    bits = [(_SUFFIX.index(char) >> bit) & 1 for char in given[15:].upper() for bit in range(5)]
    if any(bit and not char.isalpha() for bit, char in zip(bits, short, strict=True)):
        return None
    repaired = "".join(char.upper() if bit else char.lower() for bit, char in zip(bits, short, strict=True))
    return repaired + checksum(repaired)


def made_id(prefix: str, number: int) -> str:
    """The id of the n-th record made for a key prefix."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    short = f"{prefix}8d000{digits.rjust(7, '0')}"
    return short + checksum(short)
