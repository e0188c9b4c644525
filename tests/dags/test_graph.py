"""Does the graph keep its promises, whatever the number of systems?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ROOT

Parse = Callable[[int], dict[str, Any]]
ALL = ("nightly_retention", "subject_request", "due_dates", "audit_check", "airflow_upkeep")
COUNTS = pytest.mark.parametrize("n", [1, 2, 3])


def nightly(parsed: dict[str, Any]) -> dict[str, Any]:
    assert parsed["errors"] == {}
    dag: dict[str, Any] = parsed["dags"]["nightly_retention"]
    return dag


@COUNTS
def test_every_task_that_carries_out_has_the_approval_upstream_and_receives_it_as_data(
    parsed_with: Parse, n: int
) -> None:
    tasks = nightly(parsed_with(n))["tasks"]
    destructive = [name for name in tasks if name.endswith(".carry_out")]

    assert len(destructive) == n
    for name in destructive:
        assert {"approve", "record_approval", "guard"} <= set(tasks[name]["up"])
        assert "record_approval" in tasks[name]["data"]
        assert tasks[name]["rule"] == "all_success"


@COUNTS
def test_nothing_is_decided_before_every_system_was_asked_for_opt_outs_and_consents(parsed_with: Parse, n: int) -> None:
    tasks = nightly(parsed_with(n))["tasks"]
    planned = [name for name in tasks if name.startswith("decide.plan_")]

    assert len(planned) == n
    for name in planned:
        assert {t for t in tasks if t.startswith(("read.gather_", "look_up.find_"))} <= set(tasks[name]["up"])


def test_a_system_that_comes_after_another_waits_for_its_lanes_even_if_they_failed(parsed_with: Parse) -> None:
    tasks = nightly(parsed_with(3))["tasks"]

    assert tasks["turn_of_hubspot"]["direct"] == ["salesforce.carry_out"]
    assert tasks["turn_of_hubspot"]["rule"] == "all_done"
    assert "turn_of_hubspot" in tasks["hubspot.carry_out"]["direct"]
    assert not [name for name in tasks if name.startswith("turn_of_") and name != "turn_of_hubspot"]


@COUNTS
def test_the_barriers_open_also_when_a_system_failed(parsed_with: Parse, n: int) -> None:
    tasks = nightly(parsed_with(n))["tasks"]

    assert {tasks[name]["rule"] for name in ("join_opt_outs", "join_consents", "guard", "seal")} == {"all_done"}


def test_the_sweep_runs_at_two_in_london_alone_without_catching_up_and_starts_paused(parsed_with: Parse) -> None:
    dag = nightly(parsed_with(3))

    assert dag["schedule"] == "0 2 * * *"
    assert (dag["catchup"], dag["max_active_runs"], dag["paused"]) == (False, 1, True)
    assert dag["doc"]
    assert "destructive" in dag["tags"]


def test_every_task_has_an_owner_and_a_policy_for_what_is_worth_repeating(parsed_with: Parse) -> None:
    tasks = nightly(parsed_with(3))["tasks"]

    assert {task["owner"] for task in tasks.values()} == {"privacy"}
    assert {task["policy"] for task in tasks.values()} == {"ExceptionRetryPolicy"}


@pytest.mark.parametrize("dag", ALL)
def test_every_task_says_in_words_what_it_does_and_every_dag_where_its_runbook_is(parsed_with: Parse, dag: str) -> None:
    found = parsed_with(3)["dags"][dag]

    assert {name for name, task in found["tasks"].items() if not task["doc"]} == set()
    assert {task["shown"] for task in found["tasks"].values() if "_" in task["shown"]} == set()
    assert "docs/runbook.md" in found["doc"]
    assert found["tags"]


@pytest.mark.parametrize("dag", ALL)
def test_the_owner_of_every_dag_leads_to_the_operations_page(parsed_with: Parse, dag: str) -> None:
    found = parsed_with(3)["dags"][dag]

    assert found["owner_links"] == {"privacy": "https://airflow.example/retention-operations/"}


def test_parsing_opens_no_connection_and_imports_no_vendor_library(parsed_with: Parse) -> None:
    parsed = parsed_with(3)

    assert parsed["opened"] == []
    assert parsed["vendor"] == []


def test_a_dag_file_is_short() -> None:
    for file in (ROOT / "dags").glob("*.py"):
        assert len(file.read_text().splitlines()) <= 80


@COUNTS
def test_a_copy_is_made_and_its_link_sent_before_the_run_forgets_whom_it_was_about(parsed_with: Parse, n: int) -> None:
    parsed = parsed_with(n)
    assert parsed["errors"] == {}
    tasks = parsed["dags"]["subject_request"]["tasks"]

    assert {name for name in tasks if name.endswith(".verify")} <= set(tasks["make_copies"]["up"])
    assert "make_copies" in tasks["send_links"]["direct"]
    assert "send_links" in tasks["answer"]["direct"]
    assert {tasks[name]["rule"] for name in ("make_copies", "send_links", "answer")} == {"all_done"}


def test_old_copies_are_destroyed_each_morning_whatever_else_the_run_does(parsed_with: Parse) -> None:
    dag = parsed_with(3)["dags"]["subject_request"]

    assert dag["schedule"] == "0 6 * * *"
    assert dag["tasks"]["destroy_copies"]["up"] == []
    assert "destroy_copies" in dag["tasks"]["close_settled"]["direct"]


@pytest.mark.parametrize(("name", "at"), [("due_dates", "50 5 * * *"), ("airflow_upkeep", "0 5 * * *")])
def test_what_every_morning_needs_is_a_dag_of_its_own_that_waits_for_no_approval(
    parsed_with: Parse, name: str, at: str
) -> None:
    dag = parsed_with(1)["dags"][name]

    assert (dag["schedule"], dag["catchup"], dag["paused"], bool(dag["doc"])) == (at, False, True, True)
    assert "destructive" not in dag["tags"]
    assert all(task["direct"] == [] for task in dag["tasks"].values())
