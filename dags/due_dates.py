"""Due dates of requests and complaints, looked at each morning: nothing depends on somebody looking.

Marks are at 50, 75 and 90 % of each period and three working days before its end; each is raised once. A mark that has
come fails the run with its list, and everybody who gets alerts is told (docs/runbook.md).

* `raise_alarms` failed: answer, extend or tell, then clear the task: the run then succeeds.
* A run that has not succeeded some hours later (`operations.alarms_seen_seconds` of the policy) missed its deadline:
  Airflow shows it on its home page and the alert "due dates were not seen to" goes out, also if no worker is alive.
"""

from airflow.sdk import DAG

from orchestration import deadlines, request_tasks
from orchestration.daily import EVERY_DAY, at
from orchestration.wiring import policy

with DAG(
    "due_dates",
    dag_display_name="Due dates",
    schedule=at("50 5 * * *"),
    max_active_runs=4,
    **EVERY_DAY,
    deadline=deadlines.seen_within(policy().schedule.operations.alarms_seen_seconds),
    doc_md=__doc__,
    tags=["requests"],
):
    request_tasks.raise_alarms()
