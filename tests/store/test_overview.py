"""What does the operations page learn from the ledger, page by page, and does it ever read a whole table for it?"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from retention import audit
from retention.seal import seal
from retention.store import overview
from retention.store.desk import Desk
from tests.growing import grow
from tests.memory_system import MemorySystem, person
from tests.sweeping import TODAY, Night, night

KEY = audit.SigningKey("retention.example/audit", b"k" * 32)
LONG_AGO = date(2019, 1, 1)
BIG = ("steps", "findings", "gaps", "catalogue", "audit_entries", "requests", "sweeps", "incidents")
"""Tables that grow with what is found: no question of the page may read one from end to end."""


def a_night(ledger: Engine, people: int = 3) -> Night:
    system = MemorySystem("crm")
    for number in range(people):
        system.add(person(f"{number}@example.com", collected_on=LONG_AGO))
    return night(ledger, system)


def test_a_plan_waits_from_its_guard_to_its_answer(ledger: Engine) -> None:
    tonight = a_night(ledger)
    tonight.plan()
    with tonight.desk.transaction() as db:
        (waiting,) = overview.waiting_for_approval(db)
        assert (waiting.sweep_id, waiting.state, waiting.mode) == (tonight.sweep.sweep_id, "guarded", "rehearsal")
    tonight.approve()
    with tonight.desk.transaction() as db:
        assert overview.waiting_for_approval(db) == []


def test_steps_are_shown_by_pseudonym_and_rule_in_their_order_page_by_page(ledger: Engine) -> None:
    tonight = a_night(ledger, people=5)
    tonight.plan()
    with tonight.desk.transaction() as db:
        first = overview.samples(db, tonight.sweep.sweep_id, "crm", 3)
        rest = overview.samples(db, tonight.sweep.sweep_id, "crm", 3, after=first[-1][0])
    shown = [one for _, one in (*first, *rest)]
    assert len({one.pseudonym for one in shown}) == 5
    assert {one.action for one in shown} == {"erase"}
    assert all(re.fullmatch(r"[0-9a-f]{16}", one.pseudonym) and one.reasons for one in shown)
    assert "example.com" not in str(shown)


def test_what_a_sealed_sweep_came_to_is_kept_and_charted(ledger: Engine, tmp_path: Path) -> None:
    tonight = a_night(ledger)
    tonight.run()
    report = seal(tonight.desk, tonight.sweep, KEY, tmp_path)
    with tonight.desk.transaction() as db:
        (line,) = overview.newest_sweeps(db)
        assert line.systems == report.systems
        assert line.systems["crm"]["erased"] == 3
        (point,) = overview.trend(db, datetime.now(UTC) - timedelta(days=1))
        assert (point.day, point.system, point.done, point.failed) == (TODAY, "crm", 3, 0)
        assert overview.waiting(db, TODAY).holds == 0


def test_further_pages_go_on_where_the_last_one_ended(ledger: Engine) -> None:
    tonight = a_night(ledger)
    opened = [tonight.sweep.sweep_id, *(a.sweep.sweep_id for a in (again(tonight), again(tonight)))]
    with tonight.desk.transaction() as db:
        newest = overview.newest_sweeps(db, 2)
        oldest = overview.newest_sweeps(db, 2, before=newest[-1].opened_at)
    assert [one.sweep_id for one in (*newest, *oldest)] == opened[::-1]


def again(earlier: Night) -> Night:
    return Night(earlier.desk, list(earlier.connectors.values()))


ASKED: dict[str, Callable[[Connection, Desk], Any]] = {
    "newest sweeps": lambda db, desk: overview.newest_sweeps(db),
    "further sweeps": lambda db, desk: overview.newest_sweeps(db, before=desk.now()),
    "waiting plans": lambda db, desk: overview.waiting_for_approval(db),
    "steps": lambda db, desk: overview.samples(db, "sweep-7", "crm", after=100),
    "trend": lambda db, desk: overview.trend(db, desk.now() - timedelta(days=90)),
    "gaps": lambda db, desk: overview.gaps(db, "sweep-7"),
    "falls due": lambda db, desk: overview.falls_due(db, "crm", [(date(2021, 1, 1), date(2021, 2, 1))]),
    "catalogued": lambda db, desk: overview.catalogued(db),
    "waiting": lambda db, desk: overview.waiting(db, desk.today),
    "review": lambda db, desk: overview.review_queue(db),
    "tasks": lambda db, desk: overview.tasks(db),
    "requests": lambda db, desk: overview.open_requests(db),
    "further requests": lambda db, desk: overview.open_requests(db, after=(desk.now(), "r")),
    "incidents": lambda db, desk: overview.incidents(db),
}


@pytest.fixture
def grown(ledger: Engine) -> Desk:
    """A ledger after some years: enough rows for reading a whole table to be the worse way."""
    desk = a_night(ledger).desk
    with desk.transaction() as db:
        grow(db, nights=3_000, steps=30_000, requests=10_000)
    with ledger.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ANALYZE"))
    return desk


@pytest.mark.parametrize("question", ASKED)
def test_no_question_reads_a_large_table_from_end_to_end(grown: Desk, ledger: Engine, question: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(ledger, "before_cursor_execute", note)
    with grown.transaction() as db:
        ASKED[question](db, grown)
    event.remove(ledger, "before_cursor_execute", note)
    assert asked
    with grown.transaction() as db:
        for statement, parameters in asked:
            plan = "\n".join(row[0] for row in db.exec_driver_sql(f"EXPLAIN {statement}", parameters))
            whole = re.findall(rf"Seq Scan on ({'|'.join(BIG)})\b", plan)
            assert not whole, f"{question}: {plan}"
