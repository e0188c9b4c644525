"""Does a run reach everything of the people who asked, and nothing of anybody else? Real ledger, in-memory systems."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retention import approve, audit
from retention.carry_out import NotApproved
from retention.clocks import Right
from retention.requests import answers, finishing
from retention.requests.moves import Moved, move
from retention.restriction import Ground
from retention.store import plans, request_runs, review, suppression, tasks
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.sweep import Refused
from retention.vocabulary import Action, Step, Transaction
from tests.holding import hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import Run, asked, identified, who
from tests.sweeping import Night, limited

NEW, OLD = date(2026, 1, 1), date(2019, 1, 1)


@pytest.fixture
def crm() -> MemorySystem:
    return MemorySystem("crm", tenant="crm-tenant")


@pytest.fixture
def shop() -> MemorySystem:
    return MemorySystem("shop", tenant="shop-tenant")


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


# --- what arrives between the approval and the call ---


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


# --- meeting a night ---


def test_a_night_and_a_request_that_meet_in_a_record_do_it_once(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    crm.add(person("old@example.com", OLD))
    tonight = Night(desk, [MemoryConnector(crm)])
    assert tonight.plan() is not None
    tonight.approve()

    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com"))
    made.plan()  # takes the record over from the night, which had only planned it
    made.approve()

    assert tonight.carry_out("crm") == {"done": 1}
    assert made.carry_out("crm") == {"done": 1, "verified": 1}
    assert crm.records == {}
    with desk.transaction() as db:
        erased = one(db, "SELECT count(*) AS n FROM attempts JOIN steps USING (step_id) WHERE action = 'erase'")
    assert erased.n == 2


def test_a_night_leaves_alone_what_a_request_has_planned(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com"))
    made.plan()
    made.approve()

    assert Night(desk, [MemoryConnector(crm)]).plan() is None
    assert made.carry_out("crm") == {"done": 1, "verified": 1}


def test_a_run_does_not_close_the_work_that_nights_gave_people_nor_the_other_way_round(
    desk: Desk, crm: MemorySystem
) -> None:
    old = crm.add(person("old@example.com", OLD))
    crm.add(person("ann@example.com", NEW))
    crm.add(person("undated@example.com", None))
    by_hand = MemoryConnector(crm, supports=frozenset(Action) - {Action.ERASE})

    def open_tasks() -> set[tuple[str, str]]:
        with desk.transaction() as db:
            return {(task.what, task.detail[:8]) for task in tasks.listed(db)}

    Night(desk, [by_hand]).plan()
    Run(desk, [by_hand], identified(desk, "ann@example.com")).plan()
    assert open_tasks() == {("erase", ""), ("erase", "request-")}
    Night(desk, [by_hand]).plan()
    assert open_tasks() == {("erase", ""), ("erase", "request-")}
    crm.remove(old.key)
    Night(desk, [by_hand]).plan()
    assert open_tasks() == {("erase", "request-")}
    with desk.transaction() as db:
        assert [item.reasons for item in review.items(db, review.Wanted())] == [("RET_NO_START",)]


# --- many at once ---


def test_many_requests_share_searches_and_vendor_batches(desk: Desk, crm: MemorySystem) -> None:
    class Counting(MemoryConnector):
        finds = acts = 0

        def find(self, criteria, after=None):  # type: ignore[no-untyped-def]
            self.finds += 1
            yield from super().find(criteria, after)

        def act(self, action, batch, warrant):  # type: ignore[no-untyped-def]
            self.acts += 1
            return super().act(action, batch, warrant)

    wide = limited(desk, canary={"first": 50, "growth": 10})
    ids = []
    for number in range(40):
        crm.add(person(f"p{number}@example.com", NEW))
        ids.append(identified(wide, f"p{number}@example.com"))
    connector = Counting(crm, page_size=100)

    assert Run(wide, [connector], *ids).go() == {"crm": {"done": 40, "verified": 40}}

    assert (connector.finds, connector.acts) == (1, 2)  # one batch that stops marketing at once, one that erases
    assert crm.records == {}


def test_two_runs_for_one_request_are_not_at_work_at_once(desk: Desk, crm: MemorySystem) -> None:
    request_id = identified(desk, "ann@example.com")
    Run(desk, [MemoryConnector(crm)], request_id)
    with pytest.raises(Refused, match="let that run be sealed"):
        Run(desk, [MemoryConnector(crm)], request_id)


@pytest.mark.parametrize("state", ["received", "withdrawn", "paused"])
def test_nothing_is_done_for_a_request_that_waits_or_is_over(desk: Desk, crm: MemorySystem, state: str) -> None:
    request_id = asked(desk, "ann@example.com").request_id if state == "received" else identified(desk, "ann@x.example")
    if state == "withdrawn":
        answers.withdraw(desk, request_id, "clerk")
    if state == "paused":
        answers.pause(desk, request_id, "clarification", "clerk")
    with pytest.raises(Refused, match=f"is {state}"):
        Run(desk, [MemoryConnector(crm)], request_id)


# --- the other rights ---


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
