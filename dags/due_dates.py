"""Due dates of requests and complaints, looked at each morning: nothing depends on somebody looking.

Marks are at 50, 75 and 90 % of each period and three working days before its end; each is raised once. A mark that has
come fails the run with its list, and everybody who gets alerts is told (docs/runbook.md).

* `raise_alarms` failed: answer, extend or tell, then clear the task: the run then succeeds.
* A run that has not succeeded some hours later (`operations.alarms_seen_seconds` of the policy) missed its deadline:
  Airflow shows it on its home page and the alert "due dates were not seen to" goes out, also if no worker is alive.
"""

import pendulum
from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

from orchestration import deadlines, request_tasks, tasks
from orchestration.wiring import policy

with DAG(
    "due_dates",
    dag_display_name="Due dates",
    schedule=CronTriggerTimetable("50 5 * * *", timezone="Europe/London"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/London"),
    catchup=False,
    max_active_runs=4,
    is_paused_upon_creation=True,
    default_args=tasks.DEFAULTS,
    deadline=deadlines.seen_within(policy().schedule.operations.alarms_seen_seconds),
    doc_md=__doc__,
    tags=["requests"],
):
    request_tasks.raise_alarms()
