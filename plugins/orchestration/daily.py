"""When do our DAGs run? Each day by London's clock, not for days gone by, once somebody switched them on."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.timetables.trigger import CronTriggerTimetable

from orchestration.tasks import DEFAULTS

LONDON = "Europe/London"

EVERY_DAY: dict[str, Any] = {
    "start_date": pendulum.datetime(2026, 1, 1, tz=LONDON),
    "catchup": False,
    "is_paused_upon_creation": True,
    "default_args": DEFAULTS,
}
"""What all our DAGs have in common."""


def at(cron: str) -> CronTriggerTimetable:
    """The moments of a cron line, by London's clock."""
    return CronTriggerTimetable(cron, timezone=LONDON)
