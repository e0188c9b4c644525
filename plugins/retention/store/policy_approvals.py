"""Which policies were approved, by whom, seeing which effect, and which of these approvals still stand?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from retention.store.database import one, rows, run


@dataclass(frozen=True, slots=True)
class PolicyApproval:
    """A DPO's yes to one policy, by its digest."""

    approval_id: str
    policy_digest: str
    approvers: tuple[str, ...]
    approved_by: str
    approved_at: datetime
    effect: Mapping[str, Any]
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


_ALL = (
    "SELECT approval_id, policy_digest, approvers, approved_by, approved_at, effect, withdrawn_by, withdrawn_at"
    " FROM policy_approvals"
)


def _approval(row: Any) -> PolicyApproval:
    return PolicyApproval(**(dict(row._mapping) | {"approvers": tuple(row.approvers)}))


def in_force(db: Connection, policy_digest: str) -> PolicyApproval | None:
    """The approval of a policy that nobody withdrew."""
    row = one(db, _ALL + " WHERE policy_digest = :d AND withdrawn_at IS NULL", d=policy_digest)
    return _approval(row) if row else None


def newest_in_force(db: Connection) -> PolicyApproval | None:
    """The approval given last, of those that stand."""
    row = one(db, _ALL + " WHERE withdrawn_at IS NULL ORDER BY approved_at DESC, approval_id LIMIT 1")
    return _approval(row) if row else None


def all_approvals(db: Connection) -> list[PolicyApproval]:
    """Every approval ever given, newest first."""
    return [_approval(row) for row in rows(db, _ALL + " ORDER BY approved_at DESC, approval_id")]


def record(db: Connection, approval: PolicyApproval) -> bool:
    """Write an approval down; False if the policy is approved already. Only the approver's database role can."""
    return bool(
        run(
            db,
            "INSERT INTO policy_approvals (approval_id, policy_digest, approvers, approved_by, approved_at, effect)"
            " VALUES (:id, :digest, :approvers, :by, :at, CAST(:effect AS jsonb))"
            " ON CONFLICT (policy_digest) WHERE withdrawn_at IS NULL DO NOTHING",
            id=approval.approval_id,
            digest=approval.policy_digest,
            approvers=list(approval.approvers),
            by=approval.approved_by,
            at=approval.approved_at,
            effect=json.dumps(approval.effect),
        )
    )


def withdraw(db: Connection, policy_digest: str, by: str, at: datetime) -> bool:
    """Take an approval back; False if there is none in force."""
    return bool(
        run(
            db,
            "UPDATE policy_approvals SET withdrawn_by = :by, withdrawn_at = :at"
            " WHERE policy_digest = :d AND withdrawn_at IS NULL",
            d=policy_digest,
            by=by,
            at=at,
        )
    )
