"""Does a mark that has come, and that nobody saw to, end in a missed deadline of Airflow's own?"""

from __future__ import annotations

import psycopg

from tests.journeys.conftest import Company

DAG = "due_dates"


def deadlines(company: Company) -> list[tuple[bool, str]]:
    """Each deadline of Airflow's: whether it was missed, and how its callback stands."""
    with psycopg.connect(company.stack.postgres.url("airflow")) as airflow:
        return airflow.execute(
            "SELECT d.missed, c.state FROM deadline d JOIN callback c ON c.id = d.callback_id ORDER BY d.deadline_time"
        ).fetchall()


def test_a_mark_fails_the_mornings_run_its_deadline_is_missed_and_once_seen_to_the_run_succeeds(
    company: Company,
) -> None:
    operator, wait = company.stack.airflow.person("operator"), company.stack.processes.wait_until
    opening = ("complaint", "open", "--channel", "post", "--received-at", "2026-10-26", "--by", "clerk")
    company.stack.retention(*opening, stdin="customer_number:4711\n")

    operator.pause(DAG, paused=False)
    wait("the morning's run", lambda: bool(operator.runs(DAG)), 60)
    run = str(operator.runs(DAG)[0]["dag_run_id"])
    wait("the run to fail", lambda: operator.state(DAG, run) == "failed", 60)
    wait("the deadline to be missed and told", lambda: deadlines(company) == [(True, "success")], 60)

    seen = {"dag_run_id": run, "task_ids": ["raise_alarms"], "only_failed": False, "dry_run": False}
    assert operator.call("POST", f"/dags/{DAG}/clearTaskInstances", json=seen).status_code == 200
    wait("the run to succeed", lambda: operator.state(DAG, run) == "success", 60)


def test_a_run_with_nothing_to_raise_keeps_its_deadline_and_leaves_none(company: Company) -> None:
    operator = company.stack.airflow.person("operator")
    before = deadlines(company)

    run = operator.trigger(DAG)
    company.stack.processes.wait_until("the run to end", lambda: operator.state(DAG, run) == "success", 60)

    assert deadlines(company) == before
