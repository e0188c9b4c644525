"""What of a run's configuration does Airflow keep, and how is it removed? In `dag_run.conf` and in its audit log.

Airflow writes the body of every trigger call to its table `log`, refused ones too, so that cleaning up after a run is
not enough: whatever was written for a DAG and is no opaque id of a request is removed. What the database keeps in dead
rows and its write-ahead log is gone after the next vacuum and with the log's rotation (docs/requests.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sqlalchemy import Connection

from retention.store import requests
from retention.store.database import rows, run

TRIGGERED = ("trigger_dag_run", "cli_dag_trigger", "cli_dags_trigger", "materialize_asset", "create_backfill")
ID = "request_id"
_OF_A_RUN = re.compile(r"request-[0-9a-f]{16}(-identified)?|(manual|scheduled)__[0-9T:.+\-]+(_[A-Za-z0-9]+)?")
"""Ids of runs that say nothing of anybody: ours, and those Airflow makes up."""


def forget(db: Connection, dag_id: str) -> int:
    """Remove what was typed in for a DAG and is no id of a request; returns how many records were emptied."""
    emptied = 0
    for one in rows(db, "SELECT id, conf FROM dag_run WHERE dag_id = :dag AND conf IS NOT NULL", dag=dag_id):
        if not _is_harmless(one.conf):
            emptied += run(db, "UPDATE dag_run SET conf = NULL WHERE id = :id", id=one.id)
    told = "SELECT id, extra FROM log WHERE dag_id = :dag AND event = ANY (:events) AND extra IS NOT NULL"
    for one in rows(db, told, dag=dag_id, events=list(TRIGGERED)):
        if not all(_is_harmless(conf) for conf in _confs_in(one.extra)):
            emptied += run(db, "UPDATE log SET extra = NULL WHERE id = :id", id=one.id)
    return emptied


def _confs_in(extra: str) -> Iterator[object]:
    """What an entry of the audit log holds as configuration; the text itself where it cannot be read."""
    try:
        body = json.loads(extra)
    except ValueError:
        yield extra
        return
    if not isinstance(body, dict):
        yield extra
        return
    conf = body.get("conf")
    yield json.loads(conf) if isinstance(conf, str) and conf.startswith("{") else conf
    note, run_id = body.get("note"), body.get("dag_run_id")
    yield note or None
    yield {ID: run_id} if run_id and not _OF_A_RUN.fullmatch(str(run_id)) else None


def _is_harmless(conf: object) -> bool:
    """Whether a configuration is empty or holds the id of a request and nothing else."""
    if isinstance(conf, str) and conf.startswith("{"):
        conf = json.loads(conf)
    if not conf:
        return True
    return isinstance(conf, dict) and set(conf) <= {ID} and requests.is_id(conf.get(ID, ""))
