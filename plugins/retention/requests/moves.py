"""How is a request moved on? One step of its life cycle, its event and its audit entry in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from retention import audit
from retention.store import audit_log, requests
from retention.store.database import Connection
from retention.store.desk import Desk


class Moved(StrEnum):
    """Everything that moves a request: the events of its life cycle, as the audit log names them."""

    IDENTITY_ASKED = "identity_asked"
    IDENTITY_SETTLED = "identity_settled"
    IDENTITY_NOT_NEEDED = "identity_not_needed"
    JOIN = "join"
    PART = "part"
    PAUSE = "pause"
    RESUME = "resume"
    EXTENSION_NOTICE_SENT = "extension_notice_sent"
    EXTEND = "extend"
    REFUSAL_NOTICE_SENT = "refusal_notice_sent"
    REFUSE = "refuse"
    OUTCOME_NOTICE_SENT = "outcome_notice_sent"
    SETTLE = "settle"
    DEFER = "defer"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    CLOSE = "close"


_NAMED: Mapping[Moved, audit.Event] = {
    Moved.IDENTITY_SETTLED: audit.Event.IDENTITY_CONFIRMED,
    Moved.EXTEND: audit.Event.REQUEST_EXTENDED,
    Moved.REFUSE: audit.Event.REQUEST_REFUSED,
    Moved.CLOSE: audit.Event.REQUEST_CLOSED,
}


def move(
    db: Connection,
    desk: Desk,
    request_id: str,
    moved: Moved,
    *,
    by: str,
    on: date | None = None,
    what: str = "",
    notice: str | None = None,
    role: audit.Role = audit.Role.OPERATOR,
) -> str:
    """Move a request today, or on the day of its letter; returns its new state.

    What its life cycle does not have raises `IllegalMove`.
    """
    state = requests.move(db, request_id, moved.value, on=on or desk.today, by=by, what=what, notice=notice)
    entry = desk.entry(
        _NAMED.get(moved, audit.Event.REQUEST_MOVED),
        run=request_id,
        reference=notice or "",
        reasons=(moved,),
        actor=by,
        role=role,
    )
    audit_log.append(db, [entry])
    return state
