"""What were people told of last? So that an alert repeats only when there is something new to say."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from retention.store.database import Connection, one, run

LOCK = 7_305_040


class Kind(StrEnum):
    """Why somebody is told."""

    FAILED = "failed"
    APPROVAL_WAITS = "approval-waits"
    UNANSWERED = "unanswered"
    GAPS = "gaps"
    DUE = "due"
    REQUEST_OPEN = "request-open"
    UNSEEN = "unseen"


STATES = frozenset({Kind.GAPS, Kind.REQUEST_OPEN})
"""What lasts from one run to the next: news when it differs from the last time. All else is news once."""


def is_news(db: Connection, kind: Kind, about: str, now: datetime) -> bool:
    """Whether people were not told of this yet, or of something else since; if so it is noted as told."""
    run(db, "SELECT pg_advisory_xact_lock(:id)", id=LOCK)
    which = "" if kind in STATES else " AND about = :about"
    told = f"SELECT about FROM alerts WHERE kind = :kind{which} ORDER BY raised_at DESC LIMIT 1"  # noqa: S608 - ours
    last = one(db, told, kind=kind.value, about=about)
    if last is not None and last.about == about:
        return False
    values = {"kind": kind.value, "about": about, "now": now}
    run(db, "INSERT INTO alerts (kind, about, raised_at) VALUES (:kind, :about, :now)", **values)
    return True
