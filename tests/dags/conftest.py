"""How does a test see the DAGs as Airflow does? One parse a session, with a policy of one, two or three systems."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

PARSE = """
import json, os, sys, socket
opened = []
real = socket.socket.connect
socket.socket.connect = lambda self, address: (opened.append(repr(address)), real(self, address))[1]
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
def shown(dag):
    return {
        "tasks": {
            t.task_id: {
                "up": sorted(t.get_flat_relative_ids(upstream=True)), "direct": sorted(t.upstream_task_ids),
                "retries": t.retries, "policy": type(t.retry_policy).__name__ if t.retry_policy else None,
                "owner": t.owner, "rule": str(getattr(t.trigger_rule, "value", t.trigger_rule)),
                "shown": t.task_display_name,
                "doc": bool(getattr(t, "doc_md", None) or getattr(t, "doc", None)),
                "data": sorted({ref for ref in inputs(t)}),
            } for t in dag.tasks
        },
        "catchup": dag.catchup, "max_active_runs": dag.max_active_runs, "paused": dag.is_paused_upon_creation,
        "tags": sorted(dag.tags), "owner_links": dag.owner_links,
        "doc": dag.doc_md, "schedule": str(dag.timetable.summary),
    }
def inputs(task):
    from airflow.sdk.definitions.xcom_arg import XComArg
    given = [getattr(task, "op_args", ()), getattr(task, "op_kwargs", {})]
    if getattr(task, "partial_kwargs", None):
        given += [task.partial_kwargs.get("op_kwargs", {}), task.op_kwargs_expand_input.value]
    for operator, _ in XComArg.iter_xcom_references(given):
        yield operator.task_id
vendor = [m for m in ("simple_salesforce", "hubspot", "paramiko", "msal", "connectors", "asyncssh") if m in sys.modules]
print("RESULT" + json.dumps({"errors": bag.import_errors, "dags": {i: shown(d) for i, d in bag.dags.items()},
                             "vendor": vendor, "opened": opened}))
"""

Parsed = dict[str, Any]


@pytest.fixture(scope="session")
def parsed_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Parsed]:
    """Parse the DAG folder in a process of its own, with the first n systems of the shipped policy."""

    @cache
    def parse(n: int) -> Parsed:
        folder = tmp_path_factory.mktemp(f"policy{n}")
        write_policy(folder, n)
        home = tmp_path_factory.mktemp("airflow")
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__API__BASE_URL": "https://airflow.example",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/never-made.db",
            "PYTHONPATH": str(ROOT / "plugins"),
            "RETENTION_POLICY": str(folder),
        }
        done = subprocess.run(
            [sys.executable, "-c", PARSE], env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert "RESULT" in done.stdout, done.stderr[-3000:]
        result: Parsed = json.loads(done.stdout.rpartition("RESULT")[2])
        return result

    return parse


def write_policy(folder: Path, n: int) -> None:
    """The shipped policy with the first n of its systems."""
    shipped = ROOT / "include" / "policy"
    systems = yaml.safe_load((shipped / "systems.yaml").read_text())
    systems["systems"] = dict(list(systems["systems"].items())[:n])
    (folder / "systems.yaml").write_text(yaml.safe_dump(systems, sort_keys=False))
    (folder / "schedule.yaml").write_text((shipped / "schedule.yaml").read_text())
