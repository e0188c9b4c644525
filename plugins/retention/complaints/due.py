"""By when does a complainant hear from us, and which alarm is due? Worked out from the events each time, never stored.

UK: acknowledged within thirty days of receipt (DPA 2018 s.164A). How long an answer may take the law leaves at "without
undue delay", so each word to the complainant starts thirty days more, and every such period has the alarms of a month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from retention import clocks
from retention.complaints.moves import Moved
from retention.requests.due import working_days
from retention.store import complaints
from retention.store.complaints import Complaint
from retention.store.desk import Desk
from retention.store.requests import Happened

PROGRESS_DAYS = clocks.ACKNOWLEDGE_DAYS
"""A complainant waits no longer than this for the next word: our own rule, where the law gives no number."""


class Owed(StrEnum):
    """What a complainant waits for."""

    ACKNOWLEDGEMENT = "acknowledgement"
    WORD = "word"  # the answer, or how far we are


OWED_IN = {"received": Owed.ACKNOWLEDGEMENT, "acknowledged": Owed.WORD}


@dataclass(frozen=True, slots=True)
class ComplaintClock:
    """What is owed, by when, and when somebody is reminded. Nothing is owed once it is answered."""

    complaint: Complaint
    owed: Owed | None
    due: date | None
    alarms: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class ComplaintAlarm:
    """A mark that has come. Ids and days only: it may be mailed."""

    complaint_id: str
    mark_on: date
    owed: Owed
    due: date


def clock_of(desk: Desk, complaint: Complaint, happened: Iterable[Happened]) -> ComplaintClock:
    """The clock of one complaint."""
    if complaint.state not in OWED_IN:
        return ComplaintClock(complaint, None, None, ())
    last = [h.on_day for h in happened if h.event in _STARTS_ANEW][-1]
    days = working_days(desk.policy.schedule.answering.holidays)
    due = clocks.acknowledgement_due(last, days)
    return ComplaintClock(complaint, OWED_IN[complaint.state], due.due, clocks.alarm_days(due, days))


def clocks_of(desk: Desk, found: Sequence[Complaint]) -> list[ComplaintClock]:
    """The clocks of several complaints."""
    with desk.transaction() as db:
        happened = complaints.events(db, [complaint.complaint_id for complaint in found])
    return [clock_of(desk, complaint, happened[complaint.complaint_id]) for complaint in found]


def raise_alarms(desk: Desk) -> list[ComplaintAlarm]:
    """Every mark that has come and was not raised before; raised once, whoever asks."""
    with desk.transaction() as db:
        waiting = complaints.listed(db, tuple(OWED_IN))
    come = [
        ComplaintAlarm(clock.complaint.complaint_id, mark, clock.owed, clock.due)
        for clock in clocks_of(desk, waiting)
        for mark in clock.alarms
        if clock.owed is not None and clock.due is not None and mark <= desk.today
    ]
    with desk.transaction() as db:
        new = complaints.raise_new(db, [(alarm.complaint_id, alarm.mark_on) for alarm in come])
    return [alarm for alarm in come if (alarm.complaint_id, alarm.mark_on) in new]


_STARTS_ANEW = frozenset({"received", Moved.ACKNOWLEDGEMENT_SENT, Moved.PROGRESS_SENT})
