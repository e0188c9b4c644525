"""What is stored in a system that is a dictionary, and how can it be made to misbehave?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from retention.vocabulary import (
    Action,
    ClassFacts,
    DataClass,
    Dated,
    Facts,
    Gap,
    Identifier,
    IdentifierKind,
    LawfulBasis,
    Outcome,
    OutcomeStatus,
    Reason,
    RecordRef,
    Scalar,
    Step,
    Transaction,
)

IDENTIFIER_FIELDS = {
    "email": IdentifierKind.EMAIL,
    "other_email": IdentifierKind.EMAIL,
    "phone": IdentifierKind.PHONE,
    "customer_number": IdentifierKind.CUSTOMER_NUMBER,
}


@dataclass
class MemoryRecord:
    """One record: its values, and what policy may know of them. Everything may be set as a test needs it."""

    values: dict[str, Scalar]
    classes: tuple[ClassFacts, ...]  # `fields` names the values of the class, filled or not
    kind: str = "person"
    opted_out: bool = False
    opted_out_on: date | None = None
    consented_on: date | None = None
    transactions: tuple[Transaction, ...] = ()
    open_complaint: bool = False
    restricted: bool = False
    several_people: bool = False
    number: int = 0  # given by the system: its place in every list
    revision: int = 0  # given by the system: moves on with every write to any record

    def filled(self) -> frozenset[str]:
        return frozenset(name for facts in self.classes for name in facts.fields if self.values.get(name))

    def facts(self) -> Facts:
        filled = self.filled()
        left = tuple(
            replace(facts, fields=tuple(name for name in facts.fields if name in filled))
            for facts in self.classes
            if filled.intersection(facts.fields)
        )
        return Facts(
            classes=left,
            opted_out=self.opted_out,
            opted_out_on=self.opted_out_on,
            consented_on=self.consented_on,
            transactions=self.transactions,
            open_complaint=self.open_complaint,
            restricted=self.restricted,
            several_people=self.several_people,
        )

    def identifiers(self) -> tuple[Identifier, ...]:
        held = ((kind, self.values.get(name)) for name, kind in IDENTIFIER_FIELDS.items())
        return tuple(Identifier(kind, str(value)) for kind, value in held if value)


def person(
    email: str,
    collected_on: date | datetime | None = date(2026, 1, 1),
    *,
    opted_out: bool = False,
    transactions: tuple[Transaction, ...] = (),
) -> MemoryRecord:
    """A contact with identity and marketing profile, collected on one day; None: nobody can prove when."""
    collected = None if collected_on is None else Dated(collected_on, "collected_on")
    return MemoryRecord(
        values={"email": email, "name": "Ann Example", "interests": "roses", "lead_score": 7},
        classes=(
            ClassFacts(DataClass.CONTACT_IDENTITY, LawfulBasis.CONSENT, ("email", "name"), collected),
            ClassFacts(DataClass.MARKETING_PROFILE, LawfulBasis.CONSENT, ("interests", "lead_score"), collected),
        ),
        opted_out=opted_out,
        transactions=transactions,
    )


@dataclass
class MemorySystem:
    """What is stored, and how the system behaves. The switches may be turned at any time."""

    name: str = "memory"
    tenant: str = "memory-tenant"
    records: dict[str, MemoryRecord] = field(default_factory=dict)
    bin: dict[str, MemoryRecord] = field(default_factory=dict)
    bin_until: date | None = None  # set: ERASE only moves to the bin, which is emptied on this day
    has_jobs: bool = False  # every batch is a job with an id, and says afterwards how it ended
    jobs: dict[str, tuple[Outcome, ...]] = field(default_factory=dict)
    gone: dict[tuple[str, str], int] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()  # what no listing could read, reported with its last page
    revision: int = 0

    is_down: bool = False
    denies: bool = False
    hides_records: bool = False  # every record reads as "not found", the control record too
    breaks_off: bool = False  # listings stop after their first page
    loses_answers: bool = False  # actions take effect, the answer never comes
    lies: bool = False  # actions are answered as done and have no effect
    answers: dict[str, tuple[OutcomeStatus, Reason]] = field(default_factory=dict)  # by key: said instead of done

    def add(self, record: MemoryRecord, key: str = "") -> RecordRef:
        record.number = self.advance()
        key = key or f"record-{record.number}"
        self.records[key] = record
        return self.touch(key)

    def touch(self, key: str) -> RecordRef:
        """Give the record a new version, as every write does."""
        self.records[key].revision = self.advance()
        return self.ref(key)

    def remove(self, key: str) -> None:
        """Drop the record for good."""
        record = self.records.pop(key, None) or self.bin.pop(key, None)
        if record is not None:
            self.gone[(record.kind, key)] = self.advance()

    def empty_bin(self) -> None:
        for key in list(self.bin):
            self.remove(key)

    def ref(self, key: str) -> RecordRef:
        record = self.records[key]
        return RecordRef(self.name, record.kind, key, str(record.revision))

    def advance(self) -> int:
        self.revision += 1
        return self.revision


def mentioning(step: Step) -> Callable[[Scalar], bool]:
    """A test of one stored value: does it name any of the step's subjects?"""
    wanted = [identifier.value for identifier in step.identifiers]
    return lambda value: isinstance(value, str) and any(text in value for text in wanted)


def changed(record: MemoryRecord, action: Action, step: Step) -> MemoryRecord:
    """The record as the step wants it; the same record where it is so already."""
    match action:
        case Action.REDACT:
            is_named = mentioning(step)
            cleared = {n: None if n in step.fields or is_named(v) else v for n, v in record.values.items()}
            return replace(record, values=cleared)
        case Action.RECTIFY:
            return replace(record, values={**record.values, **step.values})
        case Action.RESTRICT:
            minimised = {n: None if n in step.fields else v for n, v in record.values.items()}
            return replace(record, restricted=True, values=minimised)
        case Action.RELEASE:
            return replace(record, restricted=bool(step.values["restricted"]))
        case Action.SUPPRESS:
            return replace(record, opted_out=True)
        case Action.ERASE:
            raise ValueError("an erased record has no wanted state")
