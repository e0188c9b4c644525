"""What waits for a person: does it keep its age, is it decided by the right ones only, and what comes of it?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from retention.__main__ import main
from retention.audit import SigningKey
from retention.seal import Report, seal
from retention.store import database, reports, review
from retention.store.database import NotYourDuty, rows, run
from retention.store.desk import Desk
from retention.store.review import Wanted
from tests.holding import hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import NOW, TODAY, Night, desk_for, rehearse

Ask = Callable[..., Result]
OPEN = Wanted(states=("waiting", "decided"))


@pytest.fixture
def crm() -> MemorySystem:
    """Two people of whom nobody can say when their data was collected."""
    system = MemorySystem("crm")
    system.add(person("ann@example.com", None), "ann-1")
    system.add(person("bob@example.com", None), "bob-1")
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    made = desk_for(ledger, "crm")
    rehearse(made)
    return made


@pytest.fixture
def ask(desk: Desk, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The command line, over the same ledger and keys."""
    (tmp_path / "keys.json").write_text(desk.keyring.to_json())
    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url)
    monkeypatch.setenv("RETENTION_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("AS_OF", TODAY.isoformat())
    return lambda *words, typed="": CliRunner().invoke(main, words, input=typed)


def later(desk: Desk, days: int) -> Desk:
    moment = NOW + timedelta(days=days)
    return replace(desk, today=TODAY + timedelta(days=days), now=lambda: moment)


def night(desk: Desk, crm: MemorySystem) -> Night:
    made = Night(desk, [MemoryConnector(crm)])
    made.plan()
    return made


def queue(desk: Desk, wanted: Wanted = OPEN) -> list[review.Item]:
    with desk.transaction() as db:
        return review.items(db, wanted)


def closed(desk: Desk) -> list[tuple[str, bool]]:
    with desk.transaction() as db:
        found = rows(db, "SELECT state, locator IS NULL AS wiped FROM review_items WHERE state <> 'waiting'")
    return [(row.state, row.wiped) for row in found]


# --- the queue ---


def test_what_the_rules_cannot_settle_waits_with_its_reason_and_rule(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)

    items = queue(desk)
    assert len(items) == 2
    assert {(i.system, i.kind, i.reasons, i.rules, i.first_seen, i.state) for i in items} == {
        ("crm", "person", ("RET_NO_START",), ("contact-data", "marketing-data"), TODAY, "waiting")
    }


def test_a_record_seen_again_keeps_its_age_and_is_not_listed_twice(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)
    night(later(desk, 40), crm)

    assert [(i.first_seen, i.last_seen) for i in queue(desk)] == [(TODAY, TODAY + timedelta(days=40))] * 2
    with desk.transaction() as db:
        ages = reports.review_ages(db, TODAY + timedelta(days=40))
    assert ages == {"waiting": 2, "median_days": 40, "oldest_days": 40, "over_30_days": 2, "over_90_days": 0}


def test_planning_a_night_twice_changes_nothing_in_the_queue(desk: Desk, crm: MemorySystem) -> None:
    once = night(desk, crm)
    before = queue(desk)
    once.plan()
    assert queue(desk) == before


def test_a_record_that_needs_nobody_any_more_is_closed_and_its_place_forgotten(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)
    crm.remove("ann-1")
    night(later(desk, 1), crm)

    assert len(queue(desk)) == 1
    assert closed(desk) == [("gone", True)]


def test_a_question_out_of_sight_for_a_night_goes_on_waiting_since_the_first(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)
    hidden = crm.records.pop("ann-1")
    night(later(desk, 1), crm)
    crm.records["ann-1"] = hidden
    night(later(desk, 2), crm)

    assert [i.first_seen for i in queue(desk)] == [TODAY, TODAY]


def test_the_report_says_how_many_wait_and_since_when(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    def sealed(at: Desk) -> Report:
        made = night(at, crm)
        return seal(at, made.sweep, SigningKey("retention.example/audit", b"s" * 32), tmp_path)

    sealed(desk)
    report = sealed(later(desk, 12)).as_json()
    assert (report["review_waiting"], report["review_oldest_days"]) == (2, 12)
    assert report["systems"]["crm"]["review_waiting"] == 2


# --- deciding ---


def decide(ask: Ask, decision: str, *more: str) -> Result:
    return ask("review", "decide", "--reason", "RET_NO_START", "--decision", decision, "--by", "dpo", *more)


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
        (["--system", "crm", "--decision", "collected-on"], "--on DATE goes with"),
        (["--system", "crm", "--decision", "collected-on", "--on", "2026-11-23"], "must not lie in the future"),
        (["--system", "crm", "--decision", "keep", "--until", "2026-11-22"], "must lie in the future"),
        (["--system", "crm", "--decision", "erase", "--until", "2027-11-22"], "--until goes with --decision keep"),
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


# --- looking ---


def test_the_list_names_records_by_pseudonym_and_says_how_long_they_wait(
    desk: Desk, crm: MemorySystem, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(desk, crm)
    monkeypatch.setenv("AS_OF", "2026-12-02")
    answer = json.loads(ask("review", "list", "--json").stdout)
    assert [(i["days"], i["reasons"], i["system"]) for i in answer["items"]] == [(10, ["RET_NO_START"], "crm")] * 2
    assert answer["ages"]["oldest_days"] == 10
    text = ask("review", "list").stdout
    assert "2 waiting in all: median 10 days, oldest 10 days" in text
    assert "ann" not in text

    counted = json.loads(ask("review", "list", "--by-rule", "--json").stdout)["items"]
    assert {"system": "crm", "rule": "contact-data", "reason": "RET_NO_START", "records": 2} in counted


def test_where_a_record_lies_is_shown_on_demand_and_written_down(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    item = queue(desk)[0].item_id
    shown = json.loads(ask("review", "reveal", item, "--by", "dpo", "--json").stdout)
    assert shown["vendor_id"] in {"ann-1", "bob-1"}
    with desk.transaction() as db:
        assert [(r.item_id, r.revealed_by) for r in rows(db, "SELECT * FROM review_reveals")] == [(item, "dpo")]
        entries = rows(db, "SELECT body FROM audit_entries")
    assert sum(b"review_revealed" in bytes(e.body) for e in entries) == 1

    unknown = ask("review", "reveal", "review-0000", "--by", "dpo")
    assert (unknown.exit_code, unknown.stderr) == (2, "Error: no open item review-0000 in the queue\n")


# --- duties ---


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (
            "retention_executor",
            "INSERT INTO review_decisions (item_id, round, decision) VALUES ('i', 1, 'erase')",
        ),
        ("retention_executor", "INSERT INTO review_reveals VALUES ('i', 'x')"),
        ("retention_executor", "UPDATE person_tasks SET proof = 'OPS-1'"),
        ("retention_approver", "UPDATE review_items SET state = 'gone'"),
        ("retention_approver", "INSERT INTO person_tasks (task_id) VALUES ('t')"),
        ("retention_auditor", "SELECT locator FROM review_items"),
        ("retention_auditor", "SELECT locator FROM person_tasks"),
    ],
)
def test_each_role_can_only_do_its_own_duty(ledger: Engine, role: str, statement: str) -> None:
    def act() -> None:
        with database.transaction(ledger) as db:
            run(db, f"SET LOCAL ROLE {role}")
            run(db, statement)

    with pytest.raises(NotYourDuty, match="permission denied"):
        act()


def test_a_decision_cannot_be_rewritten_nor_a_lapsed_one_revived(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    decide(ask, "keep", "--yes")
    with pytest.raises(Exception, match="only grows"), desk.transaction() as db:
        run(db, "UPDATE review_decisions SET decision = 'erase', until = NULL")
    with pytest.raises(Exception, match="earlier round"), desk.transaction() as db:
        run(db, "UPDATE review_items SET round = 0")


def as_role(desk: Desk, ledger_url: str, role: str) -> Desk:
    """The same desk under one of the three duties."""
    engine = database.connect(ledger_url + f"?options=-crole%3D{role}")
    return replace(desk, engine=engine)


def test_the_three_roles_can_do_all_that_their_duty_asks(
    desk: Desk, crm: MemorySystem, ledger_url: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = as_role(desk, ledger_url, "retention_executor")
    night(executor, crm)
    crm.remove("bob-1")
    night(replace(later(desk, 1), engine=executor.engine), crm)
    executor.engine.dispose()

    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url + "?options=-crole%3Dretention_executor")
    refused = decide(ask, "keep", "--yes")
    assert refused.exit_code == 2
    assert "permission denied for table review_decisions" in refused.stderr

    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url + "?options=-crole%3Dretention_approver")
    assert decide(ask, "keep", "--yes").exit_code == 0
    item = queue(desk)[0].item_id
    assert ask("review", "reveal", item, "--by", "dpo").exit_code == 0

    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url + "?options=-crole%3Dretention_auditor")
    assert ask("review", "list", "--decided").exit_code == 0
    assert ask("tasks", "list", "--all").exit_code == 0
    assert ask("review", "reveal", item, "--by", "auditor").exit_code == 2
    auditor = as_role(desk, ledger_url, "retention_auditor")
    with auditor.transaction() as db:
        assert reports.counts(db, "sweep-none", "crm")["review_waiting"] == 0
    auditor.engine.dispose()


def test_the_moment_of_a_decision_is_the_ledgers(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    decide(ask, "keep", "--yes")
    with desk.transaction() as db:
        (at,) = {row.decided_at for row in rows(db, "SELECT decided_at FROM review_decisions")}
    assert isinstance(at, datetime)
    assert at.tzinfo is not None
