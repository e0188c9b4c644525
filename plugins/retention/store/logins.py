"""Under which database logins do people and workers reach the ledger? One for each duty, each a member of one role."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql

from retention.store.database import Engine, rows, transaction


class Duty(StrEnum):
    """Who runs cannot approve, who approves cannot run, who audits only reads."""

    EXECUTOR = "executor"
    APPROVER = "approver"
    AUDITOR = "auditor"


def make(engine: Engine, duty: Duty, password: str) -> str:
    """Make the login of a duty, or give it this password if it is there; returns its name."""
    name = f"ledger_{duty}"
    with transaction(engine) as db:
        raw: psycopg.Connection[Any] = db.connection.driver_connection  # type: ignore[assignment]
        if raw.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
            role = sql.Identifier(f"retention_{duty}")
            raw.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(sql.Identifier(name), role))
        secret = sql.Literal(password)
        raw.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), secret))
    return name


def duties(engine: Engine) -> frozenset[Duty]:
    """The duties of the login this engine connects with; an owner has all of them."""
    held = "SELECT rolname FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')"
    with transaction(engine) as db:
        names = {row.rolname for row in rows(db, held)}
    return frozenset(duty for duty in Duty if f"retention_{duty}" in names)
