"""From which day to which is a paper about? Whole days at the controller's place, as moments of the ledger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from retention import clocks
from retention.impediment import Impediment
from retention.store.papers import Between

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_ONE_DAY = timedelta(days=1)


class NoPeriod(Impediment):
    """What was given is no month, or ends before it begins."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a day on, up to and with another."""

    first: date
    last: date
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise NoPeriod(f"the period ends on {self.last}, before it begins on {self.first}")

    @property
    def between(self) -> Between:
        """The same as moments."""
        start = clocks.start_of_day
        return Between(start(self.first, self.zone), start(self.last + _ONE_DAY, self.zone))

    @property
    def before(self) -> Period:
        """The month before that of the first day."""
        return month_of(self.first.replace(day=1) - _ONE_DAY, self.zone)


def month_of(day: date, zone: ZoneInfo) -> Period:
    """The month a day lies in."""
    first = day.replace(day=1)
    return Period(first, clocks.add_months(first, 1) - _ONE_DAY, zone)


def month(text: str, zone: ZoneInfo) -> Period:
    """A month as YYYY-MM."""
    match = _MONTH.fullmatch(text)
    try:
        return month_of(date(int(match[1]), int(match[2]), 1), zone) if match else _refused(text)
    except ValueError:
        return _refused(text)


def _refused(text: str) -> Period:
    raise NoPeriod(f"no month: {text!r}; write one as 2026-10")
