"""Do a few steps go first, and does the rest follow only if they are read back as wanted?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from retention import carry_out
from retention.canary import CanaryFailed, Unproven, batch_limit
from retention.carry_out import NotApproved
from retention.contract import Warrant
from retention.limits import Canary
from retention.store import guards
from retention.store.database import rows
from retention.store.desk import Desk
from retention.store.progress import Progress, only_lane
from retention.vocabulary import Action, Observation, Outcome, Step
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, limited, rehearse


class Watched(MemoryConnector):
    """Remembers how large each batch was, and when something was read back."""

    def __init__(self, system: MemorySystem, batch_size: int = 100) -> None:
        super().__init__(system, batch_size=batch_size)
        self.told: list[str] = []

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        self.told.append(f"{action} {len(batch)}")
        return super().act(action, batch, warrant)

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        self.told.append(f"read {len(batch)}")
        return super().read_back(batch)


def crm_of(size: int) -> MemorySystem:
    system = MemorySystem("crm")
    for number in range(size):
        system.add(person(f"old-{number}@example.com", date(2019, 1, 1)))
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    desk = limited(desk_for(ledger, "crm"), canary={"first": 2, "growth": 3})
    rehearse(desk)
    return desk


def approved(desk: Desk, crm: MemorySystem, batch_size: int = 100) -> tuple[Night, Watched]:
    connector = Watched(crm, batch_size)
    night = Night(desk, [connector])
    night.plan()
    assert night.approve()
    connector.told.clear()
    return night, connector


def states(desk: Desk) -> Counter[str]:
    with desk.transaction() as db:
        return Counter(row.state for row in rows(db, "SELECT state FROM steps"))


def test_a_few_go_first_and_each_batch_is_read_back_before_a_larger_one_follows(desk: Desk) -> None:
    night, connector = approved(desk, crm_of(30))
    night.carry_out("crm")
    assert connector.told == ["erase 2", "read 2", "erase 6", "read 6", "erase 22", "read 22"]
    assert states(desk) == {"verified": 30}


def test_once_the_vendors_batch_is_reached_nothing_is_read_back_in_between(desk: Desk) -> None:
    night, connector = approved(desk, crm_of(30), batch_size=6)
    night.carry_out("crm")
    assert connector.told == ["erase 2", "read 2", "erase 6", "erase 6", "erase 6", "erase 6", "erase 4"]
    night.verify("crm")
    assert states(desk) == {"verified": 30}


def test_a_plan_no_larger_than_the_canary_has_no_stage_of_its_own(desk: Desk) -> None:
    night, connector = approved(desk, crm_of(2))
    night.carry_out("crm")
    assert connector.told == ["erase 2"]


def test_a_system_that_lies_about_the_first_ones_loses_no_more_than_them(desk: Desk) -> None:
    crm = crm_of(30)
    night, connector = approved(desk, crm)
    crm.lies = True
    with pytest.raises(CanaryFailed, match="crm: stopped by guard canary: 2 of the records done first"):
        night.carry_out("crm")
    assert connector.told == ["erase 2", "read 2"]
    assert states(desk) == {"contradicted": 2, "planned": 28}
    assert night.plan_of("crm").state == "halted"
    with desk.transaction() as db:
        assert [b.guard.value for b in guards.broken_in(db, night.sweep.sweep_id)["crm"]] == ["canary"]

    with pytest.raises(NotApproved, match="halted"):
        night.carry_out("crm")
    assert connector.told == ["erase 2", "read 2"]


def test_a_halted_plan_takes_nothing_from_the_approval_of_the_other_systems(ledger: Engine) -> None:
    desk = limited(desk_for(ledger, "crm", "shop"), canary={"first": 1, "growth": 3})
    rehearse(desk)
    crm, shop = crm_of(3), MemorySystem("shop")
    shop.add(person("somebody@example.com", date(2019, 1, 1)))
    night = Night(desk, [MemoryConnector(crm), MemoryConnector(shop)])
    night.plan()
    night.approve()
    crm.lies = True
    with pytest.raises(CanaryFailed):
        night.carry_out("crm")
    assert night.carry_out("shop") == {"done": 1}


def test_what_cannot_be_read_back_is_no_proof_and_the_rest_waits(desk: Desk) -> None:
    crm = crm_of(5)
    night, connector = approved(desk, crm)
    connector.after_effect = lambda step: setattr(crm, "hides_records", len(crm.records) == 3)
    with pytest.raises(Unproven, match="cannot be read back"):
        night.carry_out("crm")
    assert len(crm.records) == 3

    crm.hides_records = False
    connector.after_effect = lambda step: None
    night.carry_out("crm")
    assert not crm.records


def test_what_a_system_only_accepts_for_now_counts_as_proven(desk: Desk) -> None:
    crm = crm_of(9)
    crm.bin_until = date(2026, 12, 8)
    night, connector = approved(desk, crm)
    assert night.carry_out("crm") == {"accepted": 9}
    assert [said for said in connector.told if said.startswith("erase")] == ["erase 2", "erase 6", "erase 1"]


def test_while_one_lane_does_the_canary_the_others_wait(desk: Desk) -> None:
    night, connector = approved(desk, crm_of(9))
    waited: list[float] = []

    class Enough(Exception):
        pass

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise Enough

    plan = night.plan_of("crm")
    with only_lane(desk.engine, plan.plan_id) as ours:
        assert ours
        with pytest.raises(Enough):
            carry_out.carry_out(desk, plan, connector, loopback=True, pause=pause)
    assert connector.told == []
    night.carry_out("crm")
    assert states(desk) == {"verified": 9}


@given(st.integers(1, 50), st.integers(2, 20), st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_no_batch_is_larger_than_the_canary_or_its_growth_over_what_is_proven(
    first: int, growth: int, total: int, proven: int, vendor: int
) -> None:
    limit = batch_limit(Canary(first=first, growth=growth), Progress(total, 0, 0, min(proven, total), 0), vendor)
    assert 1 <= limit <= vendor
    assert total <= first or limit <= max(first, min(proven, total) * growth)
