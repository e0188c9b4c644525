"""Airflow's own traces of our runs: deleted once they are past the period the policy gives them (90 days as shipped).

Runs, task instances, XComs, rendered fields, approvals and the audit log in Airflow's database, by Airflow's own
clean-up; task logs in their folder. What was deleted is an entry of our audit log, with its count. Safe to run again.

* `forget_runs` failed: the connection `retention_airflow_upkeep` is missing or its role may not delete
  (docs/runbook.md). Nothing is lost meanwhile; it is only kept too long.
* Logs written to a bucket end by that bucket's own rule, not here.
"""

from airflow.sdk import DAG, task

from orchestration import airflow_upkeep, tasks
from orchestration.daily import EVERY_DAY, at

with DAG(
    "airflow_upkeep",
    dag_display_name="Airflow's own traces",
    schedule=at("0 5 * * *"),
    max_active_runs=1,
    **EVERY_DAY,
    doc_md=__doc__,
    tags=["upkeep"],
):
    task(queue=tasks.RECORDING, task_display_name="forget runs")(airflow_upkeep.forget_runs)()
    task(queue=tasks.RECORDING, task_display_name="forget logs")(airflow_upkeep.forget_logs)()
