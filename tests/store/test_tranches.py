"""Does a tranche narrow what is planned by a rule, and only that?"""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import Engine

from retention.store import tranches
from retention.store.database import rows
from retention.store.desk import Desk
from retention.tranche import Tranche
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    system.add(person("oldest@example.com", date(2012, 1, 1)))
    system.add(person("older@example.com", date(2015, 1, 1)))
    system.add(person("old@example.com", datetime.fromisoformat("2019-01-01T00:00:00+00:00")))
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    return desk


def planned(desk: Desk, crm: MemorySystem, tranche: Tranche) -> int:
    with desk.transaction() as db:
        tranches.narrow(db, "crm", tranche, "dpo")
    night = Night(desk, [MemoryConnector(crm)])
    night.plan()
    with desk.transaction() as db:
        found = rows(db, "SELECT verdict FROM findings WHERE sweep_id = :s", s=night.sweep.sweep_id)
    assert [row.verdict for row in found] == ["erase"] * 3
    return night.plan_of("crm").step_count


@pytest.mark.parametrize(
    ("tranche", "steps"),
    [
        (Tranche(collected_before=date(2015, 1, 1)), 1),
        (Tranche(collected_before=date(2015, 1, 2)), 2),
        (Tranche(collected_before=date(2019, 1, 1)), 2),
        (Tranche(collected_before=date(2019, 1, 2)), 3),
        (Tranche(kinds=frozenset({"person"})), 3),
        (Tranche(kinds=frozenset({"file"})), 0),
        (Tranche(data_classes=frozenset({"contact_identity"})), 0),
        (Tranche(data_classes=frozenset({"contact_identity", "marketing_profile"})), 3),
    ],
)
def test_only_what_lies_inside_is_planned_and_everything_is_still_judged(
    desk: Desk, crm: MemorySystem, tranche: Tranche, steps: int
) -> None:
    assert planned(desk, crm, tranche) == steps


def test_each_tranche_is_a_plan_with_a_digest_of_its_own_until_nothing_is_left(desk: Desk, crm: MemorySystem) -> None:
    digests = []
    for before in (date(2013, 1, 1), date(2016, 1, 1), None):
        with desk.transaction() as db:
            tranches.narrow(db, "crm", Tranche(collected_before=before), "dpo")
        night = Night(desk, [MemoryConnector(crm)])
        assert night.run() == {"crm": {"done": 1, "verified": 1}}
        digests.append(night.sweep.digest)
    assert len(set(digests)) == 3
    assert not crm.records
