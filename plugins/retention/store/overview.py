"""What does the operations page ask of the ledger? Counts, states and pseudonyms, a page at a time, each by an index.

A page goes on after the last row of the one before (its keys), so that the hundredth costs what the first does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from retention.store.database import one, rows
from retention.store.incidents import Kind

PAGE = 50
_FIRST = "-infinity"
SEEN_AGAIN = (Kind.RESTORED, Kind.RE_IMPORTED, Kind.NEWLY_COLLECTED)
"""Incidents of people who were erased or suppressed before."""


@dataclass(frozen=True, slots=True)
class SweepLine:
    """One sweep: what it was, and what it came to by system once it was sealed."""

    sweep_id: str
    dag_id: str
    run_id: str
    as_of: date
    mode: str
    state: str
    selector: str
    started_by: str
    opened_at: datetime
    sealed_at: datetime | None
    systems: Mapping[str, Mapping[str, int]]

    @property
    def is_waiting(self) -> bool:
        """Whether its plan waits for an answer; a dry run asks nobody."""
        return self.state == "guarded" and self.mode != "dry"


@dataclass(frozen=True, slots=True)
class Sample:
    """One step of a plan, by pseudonym: what is to be done to which kind of record, and by which rules."""

    step_id: str
    system: str
    kind: str
    pseudonym: str
    action: str
    reasons: tuple[str, ...]
    data_classes: tuple[str, ...]
    state: str


_SWEEP = (
    "SELECT s.sweep_id, s.dag_id, s.run_id, s.as_of, s.mode, s.state, s.selector, s.started_by, s.opened_at,"
    " s.sealed_at, (SELECT json_object_agg(r.system, r.counts) FROM sweep_reports r WHERE r.sweep_id = s.sweep_id)"
    " AS systems FROM sweeps s"
)


def newest_sweeps(db: Connection, n: int = PAGE, before: datetime | None = None) -> list[SweepLine]:
    """Sweeps, newest first."""
    found = rows(
        db,
        f"{_SWEEP} WHERE s.opened_at < coalesce(CAST(:before AS timestamptz), 'infinity')"
        " ORDER BY s.opened_at DESC LIMIT :n",
        before=before,
        n=n,
    )
    return [_sweep(row) for row in found]


def sweep(db: Connection, sweep_id: str) -> SweepLine | None:
    """One sweep."""
    row = one(db, f"{_SWEEP} WHERE s.sweep_id = :s", s=sweep_id)
    return _sweep(row) if row else None


def waiting_for_approval(db: Connection, n: int = PAGE) -> list[SweepLine]:
    """Sweeps whose plans nobody has answered yet, newest first; a dry run asks nobody."""
    found = rows(
        db,
        f"{_SWEEP} WHERE s.state = 'guarded' AND s.mode <> 'dry' AND s.digest IS NOT NULL"
        " ORDER BY s.opened_at DESC LIMIT :n",
        n=n,
    )
    return [_sweep(row) for row in found]


def _sweep(row: Any) -> SweepLine:
    return SweepLine(**{**row._mapping, "systems": row.systems or {}})


def trend(db: Connection, since: datetime) -> Sequence[Any]:
    """Per day and system: records acted on, failed, unread and put to people, over the sealed nights since then."""
    return rows(
        db,
        "SELECT s.as_of AS day, r.system, sum((counts->>'erased')::bigint + (counts->>'redacted')::bigint"
        " + (counts->>'restricted')::bigint) AS done, sum((counts->>'failed')::bigint) AS failed,"
        " max((counts->>'gaps')::bigint) AS gaps, max((counts->>'review')::bigint) AS review"
        " FROM sweeps s JOIN sweep_reports r USING (sweep_id)"
        " WHERE s.opened_at >= :since AND s.selector = 'schedule' GROUP BY s.as_of, r.system"
        " ORDER BY s.as_of, r.system",
        since=since,
    )


def samples(db: Connection, sweep_id: str, system: str, n: int = PAGE, after: int = -1) -> Sequence[tuple[int, Sample]]:
    """Steps of a system's plan in their order, with their positions."""
    found = rows(
        db,
        "SELECT position, step_id, s.system, kind, encode(record_key, 'hex') AS pseudonym, action, reasons,"
        " data_classes, s.state FROM steps s JOIN plans p USING (plan_id) WHERE p.sweep_id = :s AND p.system = :system"
        " AND p.purpose = 'retention' AND position > :after ORDER BY position LIMIT :n",
        s=sweep_id,
        system=system,
        after=after,
        n=n,
    )
    return [
        (
            row.position,
            Sample(
                row.step_id,
                row.system,
                row.kind,
                row.pseudonym[:16],
                row.action,
                tuple(row.reasons),
                tuple(row.data_classes),
                row.state,
            ),
        )
        for row in found
    ]


def falls_due(db: Connection, system: str, bounds: Sequence[tuple[date, date]]) -> list[int]:
    """How many known items of a catalogued system were collected within each pair of days, the second left out."""
    return [
        one(
            db,
            "SELECT count(*) AS n FROM catalogue WHERE system = :system AND collected_on >= :first"
            " AND collected_on < :last",
            system=system,
            first=first,
            last=last,
        ).n
        for first, last in bounds
    ]


def catalogued(db: Connection) -> frozenset[str]:
    """Systems that were read into the catalogue."""
    return frozenset(row.system for row in rows(db, "SELECT system FROM tokens"))


def gaps(db: Connection, sweep_id: str) -> Sequence[Any]:
    """What a sweep could not read: how many of which kind, by system and reason."""
    return rows(
        db,
        "SELECT system, code, kind, what, count(*) AS items FROM gaps WHERE sweep_id = :s"
        " GROUP BY system, code, kind, what ORDER BY system, code, kind, what",
        s=sweep_id,
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for people."""

    review: int
    review_since: date | None
    review_over_30: int
    review_over_90: int
    tasks: int
    tasks_late: int
    requests: int
    incidents: int
    seen_again: int
    holds: int
    holds_to_look_at: int
    restrictions: int


def waiting(db: Connection, today: date) -> Waiting:
    """Everything that is open, counted."""
    row = one(
        db,
        "SELECT (SELECT count(*) FROM review_queue WHERE state = 'waiting') AS review,"
        " (SELECT min(first_seen) FROM review_queue WHERE state = 'waiting') AS review_since,"
        " (SELECT count(*) FROM review_queue WHERE state = 'waiting' AND first_seen < CAST(:today AS date) - 30)"
        " AS review_over_30,"
        " (SELECT count(*) FROM review_queue WHERE state = 'waiting' AND first_seen < CAST(:today AS date) - 90)"
        " AS review_over_90,"
        " (SELECT count(*) FROM person_tasks WHERE state = 'open') AS tasks,"
        " (SELECT count(*) FROM person_tasks WHERE state = 'open' AND due_on < :today) AS tasks_late,"
        " (SELECT count(*) FROM requests WHERE closed_at IS NULL) AS requests,"
        " (SELECT count(*) FROM incidents WHERE state = 'open') AS incidents,"
        " (SELECT count(*) FROM incidents WHERE state = 'open' AND kind = ANY (:again)) AS seen_again,"
        " (SELECT count(*) FROM holds WHERE released_at IS NULL) AS holds,"
        " (SELECT count(*) FROM holds WHERE released_at IS NULL AND review_on <= :today) AS holds_to_look_at,"
        " (SELECT count(*) FROM restriction_matters WHERE state <> 'lifted') AS restrictions",
        today=today,
        again=list(SEEN_AGAIN),
    )
    return Waiting(**row._mapping)


def review_queue(db: Connection, n: int = PAGE, after: tuple[date, str] | None = None) -> Sequence[Any]:
    """What waits for a person's decision, oldest first."""
    return rows(
        db,
        "SELECT item_id, system, encode(record_key, 'hex') AS pseudonym, kind, data_classes, reasons, first_seen"
        " FROM review_queue WHERE state = 'waiting' AND (first_seen, item_id) > (:day, :item)"
        " ORDER BY first_seen, item_id LIMIT :n",
        day=after[0] if after else _FIRST,
        item=after[1] if after else "",
        n=n,
    )


def tasks(db: Connection, n: int = PAGE, after: tuple[date, str] | None = None) -> Sequence[Any]:
    """What people have to do by hand, the first due first."""
    return rows(
        db,
        "SELECT task_id, system, what, kind, detail, reasons, items, owner, opened_on, due_on FROM person_tasks"
        " WHERE state = 'open' AND (due_on, task_id) > (:day, :task) ORDER BY due_on, task_id LIMIT :n",
        day=after[0] if after else _FIRST,
        task=after[1] if after else "",
        n=n,
    )


def open_requests(db: Connection, n: int = PAGE, after: tuple[datetime, str] | None = None) -> list[str]:
    """Ids of requests that are not closed, the first received first."""
    found = rows(
        db,
        "SELECT request_id FROM requests WHERE closed_at IS NULL AND (received_at, request_id) > (:at, :id)"
        " ORDER BY received_at, request_id LIMIT :n",
        at=after[0] if after else _FIRST,
        id=after[1] if after else "",
        n=n,
    )
    return [row.request_id for row in found]


def incidents(db: Connection, n: int = PAGE, before: tuple[datetime, str] | None = None) -> Sequence[Any]:
    """What should not have happened, newest first, closed ones too."""
    return rows(
        db,
        "SELECT incident_id, sweep_id, system, kind, records, at, state, note_code, closed_by FROM incidents"
        " WHERE (at, incident_id) < (:at, :id) ORDER BY at DESC, incident_id DESC LIMIT :n",
        at=before[0] if before else "infinity",
        id=before[1] if before else "",
        n=n,
    )


def switches(db: Connection) -> Mapping[str, str]:
    """Every switch that is set."""
    return {row.name: row.value for row in rows(db, "SELECT name, value FROM switches ORDER BY name")}
