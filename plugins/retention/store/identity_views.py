"""Which identities were shown, and what is there to be shown? The looks and what lies encrypted behind an id."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from retention.store.database import one, run


def note(db: Connection, shown: str, reference: str, purpose: str, words: bytes, looked_by: str, at: datetime) -> None:
    """Write a look down; only the approver's database role can."""
    run(
        db,
        "INSERT INTO identity_views (shown, reference, purpose, words, looked_by, looked_at)"
        " VALUES (:shown, :reference, :purpose, :words, :by, :at)",
        shown=shown,
        reference=reference,
        purpose=purpose,
        words=words,
        by=looked_by,
        at=at,
    )


def key_destroyed_at(db: Connection, request_id: str) -> datetime | None:
    """When the key of a request was destroyed; None while it is there."""
    row = one(db, "SELECT destroyed_at FROM request_keys WHERE request_id = :id", id=request_id)
    if row is None:
        raise LookupError(f"no request {request_id} in this ledger")
    when: datetime | None = row.destroyed_at
    return when


def step(db: Connection, step_id: str) -> Any:
    """The encrypted place of a step's record; None once it is wiped."""
    return one(
        db,
        "SELECT s.system, s.kind, s.locator, p.sweep_id FROM steps s JOIN plans p USING (plan_id)"
        " WHERE s.step_id = :id AND s.locator IS NOT NULL",
        id=step_id,
    )


def step_kept(db: Connection, step_id: str) -> bool:
    """Whether the place of a step's record is still there."""
    return _kept(db, "SELECT locator IS NOT NULL AS kept FROM steps WHERE step_id = :id", step_id)


def review_kept(db: Connection, item_id: str) -> bool:
    """Whether the place of a record of the review queue is still there."""
    return _kept(db, "SELECT locator IS NOT NULL AS kept FROM review_items WHERE item_id = :id", item_id)


def _kept(db: Connection, question: str, reference: str) -> bool:
    row = one(db, question, id=reference)
    if row is None:
        raise LookupError(f"no {reference} in this ledger")
    return bool(row.kept)
