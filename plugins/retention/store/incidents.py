"""What should not have happened, and has somebody dealt with it? Incidents: raised by a sweep, closed by a person."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from retention.store.database import rows, run


class Kind(StrEnum):
    """What it is. The letters are stable: they stand in reports."""

    RESTORED = "restored"  # a record that its own erasure should have removed
    RE_IMPORTED = "re-imported"  # a person erased or suppressed before, in a new record with old dates
    NEWLY_COLLECTED = "newly-collected"  # the same, collected after
    SPECIAL_CATEGORY = "special-category"
    SUPPRESSION_SHRANK = "suppression-shrank"  # without evidence of newer consent


class Note(StrEnum):
    """How an incident was dealt with: a code, no free text."""

    ERASED_AGAIN = "erased-again"
    SOURCE_MENDED = "source-mended"
    LAWFUL = "lawful"
    NO_MATTER = "no-matter"
    REPORTED = "reported"  # to the regulator or to the people concerned


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing to be looked at."""

    incident_id: str
    sweep_id: str
    system: str
    kind: Kind
    record_key: bytes | None
    records: int
    at: datetime
    state: str
    note_code: str | None
    closed_by: str | None


def report(db: Connection, sweep_id: str, system: str, met: Iterable[tuple[Kind, bytes | None]], n: int = 1) -> int:
    """Open an incident for each (kind, record) that has none open; returns how many are new."""
    found = [(kind, key) for kind, key in met]
    return run(
        db,
        "INSERT INTO incidents (incident_id, sweep_id, system, kind, record_key, records)"
        " SELECT m.id, :s, :system, m.kind, m.key, :n FROM unnest(CAST(:ids AS text[]), CAST(:kinds AS text[]),"
        " CAST(:keys AS bytea[])) AS m(id, kind, key) ON CONFLICT DO NOTHING",
        s=sweep_id,
        system=system,
        n=n,
        ids=[f"incident-{uuid.uuid4().hex[:12]}" for _ in found],
        kinds=[kind.value for kind, _ in found],
        keys=[key for _, key in found],
    )


def raised_in(db: Connection, sweep_id: str) -> Mapping[str, int]:
    """How many incidents a sweep raised, by kind."""
    found = rows(db, "SELECT kind, count(*) AS n FROM incidents WHERE sweep_id = :s GROUP BY kind", s=sweep_id)
    return {row.kind: row.n for row in found}


def listed(db: Connection, *, closed_too: bool = False) -> list[Incident]:
    """Incidents, newest first."""
    found = rows(
        db,
        "SELECT incident_id, sweep_id, system, kind, record_key, records, at, state, note_code, closed_by"
        " FROM incidents WHERE state = 'open' OR :all ORDER BY at DESC, incident_id",
        all=closed_too,
    )
    return [
        Incident(**{**row._mapping, "kind": Kind(row.kind), "record_key": row.record_key and bytes(row.record_key)})
        for row in found
    ]


def close(db: Connection, incident_id: str, note: Note, by: str, now: datetime) -> bool:
    """Record that a person dealt with it; whether there was such an open incident."""
    return bool(
        run(
            db,
            "UPDATE incidents SET state = 'closed', note_code = :note, closed_by = :by, closed_at = :now"
            " WHERE incident_id = :id AND state = 'open'",
            note=note,
            by=by,
            now=now,
            id=incident_id,
        )
    )
