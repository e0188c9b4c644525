"""Does a night on several Celery workers, one of them killed half way, end exactly as on one machine?

Everything runs as docker-compose.yaml says: see tests/production/deployment.py for what is given instead of Docker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from sandbox.stack import demo
from sandbox.stack.demo import DAG, PERSON_HESITATES_SECONDS, ended, ended_or_asked_again, records
from tests.conftest import ROOT
from tests.journeys.conftest import quick_policy
from tests.production.deployment import LONG_RUNNING, WORKERS, Deployment, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
]
AS_OF = date(2026, 11, 22)
STEPS = """
SELECT steps.system, steps.kind, encode(steps.record_key, 'hex'), steps.action, steps.fields, steps.reasons, steps.state
FROM steps JOIN plans USING (plan_id) WHERE steps.state NOT IN ('dropped')
"""

DONE = """
SELECT count(*) FROM steps JOIN plans USING (plan_id)
WHERE plans.purpose = 'retention' AND steps.state IN ('done', 'verified')
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The whole file running, its systems being emulators, in rehearsal mode under an approved policy."""
    home = tmp_path_factory.mktemp("production")
    made = Deployment(home, AS_OF, quick_policy(home / "policy"))
    try:
        made.start_stores()
        made.initialise()
        made.start_airflow()
        rehearse(made, "ledger")
        yield made
    finally:
        made.stop()


def rehearse(made: Deployment, database: str) -> None:
    """What the data-protection officer does before a pipeline may act."""
    digest = json.loads(made.retention("policy", "check", "--json", duty="auditor", database=database))["digest"]
    made.retention("policy", "approve", "--by", "dpo", "--digest", digest, duty="approver", database=database)
    made.retention("mode", "rehearsal", "--by", "dpo", duty="approver", database=database)


def night_alone(made: Deployment) -> None:
    """The same night in one process, in a ledger of its own on the same server."""
    with psycopg.connect(made.ledger_url("migrator"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier("alone")))
    made.retention("ledger", "migrate", duty="migrator", database="alone")
    rehearse(made, "alone")
    connections = json.loads((made.secrets / "connections_recording.json").read_text())
    owner = (made.secrets / "ledger_migrator_password").read_text()
    connections["retention_ledger"] |= {"schema": "alone", "login": "ledger_migrator", "password": owner}
    worker = made.here.service("worker-acting", "alone").environment
    environment = {name: value for name, value in worker.items() if "SECRETS_BACKEND" not in name}
    environment |= {f"AIRFLOW_CONN_{name.upper()}": json.dumps(values) for name, values in connections.items()}
    made.processes.run("alone", [sys.executable, "-m", "tests.production.alone"], environment, ROOT)


def steps_in(made: Deployment, database: str) -> list[Any]:
    with psycopg.connect(make_conninfo(made.ledger_url("auditor", database))) as ledger:
        return sorted(ledger.execute(STEPS).fetchall(), key=str)


def ended_steps(made: Deployment) -> int:
    with psycopg.connect(made.ledger_url("auditor")) as ledger:
        row = ledger.execute(DONE).fetchone()
    return int(row[0]) if row else 0


def in_the_middle(made: Deployment, run: str) -> str:
    """The worker that carries something out at this moment; empty if none does."""
    found = made.person("operator").get(f"/dags/{DAG}/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]
    for one in found:
        if one["task_id"] == "salesforce.carry_out" and one["state"] == "running" and one["pid"]:
            for name, process in made.processes.running.items():
                if name.startswith("worker-acting") and os.getsid(one["pid"]) == process.pid:
                    return name
    return ""


def left_in(made: Deployment) -> dict[str, set[str]]:
    return {system: records(system, emulator.state()) for system, emulator in made.emulators().items()}


def test_a_night_with_a_killed_worker_ends_exactly_as_on_one_machine(deployment: Deployment) -> None:
    emulators = deployment.emulators()
    before = left_in(deployment)
    night_alone(deployment)
    alone, left_alone = steps_in(deployment, "alone"), left_in(deployment)
    for emulator in emulators.values():
        emulator.reset()
    assert left_in(deployment) == before

    wait = deployment.processes.wait_until
    wait("the API", lambda: deployment.is_well("api-server"), 90)
    operator, dpo = deployment.person("operator"), deployment.person("dpo")
    wait("the DAG to be parsed", lambda: operator.knows(DAG), 60)
    operator.pause(DAG, paused=False)
    wait("the scheduled run to appear", lambda: bool(operator.runs(DAG)), 60)  # of last night, as in production
    run = str(operator.runs(DAG)[0]["dag_run_id"])
    wait("the question", lambda: dpo.waits_for_answer(DAG, run) or ended(dpo, run), 240)
    time.sleep(PERSON_HESITATES_SECONDS)
    emulators["salesforce"].fault(fault="delay_before_effect", seconds=6, times=6)  # so that the kill meets work
    assert dpo.answer(DAG, run, "Approve").status_code == 200
    wait("the first steps to be done", lambda: ended_steps(deployment) > 0 or ended_or_asked_again(dpo, run), 120)
    wait("a worker to be in the middle of it", lambda: bool(in_the_middle(deployment, run)), 60)
    deployment.kill(in_the_middle(deployment, run))
    wait("the run to end", lambda: ended_or_asked_again(dpo, run), 240)

    instances = operator.get(f"/dags/{DAG}/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]
    assert [i for i in instances if i["task_id"].endswith(".carry_out") and i["try_number"] > 1], "nothing was lost"
    assert operator.state(DAG, run) == "success", demo.failed_tasks(operator, run)
    assert steps_in(deployment, "ledger") == alone
    assert left_in(deployment) == left_alone
    assert left_alone != before


@pytest.mark.parametrize("name", [*LONG_RUNNING, "worker-reading", "worker-recording", "redis"])
def test_every_health_check_of_the_file_says_yes_on_what_runs(deployment: Deployment, name: str) -> None:
    hostname = next((host for service, host in WORKERS.values() if service == name), name)
    deployment.processes.wait_until(f"{name} to be well", lambda: deployment.is_well(name, hostname), 60)


def test_a_worker_that_was_killed_fails_its_health_check_and_the_other_does_not(deployment: Deployment) -> None:
    acting = [(name, host) for name, (service, host) in WORKERS.items() if service == "worker-acting"]
    well = {name for name, host in acting if deployment.is_well("worker-acting", host)}
    assert well == {name for name, _ in acting if name in deployment.processes.running}
    assert len(well) == 1


def test_the_ledger_is_not_reached_without_tls(deployment: Deployment) -> None:
    plain = deployment.ledger_url("auditor").replace("sslmode=verify-full", "sslmode=disable")
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(plain)


@pytest.mark.parametrize(("service", "options"), [("worker-acting", ()), ("worker-recording", ("--recording",))])
def test_the_doctor_finds_nothing_missing_where_the_connections_are_whole(
    deployment: Deployment, service: str, options: tuple[str, ...]
) -> None:
    code, told = doctor(deployment, service, *options)

    assert code == 0, told
    assert {line.split()[0] for line in told.splitlines()} == {"retention", *deployment.emulators()}


def test_the_doctor_says_that_a_worker_lacks_what_only_the_recording_one_has(deployment: Deployment) -> None:
    code, told = doctor(deployment, "worker-reading", "--recording")

    lacking = [line for line in told.splitlines() if "MISSING" in line]
    assert code == 1
    assert len(lacking) == 3
    for name, line in zip(
        ("retention_ledger_approver", "retention_signing", "retention_airflow"), lacking, strict=True
    ):
        assert f"no Airflow connection '{name}'" in line


def test_the_doctor_says_which_permission_a_system_lacks(deployment: Deployment) -> None:
    file = deployment.secrets / "connections_reading.json"
    whole = file.read_text()
    broken = json.loads(whole)
    broken["hubspot"]["password"] = "pat-eu1-made-up"
    broken["documents"]["extra"]["root"] = "/nowhere"
    file.write_text(json.dumps(broken))
    try:
        code, told = doctor(deployment, "worker-reading")
    finally:
        file.write_text(whole)

    assert code == 1
    assert [line.split()[0] for line in told.splitlines() if "MISSING" in line] == ["hubspot", "documents"]
    assert "pat-eu1-made-up" not in told


def doctor(made: Deployment, service: str, *options: str) -> tuple[int, str]:
    told = subprocess.run(
        [sys.executable, "-m", "retention", "doctor", *options],
        env=made.here.service(service, "doctor").environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.returncode, told.stdout
