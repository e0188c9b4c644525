"""How far is a plan proven, and which lane alone may go on while it is not?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from retention.store.database import one
from retention.vocabulary import Action


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the steps of one action of a plan stand."""

    total: int
    under_way: int  # in a lane's hands now
    unread: int  # said to be done, or of unknown end: nobody has looked yet
    proven: int  # read back as wanted, or accepted by a system that takes its time
    contradicted: int


def of_action(db: Connection, plan_id: str, action: Action) -> Progress:
    """Count the steps of an action by what is known of them."""
    row = one(
        db,
        "SELECT count(*) AS total,"
        " count(*) FILTER (WHERE state IN ('claimed', 'intended') AND lease_until >= now()) AS under_way,"
        " count(*) FILTER (WHERE state IN ('done', 'unknown')) AS unread,"
        " count(*) FILTER (WHERE state IN ('verified', 'accepted')) AS proven,"
        " count(*) FILTER (WHERE state = 'contradicted') AS contradicted"
        " FROM steps WHERE plan_id = :p AND action = :action",
        p=plan_id,
        action=action.value,
    )
    return Progress(**row._mapping)


@contextmanager
def only_lane(engine: Engine, plan_id: str) -> Iterator[bool]:
    """Whether this lane is the only one in here for a plan; the lock ends with the process."""
    lock = int.from_bytes(hashlib.sha256(plan_id.encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as held:
        ours: bool = held.execute(text("SELECT pg_try_advisory_lock(:id)"), {"id": lock}).scalar_one()
        try:
            yield ours
        finally:
            if ours:
                held.execute(text("SELECT pg_advisory_unlock(:id)"), {"id": lock})
