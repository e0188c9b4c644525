"""Which part of a backlog is worked on now? A narrower selection by rule, never "the first N"; the rest waits.

What lies outside is found, judged and shown as before; it is only not planned. Each tranche makes a plan with a digest
of its own, which is approved on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from retention import clocks
from retention.knowledge import Known


@dataclass(frozen=True, slots=True)
class Tranche:
    """What of a system may be planned; an empty field narrows nothing."""

    kinds: frozenset[str] = frozenset()
    data_classes: frozenset[str] = frozenset()
    collected_before: date | None = None

    def covers(self, known: Known, zone: ZoneInfo) -> bool:
        """Whether a record lies inside: its kind, every class in it, and the day of its newest class."""
        if self.kinds and known.kind not in self.kinds:
            return False
        if self.data_classes and not {c.data_class.value for c in known.facts.classes} <= self.data_classes:
            return False
        if self.collected_before is None:
            return True
        days = [_day(c.collected.value, zone) if c.collected else None for c in known.facts.classes]
        return all(day is not None and day < self.collected_before for day in days)


EVERYTHING = Tranche()


def _day(value: date | datetime, zone: ZoneInfo) -> date:
    return clocks.local_day(value, zone) if isinstance(value, datetime) else value
