"""Which sweep does a task belong to? Its run says so; nothing handed through XCom is believed."""

from __future__ import annotations

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from orchestration import wiring
from retention.store import sweeps
from retention.store.desk import Desk
from retention.store.sweeps import Sweep


def here() -> tuple[Desk, Sweep]:
    """The sweep of the run this task is in, from the ledger."""
    run = get_current_context()["dag_run"]
    desk = wiring.desk()
    with desk.transaction() as db:
        sweep = sweeps.of_run(db, run.dag_id, run.run_id)
    if sweep is None or getattr(run.run_type, "value", run.run_type) == "backfill":
        raise AirflowFailException(
            "the ledger has no sweep for this run: it was refused, or its first task did not run"
        )
    return desk, sweep
