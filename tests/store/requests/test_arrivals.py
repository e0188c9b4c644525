"""Does what arrives between the approval of a request and its call still take effect?"""

from __future__ import annotations

from datetime import date

from retention.clocks import Right
from retention.requests import answers
from retention.requests.moves import Moved, move
from retention.store.desk import Desk
from retention.vocabulary import Action, Step
from tests.holding import hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import NEW, Run, identified
from tests.sweeping import Night


def test_a_request_taken_back_after_its_approval_is_not_carried_out(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com")
    made = Run(desk, [MemoryConnector(crm)], request_id)
    made.plan()
    made.approve()

    answers.withdraw(desk, request_id, "clerk")

    assert made.carry_out("crm") == {"dropped": 1}
    assert len(crm.records) == 1


def test_a_request_taken_back_stops_between_two_calls_of_one_batch(desk: Desk, crm: MemorySystem) -> None:
    asking = {address: identified(desk, address) for address in ("ann@example.com", "ben@example.com")}
    for address in asking:
        crm.add(person(address, NEW), address)

    def take_back_the_other(step: Step) -> None:
        (other,) = [request_id for address, request_id in asking.items() if address != step.ref.key]
        if step.action is Action.ERASE:
            with desk.transaction() as db:
                move(db, desk, other, Moved.WITHDRAW, by="clerk")

    made = Run(desk, [MemoryConnector(crm, after_effect=take_back_the_other)], *asking.values())
    made.plan()
    made.approve()

    assert made.carry_out("crm") == {"done": 1, "planned": 1, "dropped": 1, "verified": 1}
    assert len(crm.records) == 1


def test_a_hold_placed_after_the_approval_is_kept(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com"))
    made.plan()
    made.approve()
    hold_on(desk, "ann@example.com")

    assert made.carry_out("crm") == {"held": 1}
    assert len(crm.records) == 1


def test_consent_given_anew_elsewhere_ends_what_rested_on_the_word_against_marketing(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com", asks_for=Right.CONSENT_WITHDRAWAL))
    made.plan()
    made.approve()
    back = person("ann@example.com", NEW, opted_out=True)
    back.opted_out_on, back.consented_on = date(2026, 11, 10), date(2026, 11, 21)
    shop.add(back)
    crm.records[next(iter(crm.records))].opted_out = False
    Night(desk, [MemoryConnector(crm), MemoryConnector(shop)]).read()

    assert made.carry_out("crm") == {"dropped": 1}
    assert len(crm.records) == 1


def test_consent_given_anew_in_the_record_itself_is_not_erased_on_old_facts(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com"))
    made.plan()
    made.approve()
    crm.records[ref.key].consented_on = date(2026, 11, 22)
    crm.touch(ref.key)

    assert made.carry_out("crm") == {"refused": 1}
    assert len(crm.records) == 1
