"""Which alarms of which requests were raised already? Each mark once, however often it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from retention.store.database import rows


def raise_new(db: Connection, marks: Sequence[tuple[str, date]]) -> set[tuple[str, date]]:
    """Write marks down; returns those that were not there."""
    found = rows(
        db,
        "INSERT INTO request_alarms (request_id, mark_on)"
        " SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:days AS date[])) ON CONFLICT DO NOTHING"
        " RETURNING request_id, mark_on",
        ids=[request_id for request_id, _ in marks],
        days=[day for _, day in marks],
    )
    return {(row.request_id, row.mark_on) for row in found}
