"""Which records wait for a person, since when, and what was decided on them? The review queue."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.review import Choice
from retention.store.database import copy_into, one, rows, run

QUEUE_LOCK = 7_305_007
"""Advisory lock: who changes the queue holds it, so that what was listed is what is decided."""


@dataclass(frozen=True, slots=True)
class Question:
    """A record that the rules put before a person tonight. `lapsed` is the round whose answer fits no longer."""

    record_key: bytes
    reasons: tuple[str, ...]
    data_classes: tuple[str, ...]
    rules: tuple[str, ...]
    lapsed: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One record in the queue as people see it."""

    item_id: str
    system: str
    record_key: bytes
    kind: str
    version: str
    data_classes: tuple[str, ...]
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    first_seen: date
    last_seen: date
    round: int
    state: str
    decision: str | None
    until: date | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items are meant; empty means any."""

    item_id: str = ""
    system: str = ""
    reason: str = ""
    rule: str = ""
    states: tuple[str, ...] = ("waiting",)


def take_up(db: Connection, sweep_id: str, as_of: date, system: str, questions: Iterable[Question]) -> None:
    """Bring a system's part of the queue up to tonight: new questions, known ones (which keep their age), closed ones.

    The system must have been read wholly in this sweep: what is not asked any more is closed. A night does not close
    what a run for requests asked; such a run closes only what it asked before, of records it met again.
    """
    lock(db)
    run(
        db,
        "CREATE TEMP TABLE asked (system text, record_key bytea, data_classes text[], reasons text[], rules text[],"
        " round int) ON COMMIT DROP",
    )
    copy_into(
        db,
        "asked",
        ("system", "record_key", "data_classes", "reasons", "rules", "round"),
        (
            (system, q.record_key, list(q.data_classes), sorted(q.reasons), list(q.rules), (q.lapsed or 0) + 1)
            for q in questions
        ),
        "",
    )
    run(db, "ANALYZE asked")
    run(
        db,
        "INSERT INTO review_items (item_id, system, record_key, kind, locator, version, data_classes, reasons, rules,"
        " first_seen, last_sweep, last_seen, round, state)"
        " SELECT 'review-' || left(replace(gen_random_uuid()::text, '-', ''), 16), a.system, a.record_key, f.kind,"
        " f.locator, f.version, a.data_classes, a.reasons, a.rules, :day, :s, :day, a.round, 'waiting'"
        " FROM asked a JOIN findings f ON f.sweep_id = :s AND f.system = a.system AND f.record_key = a.record_key"
        " ON CONFLICT (system, record_key) DO UPDATE SET kind = excluded.kind, locator = excluded.locator,"
        " version = excluded.version, data_classes = excluded.data_classes, reasons = excluded.reasons,"
        " rules = excluded.rules, last_sweep = excluded.last_sweep, last_seen = excluded.last_seen, state = 'waiting',"
        # The wait goes on where the question was only out of sight; another question begins to wait tonight.
        " first_seen = CASE WHEN review_items.state = 'waiting' OR review_items.state = 'gone'"
        " AND review_items.reasons && excluded.reasons THEN review_items.first_seen ELSE excluded.first_seen END,"
        " round = greatest(review_items.round + (review_items.state <> 'waiting')::int, excluded.round)",
        s=sweep_id,
        day=as_of,
    )
    run(db, "DROP TABLE asked")
    # A record with an answer that is out of sight for a night only (a hold, a system unread) keeps its answer.
    run(
        db,
        "UPDATE review_items i SET locator = NULL, state = CASE WHEN q.state = 'decided' THEN 'settled' ELSE 'gone' END"
        " FROM review_queue q WHERE q.item_id = i.item_id AND i.system = :system AND i.state = 'waiting'"
        " AND i.last_sweep <> :s AND (SELECT selector FROM sweeps WHERE sweep_id = i.last_sweep)"
        " IS NOT DISTINCT FROM (SELECT selector FROM sweeps WHERE sweep_id = :s)"
        " AND (NOT EXISTS (SELECT FROM request_runs r WHERE r.sweep_id = :s)"
        " OR EXISTS (SELECT FROM findings f WHERE f.sweep_id = :s AND f.system = i.system"
        " AND f.record_key = i.record_key)) AND NOT (q.state = 'decided' AND EXISTS (SELECT FROM findings f"
        " WHERE f.sweep_id = :s AND f.system = i.system AND f.record_key = i.record_key))",
        s=sweep_id,
        system=system,
    )


def items(db: Connection, wanted: Wanted) -> list[Item]:
    """The items meant, those that wait longest first."""
    found = rows(
        db,
        "SELECT item_id, system, record_key, kind, version, data_classes, reasons, rules, first_seen, last_seen, round,"
        " state, decision, until, decided_by FROM review_queue WHERE state = ANY (:states)"
        " AND (:item_id = '' OR item_id = :item_id)"
        " AND (:system = '' OR system = :system) AND (:reason = '' OR :reason = ANY (reasons))"
        " AND (:rule = '' OR :rule = ANY (rules)) ORDER BY first_seen, item_id",
        states=list(wanted.states),
        item_id=wanted.item_id,
        system=wanted.system,
        reason=wanted.reason,
        rule=wanted.rule,
    )
    return [_item(row) for row in found]


def _item(row: Any) -> Item:
    values = {name: getattr(row, name) for name in Item.__slots__}
    texts = {name: tuple(values[name]) for name in ("data_classes", "reasons", "rules")}
    return Item(**values | texts | {"record_key": bytes(row.record_key)})


def digest(listed: Sequence[Item]) -> str:
    """What exactly was listed: which questions, in which round, on which version. Shown, compared, never typed over."""
    lines = sorted(f"{i.item_id} {i.round} {i.version} {','.join(i.reasons)}\n" for i in listed)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def lock(db: Connection) -> None:
    """Let nobody else, no sweep either, change the queue until the transaction ends."""
    run(db, "SELECT pg_advisory_xact_lock(:id)", id=QUEUE_LOCK)


def answer(
    db: Connection,
    listed: Sequence[Item],
    choice: Choice,
    decided_by: str,
    *,
    until: date | None = None,
    collected_on: date | None = None,
) -> int:
    """Write one decision on every item listed; only the approver's database role can. Returns how many."""
    return copy_into(
        db,
        "review_decisions",
        ("item_id", "round", "decision", "reasons", "version", "until", "collected_on", "decided_by"),
        (
            (i.item_id, i.round, choice.value, list(i.reasons), i.version, until, collected_on, decided_by)
            for i in listed
        ),
        "",
    )


def reveal(db: Connection, keyring: Keyring, item_id: str, revealed_by: str) -> str | None:
    """The vendor's id of the record of an item, written down as looked up; None if it is closed or unknown."""
    row = one(db, "SELECT locator FROM review_items WHERE item_id = :i AND locator IS NOT NULL", i=item_id)
    if row is None:
        return None
    run(db, "INSERT INTO review_reveals (item_id, revealed_by) VALUES (:i, :by)", i=item_id, by=revealed_by)
    return keyring.open(row.locator)
