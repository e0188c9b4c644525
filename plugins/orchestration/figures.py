"""Which figures go to the metrics? Counts of a night by system, and how the requests stand; never anything of a person.

They leave by whatever Airflow's own metrics leave by (StatsD or OpenTelemetry), under `retention.`. The system is part
of the name, since plain StatsD knows no tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from airflow.sdk.observability import stats

from retention.requests.due import Clock

OF_A_SYSTEM = ("found", "flagged", "erased", "redacted", "restricted", "review", "failed", "pending", "gaps")


def of_night(report: Mapping[str, Any]) -> None:
    """What a sealed run came to, in each system."""
    for system, counts in report["systems"].items():
        for name in OF_A_SYSTEM:
            _tell(f"{name}.{system}", counts[name])
    _tell("not_covered", len(report["not_covered"]))
    _tell("review_waiting", report["review_waiting"])
    _tell("review_oldest_days", report["review_oldest_days"])


def of_requests(clocks: Sequence[Clock], today: date) -> None:
    """How many requests an answer is owed to, how many are late, and how many days the next has left."""
    days = [(clock.due.due - today).days for clock in clocks if clock.due.due is not None]
    _tell("requests.open", len(clocks))
    _tell("requests.overdue", sum(left < 0 for left in days))
    if days:
        _tell("requests.days_left", max(0, min(days)))


def _tell(name: str, value: int) -> None:
    stats.gauge(f"retention.{name}", value)
