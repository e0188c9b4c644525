"""How does one get from a task in Airflow to its plan? By a button on the task that leads to the operations page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from airflow.providers.standard.decorators.python import _PythonDecoratedOperator
from airflow.sdk import BaseOperatorLink

from operations.looks import PREFIX
from orchestration.approval import AskForApproval

DAGS = ("nightly_retention", "subject_request")
WITH_A_PLAN = ("plan_", "guard", "approve", "record_approval", "carry_out", "verify", "answer", "seal", "conclude")


class PlanLink(BaseOperatorLink):
    """To the plan of the run a task is in; offered from the moment the plan is made."""

    name = "Plan"
    operators = [AskForApproval, _PythonDecoratedOperator]  # noqa: RUF012 - as the base class declares it

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address on this very server; nothing for tasks that come before the plan, and for DAGs not ours."""
        verb = ti_key.task_id.rpartition(".")[2]
        if ti_key.dag_id not in DAGS or not verb.startswith(WITH_A_PLAN):
            return ""
        return f"{PREFIX}/runs/{quote(ti_key.dag_id, safe='')}/{quote(ti_key.run_id, safe='')}"
