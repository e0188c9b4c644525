"""Which stored value does a field path mean? Finding fields, parents and child relationships by case-blind names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.salesforce.schema import Field, Schema, SObject
from sandbox.salesforce.soql.language import Path, complaint

Row = Mapping[str, Any]
Accessor = Callable[[Row], Any]


class Records(Protocol):
    """What running a query needs of the store."""

    def rows(self, sobject: str, *, deleted: bool) -> list[dict[str, Any]]: ...

    def row(self, sobject: str, record_id: str) -> dict[str, Any] | None: ...

    def pointing_at(self, sobject: str, field: str, parent_id: str) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Column:
    """A field that a path led to, with its spelling as the schema has it and the way to its value."""

    path: tuple[str, ...]
    keys: tuple[str, ...]
    """The lookup fields passed on the way, outermost first."""
    field: Field
    get: Accessor
    """From a row of the statement's object to the value."""
    leaf: Accessor
    """From the row that holds the field to the value."""


class Names:
    """Resolves the paths of one statement (or sub-select) against its object."""

    def __init__(self, text: str, schema: Schema, records: Records, sobject: SObject, alias: str | None) -> None:
        self._text = text
        self._schema = schema
        self._records = records
        self.sobject = sobject
        self._own = {sobject.name.lower(), (alias or "").lower()}

    def column(self, path: Path) -> Column:
        parts = list(path.parts)
        if len(parts) > 1 and parts[0].lower() in self._own and self.sobject.parent_by(parts[0]) is None:
            parts = parts[1:]
        return self._walk(self.sobject, parts, path)

    def _walk(self, sobject: SObject, parts: list[str], path: Path) -> Column:
        if len(parts) == 1:
            return self._own_field(sobject, parts[0], path)
        lookup = sobject.parent_by(parts[0])
        if lookup is None or lookup.relationship is None:
            raise complaint(
                self._text,
                path.at,
                "INVALID_FIELD",
                f"Didn't understand relationship '{parts[0]}' in field path. If you are attempting to use a custom "
                "relationship, be sure to append the '__r' after the custom relationship name. Please reference your "
                "WSDL or the describe call for the appropriate names.",
            )
        parents = [one for name in lookup.reference_to if (one := self._schema.get(name)) is not None]
        if not parents:
            raise complaint(
                self._text, path.at, "INVALID_FIELD", f"relationship '{parts[0]}' leads to no object of this org"
            )
        columns = {one.prefix: self._walk(one, parts[1:], path) for one in _with_field(parents, parts[1])}
        shown = next(iter(columns.values())) if columns else self._walk(parents[0], parts[1:], path)
        return Column(
            path=(lookup.relationship, *shown.path),
            keys=(lookup.name, *shown.keys),
            field=shown.field,
            get=self._through(lookup.name, columns),
            leaf=shown.leaf,
        )

    def _through(self, key: str, columns: Mapping[str, Column]) -> Accessor:
        def get(row: Row) -> Any:
            parent_id = row.get(key)
            if parent_id is None:
                return None
            column = columns.get(parent_id[:3])
            if column is None:
                return None
            owner = self._schema.by_id(parent_id)
            parent = self._records.row(owner.name, parent_id) if owner else None
            return None if parent is None else column.get(parent)

        return get

    def _own_field(self, sobject: SObject, name: str, path: Path) -> Column:
        field = sobject.field(name)
        if field is None:
            raise complaint(
                self._text,
                path.at,
                "INVALID_FIELD",
                f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom field, be "
                "sure to append the '__c' after the custom field name. Please reference your WSDL or the describe "
                "call for the appropriate names.",
            )
        get = _address(sobject, field) or _plain(field.name)
        return Column(path=(field.name,), keys=(), field=field, get=get, leaf=get)


def _with_field(parents: list[SObject], name: str) -> list[SObject]:
    """Of several possible parents, those that have the field; all of them when there is only one."""
    if len(parents) == 1:
        return parents
    return [one for one in parents if one.field(name) is not None or one.parent_by(name) is not None]


def _plain(name: str) -> Accessor:
    def get(row: Row) -> Any:
        return row.get(name)

    return get


_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy")


def _address(sobject: SObject, field: Field) -> Accessor | None:
    """A compound address is put together from its parts and is null when they all are."""
    if field.type != "address":
        return None
    stem = field.name.removesuffix("Address")
    parts = [part for part in _ADDRESS_PARTS if sobject.field(stem + part) is not None]

    def get(row: Row) -> Any:
        found = {part[0].lower() + part[1:]: row.get(stem + part) for part in parts}
        return found if any(value is not None for value in found.values()) else None

    return get
