"""By when? Retention ends and tax keeps as days and UTC instants, and the due dates of answers under UK and EU law.

A `date` is a calendar day and is never pushed through a time zone; a `datetime` is an instant and always is, into the
controller's zone, before its day is taken. Periods never roll to a working day; due dates always do.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from retention.item import Regime
from retention.working_days import WorkingDays

ONE_DAY = timedelta(days=1)
ANSWER_MONTHS = 1  # Art. 12(3)
EXTENDED_MONTHS = 3  # one, and two more: Art. 12(3), 12A(3)
ACKNOWLEDGE_DAYS = 30  # DPA 2018 s.164A
ALARM_PERCENT = (50, 75, 90)
ALARM_WORKING_DAYS = 3
TAX_YEARS = 6  # Finance Act 1998 Sch. 18 para. 21; VATA 1994 Sch. 11 para. 6


# --- Days ---


def zone_named(name: str) -> ZoneInfo:
    """Give the time zone of that name, or say that there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError("not a time zone name such as Europe/London") from unknown


def local_day(moment: date | datetime, zone: ZoneInfo) -> date:
    """Give the controller's calendar day of an instant; a day stays the day it is."""
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC")
    return moment.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Give the first instant of a local day in UTC. Where midnight is skipped that is the moment of the change."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def add_months(day: date, months: int) -> date:
    """Give the same day number so many months on, or the last day of a shorter month. To be used once per period."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


# --- How long data is kept ---


@lru_cache(maxsize=16_384)
def last_kept_day(collected: date, years: int) -> date:
    """Give the anniversary through which the data is still kept; of 29 February the 28th in an ordinary year."""
    return add_months(collected, 12 * years)


def eligible_at(collected: date | datetime, years: int, zone: ZoneInfo) -> datetime:
    """Give the UTC instant from which the data may go: the first of the local day after the last kept one."""
    return start_of_day(last_kept_day(local_day(collected, zone), years) + ONE_DAY, zone)


def collected_before(today: date, years: int) -> date:
    """Give the day such that exactly what was collected on an earlier day is past its period today.

    This turns the period into a date that a system can search by. It is not always today less so many years: on
    28 February after a leap day's period both the 28th and the 29th of that February are still kept.
    """
    candidate = add_months(today, -12 * years)
    return candidate if last_kept_day(candidate, years) == today else candidate + ONE_DAY


YEAR_END = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]|END)")


def accounting_period_end(on: date, year_end: str) -> date:
    """Give the end of the accounting period that holds the day. `year_end` is MM-DD, or MM-END for a month's last."""
    match = YEAR_END.fullmatch(year_end)
    if match is None:
        raise ValueError("not a year end such as 03-31 or 02-END")
    month, day = int(match[1]), 31 if match[2] == "END" else int(match[2])
    if match[2] != "END" and day > calendar.monthrange(2024, month)[1]:
        raise ValueError("not a day of that month")

    def end_in(year: int) -> date:
        return date(year, month, min(day, calendar.monthrange(year, month)[1]))

    return end_in(on.year) if on <= end_in(on.year) else end_in(on.year + 1)


def tax_keep_until(on: date, year_end: str) -> date:
    """Give the last day tax law asks for: six years after the accounting period's end, not after the invoice."""
    return last_kept_day(accounting_period_end(on, year_end), TAX_YEARS)


# --- By when a request is answered ---


class Right(StrEnum):
    """The right that is exercised. Only access can be paused for clarification."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    CONSENT_WITHDRAWAL = "consent_withdrawal"


class PauseCount(StrEnum):
    """How a pause's days are counted: with both ends (the statute's words), or answer minus asking (cautious)."""

    INCLUSIVE = "inclusive"
    ELAPSED = "elapsed"


class DueStatus(StrEnum):
    """How a due date stands."""

    DUE = "DUE"
    EXTENDED = "EXTENDED"
    EXTENSION_LATE = "EXTENSION_LATE"  # the notice came after the first due date, which therefore stands
    WAITING_ID = "WAITING_ID"
    WAITING_FEE = "WAITING_FEE"
    WAITING_CLARIFICATION = "WAITING_CLARIFICATION"


@dataclass(frozen=True, slots=True)
class Asked:
    """Something asked of the subject, and when it came."""

    on: date
    answered: date | None = None

    def __post_init__(self) -> None:
        """Refuse an answer that came before the question."""
        if self.answered is not None and self.answered < self.on:
            raise ValueError("answered before it was asked")


@dataclass(frozen=True, slots=True)
class RequestEvents:
    """All that happened to one request and bears on its clock. Kept and recomputed from; never only the result."""

    regime: Regime
    right: Right
    received: date  # the controller's calendar day
    identity: Asked | None = None
    fee: Asked | None = None
    clarifications: tuple[Asked, ...] = ()
    pause_count: PauseCount = PauseCount.INCLUSIVE
    extension_notified_on: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When the clock started and when it ends; no due date while the subject's answer is awaited."""

    status: DueStatus
    clock_start: date | None
    due: date | None = None


@dataclass(frozen=True, slots=True)
class _Clock:
    """A running clock: where it starts, what is not counted, what it waits for."""

    start: date
    excluded: frozenset[date] = frozenset()
    waits_for: tuple[DueStatus, ...] = ()

    def ends(self, months: int, working_days: WorkingDays) -> date:
        """Clamp once from the start, then add the excluded days, then roll: in this order."""
        pause = sum(day > self.start for day in self.excluded)
        return working_days.roll(add_months(self.start, months) + pause * ONE_DAY)


def response_due(events: RequestEvents, working_days: WorkingDays) -> Due:
    """Say by when a request must be answered.

    The UK rules of Art. 12A are applied to requests received before it began (5 February 2026) too: they restate the
    regulator's older guidance, and the cautious pause count is there for those who doubt that.
    """
    clock = _Clock(events.received)
    for kind, asked in _questions_that_may_stop_the_clock(events):
        # A question put after the due date cannot rescue it. While another answer is awaited no due date runs.
        if not clock.waits_for and asked.on > _running_due(clock, events.extension_notified_on, working_days):
            continue
        clock = _after_question(clock, kind, asked, events)
    if clock.waits_for:
        status = min(clock.waits_for, key=tuple(DueStatus).index)
        # UK: until identity is shown or the fee is paid the clock has not started at all (Art. 12A(2)).
        unstarted = events.regime is Regime.UK and status is not DueStatus.WAITING_CLARIFICATION
        return Due(status, None if unstarted else clock.start)
    first_due = clock.ends(ANSWER_MONTHS, working_days)
    if events.extension_notified_on is None:
        return Due(DueStatus.DUE, clock.start, first_due)
    if events.extension_notified_on > first_due:
        return Due(DueStatus.EXTENSION_LATE, clock.start, first_due)
    return Due(DueStatus.EXTENDED, clock.start, clock.ends(EXTENDED_MONTHS, working_days))


def acknowledgement_due(received: date, working_days: WorkingDays) -> Due:
    """Say by when a complaint must be acknowledged (UK): thirty days, the first of them the day after receipt."""
    return Due(DueStatus.DUE, received, working_days.roll(received + ACKNOWLEDGE_DAYS * ONE_DAY))


def alarm_days(due: Due, working_days: WorkingDays) -> tuple[date, ...]:
    """Give the days on which an unanswered request raises an alarm: parts of its period, and shortly before the end.

    In order, each once. None while no due date runs: what waits for the subject ages by a rule of its own.
    """
    if due.clock_start is None or due.due is None:
        return ()
    start, length = due.clock_start, due.due - due.clock_start
    parts = {start + length * percent // 100 for percent in ALARM_PERCENT}
    return tuple(sorted(parts | {working_days.before(due.due, ALARM_WORKING_DAYS)}))


def _questions_that_may_stop_the_clock(events: RequestEvents) -> Sequence[tuple[DueStatus, Asked]]:
    """List the questions in the order they were put; those that never stop this clock are left out."""
    questions: list[tuple[DueStatus, Asked]] = []
    if events.identity is not None:
        questions.append((DueStatus.WAITING_ID, events.identity))
    if events.fee is not None and events.regime is Regime.UK:
        # EU: charging a fee does not stop the clock.
        questions.append((DueStatus.WAITING_FEE, events.fee))
    if events.right is Right.ACCESS:
        # UK Art. 12A(5) and the EDPB's guidelines 01/2022 allow the pause for access requests only.
        questions.extend((DueStatus.WAITING_CLARIFICATION, asked) for asked in events.clarifications)
    return sorted(questions, key=lambda question: question[1].on)


def _running_due(clock: _Clock, extension_notified_on: date | None, working_days: WorkingDays) -> date:
    first_due = clock.ends(ANSWER_MONTHS, working_days)
    if extension_notified_on is not None and extension_notified_on <= first_due:
        return clock.ends(EXTENDED_MONTHS, working_days)
    return first_due


def _after_question(clock: _Clock, kind: DueStatus, asked: Asked, events: RequestEvents) -> _Clock:
    if asked.answered is None:
        return replace(clock, waits_for=(*clock.waits_for, kind))
    if events.regime is Regime.UK and kind is not DueStatus.WAITING_CLARIFICATION:
        return replace(clock, start=max(clock.start, asked.answered))  # it restarts, it does not pause
    # EU law knows no inclusive count; the day of asking is then a day that ran.
    inclusive = events.regime is Regime.UK and events.pause_count is PauseCount.INCLUSIVE
    first = asked.on if inclusive else asked.on + ONE_DAY
    return replace(clock, excluded=clock.excluded | frozenset(_days(first, asked.answered)))


def _days(first: date, last: date) -> Iterable[date]:
    return (first + number * ONE_DAY for number in range((last - first).days + 1))
