"""What does Airflow load for due dates? The reference their deadline counts from, so that every component knows it."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from orchestration.deadlines import WhenCreated


class DueDates(AirflowPlugin):
    """The deadline of the run that looks at due dates."""

    name = "due_dates"
    deadline_references: list[Any] = [WhenCreated]  # noqa: RUF012 - as the base class declares it
