"""Which letters were sent because of which request, and by which digests are they known?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from retention.store.database import one, rows, run


@dataclass(frozen=True, slots=True)
class Notice:
    """One letter on record as sent."""

    notice_id: str
    template: str
    template_digest: str
    digest: str
    channel: str
    sent_on: date


def next_id(db: Connection, request_id: str, template: str) -> str:
    """The id of the next letter of a kind; the same until it is recorded, so that a repetition can be recognised."""
    sent: int = one(
        db,
        "SELECT count(*) AS n FROM request_notices WHERE request_id = :id AND template = :template",
        id=request_id,
        template=template,
    ).n
    return f"notice-{hashlib.sha256(f'{request_id} {template} {sent}'.encode()).hexdigest()[:24]}"


def record(
    db: Connection,
    notice_id: str,
    request_id: str,
    *,
    template: str,
    template_digest: str,
    digest: str,
    reference: str,
    sent_on: date,
) -> None:
    """Note that a letter was sent; with a reference it went by post."""
    run(
        db,
        "INSERT INTO request_notices (notice_id, request_id, template, template_digest, digest, channel, reference,"
        " sent_on) VALUES (:notice, :request, :template, :template_digest, :digest, :channel, :reference, :sent_on)"
        " ON CONFLICT (notice_id) DO NOTHING",
        notice=notice_id,
        request=request_id,
        template=template,
        template_digest=template_digest,
        digest=digest,
        channel="post" if reference else "email",
        reference=reference,
        sent_on=sent_on,
    )


def of_request(db: Connection, request_id: str) -> list[Notice]:
    """All letters of a request, in the order they were recorded."""
    found = rows(
        db,
        "SELECT notice_id, template, template_digest, digest, channel, sent_on FROM request_notices"
        " WHERE request_id = :id ORDER BY recorded_at, notice_id",
        id=request_id,
    )
    return [Notice(**row._mapping) for row in found]


def sent(db: Connection, request_id: str, template: str) -> str | None:
    """The newest letter of a kind that was sent; None if none was."""
    row = one(
        db,
        "SELECT notice_id FROM request_notices WHERE request_id = :id AND template = :template"
        " ORDER BY recorded_at DESC LIMIT 1",
        id=request_id,
        template=template,
    )
    return str(row.notice_id) if row else None
