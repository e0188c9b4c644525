"""Which e-mail addresses, telephone and customer numbers does a text name, and how surely?

An address is found from its "@" outwards and taken as long as it goes: `bob@x.example` is not in `jbob@x.example` and
not in `bob@x.example.test`. Where a longer address may be a shorter one with something glued to it (as in
`email=bob@x.example`), or two lines one address, every reading is reported as not whole: that may protect a file, and
takes no row out.
"""

from __future__ import annotations

import html
import quopri
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

import idna

from connectors.documents.in_words import addresses_in_words
from connectors.documents.line_breaks import joined
from connectors.documents.sought import Sought, customer_number_pattern
from connectors.documents.telephone import numbers_in
from retention.vocabulary import Identifier, IdentifierKind

Mentions = dict[Identifier, bool]
"""Identifier → whether it stands there as a whole."""

# Soft hyphens (with the line end they stand at), zero-width characters and direction marks: nobody sees them, and they
# split an address.
_INVISIBLE = re.compile("\u00ad(?:\r?\n)?|[\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_HAS_WIDE = re.compile("[\uff01-\uff5e\ufe6b]")
_TO_NARROW: dict[int, int | str] = {**{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}, 0xFE6B: "@"}
_OTHER_HYPHENS = {0x2010: "-", 0x2011: "-"}
# What nearly all addresses look like, so that they need no second look.
_ORDINARY_LOCAL_BACKWARDS = re.compile(
    r"[a-zA-Z0-9](?:[\w.+\-]{0,62}[a-zA-Z0-9])?(?=[ <\"(\[,:>\t\x1e]|$|\n$|\n\r?[\w ,;:>)\]\"\n])", re.ASCII
)
_ORDINARY_DOMAIN = re.compile(
    r"[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.[a-z]{2,24}(?=[ >\"),;:<\t\x1e]|\.?$|\.[ \x1e]|\r?\n[^.\s])"
)
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
_SIGNS_OF_CODE = (("%", ("%40",)), ("&", ("&#", "&commat;")), ("\\", ("\\u0040",)))
_SIGNS_OF_QUOTED_PRINTABLE = (("=", ("=40", "=\n", "=\r\n")),)
_SIGNS_OF_WORDS = (
    *(
        (bracket, tuple(f"{bracket}{space}{at}" for space in ("", " ") for at in ("at", "AT", "At", "@", "ät")))
        for bracket in "[({<"
    ),
    (" dot ", (" at ",)),
    (" DOT ", (" AT ",)),
)
_ENTITY_BEFORE = re.compile(rf"{_ENTITY}$")
_UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_TOKEN_END = re.compile(r"[\s<>\"]")
_TOKEN_REACH = 320

WEAK_AT = "\uff20"


class Gathered:
    """What was found in many texts: each identifier once, and whether it stood anywhere as a whole."""

    def __init__(self, sought: Sought | None = None) -> None:
        self._sought = sought or Sought()
        self._addresses: dict[str, bool] = {}
        self._others: Mentions = {}

    def __len__(self) -> int:
        return len(self._addresses) + len(self._others)

    def look_through(self, text: str) -> None:
        """Gather every identifier that a text names."""
        text = _readable(text)
        self._look_for_addresses(text)
        for number in numbers_in(text, self._sought.phone_region):
            self._others[Identifier(IdentifierKind.PHONE, number)] = True
        pattern = customer_number_pattern(self._sought.customer_numbers)
        for match in pattern.finditer(text) if pattern is not None else ():
            self._others[Identifier(IdentifierKind.CUSTOMER_NUMBER, match.group())] = True

    def look_for_addresses(self, text: str) -> None:
        """Gather every e-mail address that a text names."""
        self._look_for_addresses(_readable(text))

    def mentions(self) -> Mentions:
        """All that was gathered."""
        found = {Identifier(IdentifierKind.EMAIL, value): whole for value, whole in self._addresses.items()}
        return found | self._others

    def _look_for_addresses(self, text: str) -> None:
        found = self._addresses
        for value, whole in _plain(text):
            found[value] = whole or found.get(value, False)
        if _has_any(text, _SIGNS_OF_CODE):
            for value, whole in _encoded(text):
                found[value] = whole or found.get(value, False)
        if _has_any(text, _SIGNS_OF_QUOTED_PRINTABLE):
            for value, _ in _plain(_from_quoted_printable(text)):
                found.setdefault(value, False)
        if _has_any(text, _SIGNS_OF_WORDS):
            for value in addresses_in_words(text):
                if not _is_domain(value.rpartition("@")[2]):
                    continue
                self._others.setdefault(weakly(Identifier(IdentifierKind.EMAIL, value)), False)


def mentions(text: str, sought: Sought | None = None) -> Mentions:
    """Every identifier a text names."""
    gathered = Gathered(sought)
    gathered.look_through(text)
    return gathered.mentions()


def addresses(text: str) -> Mentions:
    """Every e-mail address a text names."""
    gathered = Gathered()
    gathered.look_for_addresses(text)
    return gathered.mentions()


def weakly(identifier: Identifier) -> Identifier:
    """An address as weak evidence: in a spelling only the folded form knows, which may protect and never erases."""
    if identifier.kind is not IdentifierKind.EMAIL:
        return identifier
    return Identifier(identifier.kind, identifier.value.replace("@", WEAK_AT))


def _has_any(text: str, signs: Iterable[tuple[str, Sequence[str]]]) -> bool:
    """Whether one of the signs is there: their rare first characters are looked for before, which is far quicker."""
    return any(first in text and any(sign in text for sign in signs) for first, signs in signs)


def _from_quoted_printable(text: str) -> str:
    return quopri.decodestring(text.encode("utf-8", errors="surrogatepass")).decode("utf-8", errors="replace")


def comparable(identifier: Identifier) -> tuple[IdentifierKind, str]:
    """The form in which two identifiers are the same: the local part as it stands, the domain as an A-label."""
    value = unicodedata.normalize("NFC", identifier.value).strip(" \t\r\n<>\"'")
    if identifier.kind is not IdentifierKind.EMAIL or "@" not in value:
        return identifier.kind, value
    local, _, domain = value.rpartition("@")
    return identifier.kind, f"{local}@{_a_label(domain)}"


@lru_cache(maxsize=10_000)
def _a_label(domain: str) -> str:
    try:
        return idna.encode(domain.strip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return domain.strip(".").lower()


def _readable(text: str) -> str:
    if text.isascii():
        return text
    text = _INVISIBLE.sub("", text).translate(_OTHER_HYPHENS)
    if _HAS_WIDE.search(text):
        text = text.translate(_TO_NARROW)
    return unicodedata.normalize("NFC", text)


def _plain(text: str) -> Iterator[tuple[str, bool]]:
    """Every address with an "@". This loop is what matching costs: it makes no object that it can do without."""
    find, domain_at, local_before = text.find, _ORDINARY_DOMAIN.match, _ORDINARY_LOCAL_BACKWARDS.match
    position = find("@")
    while position != -1:
        domain = domain_at(text, position + 1)
        if domain is not None:
            local = local_before(text[position - 66 if position > 66 else 0 : position][::-1])
            if local is not None:
                yield text[position - local.end() : domain.end()], True
                position = find("@", domain.end())
                continue
        yield from _around(text, position)
        position = find("@", position + 1)


def _around(text: str, at: int) -> Iterator[tuple[str, bool]]:
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
    behind = text[end : end + 1] in ("%", "&", "\\") and _ENCODED.match(text, end) is not None
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
    plain = _UNICODE_ESCAPE.sub(lambda escape: chr(int(escape.group(1), 16)), html.unescape(token))
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
