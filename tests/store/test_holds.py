"""What does a legal hold protect on a real ledger, and what does its acknowledgement say?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine

from retention.holds import HoldReason, Reach, Scope
from retention.place_hold import Acknowledgement, how_they_ended, place_hold
from retention.store import holds
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.vocabulary import Action, DataClass, Gap, GapCode, Page, Step, Token
from tests.holding import address, hold_on, release
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

OLD = date(2020, 1, 1)


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    return desk


def planned(desk: Desk, *connectors: MemoryConnector) -> Night:
    night = Night(desk, connectors)
    night.plan()
    night.approve()
    return night


def verdicts(night: Night) -> set[str]:
    with night.desk.transaction() as db:
        return {r.verdict for r in rows(db, "SELECT verdict FROM findings WHERE sweep_id = :s", s=night.sweep.sweep_id)}


# --- before a plan is made ---


def test_data_is_free_only_when_the_last_of_several_holds_ends(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    first, second = hold_on(desk, "ann@example.com"), hold_on(desk, "ANN@example.com", "ben@example.com")

    assert Night(desk, [MemoryConnector(crm)]).run() == {}
    release(desk, first)
    assert Night(desk, [MemoryConnector(crm)]).run() == {}
    release(desk, second)
    assert Night(desk, [MemoryConnector(crm)]).run() == {"crm": {"done": 1, "verified": 1}}


def test_a_hold_over_everyone_in_a_system_protects_whoever_it_is_about(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    hold_on(desk, everyone=True, systems=frozenset({"crm"}))
    night = Night(desk, [MemoryConnector(crm)])

    assert night.run() == {}
    assert verdicts(night) == {"held"}


def test_a_hold_over_another_system_protects_nothing_here(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    hold_on(desk, "ann@example.com", systems=frozenset({"shop"}))

    assert Night(desk, [MemoryConnector(crm)]).run() == {"crm": {"done": 1, "verified": 1}}


def test_a_hold_on_one_class_leaves_that_class_as_it_is_and_lets_the_rest_go(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", OLD))
    hold_on(desk, "ann@example.com", reach=Reach(frozenset({DataClass.CONTACT_IDENTITY})))

    assert Night(desk, [MemoryConnector(crm)]).run() == {"crm": {"done": 1, "verified": 1}}

    assert crm.records[ref.key].filled() == {"email", "name"}
    assert not crm.records[ref.key].restricted
    assert Night(desk, [MemoryConnector(crm)]).plan() is None


class WithUnreadFiles(MemoryConnector):
    """A catalogued system in which the content of every item could not be read."""

    def changes(self, since: Token | None) -> Iterator[Page]:
        for page in super().changes(since):
            gaps = tuple(Gap(GapCode.ENCRYPTED, f.ref.kind, ref=f.ref) for f in page.findings)
            yield replace(page, gaps=gaps, findings=tuple(replace(f, identifiers=()) for f in page.findings))


def test_a_file_nobody_could_read_is_protected_while_somebody_is_under_hold(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    hold_id = hold_on(desk, "ben@example.com")
    night = Night(desk, [WithUnreadFiles(crm, catalogued=True)])

    assert night.run() == {}
    assert verdicts(night) == {"held"}

    release(desk, hold_id)
    assert Night(desk, [WithUnreadFiles(crm, catalogued=True)]).run() == {"crm": {"done": 1, "verified": 1}}


# --- between plan and call ---


@pytest.mark.parametrize(
    "scope",
    [
        {"addresses": ("ANN@example.com",)},
        {"everyone": True, "systems": frozenset({"crm"})},
        {"everyone": True, "reach": Reach(frozenset({DataClass.CONTACT_IDENTITY}))},
        {"addresses": ("ann@example.com",), "reach": Reach(collected_from=OLD, collected_to=OLD)},
    ],
    ids=["by another spelling", "by its system", "by a class in it", "by its day"],
)
def test_a_hold_placed_after_the_approval_stops_the_step(
    desk: Desk, crm: MemorySystem, scope: dict[str, object]
) -> None:
    ref = crm.add(person("ann@example.com", OLD))
    night = planned(desk, MemoryConnector(crm))
    addresses = scope.pop("addresses", ())
    hold_on(desk, *addresses, **scope)  # type: ignore[misc, arg-type]

    assert night.carry_out("crm") == {"held": 1}
    assert ref.key in crm.records


@pytest.mark.parametrize(
    "scope",
    [
        {"addresses": ("ben@example.com",)},
        {"everyone": True, "systems": frozenset({"shop"})},
        {"everyone": True, "reach": Reach(frozenset({DataClass.DOCUMENT}))},
        {"addresses": ("ann@example.com",), "reach": Reach(collected_from=date(2020, 1, 2))},
    ],
    ids=["another person", "another system", "another class", "another day"],
)
def test_a_hold_on_something_else_stops_nothing(desk: Desk, crm: MemorySystem, scope: dict[str, object]) -> None:
    crm.add(person("ann@example.com", OLD))
    night = planned(desk, MemoryConnector(crm))
    addresses = scope.pop("addresses", ())
    hold_on(desk, *addresses, **scope)  # type: ignore[misc, arg-type]

    assert night.carry_out("crm") == {"done": 1}


def test_a_release_leads_to_a_fresh_plan_and_never_to_an_old_one(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", OLD))
    night = planned(desk, MemoryConnector(crm))
    release(desk, hold_on(desk, "ann@example.com"))  # nobody worked on the plan while the hold stood

    assert night.carry_out("crm") == {"held": 1}
    assert ref.key in crm.records

    assert Night(desk, [MemoryConnector(crm)]).run() == {"crm": {"done": 1, "verified": 1}}


def test_what_a_hold_finds_a_step_by_is_part_of_the_digest(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    night = planned(desk, MemoryConnector(crm))
    with desk.transaction() as db:
        stored = one(db, "SELECT parts, weak FROM steps")
        one(db, "UPDATE steps SET parts = '{document=2020-01-01}' RETURNING 1")

    assert stored.parts == ["contact_identity=2020-01-01", "marketing_profile=2020-01-01"]
    with pytest.raises(Exception, match="the plan was edited"):
        night.carry_out("crm")


# --- between two requests of one batch ---


def place(desk: Desk, *addresses: str, patience: float = 5.0) -> Acknowledgement:
    return place_hold(
        desk,
        Scope(tuple(map(address, addresses))),
        matter="matter-1",
        reason=HoldReason.COMPLAINT,
        owner="dpo",
        placed_by="dpo",
        review_on=date(2027, 5, 1),
        patience=patience,
    )


class Placing:
    """Somebody places a hold from another thread at the first call, which goes on until it is let go."""

    def __init__(self, desk: Desk, *addresses: str, patience: float) -> None:
        self.touched: list[str] = []
        self.answers: list[Acknowledgement] = []
        self.answered = threading.Event()
        self._thread = threading.Thread(target=self._place, args=(desk, addresses, patience))
        self._waits_for_answer = patience < 1

    def _place(self, desk: Desk, addresses: tuple[str, ...], patience: float) -> None:
        self.answers.append(place(desk, *addresses, patience=patience))
        self.answered.set()

    def at_the_vendor(self, step: Step) -> None:
        self.touched.append(step.ref.key)
        if len(self.touched) > 1:
            return
        self._thread.start()
        assert self.answered.wait(5 if self._waits_for_answer else 0.2) is self._waits_for_answer

    def join(self) -> Acknowledgement:
        self._thread.join()
        return self.answers[0]


def test_a_hold_placed_during_a_batch_waits_for_one_request_and_stops_the_rest(desk: Desk, crm: MemorySystem) -> None:
    people = [f"person{n}@example.com" for n in range(4)]
    for name in people:
        crm.add(person(name, OLD))
    placing = Placing(desk, *people, patience=5.0)
    night = planned(desk, MemoryConnector(crm, batch_size=4, before_effect=placing.at_the_vendor))

    assert night.carry_out("crm") == {"planned": 3, "done": 1, "held": 3}

    answer = placing.join()
    assert answer.nothing_runs
    assert len(placing.touched) == 1
    assert placing.touched[0] not in crm.records
    assert len(crm.records) == 3


def test_a_request_that_takes_too_long_is_named_and_nothing_follows_it(desk: Desk, crm: MemorySystem) -> None:
    people = [f"person{n}@example.com" for n in range(3)]
    for name in people:
        crm.add(person(name, OLD))
    placing = Placing(desk, *people, patience=0.1)
    night = planned(desk, MemoryConnector(crm, batch_size=3, before_effect=placing.at_the_vendor))

    night.carry_out("crm")

    answer = placing.join()
    assert not answer.nothing_runs
    assert {call.state for call in answer.calls} == {"intended"}
    assert {(call.system, call.action) for call in answer.calls} == {("crm", Action.ERASE)}
    assert len(placing.touched) == 1
    ended = {call.step_id: call.state for call in how_they_ended(desk, answer, seconds=0)}
    assert sorted(ended.values()) == ["done", "held", "held"]


def test_people_who_are_not_under_the_hold_are_gone_on_with(desk: Desk, crm: MemorySystem) -> None:
    for n in range(4):
        crm.add(person(f"person{n}@example.com", OLD))
    placing = Placing(desk, "person3@example.com", patience=5.0)
    night = planned(desk, MemoryConnector(crm, batch_size=4, before_effect=placing.at_the_vendor))

    result = night.carry_out("crm")
    placing.join()

    left = [record.values["email"] for record in crm.records.values()]
    assert left in (["person3@example.com"], [])  # it may have been the one at the vendor
    assert result["done"] == 4 - len(left)


def test_an_acknowledgement_names_what_the_vendor_still_works_on(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    crm.add(person("ben@example.com", OLD))
    crm.has_jobs, crm.bin_until = True, date(2026, 12, 24)
    planned(desk, MemoryConnector(crm)).carry_out("crm")

    (call,) = place(desk, "ann@example.com").calls

    assert (call.state, call.has_job, call.settle_on) == ("accepted", True, date(2026, 12, 24))


def test_waiting_for_the_end_of_calls_looks_again_until_they_have_ended(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    crm.loses_answers = True
    planned(desk, MemoryConnector(crm)).carry_out("crm")
    with desk.transaction() as db:
        one(db, "UPDATE steps SET state = 'intended' RETURNING 1")
    answer = place(desk, "ann@example.com")
    looks: list[float] = []

    def ends_at_the_second_look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            with desk.transaction() as db:
                one(db, "UPDATE steps SET state = 'done' RETURNING 1")

    (call,) = how_they_ended(desk, answer, 60, pause=ends_at_the_second_look)

    assert (call.state, len(looks)) == ("done", 2)


# --- the life of a hold ---


def test_holds_past_their_review_day_are_listed_longest_overdue_first(desk: Desk) -> None:
    late = hold_on(desk, "ann@example.com", review_on=date(2026, 11, 1))
    today = hold_on(desk, "ben@example.com", review_on=desk.today)
    hold_on(desk, "cleo@example.com", review_on=date(2026, 11, 23))
    release(desk, hold_on(desk, "dora@example.com", review_on=date(2026, 1, 1)))

    with desk.transaction() as db:
        assert [h.hold_id for h in holds.listed(db, due_on=desk.today)] == [late, today]
        assert holds.keep(db, late, date(2027, 5, 1))
        assert [h.hold_id for h in holds.listed(db, due_on=desk.today)] == [today]


def test_a_released_hold_is_neither_kept_nor_released_again(desk: Desk) -> None:
    hold_id = hold_on(desk, "ann@example.com")
    release(desk, hold_id)

    with desk.transaction() as db:
        assert not holds.release(db, hold_id, "dpo")
        assert not holds.keep(db, hold_id, date(2027, 5, 1))
        assert not holds.release(db, "hold-unknown", "dpo")


def test_the_database_refuses_a_hold_on_everything(desk: Desk) -> None:
    with pytest.raises(Exception, match="holds_never_of_everything"), desk.transaction() as db:
        one(
            db,
            "INSERT INTO holds (hold_id, matter, reason, owner, everyone, state, placed_by, review_on)"
            " VALUES ('hold-1', 'm-1', 'litigation', 'dpo', true, 'in_force', 'dpo', '2027-01-01') RETURNING 1",
        )
