"""Which certificates were issued for which request? They name nobody and only grow."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection

from retention.store.database import one, run


def save(db: Connection, certificate_id: str, request_id: str, document: str) -> None:
    """Keep a signed certificate."""
    run(
        db,
        "INSERT INTO request_certificates (certificate_id, request_id, document) VALUES (:c, :r, :d)",
        c=certificate_id,
        r=request_id,
        d=document,
    )


def newest(db: Connection, request_id: str) -> dict[str, Any] | None:
    """The newest certificate of a request."""
    row = one(
        db,
        "SELECT document FROM request_certificates WHERE request_id = :r ORDER BY issued_at DESC LIMIT 1",
        r=request_id,
    )
    if row is None:
        return None
    document: dict[str, Any] = json.loads(row.document)
    return document
