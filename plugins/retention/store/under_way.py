"""Which records is somebody at work on already? A night and a run for requests may meet in one; it gets one step."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from retention.life_cycles import STEP, after
from retention.store.database import rows, run

PLANNING_LOCK = 7_305_010
"""With a system's name: who plans for it holds it, so that a night and a request do not plan for one record at once."""


def records_under_way(db: Connection, sweep_id: str, system: str) -> set[bytes]:
    """Records with an open step that was begun, or that another run for requests planned: they get no second one.

    Until the transaction ends nobody else plans for the system.
    """
    run(db, "SELECT pg_advisory_xact_lock(:id, hashtext(:system))", id=PLANNING_LOCK, system=system)
    found = rows(
        db,
        "SELECT record_key FROM steps WHERE system = :system AND (is_unanswered OR is_unsettled)"
        " AND (state <> 'planned' OR plan_id IN (SELECT plan_id FROM plans JOIN sweeps w USING (sweep_id)"
        " WHERE w.sweep_id <> :s AND w.selector = 'requests'))",
        system=system,
        s=sweep_id,
    )
    return {bytes(row.record_key) for row in found}


def take_over(db: Connection, system: str, record_keys: Collection[bytes]) -> int:
    """Drop the steps a night planned for records that a request now plans for: nothing is done twice."""
    return run(
        db,
        "UPDATE steps SET state = :dropped, locator = NULL, subjects = NULL WHERE system = :system"
        " AND state = 'planned' AND record_key = ANY (:keys) AND plan_id IN (SELECT plan_id FROM plans"
        " JOIN sweeps USING (sweep_id) WHERE selector = 'schedule')",
        dropped=after(STEP, "planned", "supersede"),
        system=system,
        keys=list(record_keys),
    )
