"""What is left for a person to do by hand, by whom, by when, and with which proof was it done?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from retention.store.database import copy_into, one, rows, run
from retention.tasks import DAYS_TO_DO, QUIET_AFTER_DROP, QUIET_AFTER_READING, READ_BY_HAND, Need
from retention.vocabulary import GapCode


@dataclass(frozen=True, slots=True)
class Task:
    """One thing a person must do."""

    task_id: str
    system: str
    what: str
    kind: str
    detail: str
    record_key: bytes | None
    reasons: tuple[str, ...]
    items: int
    owner: str
    opened_on: date
    due_on: date
    state: str
    proof: str
    done_by: str


def file(
    db: Connection,
    sweep_id: str,
    as_of: date,
    system: str,
    whats: Sequence[str],
    needs: Iterable[Need],
    requests: Sequence[str] | None = None,
) -> int:
    """Open what is new tonight, note what is still open, close what is needed no more; returns how many are new.

    `whats` says which kinds of need were looked for; tasks of other kinds are left alone. So are the tasks of requests
    (their `detail` is the request) by a night, and all others by a run for `requests`.
    """
    run(
        db,
        "CREATE TEMP TABLE needed (what text, kind text, detail text, record_key bytea, reasons text[], items bigint,"
        " owner text, due_on date) ON COMMIT DROP",
    )
    copy_into(
        db,
        "needed",
        ("what", "kind", "detail", "record_key", "reasons", "items", "owner", "due_on"),
        (
            (n.what, n.kind, n.detail, n.record_key, list(n.reasons), n.items, n.owner, _due(as_of, n.what))
            for n in needs
        ),
        "",
    )
    run(db, "ANALYZE needed")
    before = _open_count(db, system)
    closed = run(
        db,
        "UPDATE person_tasks t SET state = 'gone', locator = NULL, closed_at = now() WHERE t.system = :system"
        " AND t.state = 'open' AND t.what = ANY (:whats) AND CASE WHEN CAST(:requests AS text[]) IS NULL"
        " THEN t.detail NOT LIKE 'request-%' ELSE t.detail = ANY (:requests) END"
        " AND NOT EXISTS (SELECT FROM needed n WHERE n.what = t.what"
        " AND n.kind = t.kind AND n.detail = t.detail"
        " AND coalesce(n.record_key, ''::bytea) = coalesce(t.record_key, ''::bytea))",
        system=system,
        whats=list(whats),
        requests=None if requests is None else list(requests),
    )
    run(
        db,
        "INSERT INTO person_tasks (task_id, system, what, kind, detail, record_key, locator, reasons, items, owner,"
        " opened_on, due_on, last_sweep, last_seen, state)"
        " SELECT 'task-' || left(replace(gen_random_uuid()::text, '-', ''), 16), :system, n.what, n.kind, n.detail,"
        " n.record_key, f.locator, n.reasons, n.items, n.owner, :day, n.due_on, :s, :day, 'open' FROM needed n"
        " LEFT JOIN findings f ON f.sweep_id = :s AND f.system = :system AND f.record_key = n.record_key"
        " WHERE NOT EXISTS (SELECT FROM person_tasks t WHERE t.system = :system AND t.what = n.what"
        " AND t.kind = n.kind AND t.detail = n.detail"
        " AND coalesce(t.record_key, ''::bytea) = coalesce(n.record_key, ''::bytea)"
        " AND t.quiet_until >= :day AND t.items >= n.items AND t.reasons = n.reasons)"
        " ON CONFLICT (system, what, kind, detail, record_key) WHERE state = 'open' DO UPDATE SET"
        " items = excluded.items, reasons = excluded.reasons, locator = excluded.locator,"
        " last_sweep = excluded.last_sweep, last_seen = excluded.last_seen",
        s=sweep_id,
        system=system,
        day=as_of,
    )
    run(db, "DROP TABLE needed")
    return _open_count(db, system) - before + closed


def gap_needs(db: Connection, sweep_id: str, system: str, owner: str) -> list[Need]:
    """What a person must do about what could not be read: one need per code, kind and field, with a count."""
    found = rows(
        db,
        "SELECT code, kind, what, count(*) AS n FROM gaps WHERE sweep_id = :s AND system = :system"
        " AND code = ANY (:codes) GROUP BY code, kind, what ORDER BY code, kind, what",
        s=sweep_id,
        system=system,
        codes=[code.value for code in GapCode if code.value in DAYS_TO_DO],
    )
    return [Need(row.code, row.kind, row.what, items=row.n, owner=owner) for row in found]


def _due(as_of: date, what: str) -> date:
    return as_of + timedelta(days=DAYS_TO_DO[what])


def _open_count(db: Connection, system: str) -> int:
    count: int = one(
        db, "SELECT count(*) AS n FROM person_tasks WHERE system = :system AND state = 'open'", system=system
    ).n
    return count


def listed(db: Connection, states: Sequence[str] = ("open",), task_id: str = "", system: str = "") -> list[Task]:
    """Tasks in some states, those due first at the top."""
    found = rows(
        db,
        "SELECT task_id, system, what, kind, detail, record_key, reasons, items, owner, opened_on, due_on, state,"
        " proof, done_by FROM person_tasks WHERE state = ANY (:states)"
        " AND (:task_id = '' OR task_id = :task_id) AND (:system = '' OR system = :system) ORDER BY due_on, task_id",
        states=list(states),
        task_id=task_id,
        system=system,
    )
    return [_task(row) for row in found]


def _task(row: Any) -> Task:
    values = {name: getattr(row, name) for name in Task.__slots__}
    key = bytes(row.record_key) if row.record_key is not None else None
    return Task(**values | {"reasons": tuple(row.reasons), "record_key": key})


def close(db: Connection, task: Task, state: str, proof: str, done_by: str, today: date) -> bool:
    """Close an open task as done or dropped; only the approver's database role can. False if it is open no more.

    The next night looks for itself: a record that should be gone and is still there opens a new task.
    """
    quiet = {"dropped": QUIET_AFTER_DROP, "done": QUIET_AFTER_READING if task.what in READ_BY_HAND else None}[state]
    return bool(
        run(
            db,
            "UPDATE person_tasks SET state = :state, proof = :proof, done_by = :by, closed_at = now(), locator = NULL,"
            " quiet_until = :quiet WHERE task_id = :t AND state = 'open'",
            t=task.task_id,
            state=state,
            proof=proof,
            by=done_by,
            quiet=today + quiet if quiet else None,
        )
    )
