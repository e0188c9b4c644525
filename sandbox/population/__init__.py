"""Who are the made-up people, and what does each system hold of them? One population, the same for every emulator."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sandbox.population import address_cases, documents, mail, opt_out_cases, ordinary, time_cases
from sandbox.population.mail_rows import MailRows
from sandbox.population.people import Case, Person, Place, national
from sandbox.population.story import Story

__all__ = ["Case", "DocumentFile", "Person", "Place", "Population", "build"]


@dataclass(frozen=True)
class DocumentFile:
    """A file of the document server; `path` is relative, with forward slashes."""

    path: str
    content: bytes = field(repr=False)
    modified: datetime


class Population:
    """Everybody there is, as each system stores them. Systems are written out when they are first asked for.

    What is handed out is one and the same object each time: an emulator that changes rows copies them first.
    """

    def __init__(self, seed: int, scale: int, as_of: date) -> None:
        self.as_of = as_of
        self._story = story = Story(seed, as_of)
        time_cases.tell(story)
        opt_out_cases.tell(story)
        address_cases.tell(story)
        self._ordinary = ordinary.invent(story, ordinary.PER_SCALE * scale)
        documents.file(story, self._ordinary)
        mail.write(story, self._ordinary, scale)
        self.cases: dict[str, Case] = story.cases
        self.people: list[Person] = [*story.people, *(one.person for one in self._ordinary)]

    @functools.cached_property
    def salesforce(self) -> dict[str, list[dict[str, Any]]]:
        """Rows by object name, with the API's field names."""
        ordinary.into_salesforce(self._story.salesforce, self._ordinary)
        return self._story.salesforce.rows

    @functools.cached_property
    def hubspot(self) -> dict[str, list[dict[str, Any]]]:
        """`contacts` and `deals`, each row with `id`, `properties`, `createdAt`, `updatedAt`, `associations`."""
        ordinary.into_hubspot(self._story.hubspot, self._ordinary)
        return {"contacts": self._story.hubspot.contacts, "deals": self._story.hubspot.deals}

    @functools.cached_property
    def documents(self) -> list[DocumentFile]:
        """Every file, in the order of paths."""
        files = sorted(self._story.files, key=lambda plan: plan.path)
        return [DocumentFile(plan.path, plan.write(), plan.modified) for plan in files]

    @property
    def mail(self) -> MailRows:
        """Mailboxes, and plans of what lies in each."""
        return self._story.mail

    def identifiers(self) -> list[str]:
        """Every way a seeded person is named anywhere, in each spelling stored: what a leak scan looks for."""
        found: set[str] = set()
        for person in self.people:
            found.add(person.full_name)
            for email in person.emails:
                local, _, domain = email.rpartition("@")
                found.update((email, email.lower(), f"{local}@{domain.encode('idna').decode('ascii')}"))
            if person.phone:
                found.update((person.phone, national(person.phone)))
        return sorted(found)


def build(seed: int = 1, scale: int = 1, as_of: date | None = None) -> Population:
    """The population for a seed, a scale and a day. The same three give the same people, rows and bytes.

    Every interesting case is there once whatever the scale; the scale multiplies ordinary people.
    """
    if as_of is None:
        raise TypeError("as_of is needed: dates count from it, and no clock is read here")
    if scale < 1:
        raise ValueError(f"scale must be at least 1, not {scale}")
    return Population(seed, scale, as_of)
