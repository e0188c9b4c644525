"""How does a case come into the systems? A pen that writes rows and files and remembers where each case lies."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sandbox.population.days import Days
from sandbox.population.hubspot_rows import HubSpotRows
from sandbox.population.mail_rows import MailRows
from sandbox.population.people import Case, Invention, Person, Place
from sandbox.population.salesforce_rows import SalesforceRows

Row = dict[str, Any]


@dataclass(frozen=True)
class FilePlan:
    """A file that is still to be written: writing waits until somebody asks for the documents."""

    path: str
    modified: datetime
    write: Callable[[], bytes]


class Story:
    """Collects the cases of one population. Chance comes from the one seeded source only."""

    def __init__(self, seed: int, as_of: date) -> None:
        self.chance = random.Random(seed)
        self.days = Days(as_of)
        self.invention = Invention(self.chance)
        self.salesforce = SalesforceRows(seed)
        self.hubspot = HubSpotRows()
        self.mail = MailRows()
        self.files: list[FilePlan] = []
        self.people: list[Person] = []
        self.cases: dict[str, Case] = {}

    def case(self, name: str, shows: str) -> Case:
        if name in self.cases:
            raise ValueError(f"case {name!r} is told twice")
        self.cases[name] = case = Case(name, shows)
        return case

    def person(self, case: Case, **known: Any) -> Person:
        person = self.invention.person(case.name, **known)
        case.people.append(person)
        self.people.append(person)
        return person

    def one(self, name: str, shows: str, **known: Any) -> tuple[Case, Person]:
        """A case about a single person."""
        case = self.case(name, shows)
        return case, self.person(case, **known)

    def long_ago(self) -> date:
        """A day six to nine years back: past the period by a wide margin."""
        return self.days.ago(years=6, days=self.chance.randrange(3 * 365))

    def lately(self) -> date:
        """A day one to three years back: well within the period."""
        return self.days.ago(years=1, days=self.chance.randrange(2 * 365))

    def contact(self, case: Case, person: Person, created: date | datetime, **known: Any) -> str:
        row = self.salesforce.contact(person, created, **known)
        return self.lies(case, "salesforce", "Contact", row["Id"])

    def lead(self, case: Case, person: Person, created: date | datetime, **known: Any) -> str:
        row = self.salesforce.lead(person, created, **{"company": "Brightwater Example Ltd", **known})
        return self.lies(case, "salesforce", "Lead", row["Id"])

    def hub(self, case: Case, person: Person, created: date, **known: Any) -> Row:
        row = self.hubspot.contact(person, created, **known)
        self.lies(case, "hubspot", "contact", row["id"])
        return row

    def file(self, path: str, modified: datetime, write: Callable[[], bytes], *case_names: str) -> None:
        """A file of the document server; it is a place of every case named."""
        self.files.append(FilePlan(path, modified, write))
        for name in case_names:
            self.lies(self.cases[name], "documents", "file", path)

    def lies(self, case: Case, system: str, kind: str, key: str) -> str:
        """Remember where a case lies."""
        place = Place(system, kind, key)
        if place not in case.places:
            case.places.append(place)
        return key
