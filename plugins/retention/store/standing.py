"""Which answers were given in advance, by whom, until when? Looked up again before every batch they let run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from retention.store.database import one, rows, run

APPROVER = "standing:"
"""How the approver of a plan is called that a standing approval let run; its name follows."""


@dataclass(frozen=True, slots=True)
class Given:
    """A standing approval as it was given."""

    name: str
    reasons: tuple[str, ...]
    systems: tuple[str, ...]
    max_steps: int
    policy_digest: str
    given_by: str
    ends_on: date
    revoked_at: datetime | None


def give(
    db: Connection,
    *,
    name: str,
    reasons: Collection[str],
    systems: Collection[str],
    max_steps: int,
    policy_digest: str,
    given_by: str,
    ends_on: date,
) -> bool:
    """Give one; False if one of that name was given before, since a name is never used again."""
    written = run(
        db,
        "INSERT INTO standing_approvals (name, reasons, systems, max_steps, policy_digest, given_by, ends_on)"
        " VALUES (:name, :reasons, :systems, :max_steps, :policy_digest, :given_by, :ends_on) ON CONFLICT DO NOTHING",
        name=name,
        reasons=sorted(reasons),
        systems=sorted(systems),
        max_steps=max_steps,
        policy_digest=policy_digest,
        given_by=given_by,
        ends_on=ends_on,
    )
    return bool(written)


def revoke(db: Connection, name: str) -> bool:
    """End one now; False if none of that name is in force."""
    done = run(
        db, "UPDATE standing_approvals SET revoked_at = now() WHERE name = :name AND revoked_at IS NULL", name=name
    )
    return bool(done)


def every(db: Connection) -> list[Given]:
    """All that were ever given, newest first."""
    found = rows(
        db,
        "SELECT name, reasons, systems, max_steps, policy_digest, given_by, ends_on, revoked_at"
        " FROM standing_approvals ORDER BY given_at DESC",
    )
    return [Given(**{**row._mapping, "reasons": tuple(row.reasons), "systems": tuple(row.systems)}) for row in found]


def stands(db: Connection, approver: str, system: str, policy_digest: str, on: date) -> bool:
    """Whether the standing approval behind an approver's name is still in force for a system under a policy."""
    return (
        one(
            db,
            "SELECT 1 FROM standing_approvals WHERE name = :name AND revoked_at IS NULL AND ends_on >= :on"
            " AND :system = ANY (systems) AND policy_digest = :digest",
            name=approver.removeprefix(APPROVER),
            on=on,
            system=system,
            digest=policy_digest,
        )
        is not None
    )
