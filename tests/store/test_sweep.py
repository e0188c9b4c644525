"""Does a whole night on a real ledger do what the policy promises, and nothing else?"""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from retention.vocabulary import Transaction
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse


@pytest.fixture
def crm() -> MemorySystem:
    return MemorySystem("crm")


@pytest.fixture
def shop() -> MemorySystem:
    return MemorySystem("shop")


def night(ledger: Engine, *systems: MemorySystem) -> Night:
    desk = desk_for(ledger, *(s.name for s in systems))
    rehearse(desk)
    return Night(desk, [MemoryConnector(s) for s in systems])


def test_a_record_past_five_years_is_erased_and_read_back(ledger: Engine, crm: MemorySystem) -> None:
    old = crm.add(person("old@example.com", date(2021, 11, 21)))
    short = crm.add(person("short@example.com", date(2021, 11, 22)))

    assert night(ledger, crm).run() == {"crm": {"done": 1, "verified": 1}}

    assert old.key not in crm.records
    assert short.key in crm.records


def test_an_opt_out_in_one_system_reaches_the_same_person_in_the_other(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("ann@example.com", opted_out=True))
    same = shop.add(person("ann@example.com"))
    other = shop.add(person("ben@example.com"))

    night(ledger, crm, shop).run()

    assert same.key not in shop.records
    assert other.key in shop.records


def test_an_opt_out_leaves_what_a_live_order_needs(ledger: Engine, crm: MemorySystem) -> None:
    order = Transaction("order", date(2026, 5, 1), live=True)
    kept = crm.add(person("ann@example.com", opted_out=True, transactions=(order,)))

    night(ledger, crm).run()

    assert crm.records[kept.key].values["email"] == "ann@example.com"
    assert not crm.records[kept.key].values["interests"]


def test_a_second_night_acts_on_nothing_and_says_so(ledger: Engine, crm: MemorySystem, shop: MemorySystem) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    crm.add(person("ann@example.com", opted_out=True))
    shop.add(person("ann@example.com", transactions=(Transaction("order", date(2026, 5, 1), live=True),)))
    first = night(ledger, crm, shop)
    first.run()

    second = Night(first.desk, list(first.connectors.values()))

    assert second.plan() is None
    assert second.sweep.state == "sealed"
