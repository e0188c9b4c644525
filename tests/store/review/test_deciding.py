"""What comes of a person's answer, one by one and in bulk, and what outranks it?"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from retention.store.database import rows
from retention.store.desk import Desk
from retention.store.review import Wanted
from tests.holding import hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.store.review.asking import (
    Ask,
    closed,
    decide,
    later,
    night,
    queue,
)
from tests.sweeping import TODAY, Night


def test_an_erasure_decided_by_a_person_is_a_step_of_the_next_plan_with_its_own_approval(
    desk: Desk, crm: MemorySystem, ask: Ask
) -> None:
    night(desk, crm)
    assert decide(ask, "erase", "--yes").exit_code == 0
    assert len(crm.records) == 2  # a decision destroys nothing

    tomorrow = Night(later(desk, 1), [MemoryConnector(crm)])
    digest = tomorrow.plan()
    assert digest is not None
    assert len(crm.records) == 2  # nor does a plan
    assert tomorrow.answer().body.count("PERSON_ERASES") == 1
    tomorrow.approve()
    tomorrow.carry_out("crm")
    assert not crm.records

    night(later(desk, 2), crm)
    assert closed(desk) == [("settled", True)] * 2


def test_a_hold_placed_after_the_decision_outranks_it(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    decide(ask, "erase", "--yes")
    hold_on(desk, "ann@example.com")
    Night(later(desk, 1), [MemoryConnector(crm)]).run()
    assert list(crm.records) == ["ann-1"]


def test_a_record_that_changed_after_it_was_decided_on_comes_back(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    decide(ask, "erase", "--yes")
    crm.touch("ann-1")

    Night(later(desk, 1), [MemoryConnector(crm)]).run()
    assert list(crm.records) == ["ann-1"]
    assert [(i.round, i.first_seen) for i in queue(desk, Wanted())] == [(2, TODAY)]


def test_what_is_kept_rests_until_its_day_and_then_asks_again(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    until = TODAY + timedelta(days=10)
    decide(ask, "keep", "--until", until.isoformat(), "--yes")

    kept = night(later(desk, 10), crm)
    with desk.transaction() as db:
        verdicts = rows(db, "SELECT DISTINCT verdict, reasons FROM findings WHERE sweep_id = :s", s=kept.sweep.sweep_id)
    assert [(r.verdict, r.reasons) for r in verdicts] == [("keep", ["PERSON_KEEPS"])]
    assert {i.state for i in queue(desk)} == {"decided"}

    night(later(desk, 11), crm)
    assert {(i.state, i.decision, i.first_seen) for i in queue(desk)} == {("waiting", None, TODAY)}


def test_an_answer_that_lapsed_does_not_come_back_with_the_old_facts(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    crm.remove("bob-1")
    night(desk, crm)
    decide(ask, "keep", "--yes")
    dated, undated = person("ann@example.com", TODAY + timedelta(days=99)), crm.records["ann-1"].classes
    crm.records["ann-1"].classes = (undated[0], dated.classes[1])
    night(later(desk, 1), crm)
    assert [(i.state, i.reasons) for i in queue(desk)] == [("waiting", ("RET_BAD_START", "RET_NO_START"))]

    crm.records["ann-1"].classes = undated
    night(later(desk, 2), crm)
    assert [(i.state, i.reasons) for i in queue(desk)] == [("waiting", ("RET_NO_START",))]


@pytest.mark.parametrize(("day", "left"), [("2020-01-01", 0), ("2026-01-01", 2)])
def test_a_day_supplied_by_a_person_ends_or_keeps_the_record_like_any_other(
    desk: Desk, crm: MemorySystem, ask: Ask, day: str, left: int
) -> None:
    night(desk, crm)
    decide(ask, "collected-on", "--on", day, "--yes")
    Night(later(desk, 1), [MemoryConnector(crm)]).run()
    assert len(crm.records) == left


def test_a_record_that_is_not_the_persons_outlives_that_persons_opt_out(desk: Desk, ask: Ask) -> None:
    crm = MemorySystem("crm")
    crm.add(person("info@example.com", opted_out=True), "role-1")
    night(desk, crm)
    assert [i.reasons for i in queue(desk)] == [("ID_SHARED",)]

    ask("review", "decide", "--reason", "ID_SHARED", "--decision", "not-the-person", "--by", "dpo", "--yes")
    assert Night(later(desk, 1), [MemoryConnector(crm)]).run() == {}
    assert list(crm.records) == ["role-1"]
    assert [i.state for i in queue(desk)] == ["decided"]


def test_a_decision_is_audited_with_who_what_why_and_how_many(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    decide(ask, "keep", "--yes")
    with desk.transaction() as db:
        bodies = [bytes(row.body) for row in rows(db, "SELECT body FROM audit_entries ORDER BY seq")]
    (entry,) = [json.loads(body) for body in bodies if b"review_decided" in body]
    assert (entry["decision"], entry["actor"], entry["count"], entry["reasons"]) == ("keep", "dpo", 2, ["RET_NO_START"])
    assert b"ann" not in b"".join(bodies)


# --- in bulk, and never more than was listed ---


def test_a_bulk_decision_shows_what_it_reaches_and_waits_for_the_number(
    desk: Desk, crm: MemorySystem, ask: Ask
) -> None:
    night(desk, crm)
    wrong = ask("review", "decide", "--system", "crm", "--decision", "keep", "--by", "dpo", typed="3\n")
    assert wrong.exit_code == 2
    assert "crm: contact-data: RET_NO_START: 2" in wrong.stderr
    assert {i.state for i in queue(desk)} == {"waiting"}

    right = ask("review", "decide", "--rule", "contact-data", "--decision", "keep", "--by", "dpo", typed="2\n")
    assert right.exit_code == 0, right.output
    assert {i.state for i in queue(desk)} == {"decided"}


def test_a_decision_held_to_a_digest_reaches_nothing_that_came_later(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    shown = json.loads(ask("review", "list", "--json").stdout)
    crm.add(person("late@example.com", None))
    night(later(desk, 1), crm)

    refused = decide(ask, "erase", "--only-if", shown["digest"], "--yes")
    assert (refused.exit_code, refused.stderr.splitlines()[-1]) == (
        2,
        "Error: the queue is not as it was listed: list it again; nothing was decided",
    )
    assert {i.state for i in queue(desk)} == {"waiting"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--decision", "keep"], "say which items"),
        (["--reason", "ID_SHARED", "--decision", "keep"], "nothing that waits fits"),
        (["--system", "crm", "--decision", "not-the-person"], "is no answer to RET_NO_START (2 of 2 items)"),
        (["--system", "crm", "--decision", "collected-on"], "(on) goes with collected-on"),
        (["--system", "crm", "--decision", "collected-on", "--on", "2026-11-23"], "must not lie in the future"),
        (["--system", "crm", "--decision", "keep", "--until", "2026-11-22"], "must lie in the future"),
        (["--system", "crm", "--decision", "erase", "--until", "2027-11-22"], "(until) goes with keep only"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(
    desk: Desk, crm: MemorySystem, ask: Ask, words: list[str], why: str
) -> None:
    night(desk, crm)
    refused = ask("review", "decide", *words, "--by", "dpo", "--yes")
    assert refused.exit_code == 2
    assert why in refused.stderr
    assert {i.state for i in queue(desk)} == {"waiting"}
