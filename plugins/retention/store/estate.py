"""What is known of the systems as they are, apart from any sweep under way? The newest findings, and the catalogue.

For questions only: everything is laid out in scratch tables, so that a role that may write nothing can ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.knowledge import Known
from retention.store import findings, suppression
from retention.store.database import one, rows, run


@dataclass(frozen=True, slots=True)
class Seen:
    """When something was last seen."""

    sweep_id: str
    as_of: date


def newest_readings(db: Connection) -> dict[str, Seen]:
    """The newest sweep in which each system was read wholly."""
    found = rows(
        db,
        "SELECT DISTINCT ON (r.system) r.system, s.sweep_id, s.as_of FROM readings r JOIN sweeps s USING (sweep_id)"
        " WHERE r.stage = 'find' AND r.state = 'whole' AND s.selector = 'schedule' ORDER BY r.system, s.opened_at DESC",
    )
    return {row.system: Seen(row.sweep_id, row.as_of) for row in found}


def last_seen(db: Connection, system: str, record_key: bytes) -> Seen | None:
    """The newest sweep that met a record, or that knew it from the catalogue."""
    row = one(
        db,
        "SELECT s.sweep_id, s.as_of FROM sweeps s WHERE EXISTS (SELECT FROM findings f WHERE f.sweep_id = s.sweep_id"
        " AND f.system = :system AND f.record_key = :key) OR s.sweep_id = (SELECT seen_in FROM catalogue"
        " WHERE system = :system AND record_key = :key) ORDER BY s.opened_at DESC LIMIT 1",
        system=system,
        key=record_key,
    )
    return Seen(row.sweep_id, row.as_of) if row else None


def everything(db: Connection, sweep_id: str, system: str) -> Iterator[Known]:
    """All that a sweep found in a system, and what the catalogue holds of it beside."""
    _lay_out(db, sweep_id, system, None)
    return findings.known(db, sweep_id, system, "estate")


def record(db: Connection, sweep_id: str, system: str, record_key: bytes) -> Known | None:
    """One record, as a sweep saw it."""
    _lay_out(db, sweep_id, system, record_key)
    return next(findings.known(db, sweep_id, system, "estate"), None)


def is_suppressed(db: Connection, keyring: Keyring, sweep_id: str, system: str, record_key: bytes) -> bool | None:
    """Whether anybody the record is about is on the suppression list; None where the addresses were wiped already."""
    row = one(
        db,
        "SELECT coalesce((SELECT addresses FROM catalogue WHERE system = :system AND record_key = :key),"
        " (SELECT addresses FROM findings WHERE sweep_id = :s AND system = :system AND record_key = :key)) AS sealed",
        s=sweep_id,
        system=system,
        key=record_key,
    )
    if row is None or row.sealed is None:
        return None
    return any(suppression.listed(db, keyring, keyring.open_identifiers(row.sealed)))


_LAY_OUT = (
    "CREATE TEMP TABLE estate ON COMMIT DROP AS SELECT sweep_id, system, record_key, kind, version, facts,"
    " exact_keys, folded_keys, older_record_keys, older_exact_keys, older_folded_keys, shared, weak_opt_out"
    " FROM findings WHERE sweep_id = :s AND system = :system AND (CAST(:key AS bytea) IS NULL OR record_key = :key)"
    " UNION ALL SELECT CAST(:s AS text), system, record_key, kind, version, facts,"
    " exact_keys, folded_keys, older_record_keys, older_exact_keys, older_folded_keys, shared, false FROM catalogue c"
    " WHERE system = :system AND (CAST(:key AS bytea) IS NULL OR record_key = :key) AND NOT EXISTS"
    " (SELECT FROM findings f WHERE f.sweep_id = :s AND f.system = c.system AND f.record_key = c.record_key)"
)


def _lay_out(db: Connection, sweep_id: str, system: str, record_key: bytes | None) -> None:
    run(db, "DROP TABLE IF EXISTS pg_temp.estate")
    run(db, _LAY_OUT, s=sweep_id, system=system, key=record_key)
    run(db, "ANALYZE estate")
