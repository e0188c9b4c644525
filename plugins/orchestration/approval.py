"""How is a person asked? An Airflow human-in-the-loop task whose text comes from the ledger, never from XCom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.exceptions import AirflowSkipException

from orchestration import alerts, wiring
from orchestration.here import here
from retention import approve
from retention.store.alerts import Kind
from retention.store.sweeps import Mode

ASKED_AGAIN = 10
"""How often the question is put again. Airflow 3.3 loses an answer that comes within seconds of the question, before
its scheduler has seen the asking task pause; the task then has to ask again, whatever the policy says of retries."""


class AskForApproval(HITLOperator):
    """Ask the approvers of the policy about this run's digest; wait as long as the policy says.

    Skips itself (and what follows) when the run is dry or nothing is left to do; does not ask when a standing
    approval covers the whole plan. Nobody answering in time is no failure: the next night's plan supersedes this one.
    """

    template_fields = ()

    def __init__(self, **kwargs: Any) -> None:
        rules = wiring.policy().schedule.approval
        super().__init__(
            doc_md=self.__doc__,
            subject="Retention plan",
            body="",
            options=[approve.APPROVE, approve.REJECT],
            assigned_users=[{"id": user, "name": user} for user in rules.approvers],
            response_timeout=timedelta(hours=rules.answer_within_hours),
            notifiers=[alerts.Alert(Kind.APPROVAL_WAITS)],
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        """Put the question, or say why there is none."""
        desk, sweep = here()
        if sweep.digest is None or sweep.state == "sealed":
            raise AirflowSkipException("nothing to do: no plan of this sweep holds a step")
        if sweep.mode is Mode.DRY:
            raise AirflowSkipException("dry run: the plan is made, for reading; nothing is asked and nothing is done")
        if approve.standing_offer(desk, sweep) is not None:
            return "a standing approval covers this plan"
        asked = approve.question(desk, sweep)
        self.subject, self.body = asked.subject, asked.body
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Only say that an answer came; who gave it and what it was is read from Airflow's own record."""
        if event.get("error_type") == "timeout":
            alerts.tell(Kind.UNANSWERED, context["dag_run"].run_id, "Tonight's plan takes its place.", context)
            return "nobody answered in time"
        super().execute_complete(context, event)
        return "answered"
