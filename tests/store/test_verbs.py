"""Does a system that takes a milder verb than the schedule wants get that verb, and nothing stronger?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine

from retention.policy import Verbs
from retention.store.desk import Desk
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    system.add(person("old@example.com", date(2019, 1, 1)), key="old")
    system.add(person("new@example.com", date(2026, 1, 1)), key="new")
    return system


def desk_with(ledger: Engine, **verbs: str) -> Desk:
    desk = desk_for(ledger, "crm")
    system = desk.policy.systems["crm"].model_copy(update={"verbs": Verbs.model_validate(verbs)})
    desk = replace(desk, policy=desk.policy.model_copy(update={"systems": {"crm": system}}))
    rehearse(desk)
    return desk


def test_where_records_are_emptied_instead_of_erased_the_shell_stays(ledger: Engine, crm: MemorySystem) -> None:
    desk = desk_with(ledger, erase="redact")

    assert Night(desk, [MemoryConnector(crm)]).run() == {"crm": {"done": 1, "verified": 1}}
    assert set(crm.records) == {"old", "new"}
    assert set(crm.records["old"].values.values()) == {None}
    assert crm.records["new"].values["email"] == "new@example.com"
    assert Night(desk, [MemoryConnector(crm)]).run() == {}  # an empty shell is not planned again


def test_where_a_person_decides_nothing_is_planned(ledger: Engine, crm: MemorySystem) -> None:
    night = Night(desk_with(ledger, erase="review"), [MemoryConnector(crm)])

    assert night.plan() is None
    assert night.plan_of("crm").step_count == 0
    assert set(crm.records) == {"old", "new"}
