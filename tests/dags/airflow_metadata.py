"""How does a test get real tables of Airflow's? By `airflow db migrate` on a database; rows as Airflow has them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg.types.json import Json

DAG = "subject_request"
ROLES = """
CREATE ROLE airflow_traces LOGIN PASSWORD 'traces';
CREATE ROLE airflow_upkeep LOGIN PASSWORD 'upkeep';
"""
GRANTS = """
GRANT SELECT (id, dag_id, conf), UPDATE (conf) ON dag_run TO airflow_traces;
GRANT SELECT (id, dag_id, event, extra), UPDATE (extra) ON log TO airflow_traces;
GRANT USAGE, CREATE ON SCHEMA public TO airflow_upkeep;
GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO airflow_upkeep;
"""
"""As docs/requests.md and docs/runbook.md say."""


def migrate(url: str, home: Path) -> None:
    """Airflow's tables, and the two roles the pipeline has there."""
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url.replace("postgresql://", "postgresql+psycopg2://", 1),
    }
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with psycopg.connect(url, autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = 'airflow_upkeep'").fetchone():
            admin.execute(ROLES)
        admin.execute(GRANTS)


def add_run(
    db: psycopg.Connection, run_id: str, at: datetime, run_type: str = "manual", conf: object = None, dag: str = DAG
) -> None:
    """A run that is over, with one task, what that handed on, its rendered fields and a question it asked."""
    (number,) = db.execute(
        "INSERT INTO dag_run (dag_id, run_id, run_type, run_after, start_date, end_date, state, conf)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'success', %s) RETURNING id",
        (dag, run_id, run_type, at, at, at, Json(conf)),
    ).fetchone() or (0,)
    task = uuid.uuid4()
    db.execute(
        "INSERT INTO task_instance (id, task_id, dag_id, run_id, try_number, pool, pool_slots, start_date, state)"
        " VALUES (%s, 'read', %s, %s, 1, 'default_pool', 1, %s, 'success')",
        (task, dag, run_id, at),
    )
    db.execute(
        "INSERT INTO xcom (dag_run_id, task_id, key, dag_id, run_id, timestamp, value)"
        " VALUES (%s, 'read', 'return_value', %s, %s, %s, '1')",
        (number, dag, run_id, at),
    )
    db.execute(
        "INSERT INTO rendered_task_instance_fields (dag_id, task_id, run_id, rendered_fields)"
        " VALUES (%s, 'read', %s, '{}')",
        (dag, run_id),
    )
    db.execute(
        "INSERT INTO hitl_detail (ti_id, options, subject, params, created_at, params_input)"
        " VALUES (%s, '[]', 'a digest', '{}', %s, '{}')",
        (task, at),
    )


def add_call(db: psycopg.Connection, at: datetime, extra: str | None = None, dag: str = DAG) -> None:
    """What Airflow's own audit log says of a call that triggers a run."""
    db.execute("INSERT INTO log (dttm, dag_id, event, extra) VALUES (%s, %s, 'trigger_dag_run', %s)", (at, dag, extra))
