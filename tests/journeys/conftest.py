"""One real stack for all stories: a real Airflow, a real PostgreSQL, the emulators. Fault by injection, no sleeps
but one: a person needs some seconds to answer, and Airflow loses answers that come faster."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.rows import dict_row

from sandbox.population import Population, build
from sandbox.stack.demo import DAG, PERSON_HESITATES_SECONDS, ended, ended_or_asked_again
from sandbox.stack.local import LocalStack
from tests.conftest import ROOT

AS_OF = date(2026, 11, 22)


def quick_policy(folder: Path) -> Path:
    """The shipped policy with a short lease and short retries, so that a crash is over within seconds."""
    shipped = ROOT / "include" / "policy"
    folder.mkdir(parents=True, exist_ok=True)
    schedule = yaml.safe_load((shipped / "schedule.yaml").read_text())
    schedule["operations"] |= {"lease_seconds": 15, "retries": 1, "retry_seconds": 2, "alarms_seen_seconds": 8}
    (folder / "schedule.yaml").write_text(yaml.safe_dump(schedule, sort_keys=False))
    (folder / "systems.yaml").write_text((shipped / "systems.yaml").read_text())
    return folder


@dataclass
class Company:
    """The running stack, and what its people do."""

    stack: LocalStack
    people: Population
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    latest: str = ""

    def start_sweep(self, by: str = "operator") -> str:
        """Somebody triggers a sweep on fresh systems; returns the run."""
        for emulator in self.stack.emulators.values():
            emulator.reset()
        self.latest = self.stack.airflow.person(by).trigger(DAG)
        return self.latest

    def account(self) -> str:
        """How the latest run stands and what its tasks last said, for whoever has to find out why a story failed."""
        operator = self.stack.airflow.person("operator")
        run = self.latest or str(operator.runs(DAG)[0]["dag_run_id"])
        states = sorted(f"{task}[{lane}] {state}" for (task, lane), state in operator.tasks(DAG, run).items())
        said = []
        for log in sorted((self.stack.logs / "tasks").glob(f"dag_id={DAG}/run_id={run}/**/*.log")):
            lines = [line for line in log.read_text(errors="replace").splitlines() if '"error"' in line]
            said += [f"{log.parent.name}/{log.name}: {line[:600]}" for line in lines[-3:]]
        return "\n".join([f"{run}: {operator.state(DAG, run)}", *states, *said])

    def wait_for_question(self, run: str) -> None:
        """Until the DPO is asked."""
        dpo = self.stack.airflow.person("dpo")
        self.wait("the question", lambda: dpo.waits_for_answer(DAG, run) or ended(dpo, run), 300)
        assert dpo.waits_for_answer(DAG, run), dpo.tasks(DAG, run)
        time.sleep(PERSON_HESITATES_SECONDS)

    def answer(self, run: str, by: str = "dpo", choice: str = "Approve") -> int:
        """Somebody answers; the HTTP status. If it is taken, they will answer again when asked again."""
        status = self.stack.airflow.person(by).answer(DAG, run, choice).status_code
        if status == 200:
            self.answers[run] = (by, choice)
        return status

    def wait_for_end(self, run: str, seconds: float = 600) -> str:
        """Until the run is over; its state."""
        by, choice = self.answers.get(run, ("operator", ""))
        someone = self.stack.airflow.person(by)

        def over() -> bool:
            return ended_or_asked_again(someone, run, choice) if choice else ended(someone, run)

        self.wait("the run to end", over, seconds)
        return someone.state(DAG, run)

    def clear(self, run: str, *tasks: str) -> None:
        """What an operator does with tasks that shall run again, and all that follows them."""
        what = {"dag_run_id": run, "task_ids": tasks, "only_failed": False, "include_downstream": True}
        operator = self.stack.airflow.person("operator")
        done = operator.call("POST", f"/dags/{DAG}/clearTaskInstances", json={"dry_run": False, **what})
        assert done.status_code == 200, done.text

    def wait(self, what: str, so: Callable[[], bool], seconds: float) -> None:
        """Poll."""
        self.stack.processes.wait_until(what, so, seconds)

    def effects(self) -> dict[str, int]:
        """How many calls changed something, per system, since the systems were reset."""
        return {
            system: sum(bool(call["effect"]) for call in emulator.calls())
            for system, emulator in self.stack.emulators.items()
        }

    def query(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the ledger, as the auditor."""
        with psycopg.connect(self.stack.ledger_url("auditor"), row_factory=dict_row) as ledger:
            return ledger.execute(statement.encode(), values).fetchall()

    def sweep(self, run: str) -> str:
        """The sweep of a run."""
        return str(self.query("SELECT sweep_id FROM sweeps WHERE run_id = %s", run)[0]["sweep_id"])

    def states(self, run: str) -> dict[str, int]:
        """How many steps of a run's retention plans are in which state."""
        found = self.query(
            "SELECT s.state, count(*) AS n FROM steps s JOIN plans p USING (plan_id)"
            " WHERE p.sweep_id = %s AND p.purpose = 'retention' GROUP BY 1",
            self.sweep(run),
        )
        return {row["state"]: row["n"] for row in found}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the company's account of its latest run beside a failure: its logs are gone when CI has ended."""
    report = yield
    company = getattr(item, "funcargs", {}).get("company") or getattr(item, "funcargs", {}).get("rehearsing")
    if call.when == "call" and report.failed and isinstance(company, Company):
        try:
            report.sections.append(("the latest run", company.account()))
        except Exception as error:  # noqa: BLE001 - the failure itself must be shown, whatever the stack is still able to say
            report.sections.append(("the latest run", f"cannot be told: {type(error).__name__}"))
    return report


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The stack, in dry mode, with the DAG unpaused and its first (scheduled) run over."""
    home = tmp_path_factory.mktemp("company")
    stack = LocalStack(home, AS_OF, policy=quick_policy(home / "policy"))
    try:
        stack.start()
        stack.approve_policy()
        yield Company(stack, build(seed=1, scale=1, as_of=AS_OF))
    finally:
        stack.stop()


@pytest.fixture
def rehearsing(company: Company) -> Company:
    """The stack, allowed to act on its own machine, with every component running."""
    company.stack.retention("mode", "rehearsal", "--by", "dpo", role="migrator")
    return company
