"""Can anything but a valid approval of exactly this plan make it run?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from retention.approve import AnswerRefused
from retention.carry_out import NotApproved, WrongPlace
from retention.contract import Stopped
from retention.store import sweeps
from retention.store.database import run
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import NOW, Night, desk_for, rehearse


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    system.add(person("old@example.com", date(2020, 1, 1)))
    system.add(person("older@example.com", date(2019, 1, 1)))
    return system


@pytest.fixture
def planned(ledger: Engine, crm: MemorySystem) -> Night:
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    night = Night(desk, [MemoryConnector(crm)], started_by="operator")
    assert night.plan() is not None
    return night


def nothing_was_done(crm: MemorySystem) -> bool:
    return len(crm.records) == 2


def test_an_approved_plan_runs(planned: Night, crm: MemorySystem) -> None:
    planned.approve()

    assert planned.carry_out("crm") == {"done": 2}
    assert not crm.records


def test_without_an_approval_nothing_runs(planned: Night, crm: MemorySystem) -> None:
    with pytest.raises(NotApproved):
        planned.carry_out("crm")
    assert nothing_was_done(crm)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"responded_by": "colleague"}, "not on the policy's list"),
        ({"run_started_by": "dpo"}, "starts a sweep cannot approve it"),
        ({"subject": "Retention plan 1234"}, "not about this plan"),
        ({"body": "only 1 record"}, "not about this plan"),
        ({"responded_at": NOW - timedelta(hours=73)}, "expired"),
    ],
    ids=["by somebody not on the list", "by who started it", "of another digest", "of another text", "long ago"],
)
def test_an_answer_is_refused(planned: Night, crm: MemorySystem, changes: dict[str, object], says: str) -> None:
    with pytest.raises(AnswerRefused, match=says):
        planned.approve(**changes)
    with pytest.raises(NotApproved):
        planned.carry_out("crm")
    assert nothing_was_done(crm)


def test_no_answer_and_a_no_are_no_approval(planned: Night, crm: MemorySystem) -> None:
    assert not planned.approve(responded_at=None)
    assert not planned.approve(chosen=("Reject",))
    with pytest.raises(NotApproved):
        planned.carry_out("crm")
    assert nothing_was_done(crm)


def test_an_approval_that_expired_meanwhile_runs_nothing(planned: Night, crm: MemorySystem) -> None:
    planned.approve()
    later = desk_for(planned.desk.engine, "crm", now=datetime(2026, 11, 26, tzinfo=UTC))
    planned.desk = later

    with pytest.raises(NotApproved, match="expired"):
        planned.carry_out("crm")
    assert nothing_was_done(crm)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE steps SET action = 'restrict'",
        "UPDATE steps SET record_key = '\\x00' WHERE position = 0",
        "UPDATE steps SET fields = '{name}'",
        "UPDATE steps SET version = '99'",
        "UPDATE plans SET tenant = 'elsewhere'",
        (
            "INSERT INTO steps (step_id, plan_id, position, system, kind, record_key, version, action, state)"
            " SELECT 'plan-99', plan_id, 99, system, kind, '\\x99', version, action, 'planned' FROM steps LIMIT 1"
        ),
    ],
    ids=["action", "record", "fields", "version", "account", "one more step"],
)
def test_a_plan_edited_after_approval_runs_nothing(planned: Night, crm: MemorySystem, edit: str) -> None:
    planned.approve()
    with planned.desk.transaction() as db:
        run(db, edit)

    with pytest.raises((NotApproved, WrongPlace)):
        planned.carry_out("crm")
    assert nothing_was_done(crm)


def test_the_kill_switch_stops_before_the_next_call_and_the_rest_can_go_on_later(
    ledger: Engine, crm: MemorySystem
) -> None:
    desk = desk_for(ledger, "crm")
    rehearse(desk)

    def throw_the_switch() -> None:
        with desk.transaction() as db:
            sweeps.set_switch(db, "stop", "on", "dpo")

    night = Night(desk, [MemoryConnector(crm, batch_size=1, after_effect=lambda step: throw_the_switch())])
    night.plan()
    night.approve()

    with pytest.raises(Stopped):
        night.carry_out("crm")
    assert len(crm.records) == 1

    with desk.transaction() as db:
        sweeps.set_switch(db, "stop", "off", "dpo")
    night.connectors = {"crm": MemoryConnector(crm)}
    assert night.carry_out("crm") == {"done": 1}


def test_a_missing_kill_switch_stops_everything(planned: Night, crm: MemorySystem) -> None:
    planned.approve()
    with planned.desk.transaction() as db:
        run(db, "DELETE FROM switches WHERE name = 'stop'")

    with pytest.raises(Stopped):
        planned.carry_out("crm")
    assert nothing_was_done(crm)


def test_a_plan_for_another_account_refuses_to_run(planned: Night, crm: MemorySystem) -> None:
    planned.approve()
    crm.tenant = "another-account"
    planned.connectors = {"crm": MemoryConnector(crm)}

    with pytest.raises(WrongPlace, match="another account"):
        planned.carry_out("crm")
    assert nothing_was_done(crm)


def test_a_ledger_starts_dry_and_a_dry_run_only_plans(ledger: Engine, crm: MemorySystem) -> None:
    night = Night(desk_for(ledger, "crm"), [MemoryConnector(crm)])
    digest = night.plan()
    night.approve()

    assert digest is not None
    with pytest.raises(WrongPlace, match="dry"):
        night.carry_out("crm")
    assert nothing_was_done(crm)


def test_more_steps_than_the_cap_stop_the_whole_plan(ledger: Engine, crm: MemorySystem) -> None:
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    for n in range(500):
        crm.add(person(f"p{n}@example.com", date(2019, 1, 1)))
    night = Night(desk, [MemoryConnector(crm, page_size=1000)])

    assert night.plan() is None
    assert night.plan_of("crm").state == "stopped"
    with pytest.raises(NotApproved):
        night.carry_out("crm")


def test_a_standing_approval_covers_a_quiet_night_only_within_its_words(ledger: Engine, crm: MemorySystem) -> None:
    from retention import approve

    desk = desk_for(ledger, "crm")
    rehearse(desk)
    with desk.transaction() as db:
        run(
            db,
            "INSERT INTO standing_approvals (name, reasons, systems, max_steps, policy_digest, given_by, ends_on)"
            " VALUES ('expiry', '{RET_EXPIRED}', '{crm}', 2, :d, 'dpo', '2026-12-31'),"
            " ('too-small', '{RET_EXPIRED}', '{crm}', 1, :d, 'dpo', '2026-12-31'),"
            " ('other-policy', '{RET_EXPIRED}', '{crm}', 9, 'x', 'dpo', '2026-12-31'),"
            " ('ended', '{RET_EXPIRED}', '{crm}', 9, :d, 'dpo', '2026-11-01')",
            d=desk.policy.digest,
        )
    night = Night(desk, [MemoryConnector(crm)])
    night.plan()

    given = approve.standing(desk, night.sweep)
    assert given is not None
    assert given.approver == "standing:expiry"
    approve.let_run(desk, night.sweep)
    assert night.carry_out("crm") == {"done": 2}
