"""Which fields of an object can this user see? Presumed all, until the service refuses a name; then it is asked.

A query that names a hidden field or object is refused as a whole, so a query that was answered proves that all its
fields are visible: asking every time would cost a call per object and tell nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.salesforce.rest import Rejected, Rest
from retention.contract import Incomplete

CREATED = "CreatedDate"
PLACEHOLDER = "[redacted]"
"""Stands in text fields that may not be empty, and counts as empty."""

_SYSTEM_INSTANTS = frozenset({CREATED, "LastModifiedDate", "SystemModstamp"})
_NEVER_EMPTY: Mapping[str, frozenset[str]] = {
    "Contact": frozenset({"LastName"}),
    "Lead": frozenset({"LastName", "Company"}),
}


@dataclass(frozen=True)
class FieldView:
    """One object as the user sees it. `fields` is None as long as nothing gave reason to ask."""

    kind: str
    fields: Mapping[str, Mapping[str, Any]] | None = None
    hidden: bool = False

    @property
    def asked(self) -> bool:
        return self.hidden or self.fields is not None

    def sees(self, name: str) -> bool:
        return not self.hidden and (self.fields is None or name in self.fields)

    def holds_instants(self, name: str) -> bool:
        if self.fields is None or name not in self.fields:
            return name in _SYSTEM_INSTANTS
        return bool(self.fields[name].get("type") == "datetime")

    def can_filter(self, name: str) -> bool:
        return self.fields is None or bool(self.fields.get(name, {}).get("filterable"))

    def emptied(self, name: str) -> str | bool | None:
        """What to write into a field so that it says nothing about anybody."""
        if self.fields is None or name not in self.fields:
            return PLACEHOLDER if name in _NEVER_EMPTY.get(self.kind, ()) else None
        described = self.fields[name]
        if described.get("type") == "boolean":
            return False
        return None if described.get("nillable") else PLACEHOLDER


class FieldViews:
    """What is known of each object, kept for the life of one connector."""

    def __init__(self, rest: Rest, system: str) -> None:
        self._rest = rest
        self._system = system
        self._views: dict[str, FieldView] = {}

    def of(self, kind: str) -> FieldView:
        return self._views.get(kind) or FieldView(kind)

    def ask(self, kind: str) -> FieldView:
        """Read the object's describe: after a refusal that it may explain."""
        try:
            body = self._rest.read("GET", f"sobjects/{kind}/describe").body
        except Rejected as refusal:
            if refusal.status != 404:
                raise
            view = FieldView(kind, hidden=True)
        else:
            if not isinstance(body, dict) or not isinstance(body.get("fields"), list):
                raise Incomplete(f"{self._system}: the describe of {kind} cannot be read")
            view = FieldView(
                kind,
                {str(field["name"]): field for field in body["fields"]},
                hidden=not body.get("queryable", True),
            )
        self._views[kind] = view
        return view


def is_filled(value: object) -> bool:
    """Whether a field still says something. Zero does; a placeholder or an unset checkbox does not."""
    return not (value is None or value is False or value in ("", PLACEHOLDER))
