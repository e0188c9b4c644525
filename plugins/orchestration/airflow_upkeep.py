"""What may Airflow forget of our runs? Its own metadata (by its own clean-up) and its task logs, past their period.

Tasks have no way to Airflow's database, so a connection of its own names a role that may read, delete and make tables
there: Airflow moves what it deletes into a table beside it first, which is dropped. How long is the policy's to say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pendulum
from airflow.configuration import conf

from orchestration import wiring
from retention import audit
from retention.policy import StoreName
from retention.policy.stores import UPKEEP
from retention.store import airflow_runs, audit_log, database
from retention.store.database import Engine

METADATA = "retention_airflow_upkeep"
TRACES_OF_RUNS = (
    *("dag_run", "task_instance", "task_instance_history", "task_reschedule", "task_state_store", "xcom"),
    *("log", "job", "callback", "deadline", "import_error", "asset_event", "celery_taskmeta", "celery_tasksetmeta"),
)
"""Tables of Airflow's, besides what goes with them (rendered fields, approvals, notes). DAGs themselves stay."""


def forget_runs() -> int:
    """Delete what Airflow holds of runs past their period; returns how many runs went."""
    before = _past(StoreName.AIRFLOW_METADATA)
    if before is None:
        return 0
    with _engine() as engine:
        gone = purge(engine, before)
    _note(StoreName.AIRFLOW_METADATA, gone)
    return gone


def purge(engine: Engine, before: datetime) -> int:
    """Delete traces of runs begun before a moment; the newest scheduled run of each DAG stays: Airflow needs it."""
    from airflow.utils.db_cleanup import config_dict, run_cleanup  # 2 s of imports that no other task needs

    with engine.begin() as db:
        airflow_runs.drop_left_over(db)
        runs, there = airflow_runs.count(db), airflow_runs.tables(db)
    with airflow_runs.session(engine) as session:
        run_cleanup(
            clean_before_timestamp=pendulum.instance(before),
            table_names=[name for name in TRACES_OF_RUNS if name in config_dict and name in there],
            confirm=False,
            skip_archive=True,
            session=session,
            error_on_cleanup_failure=True,
        )
    with engine.begin() as db:
        return runs - airflow_runs.count(db)


def forget_logs() -> int:
    """Delete task logs past their period from the folder they are written to; returns how many files went."""
    before = _past(StoreName.AIRFLOW_LOGS)
    if before is None:
        return 0
    gone = delete_older(Path(conf.get_mandatory_value("logging", "base_log_folder")), before)
    _note(StoreName.AIRFLOW_LOGS, gone)
    return gone


def delete_older(folder: Path, before: datetime) -> int:
    """Delete files last written before a moment, and the folders that this leaves empty; links are not followed."""
    gone, emptied = 0, set[Path]()
    for place, folders, files in os.walk(folder, topdown=False):
        here = Path(place)
        for file in (here / name for name in files):
            if file.lstat().st_mtime < before.timestamp():
                file.unlink(missing_ok=True)
                emptied.add(here)
                gone += 1
        for inner in emptied.intersection(here / name for name in folders):
            with suppress(OSError):  # something younger lies there, or was just written
                inner.rmdir()
                emptied.add(here)
    return gone


def _past(store: StoreName) -> datetime | None:
    """Before which moment a store forgets; None where the policy has somebody else see to it."""
    rule = wiring.policy().stores.get(store)
    if rule is None or rule.ended_by != UPKEEP:
        return None
    day: date = rule.kept_since(wiring.today())
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(wiring.policy().schedule.answering.zone))


def _note(store: StoreName, gone: int) -> None:
    desk = wiring.desk()
    with desk.transaction() as db:
        entry = desk.entry(audit.Event.STORE_TIDIED, reasons=(store,), count=gone, role=audit.Role.EXECUTOR)
        audit_log.append(db, [entry])


@contextmanager
def _engine() -> Iterator[Engine]:
    conn = wiring.connection(METADATA, "Airflow's own database, with the right to delete what is past its period")
    options = {name: str(value) for name, value in conn.extra_dejson.items()}
    engine = database.connect_to(
        conn.host or "", conn.port or 5432, conn.schema or "", conn.login, conn.password, options
    )
    try:
        yield engine
    finally:
        engine.dispose()
