"""Which sweep does a task belong to? Its run says so; nothing handed through XCom is believed."""

from __future__ import annotations

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from orchestration import wiring
from retention.store import sweeps
from retention.store.desk import Desk
from retention.store.sweeps import Sweep


def opened_here() -> tuple[Desk, Sweep | None]:
    """The sweep of the run this task is in, from the ledger; None if nothing was opened."""
    run = get_current_context()["dag_run"]
    desk = wiring.desk()
    if getattr(run.run_type, "value", run.run_type) == "backfill":
        return desk, None
    with desk.transaction() as db:
        return desk, sweeps.of_run(db, run.dag_id, run.run_id)


def here() -> tuple[Desk, Sweep]:
    """The same, for a task that cannot be without."""
    desk, sweep = opened_here()
    if sweep is None:
        raise AirflowFailException(
            "the ledger has no sweep for this run: it was refused, or its first task did not run"
        )
    return desk, sweep
