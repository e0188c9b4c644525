"""Is every other right than erasure carried out as the law has it?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from retention import audit
from retention.clocks import Right
from retention.requests import answers, finishing
from retention.restriction import Ground
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.vocabulary import Transaction
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import NEW, OLD, Run, asked, identified
from tests.sweeping import Night


def verdicts(desk: Desk, made: Run) -> dict[tuple[str, str], list[str]]:
    with desk.transaction() as db:
        found = rows(db, "SELECT system, verdict, reasons FROM findings WHERE sweep_id = :s", s=made.sweep.sweep_id)
    return {(row.system, row.verdict): list(row.reasons) for row in found}


def test_a_marketing_objection_stops_marketing_without_proof_of_who_asks(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    request_id = asked(desk, "ann@example.com", asks_for=Right.OBJECTION, to_marketing=True).request_id

    made = Run(desk, [MemoryConnector(crm)], request_id)

    assert made.plan() is None  # nothing is destroyed on the word of somebody unknown
    assert crm.records[ref.key].opted_out
    assert crm.records[ref.key].values["interests"] == "roses"


def test_a_marketing_objection_of_a_known_person_takes_the_marketing_data(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW, transactions=(Transaction("order", date(2025, 5, 1), live=True),)))
    request_id = identified(desk, "ann@example.com", asks_for=Right.OBJECTION, to_marketing=True)

    Run(desk, [MemoryConnector(crm)], request_id).go()

    assert crm.records[ref.key].values["interests"] is None
    assert crm.records[ref.key].values["name"] == "Ann Example"


@pytest.mark.parametrize("ground", Ground)
def test_a_restriction_is_carried_out_and_reaches_only_its_person(
    desk: Desk, crm: MemorySystem, ground: Ground
) -> None:
    ann, ben = crm.add(person("ann@example.com", NEW)), crm.add(person("ben@example.com", NEW))

    done = Run(
        desk, [MemoryConnector(crm)], identified(desk, "ann@example.com", asks_for=Right.RESTRICTION, ground=ground)
    ).go()

    assert done == {"crm": {"done": 1, "verified": 1}}
    assert (crm.records[ann.key].restricted, crm.records[ben.key].restricted) == (True, False)


def test_an_objection_restricts_while_it_is_weighed_and_erases_once_upheld(
    desk: Desk, crm: MemorySystem, tmp_path: Path
) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.OBJECTION)
    weighing = Run(desk, [MemoryConnector(crm)], request_id)
    weighing.go()
    assert crm.records[ref.key].restricted
    finishing.seal(desk, weighing.sweep, audit.SigningKey("retention.example/audit", b"k" * 32), tmp_path)

    answers.weigh(desk, request_id, upheld=True, by="dpo")
    made = Run(desk, [MemoryConnector(crm)], request_id)
    made.go()

    assert ref.key not in crm.records
    assert verdicts(desk, made) == {("crm", "erase"): ["OBJ_UPHELD"]}


def test_what_a_copy_is_owed_of_is_not_destroyed_by_any_night(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", OLD))
    asked(desk, "ann@example.com", asks_for=Right.ACCESS)

    tonight = Night(desk, [MemoryConnector(crm)])
    tonight.run()

    assert crm.records[ref.key].restricted  # kept for the copy and for nothing else
    with desk.transaction() as db:
        assert one(db, "SELECT reasons FROM findings WHERE sweep_id = :s", s=tonight.sweep.sweep_id).reasons == [
            "ACCESS_PENDING"
        ]


def test_a_system_that_fails_does_not_hold_up_the_others(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    for system in (crm, shop):
        system.add(person("ann@example.com", NEW))
    shop.is_down = True

    made = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], identified(desk, "ann@example.com"))

    assert made.go() == {"crm": {"done": 1, "verified": 1}}
    assert set(made.left_behind) == {"shop"}
    assert len(shop.records) == 1
