"""What does the ledger answer for the papers of a period? Counts and states between two moments, never a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from retention.store.database import one, rows

ACTED = ("erased", "redacted", "restricted")
FIGURES = ("found", "flagged", *ACTED, "failed", "gaps", "review")


@dataclass(frozen=True, slots=True)
class Between:
    """From a moment on, up to another, which is left out."""

    first: datetime
    last: datetime


def sweeps(db: Connection, between: Between) -> Mapping[str, int]:
    """How many sealed runs there were, by what they were about."""
    found = rows(
        db,
        "SELECT selector, count(*) AS n FROM sweeps WHERE opened_at >= :first AND opened_at < :last"
        " AND sealed_at IS NOT NULL GROUP BY selector",
        first=between.first,
        last=between.last,
    )
    return {row.selector: row.n for row in found}


def by_system(db: Connection, between: Between) -> Mapping[str, Mapping[str, int]]:
    """What the sealed runs came to, by system: acts and failures in sum, the rest as the last night had it."""
    found = rows(
        db,
        "WITH told AS (SELECT r.system, r.counts, s.selector, row_number() OVER"
        " (PARTITION BY r.system, s.selector ORDER BY s.opened_at DESC) AS age FROM sweeps s"
        " JOIN sweep_reports r USING (sweep_id) WHERE s.opened_at >= :first AND s.opened_at < :last)"
        " SELECT system, key AS figure, sum(value::bigint) AS in_sum,"
        " sum(value::bigint) FILTER (WHERE age = 1 AND selector = 'schedule') AS at_last"
        " FROM told, jsonb_each_text(counts) WHERE key = ANY (:figures) GROUP BY system, key ORDER BY system",
        first=between.first,
        last=between.last,
        figures=list(FIGURES),
    )
    systems: dict[str, dict[str, int]] = {}
    for row in found:
        summed = row.figure in (*ACTED, "failed")
        systems.setdefault(row.system, {})[row.figure] = int((row.in_sum if summed else row.at_last) or 0)
    return systems


def counted(db: Connection, between: Between) -> Mapping[str, int]:
    """What began and ended in a period: requests, complaints, holds, restrictions, incidents, approvals."""
    row = one(
        db,
        "SELECT " + ", ".join(f"({statement}) AS {name}" for name, statement in _COUNTED.items()),
        first=between.first,
        last=between.last,
    )
    return {name: getattr(row, name) for name in _COUNTED}


def _within(table: str, column: str, also: str = "") -> str:
    return f"SELECT count(*) FROM {table} WHERE {column} >= :first AND {column} < :last{also}"  # noqa: S608 - ours


_COUNTED = {
    "requests_received": _within("requests", "received_at"),
    "requests_closed": _within("requests", "closed_at"),
    "complaints_received": _within("complaints", "received_at"),
    "complaints_closed": _within("complaints", "closed_at"),
    "approvals_given": _within("approvals", "answered_at"),
    "holds_placed": _within("holds", "placed_at"),
    "holds_released": _within("holds", "released_at"),
    "restrictions_placed": _within("restriction_matters", "placed_at"),
    "restrictions_lifted": _within("restriction_matters", "lifted_at"),
    "incidents_met": _within("incidents", "at"),
    "incidents_closed": _within("incidents", "closed_at"),
    "tasks_opened": "SELECT count(*) FROM person_tasks WHERE opened_on >= CAST(:first AS date)"
    " AND opened_on < CAST(:last AS date)",
}


_BODY = "convert_from(body, 'UTF8')::json"


def events(db: Connection, between: Between) -> Mapping[str, int]:
    """How often the audit log has each event in a period. Only that part of the log is read."""
    found = rows(
        db,
        f"SELECT {_BODY} ->> 'event' AS event, count(*) AS n FROM audit_entries"  # noqa: S608 - ours
        " WHERE seq >= :first AND seq < :last GROUP BY 1",
        first=_first_entry(db, between.first),
        last=_first_entry(db, between.last),
    )
    return {row.event: row.n for row in found}


def _first_entry(db: Connection, moment: datetime) -> int:
    """The number of the first entry from a moment on: entries stand in the order of their time."""
    low, high = 0, one(db, "SELECT coalesce(max(seq) + 1, 0) AS size FROM audit_entries").size
    while low < high:
        middle = (low + high) // 2
        entry = one(db, f"SELECT {_BODY} ->> 'at' AS at FROM audit_entries WHERE seq = :n", n=middle)  # noqa: S608
        if datetime.fromisoformat(entry.at) < moment:
            low = middle + 1
        else:
            high = middle
    return low


def requests_received(db: Connection, between: Between) -> Sequence[Any]:
    """What the register says of each request received in a period, but for its clock."""
    return rows(
        db,
        "SELECT r.request_id, r.weighed, r.refusal_reasons, r.excess_reason, r.fee, r.joined_to,"
        " (SELECT max(sent_on) FROM request_notices n WHERE n.notice_id IN (r.outcome_notice, r.refusal_notice))"
        " AS answered_on, (SELECT count(*) FROM complaints c WHERE c.about_request = r.request_id) AS complaints"
        " FROM requests r WHERE r.received_at >= :first AND r.received_at < :last ORDER BY r.received_at, r.request_id",
        first=between.first,
        last=between.last,
    )


def owed_within(db: Connection, between: Between) -> Sequence[Any]:
    """Requests that somebody worked on in a period, and the day each was answered: received before it ended, and not
    closed before it began."""
    return rows(
        db,
        "SELECT r.request_id, (SELECT max(sent_on) FROM request_notices n"
        " WHERE n.notice_id IN (r.outcome_notice, r.refusal_notice)) AS answered_on FROM requests r"
        " WHERE r.received_at < :last AND (r.closed_at IS NULL OR r.closed_at >= :first)"
        " AND r.state NOT IN ('joined', 'withdrawn') ORDER BY r.received_at, r.request_id",
        first=between.first,
        last=between.last,
    )
