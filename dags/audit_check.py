"""The audit log, read from its first entry to its head and held against every signed head, here and outside.

Each morning at 05:20 London time, and whenever somebody asks for it on the operations page (Audit log, *Verify*). The
result is on that page. A check by the server that keeps the log proves less than the auditor's own, which needs no code
of ours: tools/verify_audit.py over an export, run elsewhere with a checkpoint kept elsewhere.

* `check_audit_log` failed: its message names the first entry that is wrong. Throw the kill switch, keep the database
  as it is, and compare an export with the checkpoints outside (docs/runbook.md).
"""

from airflow.sdk import DAG, task

from orchestration import audit_check, tasks
from orchestration.daily import EVERY_DAY, at

with DAG(
    "audit_check",
    dag_display_name="Audit check",
    schedule=at("20 5 * * *"),
    max_active_runs=1,
    **EVERY_DAY,
    doc_md=__doc__,
    tags=["upkeep"],
):
    task(queue=tasks.RECORDING, task_display_name="check the audit log")(audit_check.check_audit_log)()
