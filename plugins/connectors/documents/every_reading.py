"""Which addresses may an "@" be part of, when it does not stand as most do? Every reading of it, and how sure it is.

Where a longer address may be a shorter one with something glued to it (as in `email=bob@x.example`), where two lines
may be one address, and where characters are written as codes.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote

from connectors.documents.line_breaks import joined

# Soft hyphens (with the line end they stand at), zero-width characters and direction marks: nobody sees them, and they
# split an address.
_INVISIBLE = re.compile("\u00ad(?:\r?\n)?|[\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_HAS_WIDE = re.compile("[\uff01-\uff5e\ufe6b]")
_TO_NARROW: dict[int, int | str] = {**{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}, 0xFE6B: "@"}
_OTHER_HYPHENS = {0x2010: "-", 0x2011: "-"}
_LOCAL_BACKWARDS = re.compile(r"[\w!#$%&'*+\-/=?^`{|}~.]{1,66}")
_DOMAIN = re.compile(r"[^\W_][^\W_]*(?:-+[^\W_]+)*(?:[.\u3002\uff0e\uff61][^\W_]+(?:-+[^\W_]+)*)+")
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_LONGEST_LOCAL = 64
_LONGEST_DOMAIN = 255
_GLUE = re.compile(r"[=/?&|{}#!*$^~`]")  # legal before the "@", and more often put there by something else
_EDGE = re.compile(r"^[^\w]+|^_+")

_ENTITY = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"
_ESCAPE = r"\\u[0-9a-fA-F]{4}"
_ENCODED = re.compile(rf"%[0-9a-fA-F]{{2}}|{_ENTITY}|{_ESCAPE}")
_ENCODED_AT = re.compile(r"%40|&#0{0,4}64;|&#[xX]0{0,4}40;|&commat;|\\u0040")
_ENTITY_BEFORE = re.compile(rf"{_ENTITY}$")
_UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_TOKEN_END = re.compile(r"[\s<>\"]")
_TOKEN_REACH = 320


def readable(text: str) -> str:
    """A text without what nobody sees, in the signs that addresses are made of."""
    if text.isascii():
        return text
    text = _INVISIBLE.sub("", text).translate(_OTHER_HYPHENS)
    if _HAS_WIDE.search(text):
        text = text.translate(_TO_NARROW)
    return unicodedata.normalize("NFC", text)


def around(text: str, at: int) -> Iterator[tuple[str, bool]]:
    """Every address that this "@" may be part of, and whether it stands there as a whole."""
    for reading in joined(text, at):
        middle = reading.index("@")
        for value, _ in _between(reading, middle):
            yield value, False
    yield from _between(text, at)


def _between(text: str, at: int) -> Iterator[tuple[str, bool]]:
    domain_match = _DOMAIN.match(text, at + 1, at + 2 + _LONGEST_DOMAIN)
    local_match = _LOCAL_BACKWARDS.match(text[max(0, at - 67) : at][::-1])
    if domain_match is None or local_match is None:
        return
    end, start = domain_match.end(), at - local_match.end()
    window = text[max(0, start - 10) : end + 10]
    if ("%" in window or "&" in window or "\\" in window) and _is_encoded_near(text, start, end):
        left, right = _token(text, at)
        decoded = list(_in_decoded(text[left:right]))
        if decoded:
            yield from decoded
            return
    yield from _readings(text, start, at, end)


def _readings(text: str, start: int, at: int, end: int) -> Iterator[tuple[str, bool]]:
    """The address as it stands, and what it may be without something glued to it."""
    local = text[start:at].lstrip("'.")
    domain = _DOTS.sub(".", text[at + 1 : end])
    if not local or len(local) > _LONGEST_LOCAL or not is_domain(domain):
        return
    bounded = text[end : end + 1] not in ("_", "-", "@", "%") and text[start - 1 : start] != "@"
    yield f"{local}@{domain}", bounded
    shorter = _EDGE.sub("", _GLUE.split(local)[-1])
    last_label = domain.rpartition(".")[2]
    clipped = domain.removesuffix(f".{last_label}") if last_label[:1].isupper() and not domain.isupper() else domain
    locals_ = {local, shorter} - {""}
    domains = {domain, clipped} if is_domain(clipped) else {domain}
    for one in sorted(locals_):
        for other in sorted(domains):
            if (one, other) != (local, domain):
                yield f"{one}@{other}", False


def is_domain(domain: str) -> bool:
    """Whether an address may end so."""
    labels = domain.split(".")
    top = labels[-1]
    return len(labels) > 1 and len(top) > 1 and not top.isdigit() and all(0 < len(label) <= 63 for label in labels)


def _is_encoded_near(text: str, start: int, end: int) -> bool:
    inside = _ENCODED.search(text, start, end) is not None
    behind = text[end : end + 1] in ("%", "&", "\\") and _ENCODED.match(text, end) is not None
    before = text[start - 1 : start] == ";" and _ENTITY_BEFORE.search(text[max(0, start - 12) : start]) is not None
    return inside or behind or before


def encoded(text: str) -> Iterator[tuple[str, bool]]:
    """Addresses whose "@" is written as %40 or as an entity; no part of the text is decoded for each of them again."""
    covered = 0
    for match in _ENCODED_AT.finditer(text):
        if match.start() >= covered:
            left, right = _token(text, match.start())
            covered = right - _LONGEST_LOCAL if right - match.start() >= _TOKEN_REACH else right
            yield from _in_decoded(text[left:right])


def _token(text: str, position: int) -> tuple[int, int]:
    """What stands around a position without a space, within reach."""
    left, right = position, position
    while left > max(0, position - _TOKEN_REACH) and not _TOKEN_END.match(text[left - 1]):
        left -= 1
    while right < min(len(text), position + _TOKEN_REACH) and not _TOKEN_END.match(text[right]):
        right += 1
    return left, right


def _in_decoded(token: str) -> Iterator[tuple[str, bool]]:
    """The addresses in a text where characters are written as %XX or as entities; decoded exactly once."""
    plain = _UNICODE_ESCAPE.sub(lambda escape: chr(int(escape.group(1), 16)), html.unescape(token))
    with suppress(UnicodeDecodeError):  # where it is no code, only a percent sign before two letters
        plain = unquote(plain, errors="strict")
    if plain == token:
        return
    plain = readable(plain)
    at = plain.find("@")
    while at != -1:
        domain_match = _DOMAIN.match(plain, at + 1, at + 2 + _LONGEST_DOMAIN)
        local_match = _LOCAL_BACKWARDS.match(plain[max(0, at - 67) : at][::-1])
        if domain_match and local_match:
            yield from _readings(plain, at - local_match.end(), at, domain_match.end())
        at = plain.find("@", at + 1)
