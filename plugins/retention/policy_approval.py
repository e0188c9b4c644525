"""May this policy act? Only once somebody on its list of approvers has approved its digest, knowing what it affects."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from retention import audit
from retention.impediment import Impediment
from retention.store import audit_log, policy_approvals
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.policy_approvals import PolicyApproval

FEWEST_DIGITS = 12
"""So much of the digest must be given, at least, by who approves: it shows that they saw it."""


class PolicyNotApproved(Impediment):
    """Nobody approved this policy, or the approval was withdrawn. Nothing was done; the text says what to do."""


class PolicyApprovalRefused(Impediment):
    """The policy cannot be approved, or its approval not be withdrawn, like this. Nothing was written."""


def refuse_unless_approved(db: Connection, policy_digest: str) -> None:
    """Raise `PolicyNotApproved` unless an approval of exactly this policy stands."""
    if policy_approvals.in_force(db, policy_digest) is None:
        raise PolicyNotApproved(
            f"the policy {policy_digest[:FEWEST_DIGITS]}… is not approved, so nothing may be done under it: an approver"
            " reads `python -m retention policy effect` and then runs `python -m retention policy approve`"
        )


def approve(desk: Desk, by: str, digest: str, effect: Mapping[str, Any]) -> PolicyApproval:
    """Approve the desk's policy by the digest that `by` has read; approving twice is approving once.

    `by` must stand on the list of this policy and, so that nobody lets themselves in, on that of the policy approved
    last.
    """
    given = digest.strip().lower()
    if len(given) < FEWEST_DIGITS or not desk.policy.digest.startswith(given):
        raise PolicyApprovalRefused(
            f"the digest given is not that of this policy, which is {desk.policy.digest}: read the policy and its"
            f" effect, then give the digest (its first {FEWEST_DIGITS} digits at least)"
        )
    approval = PolicyApproval(
        approval_id=f"approval-{uuid.uuid4().hex[:16]}",
        policy_digest=desk.policy.digest,
        approvers=desk.policy.schedule.approval.approvers,
        approved_by=by,
        approved_at=desk.now(),
        effect=effect,
    )
    with desk.transaction() as db:
        _refuse_unless_on_the_list(desk, db, by)
        if policy_approvals.record(db, approval):
            _note(desk, db, audit.Event.POLICY_APPROVED, approval, by)
            return approval
        standing = policy_approvals.in_force(db, desk.policy.digest)
    return standing or approval


def withdraw(desk: Desk, by: str, policy_digest: str) -> None:
    """Take the approval of a policy back: from the next batch on, nothing is done under it."""
    with desk.transaction() as db:
        _refuse_unless_on_the_list(desk, db, by)
        standing = policy_approvals.in_force(db, policy_digest)
        if standing is None:
            raise PolicyApprovalRefused("no approval of a policy with this digest is in force: see `policy approvals`")
        policy_approvals.withdraw(db, policy_digest, by, desk.now())
        _note(desk, db, audit.Event.POLICY_WITHDRAWN, standing, by)


def _refuse_unless_on_the_list(desk: Desk, db: Connection, by: str) -> None:
    if by not in desk.policy.schedule.approval.approvers:
        raise PolicyApprovalRefused(f"{by} is not among this policy's approval.approvers: let one of them do it")
    last = policy_approvals.newest_in_force(db)
    if last is not None and by not in last.approvers:
        raise PolicyApprovalRefused(
            f"{by} is not among the approvers of the policy approved last ({last.policy_digest[:FEWEST_DIGITS]}…):"
            " let one of those do it, since nobody can put themselves on the list"
        )


def _note(desk: Desk, db: Connection, event: audit.Event, approval: PolicyApproval, by: str) -> None:
    entry = desk.entry(event, reference=approval.approval_id, approver=by, role=audit.Role.DPO)
    audit_log.append(db, [entry])
