"""When do our DAGs run? Each day by London's clock, not for days gone by, once somebody switched them on."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.configuration import conf
from airflow.timetables.trigger import CronTriggerTimetable

from orchestration.tasks import DEFAULTS

LONDON = "Europe/London"


def _owner_links() -> dict[str, str]:
    """From the owner's name on Airflow's list of DAGs to the operations page, where the server's address is known."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return {DEFAULTS["owner"]: f"{base}/retention-operations/"} if base else {}


EVERY_DAY: dict[str, Any] = {
    "start_date": pendulum.datetime(2026, 1, 1, tz=LONDON),
    "catchup": False,
    "is_paused_upon_creation": True,
    "default_args": DEFAULTS,
    "owner_links": _owner_links(),
}
"""What all our DAGs have in common."""


def at(cron: str) -> CronTriggerTimetable:
    """The moments of a cron line, by London's clock."""
    return CronTriggerTimetable(cron, timezone=LONDON)
