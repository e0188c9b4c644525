"""Which objects and fields does this org have, and what does a delete do to the children of a record?

Two tables beside this file hold the facts: `fields.csv` and `children.csv`. Flags of a field: n nillable, c createable,
u updateable, f filterable, s sortable, g groupable, d defaulted on create, i usable for lookup by value, N name field,
p there only in an org with person accounts.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

_HERE = Path(__file__).parent

PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "Lead": "00Q",
    "Task": "00T",
    "Organization": "00D",
    "UserPermissionAccess": "0up",
    "Asset": "02i",
    "Case": "500",
    "Contract": "800",
    "Order": "801",
    "Individual": "0PK",
    "Event": "00U",
    "TaskRelation": "0RT",
    "EventRelation": "0RE",
    "Campaign": "701",
    "CampaignMember": "00v",
    "CaseComment": "00a",
    "EmailMessage": "02s",
    "EmailMessageRelation": "0EM",
    "Attachment": "00P",
    "Note": "002",
    "ContentDocument": "069",
    "ContentVersion": "068",
    "ContentDocumentLink": "06A",
    "ContactHistory": "017",
    "LeadHistory": "0LH",
    "CaseHistory": "0CH",
    "AccountHistory": "0AH",
    "ContactPointTypeConsent": "0ZX",
    "CommSubscriptionConsent": "0eB",
    "AuthorizationFormConsent": "0cP",
    "ServiceContract": "810",
    "Event_Registration__c": "a01",
}
PLURALS = {"OpportunityContactRole": "Opportunity Contact Roles", "Opportunity": "Opportunities"}
REGISTRATION = "Event_Registration__c"
"""The custom object of this org; what deleting its contact does to it is a switch."""
HISTORIES = ("ContactHistory", "LeadHistory", "CaseHistory", "AccountHistory")
READ_ONLY = frozenset({"User", "Organization", "UserPermissionAccess", *HISTORIES})
NUMBERS = frozenset({"double", "currency", "percent", "int"})


@dataclass(frozen=True)
class Field:
    """One field of an object, as a describe shows it."""

    name: str
    label: str
    type: str
    length: int
    flags: frozenset[str]
    reference_to: tuple[str, ...]
    relationship: str | None
    compound: str | None

    @property
    def nillable(self) -> bool:
        return "n" in self.flags

    @property
    def createable(self) -> bool:
        return "c" in self.flags

    @property
    def updateable(self) -> bool:
        return "u" in self.flags

    @property
    def filterable(self) -> bool:
        return "f" in self.flags

    @property
    def sortable(self) -> bool:
        return "s" in self.flags

    @property
    def groupable(self) -> bool:
        return "g" in self.flags

    @property
    def looked_up(self) -> bool:
        return "i" in self.flags

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def required_on_create(self) -> bool:
        return self.createable and not self.nillable and "d" not in self.flags and self.type != "boolean"


@dataclass(frozen=True)
class ChildRelationship:
    """A field of another object that points here, and what a delete here does there: cascade, restrict or clear."""

    parent: str
    child: str
    field: str
    relationship: str | None
    on_delete: str


@dataclass
class SObject:
    """One object with its fields by lower-case name, since names are case-insensitive everywhere."""

    name: str
    fields: dict[str, Field] = dataclasses.field(default_factory=dict)
    children: list[ChildRelationship] = dataclasses.field(default_factory=list)

    @property
    def prefix(self) -> str:
        return PREFIXES[self.name]

    @property
    def label_plural(self) -> str:
        return PLURALS.get(self.name, f"{self.name}s")

    @property
    def writable(self) -> bool:
        return self.name not in READ_ONLY

    def field(self, name: str) -> Field | None:
        return self.fields.get(name.lower())

    @cached_property
    def lookups(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.fields.values() if one.type == "reference")

    def parent_by(self, relationship: str) -> Field | None:
        """The lookup field behind `Account` in `Account.Name`."""
        wanted = relationship.lower()
        return next((f for f in self.fields.values() if f.relationship and f.relationship.lower() == wanted), None)

    def children_by(self, relationship: str) -> ChildRelationship | None:
        """The child relationship behind `Contacts` in `(SELECT Id FROM Contacts)`."""
        wanted = relationship.lower()
        return next((c for c in self.children if c.relationship and c.relationship.lower() == wanted), None)

    @property
    def name_field(self) -> str:
        return next((f.name for f in self.fields.values() if "N" in f.flags), "Id")


class Schema:
    """All objects, as the calling user sees them: fields hidden by field-level security do not exist for him."""

    def __init__(
        self,
        hidden_fields: Iterable[str] = (),
        hidden_objects: Iterable[str] = (),
        *,
        custom_fields: Iterable[str] = (),
        person_accounts: bool = True,
        registrations_on_delete: str = "clear",
    ) -> None:
        self._hidden = {name.lower() for name in hidden_fields}
        unseen = {name.lower() for name in hidden_objects}
        self._objects: dict[str, SObject] = {}
        for sobject_name, described in _all_fields():
            if sobject_name.lower() in unseen:
                continue
            sobject = self._objects.setdefault(sobject_name.lower(), SObject(sobject_name))
            exists = person_accounts or "p" not in described.flags
            if exists and f"{sobject_name}.{described.name}".lower() not in self._hidden:
                sobject.fields[described.name.lower()] = described
        for whole in custom_fields:
            sobject_name, _, name = whole.partition(".")
            if (owner := self.get(sobject_name)) is not None and whole.lower() not in self._hidden:
                owner.fields[name.lower()] = Field(name, name, "string", 255, frozenset("ncufsg"), (), None, None)
        for relationship in _all_children():
            if relationship.child == REGISTRATION:
                relationship = dataclasses.replace(relationship, on_delete=registrations_on_delete)
            if relationship.child.lower() in unseen:
                continue
            if relationship.parent.lower() in self._objects:
                self._objects[relationship.parent.lower()].children.append(relationship)

    def __deepcopy__(self, memo: object) -> Schema:
        return self  # never changed once built

    def get(self, name: str) -> SObject | None:
        return self._objects.get(name.lower())

    def all(self) -> list[SObject]:
        return [self._objects[name] for name in sorted(self._objects)]

    def by_id(self, record_id: str) -> SObject | None:
        return next((o for o in self._objects.values() if o.prefix == record_id[:3]), None)


def _rows(name: str) -> list[Mapping[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def _all_fields() -> tuple[tuple[str, Field], ...]:
    return tuple(
        (
            row["object"],
            Field(
                name=row["name"],
                label=row["label"],
                type=row["type"],
                length=int(row["length"]),
                flags=frozenset(row["flags"]),
                reference_to=tuple(row["reference_to"].split("|")) if row["reference_to"] else (),
                relationship=row["relationship"] or None,
                compound=row["compound"] or None,
            ),
        )
        for row in _rows("fields.csv")
    )


@cache
def _all_children() -> tuple[ChildRelationship, ...]:
    return tuple(
        ChildRelationship(row["parent"], row["child"], row["field"], row["relationship"] or None, row["on_delete"])
        for row in _rows("children.csv")
    )
