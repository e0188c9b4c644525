"""Does a night on a real Airflow end as it should, when all goes well and when it does not?"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from sandbox.stack.demo import DAG, failed_tasks
from sandbox.stack.local import EMULATORS
from tests.journeys.conftest import Company

pytestmark = pytest.mark.slow

NOTHING = dict.fromkeys(EMULATORS, 0)
WITHOUT_SUPPRESSION = ("documents", "microsoft365")


def test_the_first_night_is_dry_it_plans_asks_nobody_and_changes_nothing(company: Company) -> None:
    operator = company.stack.airflow.person("operator")
    operator.pause(DAG, paused=False)
    company.wait("the scheduled run", lambda: bool(operator.runs(DAG)), 120)
    run = str(operator.runs(DAG)[0]["dag_run_id"])

    assert company.wait_for_end(run) == "success"

    assert operator.tasks(DAG, run)[("approve", -1)] == "skipped"
    assert company.effects() == NOTHING
    assert sum(company.states(run).values()) > 0


def test_somebody_who_is_not_asked_cannot_answer(rehearsing: Company) -> None:
    run = rehearsing.start_sweep()
    rehearsing.wait_for_question(run)

    assert rehearsing.answer(run, by="colleague") == 403
    assert rehearsing.answer(run, by="admin") == 403

    assert rehearsing.answer(run, choice="Reject") == 200
    assert rehearsing.wait_for_end(run) == "success"
    assert rehearsing.states(run).keys() == {"dropped"}
    assert only_suppression(rehearsing)


@pytest.mark.parametrize("forged", ["approve", "record_approval"])
def test_a_forged_answer_with_mark_success_erases_nothing(rehearsing: Company, forged: str) -> None:
    run = rehearsing.start_sweep()
    rehearsing.wait_for_question(run)
    colleague = rehearsing.stack.airflow.person("colleague")
    answer = {"chosen_options": ["Approve"], "responded_by_user": {"id": "dpo", "name": "dpo"}}
    for task, value in (("approve", answer), ("record_approval", "approval-0123456789abcdef")):
        colleague.call(
            "POST",
            f"/dags/{DAG}/dagRuns/{run}/taskInstances/{task}/xcomEntries",
            json={"key": "return_value", "value": value, "map_index": -1},
        )
    for task in ("record_approval", "approve") if forged == "record_approval" else ("approve",):
        marked = colleague.call(
            "PATCH", f"/dags/{DAG}/dagRuns/{run}/taskInstances/{task}", json={"new_state": "success"}
        )
        assert marked.status_code == 200, marked.text

    rehearsing.wait_for_end(run)

    assert only_suppression(rehearsing)
    assert rehearsing.query("SELECT 1 FROM approvals WHERE sweep_id = %s", rehearsing.sweep(run)) == []
    assert not {"done", "verified", "intended"} & rehearsing.states(run).keys()


def test_whoever_starts_a_sweep_cannot_approve_it(rehearsing: Company) -> None:
    run = rehearsing.start_sweep(by="dpo")
    rehearsing.wait_for_question(run)

    assert rehearsing.answer(run) == 200

    assert rehearsing.wait_for_end(run) == "failed"
    assert "record_approval" in failed_tasks(rehearsing.stack.airflow.person("operator"), run)
    assert only_suppression(rehearsing)


def test_a_backfill_is_refused_and_touches_nothing(rehearsing: Company) -> None:
    admin = rehearsing.stack.airflow.person("admin")
    for emulator in rehearsing.stack.emulators.values():
        emulator.reset()
    asked = admin.call(
        "POST",
        "/backfills",
        json={"dag_id": DAG, "from_date": "2026-11-18T00:00:00Z", "to_date": "2026-11-18T23:59:00Z"},
    )
    assert asked.status_code == 200, asked.text

    def backfills() -> list[dict[str, Any]]:
        return [r for r in admin.runs(DAG) if r["run_type"] == "backfill" and r["state"] in ("success", "failed")]

    rehearsing.wait("the backfill to end", lambda: bool(backfills()), 120)
    run = backfills()[0]["dag_run_id"]

    assert failed_tasks(admin, run)[-1:] == ["seal"] or "open_sweep" in failed_tasks(admin, run)
    assert rehearsing.effects() == NOTHING
    assert rehearsing.query("SELECT 1 FROM sweeps WHERE run_id = %s", run) == []


def test_a_cleared_task_of_a_finished_night_does_nothing_twice(rehearsing: Company) -> None:
    run = rehearsing.start_sweep()
    rehearsing.wait_for_question(run)
    assert rehearsing.answer(run) == 200
    assert rehearsing.wait_for_end(run) == "success"
    before = rehearsing.effects()
    assert min(before.values()) > 0
    assert rehearsing.states(run).keys() == {"verified"}

    rehearsing.clear(run, *(f"{system}.carry_out" for system in EMULATORS))
    assert rehearsing.wait_for_end(run) == "success"

    assert rehearsing.effects() == before


def test_a_system_that_is_down_is_left_alone_the_others_finish_and_opt_outs_wait(rehearsing: Company) -> None:
    run_before = rehearsing.start_sweep  # systems are reset when a sweep starts, so the fault comes after it
    run = run_before()
    rehearsing.stack.emulators["hubspot"].fault(method=None, path="*", times=10_000, fault="status", status=503)
    rehearsing.wait_for_question(run)
    assert rehearsing.answer(run) == 200

    assert rehearsing.wait_for_end(run) == "failed"

    operator = rehearsing.stack.airflow.person("operator")
    failed = failed_tasks(operator, run)
    assert "read.gather_hubspot" in failed or "read.settle_hubspot" in failed
    assert "conclude" in failed
    assert "salesforce.verify" not in failed
    assert "documents.verify" not in failed
    effects = rehearsing.effects()
    assert effects["hubspot"] == 0
    assert effects["salesforce"] > 0
    assert effects["documents"] > 0
    because_of_opt_out = rehearsing.query(
        "SELECT 1 FROM steps s JOIN plans p USING (plan_id) WHERE p.sweep_id = %s AND p.purpose = 'retention'"
        " AND s.rests_on_opt_out",
        rehearsing.sweep(run),
    )
    assert because_of_opt_out == []


@pytest.mark.parametrize("how", ["the scheduler alone", "the whole process group"])
def test_a_kill_in_the_middle_of_carrying_out_leaves_each_step_done_exactly_once(rehearsing: Company, how: str) -> None:
    run = rehearsing.start_sweep()
    rehearsing.wait_for_question(run)
    hubspot = rehearsing.stack.emulators["hubspot"]
    hubspot.fault(method="POST", path="*/gdpr-delete", times=2, fault="delay_after_effect", seconds=4)
    assert rehearsing.answer(run) == 200
    rehearsing.wait("a purge to be under way", lambda: bool(in_flight(rehearsing, run)), 240)

    rehearsing.stack.processes.stop("scheduler", kill=True, only_leader=how == "the scheduler alone")
    rehearsing.stack.airflow.start("scheduler")

    assert rehearsing.wait_for_end(run) == "success"
    assert rehearsing.states(run).keys() == {"verified"}
    purged = Counter(i for c in hubspot.calls() if c["path"].endswith("/gdpr-delete") and c["effect"] for i in c["ids"])
    assert purged
    assert set(purged.values()) == {1}
    erased = rehearsing.query(
        "SELECT count(*) AS n FROM steps s JOIN plans p USING (plan_id)"
        " WHERE p.sweep_id = %s AND s.system = 'hubspot' AND s.action = 'erase'",
        rehearsing.sweep(run),
    )
    assert len(purged) == erased[0]["n"]
    removed = Counter(
        i for c in rehearsing.stack.emulators["documents"].calls() if c["method"] == "REMOVE" for i in c["ids"]
    )
    assert set(removed.values()) <= {1}


def in_flight(company: Company, run: str) -> list[dict[str, Any]]:
    return company.query(
        "SELECT 1 FROM steps s JOIN plans p USING (plan_id) WHERE p.sweep_id = %s AND s.system = 'hubspot'"
        " AND s.action = 'erase' AND s.state = 'intended'",
        company.sweep(run),
    )


def only_suppression(company: Company) -> bool:
    """Whether nothing was changed but opt-outs set: marketing is stopped at once, and needs no approval."""
    for system, emulator in company.stack.emulators.items():
        for call in emulator.calls():
            if not call["effect"]:
                continue
            told = json.dumps(call)
            if system in WITHOUT_SUPPRESSION or "gdpr-delete" in told or "jobs/ingest" in told:
                return False
    return True
