"""Which e-mail addresses and telephone numbers does a text name, and how surely?

An address is found from its "@" outwards and taken as long as it goes: `bob@x.example` is not in `jbob@x.example` and
not in `bob@x.example.test`. Where a longer address may be a shorter one with something glued to it (as in
`email=bob@x.example`) both are reported, the shorter as not whole: that may protect a file, and takes no row out.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

import idna
import phonenumbers

from retention.vocabulary import Identifier, IdentifierKind

REGION = "GB"
Mentions = dict[Identifier, bool]
"""Identifier → whether it stands there as a whole."""

# Soft hyphens, zero-width characters and direction marks: nobody sees them, and they split an address.
_INVISIBLE = re.compile("[\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_WIDE_AT = re.compile("[\uff20\ufe6b]")
_LOCAL_BACKWARDS = re.compile(r"[\w!#$%&'*+\-/=?^`{|}~.]{1,66}")
_DOMAIN = re.compile(r"[^\W_][^\W_]*(?:-+[^\W_]+)*(?:[.\u3002\uff0e\uff61][^\W_]+(?:-+[^\W_]+)*)+")
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_LONGEST_LOCAL = 64
_LONGEST_DOMAIN = 255
_GLUE = re.compile(r"[=/?&|{}#!*$^~`]")  # legal before the "@", and more often put there by something else
_EDGE = re.compile(r"^[^\w]+|^_+")

_ENTITY = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"
_ENCODED = re.compile(rf"%[0-9a-fA-F]{{2}}|{_ENTITY}")
_ENCODED_AT = re.compile(r"%40|&#0{0,4}64;|&#[xX]0{0,4}40;|&commat;")
_ENTITY_BEFORE = re.compile(rf"{_ENTITY}$")
_TOKEN_END = re.compile(r"[\s<>\"]")
_TOKEN_REACH = 320

_PHONE = re.compile(r"(?<![\w+])(?:\+|\(?0)[\d \u00a0().\-/]{7,40}\d(?!\w)")
_DAY = re.compile(r"\d\d[-./]\d\d[-./]\d{4}")
_SHORTEST_PHONE = 9  # digits without country code: shorter ones are dates and order numbers


def mentions(text: str) -> Mentions:
    """Every identifier a text names."""
    found = addresses(text)
    for number in _phones(_readable(text)):
        _add(found, Identifier(IdentifierKind.PHONE, number), True)
    return found


def addresses(text: str) -> Mentions:
    """Every e-mail address a text names."""
    found: Mentions = {}
    text = _readable(text)
    for value, whole in _plain(text):
        _add(found, Identifier(IdentifierKind.EMAIL, value), whole)
    for value, whole in _encoded(text):
        _add(found, Identifier(IdentifierKind.EMAIL, value), whole)
    return found


def comparable(identifier: Identifier) -> tuple[IdentifierKind, str]:
    """The form in which two identifiers are the same: the local part as it stands, the domain as an A-label."""
    value = unicodedata.normalize("NFC", identifier.value).strip(" \t\r\n<>\"'")
    if identifier.kind is not IdentifierKind.EMAIL or "@" not in value:
        return identifier.kind, value
    local, _, domain = value.rpartition("@")
    try:
        domain = idna.encode(domain.strip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        domain = domain.strip(".").lower()
    return identifier.kind, f"{local}@{domain}"


def _add(found: Mentions, identifier: Identifier, whole: bool) -> None:
    found[identifier] = whole or found.get(identifier, False)


def _readable(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _WIDE_AT.sub("@", _INVISIBLE.sub("", text)))


def _plain(text: str) -> Iterator[tuple[str, bool]]:
    position = text.find("@")
    while position != -1:
        yield from _around(text, position)
        position = text.find("@", position + 1)


def _around(text: str, at: int) -> Iterator[tuple[str, bool]]:
    domain_match = _DOMAIN.match(text, at + 1, at + 2 + _LONGEST_DOMAIN)
    local_match = _LOCAL_BACKWARDS.match(text[max(0, at - 67) : at][::-1])
    if domain_match is None or local_match is None:
        return
    end, start = domain_match.end(), at - local_match.end()
    window = text[max(0, start - 10) : end + 10]
    if ("%" in window or "&" in window) and _is_encoded_near(text, start, end):
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
    if not local or len(local) > _LONGEST_LOCAL or not _is_domain(domain):
        return
    bounded = text[end : end + 1] not in ("_", "-", "@", "%") and text[start - 1 : start] != "@"
    yield f"{local}@{domain}", bounded
    shorter = _EDGE.sub("", _GLUE.split(local)[-1])
    last_label = domain.rpartition(".")[2]
    clipped = domain.removesuffix(f".{last_label}") if last_label[:1].isupper() and not domain.isupper() else domain
    locals_ = {local, shorter} - {""}
    domains = {domain, clipped} if _is_domain(clipped) else {domain}
    for one in sorted(locals_):
        for other in sorted(domains):
            if (one, other) != (local, domain):
                yield f"{one}@{other}", False


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    top = labels[-1]
    return len(labels) > 1 and len(top) > 1 and not top.isdigit() and all(0 < len(label) <= 63 for label in labels)


def _is_encoded_near(text: str, start: int, end: int) -> bool:
    inside = _ENCODED.search(text, start, end) is not None
    behind = text[end : end + 1] in ("%", "&") and _ENCODED.match(text, end) is not None
    before = text[start - 1 : start] == ";" and _ENTITY_BEFORE.search(text[max(0, start - 12) : start]) is not None
    return inside or behind or before


def _encoded(text: str) -> Iterator[tuple[str, bool]]:
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
    plain = html.unescape(token)
    with suppress(UnicodeDecodeError):  # where it is no code, only a percent sign before two letters
        plain = unquote(plain, errors="strict")
    if plain == token:
        return
    plain = _readable(plain)
    at = plain.find("@")
    while at != -1:
        domain_match = _DOMAIN.match(plain, at + 1, at + 2 + _LONGEST_DOMAIN)
        local_match = _LOCAL_BACKWARDS.match(plain[max(0, at - 67) : at][::-1])
        if domain_match and local_match:
            yield from _readings(plain, at - local_match.end(), at, domain_match.end())
        at = plain.find("@", at + 1)


def _phones(text: str) -> Iterator[str]:
    for match in _PHONE.finditer(text):
        yield from _numbers(match.group())


@lru_cache(maxsize=4096)
def _numbers(candidate: str) -> tuple[str, ...]:
    if _DAY.match(candidate):
        return ()
    matcher = phonenumbers.PhoneNumberMatcher(candidate, REGION, leniency=phonenumbers.Leniency.POSSIBLE)
    return tuple(
        phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        for match in matcher
        if len(str(match.number.national_number)) >= _SHORTEST_PHONE and match.raw_string.lstrip("(")[0] in "+0"
    )
