"""Can each role do its own duty in the review, and no other's?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine

from retention.store import database, reports
from retention.store.database import NotYourDuty, rows, run
from retention.store.desk import Desk
from tests.memory_connector import MemorySystem
from tests.store.review.asking import (
    Ask,
    decide,
    later,
    night,
    queue,
)


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
