"""What does each page show? Put together from the ledger's answers, as values that a template needs no logic for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from retention import clocks
from retention.requests.due import Clock, clocks_of
from retention.store import audit_check, audit_log, guards, overview, plans, restrictions, sweeps
from retention.store import holds as hold_store
from retention.store import requests as request_store
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.holds import Hold
from retention.store.requests import Request
from retention.store.restrictions import Matter

HORIZONS = (30, 60, 90)
Figures = dict[str, dict[str, list[int | None]]]
Trend = tuple[list[date], Figures]


@dataclass(frozen=True, slots=True)
class Home:
    """The first page."""

    today: date
    mode: str
    stopped: Sequence[str]
    newest: overview.SweepLine | None
    latest: Sequence[overview.SweepLine]
    unread: Sequence[str]
    approvals: Sequence[overview.SweepLine]
    waiting: overview.Waiting
    due: Mapping[str, Sequence[int]]
    searched: Sequence[str]
    audit_entries: int
    audit_root: str
    checked: audit_check.Check | None

    @property
    def worries(self) -> list[str]:
        """What is not all right, in words; nothing: everything is."""
        said = [f"The kill switch is on for {', '.join(self.stopped)}: nothing is done there."] if self.stopped else []
        problem = self.checked.problem if self.checked else ""
        said += [f"The audit log is not all right: {problem}."] if problem else []
        if self.newest is None:
            return [*said, "No night has been sealed yet."]
        said += [f"{system} was not read in the newest sweep, so it is not covered." for system in self.unread]
        for system, counts in self.newest.systems.items():
            said += [f"{system}: {counts['failed']} steps failed." for _ in range(1) if counts.get("failed")]
            said += [f"{system}: the plan was stopped by a limit." for _ in range(1) if counts.get("stopped")]
        said += [f"{self.waiting.tasks_late} tasks of people are late." for _ in range(1) if self.waiting.tasks_late]
        said += [f"{self.waiting.incidents} incidents are open." for _ in range(1) if self.waiting.incidents]
        return said


def home(db: Connection, desk: Desk) -> Home:
    """Everything the first page shows."""
    latest = overview.newest_sweeps(db, 10)
    nights = [one for one in latest if one.selector == "schedule"]
    newest = next((one for one in nights if one.sealed_at is not None), None)
    systems = list(desk.policy.systems)
    years = desk.policy.schedule.retention_years
    catalogued = [one for one in systems if one in overview.catalogued(db)]
    head = audit_log.head(db)
    return Home(
        today=desk.today,
        mode=sweeps.mode(db).value,
        stopped=["every system"] if sweeps.stopped(db, "") else [one for one in systems if sweeps.stopped(db, one)],
        newest=newest,
        latest=latest,
        unread=[one for one in systems if newest and not sweeps.read_wholly(db, newest.sweep_id, one)],
        approvals=overview.waiting_for_approval(db, 10),
        waiting=overview.waiting(db, desk.today),
        due={one: overview.falls_due(db, one, _months_ahead(desk.today, years)) for one in catalogued},
        searched=[one for one in systems if one not in catalogued],
        audit_entries=head.size,
        audit_root=head.root().hex(),
        checked=next(iter(audit_check.newest(db, 1)), None),
    )


def _months_ahead(today: date, years: int) -> list[tuple[date, date]]:
    """Collected between which days falls due within each horizon."""
    return [
        (clocks.collected_before(today, years), clocks.collected_before(today + timedelta(days=days), years))
        for days in HORIZONS
    ]


@dataclass(frozen=True, slots=True)
class SweepSeen:
    """One sweep, in full."""

    line: overview.SweepLine
    digest: str
    effect: Mapping[str, Mapping[str, int]]
    reasons: Mapping[tuple[str, str], int]
    broken: Mapping[str, Sequence[str]]
    gaps: Sequence[Any]
    approved_by: str


def sweep(db: Connection, sweep_id: str) -> SweepSeen | None:
    """A sweep, or None if there is none of that id."""
    line = overview.sweep(db, sweep_id)
    if line is None:
        return None
    known = sweeps.get(db, sweep_id)
    approval = plans.approval_of(db, sweep_id)
    return SweepSeen(
        line=line,
        digest=known.digest or "",
        effect=plans.effect(db, sweep_id),
        reasons=plans.reasons_of(db, sweep_id),
        broken={system: [str(one) for one in found] for system, found in guards.broken_in(db, sweep_id).items()},
        gaps=overview.gaps(db, sweep_id),
        approved_by=approval.approver if approval else "",
    )


def sweep_of_run(db: Connection, dag_id: str, run_id: str) -> str | None:
    """The sweep of a run of Airflow's."""
    found = sweeps.of_run(db, dag_id, run_id)
    return found.sweep_id if found else None


def requests(db: Connection, n: int, after: tuple[datetime, str] | None) -> list[Request]:
    """Requests that are not closed."""
    return [request_store.get(db, one) for one in overview.open_requests(db, n, after)]


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request with its clock."""

    request: Request
    due: date | None
    status: str
    days_left: int | None


def with_clocks(desk: Desk, found: Sequence[Request]) -> list[RequestLine]:
    """How many days are left for each."""
    return [_line(desk.today, clock) for clock in clocks_of(desk, found)]


def _line(today: date, clock: Clock) -> RequestLine:
    due = clock.due.due
    return RequestLine(clock.request, due, clock.due.status.value, (due - today).days if due else None)


@dataclass(frozen=True, slots=True)
class HoldsSeen:
    """What stands against erasing, and what is set aside."""

    holds: Sequence[Hold]
    matters: Sequence[Matter]


def holds(db: Connection) -> HoldsSeen:
    """Holds and restrictions that stand."""
    return HoldsSeen(
        [one for one in hold_store.listed(db) if one.state == "in_force"],
        [one for one in restrictions.listed(db) if one.state != "lifted"],
    )
