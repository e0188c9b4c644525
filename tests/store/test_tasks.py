"""What no connector can do: does a person hear of it once, by when, and is it looked at again after it was done?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from retention.__main__ import main
from retention.contract import Warrant
from retention.store import tasks
from retention.store.database import one, rows
from retention.store.desk import Desk
from retention.store.tasks import Task
from retention.vocabulary import Action, Gap, GapCode, Outcome, Reason, Step
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import NOW, TODAY, Night, desk_for, rehearse

Ask = Callable[..., Result]
EVERY_STATE = ("open", "done", "dropped", "gone")


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    system.add(person("old@example.com", date(2020, 1, 1)), "old-1")
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    made = desk_for(ledger, "crm", "shop")
    rehearse(made)
    return made


@pytest.fixture
def ask(desk: Desk, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The command line, over the same ledger and keys."""
    (tmp_path / "keys.json").write_text(desk.keyring.to_json())
    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url)
    monkeypatch.setenv("RETENTION_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("AS_OF", TODAY.isoformat())
    return lambda *words: CliRunner().invoke(main, words)


def night(desk: Desk, crm: MemorySystem, days: int = 0, supports: frozenset[Action] = frozenset()) -> Night:
    """A night some days on, over a system that can do next to nothing."""
    moment = NOW + timedelta(days=days)
    on = replace(desk, today=TODAY + timedelta(days=days), now=lambda: moment)
    made = Night(on, [MemoryConnector(crm, supports=supports), MemoryConnector(MemorySystem("shop"))])
    made.plan()
    return made


def listed(desk: Desk, *states: str) -> list[Task]:
    with desk.transaction() as db:
        return tasks.listed(db, states or ("open",))


def test_an_action_a_system_does_not_support_becomes_a_task_with_owner_and_due_date(
    desk: Desk, crm: MemorySystem
) -> None:
    night(desk, crm)

    (task,) = listed(desk)
    assert (task.system, task.what, task.kind, task.reasons) == ("crm", "erase", "person", ("RET_EXPIRED",))
    assert (task.owner, task.opened_on, task.due_on) == ("dpo", TODAY, TODAY + timedelta(days=28))
    with desk.transaction() as db:
        assert one(db, "SELECT verdict FROM findings").verdict == "task"
        assert one(db, "SELECT count(*) AS n FROM review_items").n == 0


def test_a_task_is_not_doubled_night_after_night_and_keeps_its_due_date(desk: Desk, crm: MemorySystem) -> None:
    for days in range(3):
        night(desk, crm, days)

    (task,) = listed(desk, *EVERY_STATE)
    assert task.due_on == TODAY + timedelta(days=28)
    with desk.transaction() as db:
        entries = [json.loads(bytes(r.body)) for r in rows(db, "SELECT body FROM audit_entries")]
    assert [e["count"] for e in entries if e["event"] == "task_opened"] == [1]


def test_marketing_that_a_system_cannot_stop_is_stopped_by_a_person_within_two_days(
    desk: Desk, crm: MemorySystem
) -> None:
    crm.records.clear()
    crm.add(person("ann@example.com", opted_out=True), "ann-1")
    shop = MemorySystem("shop")
    shop.add(person("ann@example.com"), "ann-2")
    made = Night(desk, [MemoryConnector(crm), MemoryConnector(shop, supports=frozenset(Action) - {Action.SUPPRESS})])
    made.plan()

    (task,) = listed(desk)
    assert (task.system, task.what, task.due_on) == ("shop", "suppress", TODAY + timedelta(days=2))
    assert not shop.records["ann-2"].opted_out


def test_a_need_that_is_gone_closes_its_task_and_forgets_where_the_record_lies(desk: Desk, crm: MemorySystem) -> None:
    night(desk, crm)
    crm.remove("old-1")
    night(desk, crm, 1)

    assert listed(desk) == []
    with desk.transaction() as db:
        assert [(r.state, r.locator) for r in rows(db, "SELECT state, locator FROM person_tasks")] == [("gone", None)]


def test_a_task_done_by_word_only_opens_again_the_next_night(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    task = listed(desk)[0].task_id
    assert ask("tasks", "done", task, "--proof", "OPS-1234", "--by", "operator").exit_code == 0
    night(desk, crm, 1)

    assert {(t.state, t.proof, t.done_by) for t in listed(desk, *EVERY_STATE)} == {
        ("done", "OPS-1234", "operator"),
        ("open", "", ""),
    }


def test_a_dropped_task_rests_for_a_year(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    task = listed(desk)[0].task_id
    assert ask("tasks", "drop", task, "--because", "kept-by-law", "--by", "dpo").exit_code == 0
    night(desk, crm, 1)
    assert listed(desk) == []
    night(desk, crm, 366)
    assert [t.opened_on for t in listed(desk)] == [TODAY + timedelta(days=366)]


def test_what_could_not_be_read_is_one_task_with_a_number_and_asks_again_when_it_grows(
    desk: Desk, crm: MemorySystem, ask: Ask
) -> None:
    crm.records.clear()
    refs = [crm.add(person(f"p{n}@example.com"), f"file-{n}") for n in range(3)]
    crm.gaps = (
        *(Gap(GapCode.ENCRYPTED, "person", ref=ref) for ref in refs[:2]),
        Gap(GapCode.FIELD_HIDDEN, "person", "opted_out"),
        Gap(GapCode.TRUNCATED, "person"),
    )
    night(desk, crm)
    assert [(t.what, t.detail, t.items, t.record_key) for t in listed(desk)] == [
        ("field_hidden", "opted_out", 1, None),
        ("encrypted", "", 2, None),
    ]

    encrypted = next(t.task_id for t in listed(desk) if t.what == "encrypted")
    ask("tasks", "done", encrypted, "--proof", "OPS-7", "--by", "dpo")
    night(desk, crm, 1)
    assert [t.what for t in listed(desk)] == ["field_hidden"]

    crm.gaps = tuple(Gap(GapCode.ENCRYPTED, "person", ref=ref) for ref in refs)
    night(desk, crm, 2)
    assert [(t.what, t.items) for t in listed(desk)] == [("encrypted", 3)]


def test_a_decided_erasure_of_a_record_the_system_cannot_erase_is_a_task(desk: Desk, ask: Ask) -> None:
    crm = MemorySystem("crm")
    crm.add(person("ann@example.com", None), "ann-1")
    night(desk, crm)
    assert listed(desk) == []
    ask("review", "decide", "--system", "crm", "--decision", "erase", "--by", "dpo", "--yes")
    night(desk, crm, 1)
    assert [(t.what, t.reasons) for t in listed(desk)] == [("erase", ("PERSON_ERASES",))]


def test_the_list_shows_what_is_overdue_and_says_so_by_its_exit_code(
    desk: Desk, crm: MemorySystem, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(desk, crm)
    on_time = ask("tasks", "list", "--overdue")
    assert (on_time.exit_code, on_time.stdout) == (0, "no tasks\n")

    monkeypatch.setenv("AS_OF", "2026-12-21")
    late = ask("tasks", "list", "--overdue", "--json")
    assert late.exit_code == 1
    assert [(t["what"], t["due_on"], t["owner"]) for t in json.loads(late.stdout)] == [("erase", "2026-12-20", "dpo")]


@pytest.mark.parametrize(
    "proof", ["Ann Example erased it", "ann@example.com", "done", "07700900123", "OPS-07700900123"]
)
def test_a_proof_is_a_reference_and_no_place_for_people(desk: Desk, crm: MemorySystem, ask: Ask, proof: str) -> None:
    night(desk, crm)
    refused = ask("tasks", "done", listed(desk)[0].task_id, "--proof", proof, "--by", "dpo")
    assert refused.exit_code == 2
    assert proof not in refused.output
    assert len(listed(desk)) == 1


def test_a_task_is_closed_once_and_audited(desk: Desk, crm: MemorySystem, ask: Ask) -> None:
    night(desk, crm)
    task = listed(desk)[0].task_id
    ask("tasks", "done", task, "--proof", "OPS-1", "--by", "dpo")
    again = ask("tasks", "done", task, "--proof", "OPS-1", "--by", "dpo")
    assert (again.exit_code, again.stderr) == (2, f"Error: no open task {task}\n")

    with desk.transaction() as db:
        entries = [json.loads(bytes(r.body)) for r in rows(db, "SELECT body FROM audit_entries")]
    (done,) = [e for e in entries if e["event"] == "task_done"]
    assert (done["reference"], done["actor"], done["system"], done["count"]) == (task, "dpo", "crm", 1)


class LeavesOver(MemoryConnector):
    """A system that does what it is told but for one thing, and says so in the outcome."""

    left = Reason.OPT_OUT_STAYS

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        return [replace(outcome, reason=self.left) for outcome in super().act(action, batch, warrant)]


@pytest.mark.parametrize(("left", "days"), [(Reason.OPT_OUT_STAYS, 28), (Reason.MAIL_NOT_STOPPED, 2)])
def test_what_a_step_left_over_becomes_a_task_that_later_nights_leave_open(
    desk: Desk, crm: MemorySystem, left: Reason, days: int
) -> None:
    connector = LeavesOver(crm)
    connector.left = left
    tonight = Night(desk, [connector, MemoryConnector(MemorySystem("shop"))])
    assert tonight.run()["crm"]["done"] == 1

    (task,) = listed(desk)
    assert (task.what, task.kind, task.due_on) == (left.value, "person", TODAY + timedelta(days=days))
    with desk.transaction() as db:
        assert one(db, "SELECT record_key FROM steps").record_key == task.record_key

    night(desk, crm, days=1)
    assert [one.task_id for one in listed(desk)] == [task.task_id]
