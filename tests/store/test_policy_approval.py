"""Does anything act under a policy that nobody approved, or by the word of somebody who may not say it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from retention import guard, policy_approval, sweep
from retention.carry_out import carry_out
from retention.policy_approval import PolicyApprovalRefused, PolicyNotApproved
from retention.store import database, policy_approvals, sweeps
from retention.store.desk import Desk
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

EFFECT = {"counts": [{"system": "crm", "rule": "", "verdict": "erase", "before": 0, "after": 2, "difference": 2}]}


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    system.add(person("old@example.com", date(2020, 1, 1)))
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    return desk_for(ledger, "crm")


def rehearse_unapproved(desk: Desk) -> None:
    with desk.transaction() as db:
        sweeps.set_switch(db, "mode", "rehearsal", "dpo")


def under(desk: Desk, digest: str, approvers: tuple[str, ...] = ("dpo",)) -> Desk:
    """The same desk an hour later, under another policy."""
    at = desk.now() + timedelta(hours=1)
    schedule = desk.policy.schedule
    approval = schedule.approval.model_copy(update={"approvers": approvers})
    return replace(
        desk,
        now=lambda: at,
        policy=desk.policy.model_copy(
            update={"digest": digest, "schedule": schedule.model_copy(update={"approval": approval})}
        ),
    )


def events(desk: Desk, name: str) -> int:
    with desk.transaction() as db:
        found = database.rows(db, "SELECT body FROM audit_entries ORDER BY seq")
    return sum(name.encode() in bytes(row.body) for row in found)


def in_force(desk: Desk) -> policy_approvals.PolicyApproval | None:
    with desk.transaction() as db:
        return policy_approvals.in_force(db, desk.policy.digest)


def test_an_approval_is_kept_with_what_was_shown_and_in_the_audit_log(desk: Desk) -> None:
    approval = policy_approval.approve(desk, "dpo", desk.policy.digest, EFFECT)

    assert in_force(desk) == approval
    assert approval.effect == EFFECT
    assert (approval.approved_by, approval.approved_at) == ("dpo", desk.now())
    assert events(desk, "policy_approved") == 1


def test_approving_twice_is_approving_once(desk: Desk) -> None:
    first = policy_approval.approve(desk, "dpo", desk.policy.digest, EFFECT)
    second = policy_approval.approve(desk, "dpo", desk.policy.digest, {})

    assert second == first
    assert events(desk, "policy_approved") == 1


def test_the_first_digits_of_the_digest_are_enough_to_show_that_it_was_read(desk: Desk) -> None:
    assert policy_approval.approve(desk, "dpo", desk.policy.digest[:12].upper() + "\n", EFFECT).approved_by == "dpo"


@pytest.mark.parametrize("given", ["", "0" * 11, "1" * 64, "0" * 63 + "1"], ids=["none", "few", "other", "near"])
def test_only_the_digest_of_this_policy_approves_it(desk: Desk, given: str) -> None:
    with pytest.raises(PolicyApprovalRefused, match="not that of this policy"):
        policy_approval.approve(desk, "dpo", given, EFFECT)
    assert in_force(desk) is None
    assert events(desk, "policy_approved") == 0


def test_only_an_approver_of_the_policy_approves_it(desk: Desk) -> None:
    with pytest.raises(PolicyApprovalRefused, match=r"operator is not among this policy's approval\.approvers"):
        policy_approval.approve(desk, "operator", desk.policy.digest, EFFECT)
    assert in_force(desk) is None


def test_nobody_puts_themselves_on_the_list(desk: Desk) -> None:
    policy_approval.approve(desk, "dpo", desk.policy.digest, EFFECT)
    changed = under(desk, "1" * 64, ("dpo", "operator"))

    with pytest.raises(PolicyApprovalRefused, match="not among the approvers of the policy approved last"):
        policy_approval.approve(changed, "operator", changed.policy.digest, EFFECT)

    policy_approval.approve(changed, "dpo", changed.policy.digest, EFFECT)
    again = under(changed, "2" * 64, ("operator",))
    assert policy_approval.approve(again, "operator", again.policy.digest, EFFECT).approved_by == "operator"


def test_an_approval_is_withdrawn_by_an_approver_and_can_be_given_again(desk: Desk) -> None:
    policy_approval.approve(desk, "dpo", desk.policy.digest, EFFECT)
    with pytest.raises(PolicyApprovalRefused):
        policy_approval.withdraw(desk, "operator", desk.policy.digest)
    policy_approval.withdraw(desk, "dpo", desk.policy.digest)

    assert in_force(desk) is None
    assert events(desk, "policy_withdrawn") == 1
    with pytest.raises(PolicyApprovalRefused, match="in force"):
        policy_approval.withdraw(desk, "dpo", desk.policy.digest)

    policy_approval.approve(desk, "dpo", desk.policy.digest, EFFECT)
    with desk.transaction() as db:
        listed = policy_approvals.all_approvals(db)
    assert sorted(a.withdrawn_by or "" for a in listed) == ["", "dpo"]


def test_nobody_is_asked_to_approve_a_plan_under_a_policy_that_is_not_approved(desk: Desk, crm: MemorySystem) -> None:
    rehearse_unapproved(desk)
    night = Night(desk, [MemoryConnector(crm)])
    night.read()
    sweep.decide(desk, night.sweep, night.connectors["crm"])

    with pytest.raises(PolicyNotApproved, match="policy approve"):
        guard.guard(desk, night.sweep, ["crm"])
    night.reload()
    assert (night.sweep.state, night.sweep.digest) == ("open", None)


def test_marketing_is_not_even_stopped_under_a_policy_that_is_not_approved(ledger: Engine, crm: MemorySystem) -> None:
    desk = desk_for(ledger, "crm", "shop")
    rehearse_unapproved(desk)
    shop = MemorySystem("shop")
    crm.add(person("left@example.com", date(2026, 1, 1), opted_out=True))
    stays = shop.add(person("left@example.com", date(2026, 1, 1)))
    night = Night(desk, [MemoryConnector(crm), MemoryConnector(shop)])
    night.read()
    plan = sweep.plan_suppression(desk, night.sweep, night.connectors["shop"])
    assert plan.step_count == 1

    with pytest.raises(PolicyNotApproved):
        carry_out(desk, plan, night.connectors["shop"], loopback=True)
    assert not shop.records[stays.key].opted_out


def test_an_approval_withdrawn_meanwhile_stops_before_the_next_batch(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("older@example.com", date(2019, 1, 1)))
    rehearse(desk)

    def withdraw(step: Any) -> None:
        policy_approval.withdraw(desk, "dpo", desk.policy.digest)

    night = Night(desk, [MemoryConnector(crm, batch_size=1, after_effect=withdraw)])
    night.plan()
    night.approve()

    with pytest.raises(PolicyNotApproved):
        night.carry_out("crm")
    assert len(crm.records) == 1


def test_a_dry_run_plans_under_any_policy(desk: Desk, crm: MemorySystem) -> None:
    assert Night(desk, [MemoryConnector(crm)]).plan() is not None


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("retention_executor", "INSERT INTO policy_approvals VALUES ('a', 'd', '{}', 'dpo', now(), '{}')"),
        ("retention_executor", "UPDATE policy_approvals SET withdrawn_at = NULL"),
        ("retention_auditor", "UPDATE policy_approvals SET withdrawn_at = now()"),
        ("retention_approver", "UPDATE policy_approvals SET policy_digest = 'other'"),
        ("retention_approver", "UPDATE policy_approvals SET approved_by = 'other'"),
        ("retention_approver", "DELETE FROM policy_approvals"),
    ],
)
def test_only_the_approvers_role_writes_approvals_and_none_rewrites_them(
    ledger: Engine, role: str, statement: str
) -> None:
    with ledger.connect() as db:
        database.run(db, f"SET LOCAL ROLE {role}")
        with pytest.raises(Exception, match="permission denied"):
            database.run(db, statement)


@pytest.mark.parametrize("statement", ["DELETE FROM policy_approvals", "TRUNCATE policy_approvals"])
def test_not_even_the_owner_removes_an_approval(ledger: Engine, statement: str) -> None:
    with pytest.raises(Exception, match="only grows"), ledger.begin() as db:
        database.run(db, statement)
