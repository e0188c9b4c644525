"""Who are the made-up people? Names nobody bears, addresses and telephone numbers reserved for fiction."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

# Words in lines, since as literals they would fill a page each.
_FIRST_NAMES = (  # noqa: SIM905
    "Aldous Briony Cosmo Dilys Emrys Fenella Gideon Hestia Ignatius Jessamy Kester Leocadia Merrick Nerys Osbert "
    "Perpetua Quillon Rosalba Severin Tamsin Ulric Verity Wystan Xanthe Yestin Zenobia Ambrose Beatrix Corwin "
    "Delphine Evander Flavia Garrick Honora Ivo Junia Kenelm Lavinia Mungo Nuala Orlando Petronel Rafferty Sidony"
).split()
_LAST_STARTS = (  # noqa: SIM905
    "Fable Mock Sample Dummy Test Proxy Figment Pretend Phantom Notion Fancy Guise Sketch Draft Model Token Stand "
    "Trial Shadow Mirage Riddle Myth Quirk Whim Conjure Puzzle Feign Invent Sham Lore"
).split()
_LAST_ENDS = (  # noqa: SIM905
    "wick ridge ton bury ford worth stead thorpe combe dale mere shaw ley croft holm garth cote hurst well brook"
).split()
_DOMAINS = ("example.com", "example.org", "brightwater.example", "northgate.example", "larkfield.test", "ashdown.test")


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person; `cases` names what they illustrate (nothing for ordinary ones)."""

    first: str
    last: str
    emails: tuple[str, ...]
    phone: str | None
    """E.164."""
    cases: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        return self.emails[0]

    @property
    def full_name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case lies: `salesforce`/`Contact` or `Lead`/Id, `hubspot`/`contact`/id, `documents`/`file`/path."""

    system: str
    kind: str
    key: str


@dataclass
class Case:
    """One interesting case: what it shows, who is in it, and where it lies. `address` is the first person's."""

    name: str
    shows: str
    people: list[Person] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    @property
    def address(self) -> str:
        return next(person.email for person in self.people if person.emails)

    def keys(self, system: str, kind: str | None = None) -> list[str]:
        """The record keys of this case in one system."""
        return [p.key for p in self.places if p.system == system and kind in (None, p.kind)]


def national(phone: str) -> str:
    """The same number as people in the United Kingdom write it."""
    digits = "0" + phone.removeprefix("+44")
    if digits.startswith("020"):
        return f"{digits[:3]} {digits[3:7]} {digits[7:]}"
    return f"{digits[:5]} {digits[5:]}"


class Invention:
    """Makes up people, each different from all before: no two share an address or number unless a case asks for it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._serial = 0
        # The two blocks that the British regulator keeps free for drama; shuffled, so that seeds differ.
        self._phones = [f"+442079460{n:03d}" for n in range(1000)] + [f"+447700900{n:03d}" for n in range(1000)]
        chance.shuffle(self._phones)
        self._names = self._shuffled_names()

    def person(
        self,
        *cases: str,
        first: str | None = None,
        last: str | None = None,
        emails: tuple[str, ...] | None = None,
        phone: str | bool | None = True,
    ) -> Person:
        """A new person; `phone=True` takes the next free number (none is left after two thousand)."""
        self._serial += 1
        made_first, made_last = next(self._names)
        first, last = first or made_first, last or made_last
        if emails is None:
            domain = self._chance.choice(_DOMAINS)
            emails = (f"{first}.{last}{self._serial}@{domain}".lower(),)
        number = (self._phones.pop() if self._phones else None) if phone is True else (phone or None)
        return Person(first, last, emails, number, cases)

    def _shuffled_names(self) -> Iterator[tuple[str, str]]:
        lasts = [start + end for start in _LAST_STARTS for end in _LAST_ENDS]
        pairs = [(first, last) for first in _FIRST_NAMES for last in lasts]
        self._chance.shuffle(pairs)
        while True:
            yield from pairs
