"""Does what may be taken away at any time (live mode, a standing approval) stop a plan that is already running?"""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from retention import approve, guard, policy_approval, sweep
from retention.carry_out import NotApproved, WrongPlace
from retention.contract import Stopped
from retention.store import standing, sweeps
from retention.store.database import run
from retention.store.desk import Desk
from retention.vocabulary import Step
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    for number in range(3):
        system.add(person(f"old-{number}@example.com", date(2019, 1, 1)))
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    return desk


def test_a_standing_approval_that_is_revoked_stops_before_the_next_batch(desk: Desk, crm: MemorySystem) -> None:
    with desk.transaction() as db:
        standing.give(
            db,
            name="quiet",
            reasons=["RET_EXPIRED"],
            systems=["crm"],
            max_steps=9,
            policy_digest=desk.policy.digest,
            given_by="dpo",
            ends_on=date(2026, 12, 31),
        )

    def revoke(step: Step) -> None:
        with desk.transaction() as db:
            standing.revoke(db, "quiet")

    night = Night(desk, [MemoryConnector(crm, batch_size=1, after_effect=revoke)])
    night.plan()
    assert approve.standing(desk, night.sweep) is not None
    approve.let_run(desk, night.sweep)
    with pytest.raises(NotApproved, match="standing approval was revoked"):
        night.carry_out("crm")
    assert len(crm.records) == 2


def live_desk(desk: Desk, *systems: str) -> None:
    policy_approval.approve(desk, "dpo", desk.policy.digest, {})
    with desk.transaction() as db:
        sweeps.set_switch(db, "mode", "live", "dpo")
        for system in systems:
            sweeps.set_switch(db, f"live:{system}", "on", "dpo")


def test_in_live_mode_a_system_without_the_permission_is_planned_for_and_nothing_more(ledger: Engine) -> None:
    desk = desk_for(ledger, "crm", "shop")
    live_desk(desk, "crm")
    crm, shop = MemorySystem("crm"), MemorySystem("shop")
    for system in (crm, shop):
        system.add(person("old@example.com", date(2019, 1, 1)))
    night = Night(desk, [MemoryConnector(crm), MemoryConnector(shop)])
    night.read()
    for connector in night.connectors.values():
        sweep.decide(desk, night.sweep, connector)
    guard.guard(desk, night.sweep, ["crm", "shop"])
    night.reload()
    assert (night.plan_of("crm").state, night.plan_of("shop").state) == ("guarded", "dry")
    assert "shop" not in approve.question(desk, night.sweep).body
    night.approve()
    with pytest.raises(WrongPlace, match="shop: is dry"):
        night.carry_out("shop")
    assert night.carry_out("crm") == {"done": 1}
    assert len(shop.records) == 1


def test_live_mode_taken_from_a_system_during_a_batch_stops_the_next_call(ledger: Engine, crm: MemorySystem) -> None:
    desk = desk_for(ledger, "crm")
    live_desk(desk, "crm")

    def take_away(step: Step) -> None:
        with desk.transaction() as db:
            run(db, "UPDATE switches SET value = 'off' WHERE name = 'live:crm'")

    night = Night(desk, [MemoryConnector(crm, after_effect=take_away)])
    night.plan()
    night.approve()
    with pytest.raises(Stopped, match="live mode was taken from this system"):
        night.carry_out("crm")
    assert len(crm.records) == 2
