"""Does Airflow forget our runs past their period, and what was typed into it at once? On its real tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url

from retention.keyring import Keyring
from retention.policy import StoreName, load
from retention.store.database import rows
from sandbox.stack.postgres import Server
from tests.conftest import ROOT, copy_of
from tests.dags.airflow_metadata import DAG, add_call, add_run, migrate

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=91), NOW - timedelta(days=89)
ADDRESS = "ann@example.com"
ID = "request-0123456789abcdef"


@pytest.fixture(scope="session")
def airflow_tables(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with Airflow's real tables, to copy from."""
    name = "airflow_template"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    migrate(postgres.url(name), tmp_path_factory.mktemp("airflow"))
    return name


@pytest.fixture
def metadata_url(postgres: Server, airflow_tables: str) -> Iterator[str]:
    with copy_of(airflow_tables, postgres) as url:
        yield url


@pytest.fixture
def surroundings(metadata_url: str, ledger_url: str, tmp_path: Path) -> dict[str, str]:
    """What a task finds in its environment: connections under the roles of the docs, and no way of Airflow's own."""
    ledger, metadata = make_url(ledger_url), make_url(metadata_url)
    there = {"conn_type": "postgres", "host": metadata.host, "port": metadata.port, "schema": metadata.database}
    connections: dict[str, dict[str, Any]] = {
        "retention_ledger": {
            "conn_type": "postgres",
            "host": ledger.host,
            "port": ledger.port,
            "schema": ledger.database,
            "login": ledger.username,
            "password": ledger.password,
        },
        "retention_keys": {"conn_type": "generic", "password": Keyring.generate("k1").to_json()},
        "retention_airflow_database": there | {"login": "airflow_traces", "password": "traces"},
        "retention_airflow_upkeep": there | {"login": "airflow_upkeep", "password": "upkeep"},
    }
    return {
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/never-made.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "logs"),
        "AS_OF": NOW.date().isoformat(),
        "PYTHONPATH": str(ROOT / "plugins"),
    } | {f"AIRFLOW_CONN_{name.upper()}": json.dumps(values) for name, values in connections.items()}


def as_a_task(surroundings: dict[str, str], call: str) -> str:
    """What a task's function answers in a process like a worker's."""
    code = f"from orchestration import airflow_upkeep as upkeep; print('ANSWER', upkeep.{call}())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | surroundings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.rpartition("ANSWER")[2].strip()


def tidied(ledger: Engine) -> list[tuple[list[str], int]]:
    with ledger.begin() as db:
        bodies = [json.loads(bytes(r.body)) for r in rows(db, "SELECT body FROM audit_entries ORDER BY seq")]
    return [(body["reasons"], body["count"]) for body in bodies if body["event"] == "store_tidied"]


def test_runs_past_their_period_go_with_all_they_left_and_younger_ones_stay(
    metadata_url: str, surroundings: dict[str, str], ledger: Engine
) -> None:
    with psycopg.connect(metadata_url) as db:
        add_run(db, "old-1", OLD)
        add_run(db, "old-2", OLD, dag="nightly_retention")
        add_run(db, "young", YOUNG)
        add_call(db, OLD)
        add_call(db, YOUNG)
        db.execute("INSERT INTO job (latest_heartbeat, job_type) VALUES (%s, 'SchedulerJob')", (OLD,))

    assert as_a_task(surroundings, "forget_runs") == "2"

    with psycopg.connect(metadata_url) as db:
        for table in ("dag_run", "task_instance", "xcom", "rendered_task_instance_fields"):
            left = [row[0] for row in db.execute(f"SELECT run_id FROM {table}".encode())]
            assert (table, left) == (table, ["young"])
        assert db.execute("SELECT count(*) FROM hitl_detail").fetchone() == (1,)
        assert db.execute("SELECT dttm FROM log WHERE event = 'trigger_dag_run'").fetchall() == [(YOUNG,)]
        assert db.execute("SELECT count(*) FROM job").fetchone() == (0,)
        assert db.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE '%deleted%'").fetchall() == []
    assert tidied(ledger) == [(["airflow_metadata"], 2)]
    assert as_a_task(surroundings, "forget_runs") == "0"


def test_the_newest_scheduled_run_of_a_dag_stays_so_that_airflow_knows_where_it_was(
    metadata_url: str, surroundings: dict[str, str]
) -> None:
    with psycopg.connect(metadata_url) as db:
        add_run(db, "older", OLD - timedelta(days=1), "scheduled")
        add_run(db, "newest", OLD, "scheduled")

    assert as_a_task(surroundings, "forget_runs") == "1"
    with psycopg.connect(metadata_url) as db:
        assert db.execute("SELECT run_id FROM dag_run").fetchall() == [("newest",)]


def test_what_an_interrupted_clean_up_moved_aside_goes_with_the_next(
    metadata_url: str, surroundings: dict[str, str]
) -> None:
    aside = make_url(metadata_url).set(username="airflow_upkeep", password="upkeep")
    with psycopg.connect(aside.render_as_string(hide_password=False), autocommit=True) as ours:
        ours.execute("CREATE TABLE _airflow_deleted__log__20260101000000 AS SELECT * FROM log")

    as_a_task(surroundings, "forget_runs")

    with psycopg.connect(metadata_url) as db:
        assert db.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE '%deleted%'").fetchall() == []


def test_log_files_past_their_period_go_with_their_folders_and_younger_ones_stay(
    surroundings: dict[str, str], ledger: Engine, tmp_path: Path
) -> None:
    for run_id, at in (("old", OLD), ("young", YOUNG)):
        file = tmp_path / "logs" / f"dag_id={DAG}" / f"run_id={run_id}" / "task_id=read" / "attempt=1.log"
        file.parent.mkdir(parents=True)
        file.write_text("done\n")
        for place in (file, file.parent, file.parent.parent):
            os.utime(place, (at.timestamp(), at.timestamp()))
    outside = tmp_path / "elsewhere.txt"
    outside.write_text("not a log")
    os.utime(outside, (OLD.timestamp(), OLD.timestamp()))
    (tmp_path / "logs" / "link").symlink_to(outside)

    assert as_a_task(surroundings, "forget_logs") == "1"

    assert [p.name for p in (tmp_path / "logs" / f"dag_id={DAG}").iterdir()] == ["run_id=young"]
    assert outside.exists()
    assert tidied(ledger) == [(["airflow_logs"], 1)]


def test_the_shipped_policy_keeps_them_ninety_days() -> None:
    stores = load(ROOT / "include" / "policy").stores
    for name in (StoreName.AIRFLOW_METADATA, StoreName.AIRFLOW_LOGS):
        assert stores[name].kept_since(date(2026, 11, 22)) == date(2026, 8, 24)
    assert stores[StoreName.READINGS].kept_since(date(2026, 3, 31)) == date(2025, 2, 28)
    assert stores[StoreName.AUDIT_LOG].kept_since(date(2024, 2, 29)) == date(2018, 2, 28)
    with pytest.raises(ValueError, match="no first day"):
        stores[StoreName.SUPPRESSION_LIST].kept_since(date(2026, 11, 22))


@pytest.fixture
def open_run(surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The first task of a run for requests, called as Airflow calls it, with what was typed in."""
    for name, value in surroundings.items():
        if name.startswith("AIRFLOW_CONN_") or name in ("AS_OF", "AIRFLOW_HOME"):
            monkeypatch.setenv(name, value)
    from airflow.sdk.execution_time.context import set_current_context

    from orchestration import request_tasks

    def run(conf: dict[str, object]) -> object:
        this = SimpleNamespace(dag_id=DAG, run_id="manual__1", conf=conf, run_type="manual", triggering_user_name="x")
        with set_current_context({"dag_run": this}):  # type: ignore[typeddict-item]
            return request_tasks.open_run.function()

    return run


def test_a_run_with_anything_typed_in_is_refused_and_what_was_typed_is_gone_from_airflows_tables(
    open_run: Any, metadata_url: str
) -> None:
    with psycopg.connect(metadata_url) as db:
        add_run(db, "manual__1", NOW, conf={"email": ADDRESS})
        add_run(db, ID, NOW, conf={"request_id": ID})
        add_run(db, "manual__2", NOW, conf={"email": ADDRESS}, dag="another")
        add_call(db, NOW, json.dumps({"conf": {"email": ADDRESS}, "logical_date": None}))
        add_call(db, NOW, json.dumps({"conf": {"request_id": ID}, "dag_run_id": ID}))
        add_call(db, NOW, f"refused: {ADDRESS}")

    with pytest.raises(Exception, match=r"not expected here and was removed \(3 records\)") as refused:
        open_run({"email": ADDRESS})

    assert ADDRESS not in str(refused.value)
    assert "New request" in str(refused.value)
    with psycopg.connect(metadata_url) as db:
        confs = dict(db.execute("SELECT run_id, conf FROM dag_run").fetchall())
        extras = [row[0] for row in db.execute("SELECT extra FROM log WHERE event = 'trigger_dag_run' ORDER BY id")]
    assert confs == {"manual__1": None, ID: {"request_id": ID}, "manual__2": {"email": ADDRESS}}
    assert extras == [None, json.dumps({"conf": {"request_id": ID}, "dag_run_id": ID}), None]


def test_an_address_in_place_of_the_id_is_removed_too(open_run: Any, metadata_url: str) -> None:
    with psycopg.connect(metadata_url) as db:
        add_run(db, "manual__1", NOW, conf={"request_id": ADDRESS})

    with pytest.raises(Exception, match="was removed"):
        open_run({"request_id": ADDRESS})
    with psycopg.connect(metadata_url) as db:
        assert db.execute("SELECT conf FROM dag_run").fetchall() == [(None,)]
