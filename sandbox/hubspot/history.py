"""Which values did a property have before? Clearing a property does not clear its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_VERSIONS, MOST_VERSIONS_OF_A_CONTACT = 20, 45

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """When a value was set, and by what."""

    at: str
    kind: str
    id: str

    def version(self, value: str | None) -> dict[str, Any]:
        return {"value": value or "", "timestamp": self.at, "sourceType": self.kind, "sourceId": self.id}


def remember(kind: str, row: Row, name: str, value: str | None, source: Source) -> None:
    """Put a new value on top; the one the record was created with lies at the bottom."""
    known = row.setdefault("history", {}).setdefault(name, [])
    if not known and (first := row["properties"].get(name)):
        known.append(_first(row, first))
    known.insert(0, source.version(value))
    del known[MOST_VERSIONS_OF_A_CONTACT if kind == "contacts" else MOST_VERSIONS :]


def versions(row: Mapping[str, Any], name: str, value: str | None) -> list[dict[str, Any]]:
    """All values a property had, the newest first."""
    known = row.get("history", {}).get(name)
    if known:
        return list(known)
    return [_first(row, value)] if value else []


def _first(row: Mapping[str, Any], value: str) -> dict[str, Any]:
    return {"value": value, "timestamp": row["createdAt"], "sourceType": row["source"]}
