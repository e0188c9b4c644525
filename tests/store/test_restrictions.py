"""What does a subject's restriction (Art. 18) do from its placing to its release? Real ledger, in-memory systems."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

from retention.life_cycles import IllegalMove
from retention.restriction import Ground
from retention.store import restrictions
from retention.store.database import one, rows
from retention.store.desk import Desk
from tests.holding import address, hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

NEW, OLD = date(2026, 1, 1), date(2020, 1, 1)
TOLD_ON = date(2026, 11, 20)


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    return desk


def restrict(desk: Desk, *addresses: str, ground: Ground = Ground.ACCURACY) -> str:
    with desk.transaction() as db:
        subjects = [address(a) for a in addresses]
        return restrictions.place(db, desk.keyring, ground=ground, matter="case-1", subjects=subjects, placed_by="dpo")


def lift(desk: Desk, restriction_id: str) -> None:
    with desk.transaction() as db:
        restrictions.notice_sent(db, restriction_id, TOLD_ON, "dpo")
        restrictions.lift(db, restriction_id, "dpo")


def night(desk: Desk, crm: MemorySystem) -> Night:
    return Night(desk, [MemoryConnector(crm)])


@pytest.mark.parametrize("ground", Ground)
def test_a_person_is_looked_up_restricted_and_released_to_the_state_that_was_found(
    desk: Desk, crm: MemorySystem, ground: Ground
) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    other = crm.add(person("ben@example.com", NEW))
    before = dict(crm.records[ref.key].values)
    restriction_id = restrict(desk, "ann@example.com", ground=ground)

    assert night(desk, crm).run() == {"crm": {"done": 1, "verified": 1}}
    assert crm.records[ref.key].restricted
    assert night(desk, crm).plan() is None  # restricted already: nothing left to do

    lift(desk, restriction_id)
    releasing = night(desk, crm)
    assert releasing.run() == {"crm": {"done": 1, "verified": 1}}

    assert not crm.records[ref.key].restricted
    assert not crm.records[other.key].restricted
    assert crm.records[ref.key].values == before
    with desk.transaction() as db:
        row = one(db, "SELECT released_at IS NOT NULL AS released, previous FROM restrictions")
        reasons = one(db, "SELECT reasons FROM steps WHERE action = 'release'").reasons
        assert one(db, "SELECT subjects FROM restriction_matters").subjects is None
        (matter,) = restrictions.listed(db)
    assert (row.released, row.previous) == (True, None)
    assert reasons == ["OBJ_OVERRIDDEN" if ground is Ground.OBJECTION else "R18_LIFTED"]
    assert (matter.state, matter.notice_on, matter.open_records) == ("lifted", TOLD_ON, 0)
    assert night(desk, crm).plan() is None


def test_a_release_waits_for_an_approval_like_everything_else(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    restriction_id = restrict(desk, "ann@example.com")
    night(desk, crm).run()
    lift(desk, restriction_id)

    unanswered = night(desk, crm)
    assert unanswered.plan() is not None
    assert crm.records[ref.key].restricted
    with desk.transaction() as db:  # so the person can be looked up again the next night
        assert restrictions.people_to_look_up(db, desk.keyring) == [address("ann@example.com")]

    assert night(desk, crm).run() == {"crm": {"done": 1, "verified": 1}}


def test_a_restriction_outranks_the_end_of_the_period(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", OLD))
    restriction_id = restrict(desk, "ann@example.com", ground=Ground.CLAIMS)
    night(desk, crm).run()
    assert crm.records[ref.key].restricted

    lift(desk, restriction_id)
    night(desk, crm).run()  # nothing keeps it any more: it goes, and is not released first

    assert ref.key not in crm.records
    with desk.transaction() as db:
        assert restrictions.people_to_look_up(db, desk.keyring) == []


def test_an_address_in_another_spelling_protects_and_restricts_nobody_unasked(desk: Desk, crm: MemorySystem) -> None:
    twin = crm.add(person("ann@example.com", OLD))
    restrict(desk, "Ann@example.com")
    one_night = night(desk, crm)

    assert one_night.plan() is None

    assert not crm.records[twin.key].restricted
    with desk.transaction() as db:
        assert [r.verdict for r in rows(db, "SELECT verdict FROM findings")] == ["review"]


def test_a_restriction_placed_after_the_approval_stops_the_erasure(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", OLD))
    approved = night(desk, crm)
    approved.plan()
    approved.approve()
    restriction_id = restrict(desk, "ann@example.com")
    lift(desk, restriction_id)  # and even then the old plan is not taken up again

    assert approved.carry_out("crm") == {"held": 1}
    assert ref.key in crm.records


def test_a_hold_keeps_the_release_back(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    restriction_id = restrict(desk, "ann@example.com")
    night(desk, crm).run()
    lift(desk, restriction_id)
    hold_on(desk, "ann@example.com")

    assert night(desk, crm).plan() is None
    assert crm.records[ref.key].restricted


def test_what_somebody_else_restricted_is_left_to_them(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    crm.records[ref.key].restricted = True
    restriction_id = restrict(desk, "ann@example.com")
    assert night(desk, crm).plan() is None

    lift(desk, restriction_id)

    assert night(desk, crm).plan() is None
    assert crm.records[ref.key].restricted


def test_of_two_restrictions_the_last_one_counts(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("ann@example.com", NEW))
    first = restrict(desk, "ann@example.com")
    second = restrict(desk, "ann@example.com", ground=Ground.OBJECTION)
    night(desk, crm).run()

    lift(desk, first)
    assert night(desk, crm).plan() is None
    assert crm.records[ref.key].restricted

    lift(desk, second)
    night(desk, crm).run()
    assert not crm.records[ref.key].restricted


class Notices(RuleBasedStateMachine):
    """Commands about restrictions in any order: whatever is tried, nothing is lifted without its notice (I14)."""

    desk: Desk  # set by the test

    @initialize()
    def begins(self) -> None:
        with self.desk.transaction() as db:
            db.execute(text("DELETE FROM restriction_subjects"))
            db.execute(text("TRUNCATE restriction_matters CASCADE"))
        self.noticed: dict[str, bool] = {}
        self.lifted: set[str] = set()

    @rule(ground=st.sampled_from(Ground))
    def a_restriction_is_placed(self, ground: Ground) -> None:
        self.noticed[restrict(self.desk, "ann@example.com", ground=ground)] = False

    @precondition(lambda self: self.noticed)
    @rule(which=st.integers(0, 50))
    def a_notice_is_recorded(self, which: int) -> None:
        restriction_id = self.pick(which)
        try:
            with self.desk.transaction() as db:
                restrictions.notice_sent(db, restriction_id, TOLD_ON, "dpo")
        except IllegalMove:
            assert self.noticed[restriction_id]
        else:
            assert not self.noticed[restriction_id]
            self.noticed[restriction_id] = True

    @precondition(lambda self: self.noticed)
    @rule(which=st.integers(0, 50))
    def somebody_tries_to_lift(self, which: int) -> None:
        restriction_id = self.pick(which)
        try:
            with self.desk.transaction() as db:
                restrictions.lift(db, restriction_id, "dpo")
        except IllegalMove:
            assert not self.noticed[restriction_id] or restriction_id in self.lifted
        else:
            assert self.noticed[restriction_id]
            self.lifted.add(restriction_id)

    def pick(self, which: int) -> str:
        return sorted(self.noticed)[which % len(self.noticed)]

    def teardown(self) -> None:
        with self.desk.transaction() as db:
            found = rows(db, "SELECT restriction_id, state, notice_on FROM restriction_matters")
        assert {r.restriction_id for r in found if r.state == "lifted"} == self.lifted
        assert all(r.notice_on == TOLD_ON for r in found if r.state == "lifted")


def test_no_order_of_commands_lifts_a_restriction_without_its_notice(desk: Desk) -> None:
    machine = type("NoticesOnLedger", (Notices,), {"desk": desk})
    health = list(HealthCheck)
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=health)
    )


def test_the_database_itself_knows_no_lift_without_a_notice(desk: Desk) -> None:
    restrict(desk, "ann@example.com")
    with pytest.raises(Exception, match="violates check constraint"), desk.transaction() as db:
        one(db, "UPDATE restriction_matters SET state = 'lifted', lifted_at = now() RETURNING 1")
    with pytest.raises(Exception, match="is not lifted: it cannot be deleted"), desk.transaction() as db:
        one(db, "DELETE FROM restriction_matters RETURNING 1")
