"""What does the register of subjects' requests say to a regulator? A line for each, without whom it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from retention import clocks
from retention.papers.period import Period
from retention.requests.due import clocks_of
from retention.requests.moves import Moved
from retention.store import papers, requests
from retention.store.desk import Desk

COLUMNS = (
    "request",
    "right",
    "ground",
    "channel",
    "received",
    "due",
    "status",
    "extended",
    "answered",
    "late",
    "state",
    "weighed",
    "refused_because",
    "excess",
    "fee",
    "complaints",
    "joined_to",
    "closed",
)
Line = Mapping[str, str]


def register(desk: Desk, period: Period) -> list[Line]:
    """Every request received in a period, the first received first. Days are those of the controller's place."""
    zone = period.zone
    with desk.transaction() as db:
        told = {row.request_id: row for row in papers.requests_received(db, period.between)}
        found = [one for one in requests.listed(db) if one.request_id in told]
        happened = requests.events(db, list(told))
    lines: list[Line] = []
    for clock in clocks_of(desk, found):
        request = clock.request
        row = told[request.request_id]
        extended = next(
            (h.on_day for h in happened[request.request_id] if h.event == Moved.EXTENSION_NOTICE_SENT), None
        )
        lines.append(
            {
                "request": request.request_id,
                "right": request.asks_for.value,
                "ground": request.ground.value if request.ground else "",
                "channel": request.channel.value,
                "received": clocks.local_day(request.received_at, zone).isoformat(),
                "due": _day(clock.due.due),
                "status": clock.due.status.value,
                "extended": _day(extended),
                "answered": _day(row.answered_on),
                "late": "yes" if is_late(clock.due.due, row.answered_on, desk.today) else "no",
                "state": request.state,
                "weighed": request.weighed or "",
                "refused_because": ", ".join(row.refusal_reasons),
                "excess": row.excess_reason or "",
                "fee": row.fee or "",
                "complaints": str(row.complaints),
                "joined_to": request.joined_to or "",
                "closed": _day(clocks.local_day(request.closed_at, zone) if request.closed_at else None),
            }
        )
    return lines


def is_late(due: date | None, answered_on: date | None, today: date) -> bool:
    """Whether an answer came, or is still to come, after its due date; one that waits for its subject has none."""
    return due is not None and (answered_on or today) > due


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
