"""Which days matter, seen from "today"? Every interesting date of the population hangs on `as_of`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PERIOD_YEARS = 5
ZONE = ZoneInfo("Europe/London")


def years_later(day: date, years: int) -> date:
    """The anniversary of a day; 29 February becomes 28 February where the year has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def at(day: date, hour: int = 10, minute: int = 0, second: int = 0) -> datetime:
    """An instant of that UTC day; ten in the morning is the same calendar day in every zone of Europe."""
    return datetime.combine(day, time(hour, minute, second), UTC)


@dataclass(frozen=True)
class Days:
    """Dates relative to `as_of`. A day is kept through its fifth anniversary and no longer."""

    as_of: date

    @property
    def oldest_kept(self) -> date:
        """The earliest collection day that is still kept today. On 29 February no fifth anniversary falls on today."""
        day = years_later(self.as_of, -PERIOD_YEARS)
        while years_later(day, PERIOD_YEARS) < self.as_of:
            day += timedelta(days=1)
        return day

    @property
    def newest_expired(self) -> date:
        return self.oldest_kept - timedelta(days=1)

    @property
    def newest_expired_leap_day(self) -> date:
        """The newest 29 February that is past its period; its last kept day was a 28 February."""
        return next(day for day in self._leap_days() if years_later(day, PERIOD_YEARS) < self.as_of)

    @property
    def oldest_kept_leap_day(self) -> date:
        """The oldest 29 February still kept today: there always is one, since five years hold one or two."""
        return [day for day in self._leap_days() if years_later(day, PERIOD_YEARS) >= self.as_of][-1]

    @property
    def first_instant_kept(self) -> datetime:
        """Half past midnight in London on the oldest kept day: in summer UTC still says the day before."""
        return datetime.combine(self.oldest_kept, time(0, 30), ZONE).astimezone(UTC)

    def ago(self, years: int = 0, days: int = 0) -> date:
        return years_later(self.as_of, -years) - timedelta(days=days)

    def year(self, years_ago: int) -> int:
        return self.as_of.year - years_ago

    def _leap_days(self) -> list[date]:
        years = range(self.as_of.year, self.as_of.year - 17, -1)
        days = [date(year, 2, 29) for year in years if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)]
        return [day for day in days if day <= self.as_of]
