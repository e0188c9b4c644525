"""Who checks the audit log, and when? A task, each morning and when the operations page asks: a long log takes a while.

It runs where the key that signs and the signed heads outside the database are, and needs no page to wait for it.
"""

from __future__ import annotations

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from orchestration import wiring
from retention.store import audit_check


def check_audit_log() -> int:
    """Read the whole log, keep what it came to, and fail if anything is wrong; returns how many entries were read."""
    asked_by = get_current_context()["dag_run"].triggering_user_name or "schedule"
    key, outside = wiring.signing_key()
    notes = [file.read_text(encoding="utf-8") for file in sorted(outside.glob("*.txt"))]
    desk = wiring.desk()
    began = desk.now()
    with desk.transaction() as db:
        found = audit_check.check(db, key.verify_key, notes)
        audit_check.keep(db, asked_by, began, desk.now(), found)
    if found.problem:
        raise AirflowFailException(f"{found.problem}. Stop the pipeline and see docs/runbook.md.")
    return found.entries
