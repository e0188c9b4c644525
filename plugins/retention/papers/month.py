"""What happened in a month, for whoever answers for it? Counts beside those of the month before, and what is old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from retention import audit
from retention.papers.period import Period
from retention.papers.register import is_late
from retention.requests.due import clocks_of
from retention.store import overview, papers, requests
from retention.store.database import Connection
from retention.store.desk import Desk

SHOWN_EVENTS = {
    audit.Event.APPROVAL_REFUSED: "plans refused, or approvals that did not hold",
    audit.Event.GUARD_STOPPED: "plans stopped by a limit",
    audit.Event.GUARD_OVERRIDDEN: "limits overridden",
    audit.Event.KILL_SWITCH: "kill switch thrown or released",
    audit.Event.LIVE_SWITCHED: "mode changed",
    audit.Event.POLICY_APPROVED: "policies approved",
    audit.Event.REVIEW_DECIDED: "review items decided",
    audit.Event.IDENTITY_SHOWN: "identities shown on demand",
    audit.Event.SEEN_AGAIN: "erased people met again",
    audit.Event.COPY_FETCHED: "copies fetched by their subjects",
}
"""What is counted in the audit log, since no table keeps how often."""


@dataclass(frozen=True, slots=True)
class Month:
    """The report. Each figure stands beside that of the month before; no month before the ledger has any."""

    first: date
    last: date
    sweeps: Mapping[str, tuple[int, int]]
    systems: Mapping[str, Mapping[str, tuple[int, int]]]
    counted: Mapping[str, tuple[int, int]]
    late: tuple[int, int]
    """Requests that were answered, or stood unanswered, after their due date."""
    events: Mapping[str, tuple[int, int]]
    waiting: overview.Waiting
    """What is open on the day the report is drawn."""
    drawn_on: date


def report(desk: Desk, period: Period) -> Month:
    """The report of a month."""
    before = period.before
    with desk.transaction() as db:
        sweeps = papers.sweeps(db, period.between), papers.sweeps(db, before.between)
        systems = papers.by_system(db, period.between), papers.by_system(db, before.between)
        counted = papers.counted(db, period.between), papers.counted(db, before.between)
        events = papers.events(db, period.between), papers.events(db, before.between)
        waiting = overview.waiting(db, desk.today)
        late = _late(desk, db, period), _late(desk, db, before)
    names = dict.fromkeys((*desk.policy.systems, *systems[0], *systems[1]))
    told = {name: (systems[0].get(name, {}), systems[1].get(name, {})) for name in names}
    return Month(
        first=period.first,
        last=period.last,
        sweeps={name: _both(sweeps, name) for name in ("schedule", "requests")},
        systems={name: {figure: _both(both, figure) for figure in papers.FIGURES} for name, both in told.items()},
        counted={name: _both(counted, name) for name in counted[0]},
        late=late,
        events={said: _both(events, event.value) for event, said in SHOWN_EVENTS.items()},
        waiting=waiting,
        drawn_on=desk.today,
    )


def _both(told: tuple[Mapping[str, int], Mapping[str, int]], name: str) -> tuple[int, int]:
    return told[0].get(name, 0), told[1].get(name, 0)


def _late(desk: Desk, db: Connection, period: Period) -> int:
    """How many requests ran over their due date by the end of a period, or did so and were answered in it."""
    answered = {row.request_id: row.answered_on for row in papers.owed_within(db, period.between)}
    found = [one for one in requests.listed(db) if one.request_id in answered]
    until = min(period.last, desk.today)
    return sum(
        is_late(clock.due.due, _by(answered[clock.request.request_id], until), until)
        for clock in clocks_of(desk, found)
        if (told := answered[clock.request.request_id]) is None or told >= period.first
    )


def _by(answered_on: date | None, until: date) -> date | None:
    """The day of the answer as it was known at the end of a period."""
    return answered_on if answered_on is not None and answered_on <= until else None
