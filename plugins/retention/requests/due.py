"""By when must a request be answered, and which alarm is due? Worked out from its events each time, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from retention import clocks
from retention.clocks import Asked, Due, DueStatus, PauseCount, RequestEvents
from retention.item import Regime
from retention.policy import Schedule
from retention.requests.moves import Moved
from retention.store import request_alarms, requests
from retention.store.desk import Desk
from retention.store.requests import Happened, Request
from retention.working_days import OUR_CORRECTIONS, WorkingDays, read_corrections

AGEING_DAYS = (14, 28)
"""What waits for its subject has no due date; after so many days somebody looks at it all the same."""

RUNNING = ("received", "identity_pending", "in_progress", "paused", "extension_told", "extended", "extended_paused")
"""In which states an answer is owed."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the clock of a request stands, and under which holiday data that was worked out."""

    request: Request
    due: Due
    alarms: tuple[date, ...]
    holidays: str


@lru_cache(maxsize=16)
def working_days(region: str) -> WorkingDays:
    """The working days of a region, with our own corrections."""
    return WorkingDays(region, read_corrections(OUR_CORRECTIONS))


def clock_of(schedule: Schedule, request: Request, happened: Iterable[Happened]) -> Clock:
    """The clock of one request."""
    days = working_days(schedule.answering.holidays)
    events = inputs(schedule, request, happened)
    due = clocks.response_due(events, days)
    return Clock(request, due, clocks.alarm_days(due, days) or _ageing(events), days.data_version)


def clocks_of(desk: Desk, found: Sequence[Request]) -> list[Clock]:
    """The clocks of several requests."""
    with desk.transaction() as db:
        happened = requests.events(db, [request.request_id for request in found])
    return [clock_of(desk.policy.schedule, request, happened[request.request_id]) for request in found]


def inputs(schedule: Schedule, request: Request, happened: Iterable[Happened]) -> RequestEvents:
    """What bears on a request's clock, of all that happened to it."""
    asked = [h for h in happened if h.event in _ON_THE_CLOCK]
    extension = next((h.on_day for h in asked if h.event == Moved.EXTENSION_NOTICE_SENT), None)
    fees = _pauses(asked, "fee")
    return RequestEvents(
        regime=Regime(schedule.response_regime),
        right=request.asks_for,
        received=clocks.local_day(request.received_at, ZoneInfo(schedule.answering.zone)),
        identity=_identity(asked),
        fee=fees[0] if fees else None,
        clarifications=_pauses(asked, "clarification"),
        pause_count=PauseCount(schedule.answering.pause_count),
        extension_notified_on=extension,
    )


@dataclass(frozen=True, slots=True)
class Alarm:
    """A mark of an unanswered request's period that has come. Ids and days only: it may be mailed."""

    request_id: str
    mark_on: date
    status: DueStatus
    due: date | None


def running(desk: Desk) -> list[Clock]:
    """The clock of every request that an answer is owed to."""
    with desk.transaction() as db:
        found = requests.listed(db, RUNNING)
    return clocks_of(desk, found)


def raise_alarms(desk: Desk) -> list[Alarm]:
    """Every mark that has come and was not raised before; raised once, whoever asks."""
    come = [
        Alarm(clock.request.request_id, mark, clock.due.status, clock.due.due)
        for clock in running(desk)
        for mark in clock.alarms
        if mark <= desk.today
    ]
    with desk.transaction() as db:
        new = request_alarms.raise_new(db, [(alarm.request_id, alarm.mark_on) for alarm in come])
    return [alarm for alarm in come if (alarm.request_id, alarm.mark_on) in new]


_ON_THE_CLOCK = frozenset(
    {Moved.IDENTITY_ASKED, Moved.IDENTITY_SETTLED, Moved.PAUSE, Moved.RESUME, Moved.EXTENSION_NOTICE_SENT}
)


def _identity(asked: Sequence[Happened]) -> Asked | None:
    """From the first question to the answer; asking again is the same question."""
    first = next((h.on_day for h in asked if h.event == Moved.IDENTITY_ASKED), None)
    if first is None:
        return None
    return Asked(first, next((h.on_day for h in asked if h.event == Moved.IDENTITY_SETTLED), None))


def _pauses(asked: Sequence[Happened], what: str) -> tuple[Asked, ...]:
    """Each pause with the first resumption after it."""
    pauses: list[Asked] = []
    for h in asked:
        if h.event == Moved.PAUSE and h.what == what:
            pauses.append(Asked(h.on_day, None))
        elif h.event == Moved.RESUME and pauses and pauses[-1].answered is None:
            pauses[-1] = Asked(pauses[-1].on, h.on_day)
    return tuple(pauses)


def _ageing(events: RequestEvents) -> tuple[date, ...]:
    waits = [asked for asked in (events.identity, events.fee, *events.clarifications) if asked and not asked.answered]
    since = min((asked.on for asked in waits), default=events.received)
    return tuple(since + timedelta(days=days) for days in AGEING_DAYS)
