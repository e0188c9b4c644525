"""Whose data is under legal hold, and what must a release put back?"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Engine, text

from retention.keyring import Keyring
from retention.store.database import one, rows, run
from retention.vocabulary import Identifier, RecordRef, Scalar

HOLD_LOCK = 7_305_002
"""Advisory lock: shared while a batch is at a vendor, exclusive while a hold is placed."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold in force or released."""

    hold_id: str
    matter: str
    systems: tuple[str, ...]
    placed_by: str
    review_on: date
    released: bool


@contextmanager
def no_hold_is_placed_meanwhile(engine: Engine) -> Iterator[None]:
    """Share the hold lock, on a connection of its own, from the re-read of holds until outcomes are written."""
    # Without a transaction around it, so that no time limit on idle transactions can take the lock away meanwhile.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as held:
        held.execute(text("SELECT pg_advisory_lock_shared(:id)"), {"id": HOLD_LOCK})
        try:
            yield
        finally:
            held.execute(text("SELECT pg_advisory_unlock_shared(:id)"), {"id": HOLD_LOCK})


def place_hold(
    db: Connection,
    keyring: Keyring,
    *,
    matter: str,
    identifier: Identifier,
    systems: Sequence[str],
    placed_by: str,
    review_on: date,
) -> str:
    """Place a legal hold on a person; waits for calls in flight, and no call on their records starts after it."""
    run(db, "SELECT pg_advisory_xact_lock(:id)", id=HOLD_LOCK)
    hold_id = f"hold-{uuid.uuid4().hex[:12]}"
    run(
        db,
        "INSERT INTO holds (hold_id, matter, exact_key, folded_key, systems, placed_by, review_on)"
        " VALUES (:hold_id, :matter, :exact, :folded, :systems, :by, :review_on)",
        hold_id=hold_id,
        matter=matter,
        exact=keyring.exact_key(identifier),
        folded=keyring.folded_key(identifier),
        systems=list(systems),
        by=placed_by,
        review_on=review_on,
    )
    return hold_id


def release_hold(db: Connection, hold_id: str, released_by: str) -> bool:
    """End a hold; what it protected is decided afresh by the next sweep, never by an old plan."""
    return bool(
        run(
            db,
            "UPDATE holds SET released_by = :by, released_at = now() WHERE hold_id = :h AND released_at IS NULL",
            h=hold_id,
            by=released_by,
        )
    )


def holds(db: Connection) -> list[Hold]:
    """All holds, newest first."""
    found = rows(
        db,
        "SELECT hold_id, matter, systems, placed_by, review_on, released_at IS NOT NULL AS released FROM holds"
        " ORDER BY placed_at DESC",
    )
    return [Hold(r.hold_id, r.matter, tuple(r.systems), r.placed_by, r.review_on, r.released) for r in found]


def previous_state(db: Connection, keyring: Keyring, ref: RecordRef) -> dict[str, Scalar] | None:
    """What RELEASE must put back for a record; None if it is not restricted by us."""
    row = one(
        db,
        "SELECT previous FROM restrictions WHERE system = :system AND record_key = ANY (:keys) AND released_at IS NULL",
        system=ref.system,
        keys=list(keyring.record_keys(ref)),
    )
    return keyring.open_values(row.previous) if row else None
