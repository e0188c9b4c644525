"""Does a request reach every record of its person, and nobody else's?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine

from retention import approve
from retention.carry_out import NotApproved
from retention.store import plans, request_runs, suppression
from retention.store.database import rows
from retention.store.desk import Desk
from retention.vocabulary import Transaction
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import NEW, Run, identified, who


def verdicts(desk: Desk, made: Run) -> dict[tuple[str, str], list[str]]:
    with desk.transaction() as db:
        found = rows(db, "SELECT system, verdict, reasons FROM findings WHERE sweep_id = :s", s=made.sweep.sweep_id)
    return {(row.system, row.verdict): list(row.reasons) for row in found}


def test_an_erasure_reaches_every_system_and_nobody_else(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))
    shop.add(person("ann@example.com", NEW))
    ben = crm.add(person("ben@example.com", NEW))
    untouched = dict(crm.records[ben.key].values)

    done = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], identified(desk, "ann@example.com")).go()

    assert done == {"crm": {"done": 1, "verified": 1}, "shop": {"done": 1, "verified": 1}}
    assert list(crm.records) == [ben.key]
    assert crm.records[ben.key].values == untouched
    assert shop.records == {}


def test_the_way_to_a_person_leads_over_records_that_the_systems_themselves_tie(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    tied = person("ann@example.com", NEW)
    tied.values["customer_number"] = "4711"
    by_number = person("ann@old.example", NEW)
    by_number.values["customer_number"] = "4711"
    first, second = crm.add(tied), shop.add(by_number)
    request_id = identified(desk, "ann@example.com")

    made = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], request_id)
    assert made.go() == {"crm": {"done": 1, "verified": 1}, "shop": {"done": 1, "verified": 1}}

    with desk.transaction() as db:
        ways = request_runs.paths(db, made.sweep.sweep_id, request_id)
    by_system = {way["system"]: way["path"] for way in ways}
    assert by_system == {"crm": [], "shop": [["crm", "person", desk.keyring.record_key(first).hex()]]}
    assert desk.keyring.record_key(second).hex() in {way["record"] for way in ways}
    with desk.transaction() as db:  # who asked is left alone by every name that was found
        assert suppression.listed(db, desk.keyring, who("ann@old.example")) == [True]


@pytest.mark.parametrize("shared", ["info@example.com", "crowd@example.com"])
def test_a_shared_address_is_no_way_to_anybody(desk: Desk, crm: MemorySystem, shop: MemorySystem, shared: str) -> None:
    tied = person("ann@example.com", NEW)
    tied.values["other_email"] = shared
    crm.add(tied)
    for number in range(2):
        shop.add(person(shared, NEW), f"colleague-{number}")

    Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], identified(desk, "ann@example.com")).go()

    assert set(shop.records) == {"colleague-0", "colleague-1"}


def test_a_shared_telephone_ties_nobody(desk: Desk, crm: MemorySystem) -> None:
    for name in ("ann", "ben"):
        record = person(f"{name}@example.com", NEW)
        record.values["phone"] = "+441632960001"
        crm.add(record, name)

    Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com")).go()

    assert set(crm.records) == {"ben"}


def test_a_person_with_too_many_identifiers_is_looked_at_first(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    for number in range(desk.policy.schedule.answering.most_identifiers):
        record = person(f"ann{number}@example.com", NEW)
        record.values["other_email"] = f"ann{number + 1}@example.com"
        (crm, shop)[number % 2].add(record)

    made = Run(desk, [MemoryConnector(crm), MemoryConnector(shop)], identified(desk, "ann0@example.com"))

    assert made.plan() is None
    assert verdicts(desk, made) == {("crm", "review"): ["ID_AMBIGUOUS"], ("shop", "review"): ["ID_AMBIGUOUS"]}


def test_a_spelling_that_differs_is_looked_at_and_not_erased(desk: Desk, crm: MemorySystem) -> None:
    class AsSalesforceDoes(MemoryConnector):
        """Finds addresses without regard to case, as vendors do."""

        def find(self, criteria, after=None):  # type: ignore[no-untyped-def]
            more = tuple(replace(i, value=i.value.capitalize()) for i in criteria.identifiers)
            yield from super().find(replace(criteria, identifiers=(*criteria.identifiers, *more)), after)

    crm.add(person("Ann@example.com", NEW))
    made = Run(desk, [AsSalesforceDoes(crm)], identified(desk, "ann@example.com"))

    assert made.plan() is None
    assert verdicts(desk, made) == {("crm", "review"): ["ID_AMBIGUOUS"]}


def test_a_transaction_is_kept_for_its_statute_and_the_rest_goes(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW, transactions=(Transaction("order", date(2025, 5, 1), live=False),)))

    done = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com")).go()

    assert done == {"crm": {"done": 1, "verified": 1}}
    left = crm.records[ref.key]
    assert left.restricted
    assert (left.values["email"], left.values["interests"]) == ("ann@example.com", None)


def test_whoever_took_a_request_in_cannot_approve_it(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com", by="dpo"), started_by="schedule")
    made.plan()

    with pytest.raises(approve.AnswerRefused, match="nor who took in a request"):
        made.approve()

    with desk.transaction() as db:  # forged past the check: whoever carries out asks again
        plans.record_approval(db, approve._approval(desk, made.sweep, "dpo", desk.now()))
    approve.let_run(desk, made.sweep)
    with pytest.raises(NotApproved, match="cannot approve it"):
        made.carry_out("crm")
    assert len(crm.records) == 1


def test_an_edited_plan_is_refused(desk: Desk, crm: MemorySystem, ledger: Engine) -> None:
    crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com"))
    made.plan()
    made.approve()
    with desk.transaction() as db:
        rows(db, "UPDATE steps SET version = 'edited' RETURNING step_id")
    with pytest.raises(NotApproved, match="edited after it was made"):
        made.carry_out("crm")
    assert len(crm.records) == 1
