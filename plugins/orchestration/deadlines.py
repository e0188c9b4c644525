"""Did anybody see to this morning's due dates? A deadline of Airflow's own, as a second line behind mails and alerts.

The run that looks at due dates fails when a mark has come, and succeeds once somebody saw to it and cleared it. A run
that has not succeeded some hours after it was created (it never ran, or failed and was left so) has missed its
deadline: Airflow shows that on its home page, counts it, and calls `unseen` in its triggerer, without any worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert, deadline_reference

from orchestration import alerts
from retention.store.alerts import Kind


@deadline_reference()
@dataclass(eq=False)
class WhenCreated(BaseDeadlineReference):
    """The moment a run was created. Airflow's own `DAGRUN_QUEUED_AT` makes clearing a run fail (its issue 70370)."""

    required_kwargs = frozenset[str]()

    def _evaluate_with(self, *, session: Any, **_: Any) -> datetime:
        return datetime.now(UTC)


async def unseen(context: Mapping[str, Any], **_: Any) -> None:
    """Tell whoever gets alerts that nobody saw to a run's due dates."""
    run_id = str(context["dag_run"]["dag_run_id"])
    said = "Due dates of this morning were not seen to: `python -m retention request list`, `complaint list`."
    await asyncio.to_thread(alerts.say, Kind.UNSEEN, run_id, said, run_id)


def seen_within(seconds: int) -> DeadlineAlert:
    """The deadline of a run that looks at due dates."""
    return DeadlineAlert(
        name="due dates seen to",
        reference=WhenCreated(),
        interval=timedelta(seconds=seconds),
        callback=AsyncCallback(unseen),
    )
