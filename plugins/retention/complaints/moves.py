"""How is a complaint moved on? One step of its life cycle, its event and its audit entry in one transaction."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from retention import audit
from retention.store import audit_log, complaints
from retention.store.complaints import Outcome
from retention.store.database import Connection
from retention.store.desk import Desk


class Moved(StrEnum):
    """Everything that moves a complaint, as the audit log names it."""

    ACKNOWLEDGEMENT_SENT = "acknowledgement_sent"
    PROGRESS_SENT = "progress_sent"
    ANSWER_SENT = "answer_sent"
    WITHDRAW = "withdraw"
    CLOSE = "close"


def move(
    db: Connection,
    desk: Desk,
    complaint_id: str,
    moved: Moved,
    *,
    by: str,
    on: date | None = None,
    what: str = "",
    notice: str | None = None,
    outcome: Outcome | None = None,
) -> str:
    """Move a complaint; returns its new state. What its life cycle does not have raises `IllegalMove`."""
    state = complaints.move(
        db, complaint_id, moved.value, on=on or desk.today, by=by, what=what, notice=notice, outcome=outcome
    )
    entry = desk.entry(
        audit.Event.COMPLAINT_CLOSED if moved is Moved.CLOSE else audit.Event.COMPLAINT_MOVED,
        run=complaint_id,
        reference=notice or "",
        reasons=(moved, *((outcome,) if outcome else ())),
        actor=by,
        role=audit.Role.DPO,
    )
    audit_log.append(db, [entry])
    return state
