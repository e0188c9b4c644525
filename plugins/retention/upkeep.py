"""What may the ledger itself forget tonight? Every store of ours that `ledger tidy` ends, by the period it is given."""

from __future__ import annotations

from retention import audit
from retention.policy import StoreName
from retention.policy.stores import TIDY
from retention.store import audit_log, upkeep
from retention.store.desk import Desk


def tidy(desk: Desk) -> dict[StoreName, int]:
    """Delete or wipe what is past its period, in one transaction; returns how much went, by store."""
    went: dict[StoreName, int] = {}
    with desk.transaction() as db:
        for name, forget in upkeep.FORGET.items():
            store = desk.policy.stores.get(name)
            if store is not None and store.ended_by == TIDY:
                went[name] = forget(db, store.period, desk.now(), tuple(desk.policy.systems))
        entries = [
            desk.entry(audit.Event.STORE_TIDIED, reasons=(name,), count=n, role=audit.Role.EXECUTOR)
            for name, n in went.items()
            if n
        ]
        if entries:
            audit_log.append(db, entries)
    return went
