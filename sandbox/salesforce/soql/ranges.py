"""Which days does a named span such as `LAST_N_DAYS:30` cover? Spans follow the calendar of the user's time zone."""

from __future__ import annotations

from datetime import date, timedelta

_UNITS = ("DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS", "FISCAL_QUARTERS", "FISCAL_YEARS")
PLAIN_RANGES = frozenset(
    ["YESTERDAY", "TODAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"]
    + [
        f"{when}_{unit}"
        for when in ("LAST", "THIS", "NEXT")
        for unit in ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
    ]
)
COUNTED_RANGES = frozenset(
    [f"{when}_N_{unit}" for when in ("LAST", "NEXT") for unit in _UNITS] + [f"N_{unit}_AGO" for unit in _UNITS]
)
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def days(name: str, count: int | None, today: date) -> tuple[date, date]:
    """First day of the span and the day after its last. The fiscal year is the calendar year."""
    name = name.replace("FISCAL_", "")
    single = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
    if name in single:
        start = today + timedelta(days=single[name])
        return start, start + timedelta(days=1)
    if name in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        return days(name.replace("90", "N"), 90, today)
    if count is None:
        when, unit = name.split("_", 1)
        step = {"LAST": -1, "THIS": 0, "NEXT": 1}[when]
        return _start(unit, today, step), _start(unit, today, step + 1)
    if name.endswith("_AGO"):
        unit = name.split("_")[1].removesuffix("S")
        return _start(unit, today, -count), _start(unit, today, -count + 1)
    when, _, units = name.split("_", 2)
    unit = units.removesuffix("S")
    if when == "LAST":
        # A span of days runs up to today; one of larger units ends with the last full unit.
        return _start(unit, today, -count), _start(unit, today, 1 if unit == "DAY" else 0)
    return _start(unit, today, 1), _start(unit, today, count + 1)


def _start(unit: str, today: date, step: int) -> date:
    """First day of the unit that lies `step` units from today's; weeks start on Sunday."""
    if unit == "DAY":
        return today + timedelta(days=step)
    if unit == "WEEK":
        return today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=step)
    length = _MONTHS[unit]
    month = (today.year * 12 + today.month - 1) // length * length + step * length
    if not 12 <= month < 9999 * 12:
        return date.min if month < 12 else date.max
    return date(month // 12, month % 12 + 1, 1)
