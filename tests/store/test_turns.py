"""Do workers that share an account draw different turns, on a real PostgreSQL?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest
from sqlalchemy import Engine, text

from retention.store.turns import SharedTurns

APART = 10.0


def test_turns_of_one_account_lie_apart_whoever_draws_them(ledger: Engine) -> None:
    first, second = SharedTurns(ledger, "hubspot"), SharedTurns(ledger, "hubspot")
    waits = [draw.draw("calls", APART, 0.0) for draw in (first, second, first)]
    assert waits[0] == pytest.approx(0.0, abs=1.0)
    assert waits[1] == pytest.approx(APART, abs=1.0)
    assert waits[2] == pytest.approx(2 * APART, abs=1.0)


def test_accounts_and_allowances_have_turns_of_their_own(ledger: Engine) -> None:
    assert SharedTurns(ledger, "hubspot").draw("calls", APART, 0.0) < 1.0
    assert SharedTurns(ledger, "hubspot").draw("searches", APART, 0.0) < 1.0
    assert SharedTurns(ledger, "another").draw("calls", APART, 0.0) < 1.0


def test_no_two_workers_ever_draw_the_same_turn(ledger: Engine) -> None:
    def drawn(_: int) -> list[float]:
        turns = SharedTurns(ledger, "hubspot")
        return [turns.draw("calls", 100.0, 0.0) for _ in range(20)]

    with ThreadPoolExecutor(4) as workers:
        waits = sorted(wait for some in workers.map(drawn, range(4)) for wait in some)
    assert [round(wait / 100.0) for wait in waits] == list(range(80))


def test_a_held_account_gives_no_turn_before_its_time(ledger: Engine) -> None:
    turns = SharedTurns(ledger, "hubspot")
    turns.hold("calls", 50.0)
    turns.hold("calls", 5.0)
    assert turns.draw("calls", APART, 0.0) == pytest.approx(50.0, abs=1.0)


def test_who_comes_late_may_catch_up_a_little_and_no_more(ledger: Engine) -> None:
    turns = SharedTurns(ledger, "hubspot")
    turns.draw("calls", 1.0, 0.0)
    with ledger.begin() as db:
        db.execute(text("UPDATE turns SET next_at = next_at - interval '1 hour'"))
    waits = [turns.draw("calls", 10.0, 25.0) for _ in range(4)]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert waits[3] == pytest.approx(5.0, abs=1.0)


def test_a_worker_whose_connection_was_cut_opens_another(ledger: Engine, ledger_url: str) -> None:
    turns = SharedTurns(ledger, "hubspot")
    turns.draw("calls", APART, 0.0)
    with psycopg.connect(ledger_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    with pytest.raises(Exception, match=r"terminat|closed"):
        turns.draw("calls", APART, 0.0)
    assert turns.draw("calls", APART, 0.0) > 0


def test_a_worker_that_is_alone_with_an_account_is_waited_for(ledger: Engine) -> None:
    """Asked for in different orders too, and those of another name are free meanwhile."""
    first, second, third = (SharedTurns(ledger, "microsoft365") for _ in range(3))
    order: list[str] = []
    began = Event()

    def after() -> None:
        began.set()
        with second.alone(["beth", "ann"]):
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with first.alone(["ann", "beth"]):
            later = pool.submit(after)
            began.wait()
            with third.alone(["carol"]):
                order.append("third")
            order.append("first")
        later.result(timeout=30)
    assert order == ["third", "first", "second"]


def test_a_worker_that_dies_lets_others_at_its_account(ledger: Engine, ledger_url: str) -> None:
    dead, living = SharedTurns(ledger, "microsoft365"), SharedTurns(ledger, "microsoft365")
    with dead.alone(["ann"]):
        with psycopg.connect(ledger_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_alone, living, "ann").result(timeout=30)


def test_who_failed_while_alone_lets_go(ledger: Engine) -> None:
    failing, next_one = SharedTurns(ledger, "microsoft365"), SharedTurns(ledger, "microsoft365")
    with pytest.raises(RuntimeError), failing.alone(["ann"]):
        raise RuntimeError
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(_alone, next_one, "ann").result(timeout=30)


def _alone(turns: SharedTurns, name: str) -> bool:
    with turns.alone([name]):
        return True


@pytest.mark.parametrize(("role", "may"), [("retention_executor", True), ("retention_approver", False)])
def test_only_who_runs_draws_turns(ledger: Engine, role: str, may: bool) -> None:
    with ledger.connect() as db:
        granted = db.execute(text("SELECT has_table_privilege(:role, 'turns', 'UPDATE')"), {"role": role}).scalar()
    assert granted is may
