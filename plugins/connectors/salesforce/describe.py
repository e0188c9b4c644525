"""What of an object can this user see, and what hangs on it? The org's own describe, read once per connector.

A search reads the describes of all its objects in one call before it asks for anything: a hidden field is then a gap
and not a refused query, and a field that somebody added is noticed. A connector that only acts presumes every name to
be visible until the service refuses one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.salesforce import codes
from connectors.salesforce.rest import MOST_PARTS, Answer, Part, Rejected, Rest
from retention.contract import Incomplete

CREATED = "CreatedDate"
PLACEHOLDER = "[redacted]"
"""Stands in text fields that may not be empty, and counts as empty."""

_NUMBERS = frozenset({"double", "int", "currency", "percent"})
_SYSTEM_INSTANTS = frozenset({CREATED, "LastModifiedDate", "SystemModstamp"})
_NEVER_EMPTY: Mapping[str, frozenset[str]] = {
    "Contact": frozenset({"LastName"}),
    "Lead": frozenset({"LastName", "Company"}),
    "Account": frozenset({"LastName"}),
}


@dataclass(frozen=True)
class Child:
    """An object that points at another, and what deleting the other does to it."""

    name: str
    field: str
    cascades: bool
    restricts: bool


@dataclass(frozen=True)
class FieldView:
    """One object as the user sees it. `fields` is None as long as nothing gave reason to ask."""

    kind: str
    fields: Mapping[str, Mapping[str, Any]] | None = None
    hidden: bool = False
    children: tuple[Child, ...] = ()

    @property
    def asked(self) -> bool:
        return self.hidden or self.fields is not None

    def sees(self, name: str) -> bool:
        """Whether a field is visible; of a parent's field (`Who.Email`), whether the way to the parent is."""
        lookup, dot, _ = name.partition(".")
        if self.hidden or self.fields is None:
            return not self.hidden
        if not dot:
            return name in self.fields
        return any(one.get("relationshipName") == lookup for one in self.fields.values())

    def knows(self, name: str) -> bool:
        """Whether the org was asked and has the field: for what exists in some orgs only."""
        return self.fields is not None and name in self.fields

    def holds_instants(self, name: str) -> bool:
        if self.fields is None or name not in self.fields:
            return name.rpartition(".")[2] in _SYSTEM_INSTANTS
        return bool(self.fields[name].get("type") == "datetime")

    def can_filter(self, name: str) -> bool:
        return self.fields is None or "." in name or bool(self.fields.get(name, {}).get("filterable"))

    def can_write(self, name: str) -> bool:
        return self.fields is None or bool(self.fields.get(name, {}).get("updateable"))

    def emptied(self, name: str) -> str | bool | None:
        """What to write into a field so that it says nothing about anybody."""
        if self.fields is None or name not in self.fields:
            return PLACEHOLDER if name in _NEVER_EMPTY.get(self.kind, ()) else None
        described = self.fields[name]
        if described.get("type") == "boolean":
            return False
        return None if described.get("nillable") else PLACEHOLDER

    def typed(self, name: str, text: str) -> str | bool | float | None:
        """A text as the field holds it; `ValueError` where it cannot."""
        described = (self.fields or {}).get(name, {})
        if described.get("type") == "boolean":
            if text.casefold() not in ("true", "false"):
                raise ValueError("neither true nor false")
            return text.casefold() == "true"
        if not text:
            if not described.get("nillable", True):
                raise ValueError("may not be empty")
            return None
        if described.get("type") in _NUMBERS:
            number = float(text)
            if not math.isfinite(number):
                raise ValueError("no number of this field")
            return number
        if len(text) > int(described.get("length") or len(text)):
            raise ValueError("longer than the field")
        return text

    def label(self, name: str) -> str:
        """How the org calls a field on its screens."""
        return str((self.fields or {}).get(name, {}).get("label") or name)

    def custom_fields(self) -> tuple[str, ...]:
        return tuple(name for name, one in (self.fields or {}).items() if one.get("custom"))


class FieldViews:
    """What is known of each object, kept for the life of one connector."""

    def __init__(self, rest: Rest, system: str) -> None:
        self._rest = rest
        self._system = system
        self._views: dict[str, FieldView] = {}

    def of(self, kind: str) -> FieldView:
        return self._views.get(kind) or FieldView(kind)

    def ask_all(self, kinds: Iterable[str]) -> None:
        """Read the describes not yet known, up to 25 in a call."""
        unknown = [kind for kind in dict.fromkeys(kinds) if not self.of(kind).asked]
        for start in range(0, len(unknown), MOST_PARTS):
            some = unknown[start : start + MOST_PARTS]
            answers = self._rest.composite([Part("GET", f"sobjects/{kind}/describe") for kind in some])
            for kind, answer in zip(some, answers, strict=True):
                self._views[kind] = self._view(kind, answer)

    def ask(self, kind: str) -> FieldView:
        """Read the object's describe: after a refusal that it may explain."""
        try:
            answer = self._rest.read("GET", f"sobjects/{kind}/describe")
        except Rejected as refusal:
            answer = Answer(refusal.status, [{"errorCode": refusal.code}])
        self._views[kind] = view = self._view(kind, answer)
        return view

    def _view(self, kind: str, answer: Answer) -> FieldView:
        if answer.status == 404 or codes.of_body(answer.body) == "INVALID_TYPE":
            return FieldView(kind, hidden=True)
        if answer.status != 200:
            raise self._rest.refusal(answer, f"describe of {kind}")
        body = answer.body
        if not isinstance(body, dict) or not isinstance(body.get("fields"), list):
            raise Incomplete(f"{self._system}: the describe of {kind} cannot be read")
        return FieldView(
            kind,
            {str(field["name"]): field for field in body["fields"]},
            hidden=not body.get("queryable", True),
            children=_children(body.get("childRelationships") or ()),
        )


def _children(described: Sequence[Mapping[str, Any]]) -> tuple[Child, ...]:
    return tuple(
        Child(
            str(one["childSObject"]),
            str(one["field"]),
            cascades=bool(one.get("cascadeDelete")),
            restricts=bool(one.get("restrictedDelete")),
        )
        for one in described
        if one.get("childSObject") and one.get("field")
    )


def value_of(row: Mapping[str, Any], name: str) -> Any:
    """A field of a row by its name, through parents where the name leads there; bulk rows have it flat."""
    if name in row or "." not in name:
        return row.get(name)
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def is_filled(value: object) -> bool:
    """Whether a field still says something. Zero does; a placeholder or an unset checkbox does not."""
    return not (value is None or value is False or value in ("", PLACEHOLDER))
