"""How does a chosen row look in the answer? Records with attributes, nested parents and lists of children."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.salesforce.schema import Schema
from sandbox.salesforce.soql.names import Accessor, Column, Records, Row

Render = Callable[[Row], dict[str, Any]]


def attributes(sobject: str, base: str, record_id: str) -> dict[str, str]:
    return {"type": sobject, "url": f"{base}/sobjects/{sobject}/{record_id}"}


class Shape:
    """The wanted entries of one object, in the order selected; parents are shapes of their own."""

    def __init__(self, schema: Schema, records: Records, base: str) -> None:
        self._schema = schema
        self._records = records
        self._base = base
        self._entries: dict[str, Accessor] = {}
        self._parents: dict[str, tuple[str, Shape]] = {}

    def add(self, column: Column) -> None:
        shape = self
        for part, key in zip(column.path[:-1], column.keys, strict=True):
            shape = shape._parent(part, key)
        shape.put(column.path[-1], column.leaf)

    def put(self, name: str, get: Accessor) -> None:
        self._entries[name] = get

    def render(self, sobject: str, row: Row) -> dict[str, Any]:
        record: dict[str, Any] = {"attributes": attributes(sobject, self._base, row["Id"])}
        for name, get in self._entries.items():
            record[name] = get(row)
        return record

    def _parent(self, relationship: str, key: str) -> Shape:
        if relationship not in self._parents:
            inner = Shape(self._schema, self._records, self._base)
            self._parents[relationship] = (key, inner)
            self.put(relationship, self._rendered(key, inner))
        return self._parents[relationship][1]

    def _rendered(self, key: str, inner: Shape) -> Accessor:
        def get(row: Row) -> dict[str, Any] | None:
            parent_id = row.get(key)
            owner = self._schema.by_id(parent_id) if parent_id else None
            parent = self._records.row(owner.name, parent_id) if owner and parent_id else None
            return inner.render(owner.name, parent) if owner and parent is not None else None

        return get
