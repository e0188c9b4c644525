"""Which account lay behind each system when it was first seen, and which one was accepted since?"""

from __future__ import annotations

from sqlalchemy import Connection

from retention.store.database import one, run

FIRST_SEEN = "first-seen"


def known(db: Connection, system: str) -> str | None:
    """The account a system must lead to; None if it was never read."""
    row = one(db, "SELECT tenant FROM tenants WHERE system = :system", system=system)
    return row.tenant if row else None


def last_seen(db: Connection, system: str) -> str | None:
    """The account a system led to when it was last connected."""
    row = one(
        db,
        "SELECT tenant FROM readings WHERE system = :system AND stage = 'gather' AND tenant <> ''"
        " ORDER BY at DESC LIMIT 1",
        system=system,
    )
    return row.tenant if row else None


def is_the_known_one(db: Connection, system: str, tenant: str) -> bool:
    """Whether an account is the accepted one; the first one ever seen is."""
    run(
        db,
        "INSERT INTO tenants (system, tenant, accepted_by) VALUES (:system, :tenant, :by) ON CONFLICT DO NOTHING",
        system=system,
        tenant=tenant,
        by=FIRST_SEEN,
    )
    return known(db, system) == tenant


def accept(db: Connection, system: str, tenant: str, by: str) -> None:
    """Let a system lead to another account from now on."""
    run(
        db,
        "INSERT INTO tenants (system, tenant, accepted_by) VALUES (:system, :tenant, :by) ON CONFLICT (system)"
        " DO UPDATE SET tenant = excluded.tenant, accepted_by = excluded.accepted_by, accepted_at = now()",
        system=system,
        tenant=tenant,
        by=by,
    )
