"""Whom is a note, an e-mail, a call, a meeting, a task or a message about? The contacts it is linked with.

Purging a contact leaves behind what is linked with somebody or something else too, and calls and tasks in any case. So
activities are records of their own: found by their own date, or through a contact, erased or redacted by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.hubspot.business import NO_DEALINGS, Business, Dealings
from connectors.hubspot.facts import (
    COMPANY,
    DEALS,
    OF_CONTACT,
    Row,
    Types,
    declared,
    finding_of,
    identifiers_of,
    properties_of,
    version_of,
)
from connectors.hubspot.links import CONTACTS, Links, ends
from retention.vocabulary import Facts, Finding, Gap, GapCode, Identifier, RecordKind, RecordRef

CONTACT = "contact"
OBJECT_TYPES: Mapping[str, str] = {
    CONTACT: CONTACTS,
    "note": "notes",
    "email": "emails",
    "call": "calls",
    "meeting": "meetings",
    "task": "tasks",
    "communication": "communications",
}
"""The kinds of record this connector serves, and what the vendor's paths call them."""


class Activities:
    """Reads what activities are about."""

    def __init__(self, links: Links, business: Business, system: str, contact: RecordKind) -> None:
        self._links = links
        self._business = business
        self._system = system
        self._contact = contact

    def of_contacts(self, kind: RecordKind, contacts: Sequence[str]) -> list[Row]:
        """The activities of one kind that some contacts are linked with."""
        linked = self._links.of(CONTACTS, OBJECT_TYPES[kind.name], contacts)
        return list(self._links.rows(OBJECT_TYPES[kind.name], ends(linked), declared(kind)).values())

    def findings(
        self,
        kind: RecordKind,
        types: Types,
        rows: Sequence[Row],
        marketing: Sequence[str] = (),
        known: Mapping[str, tuple[Row, Dealings]] | None = None,
    ) -> tuple[list[Finding], list[Gap]]:
        """Activities with the facts of the people they are about; `known` contacts are not read again."""
        if not rows:
            return [], []
        known = dict(known or {})
        linked = self._links.of(OBJECT_TYPES[kind.name], CONTACTS, [str(row["id"]) for row in rows])
        wanted = [one for one in ends(linked) if one not in known]
        read = self._links.rows(CONTACTS, wanted, [*declared(self._contact), DEALS, COMPANY, *marketing])
        dealings, unread = self._business.of(self._contact, list(read.values()))
        known |= {key: (row, dealings.get(key, NO_DEALINGS)) for key, row in read.items()}
        gaps, findings = list(unread), []
        for row in rows:
            contacts = linked.get(str(row["id"]), ())
            subjects = [known[one] for one in contacts if one in known]
            finding = self._about(kind, types, row, subjects, marketing)
            if len(subjects) < len(contacts):
                gaps.append(Gap(GapCode.LINK_NOT_FOLLOWED, kind.name, CONTACT, finding.ref))
                finding = _protected(finding)
            findings.append(finding)
        return findings, gaps

    def _about(
        self,
        kind: RecordKind,
        types: Types,
        row: Row,
        subjects: Sequence[tuple[Row, Dealings]],
        marketing: Sequence[str],
    ) -> Finding:
        own = finding_of(self._system, kind, types, row)
        people = [finding_of(self._system, self._contact, {}, contact, marketing).facts for contact, _ in subjects]
        identifiers = tuple(
            dict.fromkeys(one for contact, _ in subjects for one in known_by(kind, properties_of(contact)))
        )
        facts = replace(
            own.facts,
            transactions=tuple(dict.fromkeys(t for _, dealings in subjects for t in dealings.transactions)),
            open_complaint=any(dealings.open_complaint for _, dealings in subjects),
            restricted=own.facts.restricted or any(person.restricted for person in people),
            several_people=len(people) > 1,
        )
        if len(people) == 1:
            facts = _of_one(facts, people[0])
        ref = RecordRef(self._system, kind.name, str(row["id"]), version_of(row))
        return Finding(ref, facts, identifiers)


def known_by(kind: RecordKind, contact: Mapping[str, object]) -> tuple[Identifier, ...]:
    """How the people of an activity are known: by properties of the contacts it is linked with."""
    return identifiers_of(kind, {f"{OF_CONTACT}{name}": value for name, value in contact.items()})


def assumed_types(kind: RecordKind) -> Types:
    """The types of an activity's properties, which are HubSpot's own and the same everywhere."""
    dates = {name for field_set in kind.field_sets for name in field_set.collected_from}
    return {name: "datetime" if name in dates else "string" for name in declared(kind)}


def _of_one(facts: Facts, person: Facts) -> Facts:
    """An activity about one person carries that person's word."""
    return replace(
        facts, opted_out=person.opted_out, opted_out_on=person.opted_out_on, consented_on=person.consented_on
    )


def _protected(finding: Finding) -> Finding:
    """Somebody it is about could not be read: that may protect a record, never destroy it."""
    return replace(finding, facts=replace(finding.facts, open_complaint=True))
