"""Which e-mail addresses, telephone and customer numbers does a text name, and how surely?

An address is found from its "@" outwards and taken as long as it goes: `bob@x.example` is not in `jbob@x.example` and
not in `bob@x.example.test`. Where a longer address may be a shorter one with something glued to it (as in
`email=bob@x.example`), or two lines one address, every reading is reported as not whole: that may protect a file, and
takes no row out.
"""

from __future__ import annotations

import quopri
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat

import idna

from connectors.documents.every_reading import around, encoded, is_domain, readable
from connectors.documents.in_words import addresses_in_words
from connectors.documents.ordinary import ordinary
from connectors.documents.sought import Sought, customer_number_pattern
from connectors.documents.telephone import numbers_in
from retention.vocabulary import Identifier, IdentifierKind

Mentions = dict[Identifier, bool]
"""Identifier → whether it stands there as a whole."""

_SIGNS_OF_CODE = (("%", ("%40",)), ("&", ("&#", "&commat;")), ("\\", ("\\u0040",)))
_SIGNS_OF_QUOTED_PRINTABLE = (("=", ("=40", "=\n", "=\r\n")),)
_SIGNS_OF_WORDS = tuple(
    (bracket, tuple(f"{bracket}{space}{at}" for space in ("", " ") for at in ("at", "AT", "At", "@", "ät")))
    for bracket in "[({<"
)
# A pattern that begins with a letter is quicker than `in`, which stumbles over the spaces.
_DOT_AND_AT = ((re.compile("dot (?<= dot )"), " at "), (re.compile("DOT (?<= DOT )"), " AT "))

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
        text = readable(text)
        self._look_for_addresses(text)
        for number in numbers_in(text, self._sought.phone_region):
            self._others[Identifier(IdentifierKind.PHONE, number)] = True
        pattern = customer_number_pattern(self._sought.customer_numbers)
        for match in pattern.finditer(text) if pattern is not None else ():
            self._others[Identifier(IdentifierKind.CUSTOMER_NUMBER, match.group())] = True

    def look_for_addresses(self, text: str) -> None:
        """Gather every e-mail address that a text names."""
        self._look_for_addresses(readable(text))

    def identifiers(self) -> tuple[Identifier, ...]:
        """All that was gathered."""
        return (*map(Identifier, repeat(IdentifierKind.EMAIL), self._addresses), *self._others)

    def mentions(self) -> Mentions:
        """All that was gathered, and whether it stood anywhere as a whole."""
        found = {Identifier(IdentifierKind.EMAIL, value): whole for value, whole in self._addresses.items()}
        return found | self._others

    def _look_for_addresses(self, text: str) -> None:
        found = self._addresses
        whole, others = ordinary(text)
        found.update(zip(whole, repeat(True)))
        for at in others:
            self._take(around(text, at))
        if _has_any(text, _SIGNS_OF_CODE):
            self._take(encoded(text))
        if _has_any(text, _SIGNS_OF_QUOTED_PRINTABLE):
            plain = _from_quoted_printable(text)
            self._take((value, False) for value, _ in _every_address(plain))
        if _is_in_words(text):
            for value in addresses_in_words(text):
                if is_domain(value.rpartition("@")[2]):
                    self._others.setdefault(weakly(Identifier(IdentifierKind.EMAIL, value)), False)

    def _take(self, met: Iterable[tuple[str, bool]]) -> None:
        found = self._addresses
        for value, whole in met:
            found[value] = whole or found.get(value, False)


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


def _is_in_words(text: str) -> bool:
    return _has_any(text, _SIGNS_OF_WORDS) or any(dot.search(text) and at in text for dot, at in _DOT_AND_AT)


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


def _every_address(text: str) -> Iterator[tuple[str, bool]]:
    """Every address with an "@"."""
    whole, others = ordinary(text)
    yield from zip(whole, repeat(True))
    for at in others:
        yield from around(text, at)
