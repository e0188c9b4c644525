"""Is this a working day at the controller's place? Public holidays by region, with our own corrections on top.

Fails closed: an unknown region, a country whose regions differ given without one, and a year outside the data are
errors, never "no holidays".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import holidays
import yaml

SATURDAY = 5
OUR_CORRECTIONS = Path(__file__).parents[2] / "include" / "policy" / "holidays.yaml"
REGION_NEEDED = frozenset({"GB", "DE", "ES"})
"""Countries where the national days alone are nobody's calendar. For GB they even lack Easter Monday everywhere."""


class UnknownRegion(ValueError):
    """No such region, or one that is needed was left out. The text names the region and what to write instead."""


class YearOutsideData(ValueError):
    """The holiday data does not reach that year."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """Days that the library does not know (added) or wrongly has (removed), by region."""

    added: Mapping[str, frozenset[date]] = field(default_factory=lambda: MappingProxyType({}))
    removed: Mapping[str, frozenset[date]] = field(default_factory=lambda: MappingProxyType({}))


NO_CORRECTIONS = Corrections()


class WorkingDays:
    """The working days of one region, named as in "GB-SCT", "DE-BE" or "IE"."""

    def __init__(self, region: str, corrections: Corrections = NO_CORRECTIONS) -> None:
        country, _, subdivision = region.partition("-")
        if country in REGION_NEEDED and not subdivision:
            raise UnknownRegion(
                f"{country} has no calendar of its own: write the region too, as in {_example(country)}"
            )
        try:
            self._holidays = holidays.country_holidays(country, subdiv=subdivision or None)
        except NotImplementedError as unknown:
            raise UnknownRegion("no holidays known for that country or region") from unknown
        if self._holidays.country != country or (subdivision and subdivision not in self._holidays.subdivisions):
            # The library also takes other spellings, among them ones that mean the bare United Kingdom.
            raise UnknownRegion("write country and region by their ISO 3166 codes, as in GB-SCT")
        self.region = region
        self._added = corrections.added.get(region, frozenset())
        self._removed = corrections.removed.get(region, frozenset())
        corrected = f", {len(self._added)} added, {len(self._removed)} removed" if self._added | self._removed else ""
        self.data_version = f"holidays {version('holidays')} {region}{corrected}"

    def is_working(self, day: date) -> bool:
        """Say whether the office is open in law on that day."""
        if not self._holidays.start_year <= day.year <= self._holidays.end_year:
            raise YearOutsideData(
                f"the holidays of {self.region} are known from {self._holidays.start_year} to "
                f"{self._holidays.end_year} only"
            )
        if day.weekday() >= SATURDAY or day in self._added:
            return False
        return day in self._removed or day not in self._holidays

    def roll(self, day: date) -> date:
        """Give the day itself, or the next working day (Reg. 1182/71 Art. 3(4))."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def before(self, day: date, count: int) -> date:
        """Give the working day that lies so many working days before a day."""
        for _ in range(count):
            day -= timedelta(days=1)
            while not self.is_working(day):
                day -= timedelta(days=1)
        return day


def read_corrections(path: Path) -> Corrections:
    """Read proclaimed and cancelled days; every one with its reason. What is not understood is an error."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as broken:
        raise ValueError(f"{path.name}: not readable as YAML") from broken
    if not isinstance(content, dict) or not content.keys() <= {"added", "removed"}:
        raise ValueError(f"{path.name}: only the keys 'added' and 'removed' are known")
    return Corrections(
        added=_days_by_region(path, "added", content.get("added") or {}),
        removed=_days_by_region(path, "removed", content.get("removed") or {}),
    )


def _days_by_region(path: Path, key: str, regions: Any) -> Mapping[str, frozenset[date]]:
    complaint = f"{path.name}: {key}: each region holds lines 'YYYY-MM-DD: reason'"
    if not isinstance(regions, dict):
        raise ValueError(complaint)
    days: dict[str, frozenset[date]] = {}
    for region, reasons in regions.items():
        WorkingDays(str(region))
        if not isinstance(reasons, dict) or not all(_is_correction(*line) for line in reasons.items()):
            raise ValueError(complaint)
        days[region] = frozenset(reasons)
    return MappingProxyType(days)


def _is_correction(day: Any, reason: Any) -> bool:
    return type(day) is date and isinstance(reason, str) and bool(reason.strip())


def _example(country: str) -> str:
    return f"{country}-{holidays.country_holidays(country).subdivisions[0]}"
