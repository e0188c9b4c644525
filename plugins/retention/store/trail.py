"""What does the audit log say of one record? All entries about it, over all cases whose keys are still there."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.store import case_keys
from retention.store.database import streamed
from retention.vocabulary import RecordRef

COLUMNS = ("seq", "at", "event", "case_key", "item", "decision", "reasons", "outcome", "outcome_reason", "after")


def of_record(db: Connection, keyring: Keyring, ref: RecordRef) -> list[dict[str, Any]]:
    """The entries in their order. Reads the whole log once: it has no index by record, and shall have none."""
    known_as = keyring.record_keys(ref)
    names = [case_keys.name_of(key, record) for _, key in case_keys.living(db, keyring) for record in known_as]
    if not names:
        return []
    statement = streamed(
        "SELECT body FROM audit_entries WHERE convert_from(body, 'UTF8')::json->>'record' = ANY (:names) ORDER BY seq"
    )
    return [json.loads(bytes(row.body)) for row in db.execute(statement, {"names": names})]
