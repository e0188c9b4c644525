"""Is what somebody typed into Airflow's trigger form gone afterwards, wherever Airflow wrote it, and nothing else?"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from retention.store import airflow_traces
from retention.store.database import rows, run

DAG = "subject_request"
ADDRESS = "ann@example.com"
ID = "request-0123456789abcdef"


@pytest.fixture
def db(ledger: Engine) -> Iterator[Connection]:
    """The two tables of Airflow's, as far as they are touched."""
    with ledger.begin() as db:
        run(db, "CREATE TEMP TABLE dag_run (id serial, dag_id text, conf jsonb)")
        run(db, "CREATE TEMP TABLE log (id serial, dag_id text, event text, extra text)")
        yield db


def triggered(db: Connection, body: object, dag: str = DAG, event: str = "trigger_dag_run") -> None:
    run(db, "INSERT INTO log (dag_id, event, extra) VALUES (:d, :e, :x)", d=dag, e=event, x=json.dumps(body))


def extras(db: Connection) -> list[str | None]:
    return [row.extra for row in rows(db, "SELECT extra FROM log ORDER BY id")]


@pytest.mark.parametrize(
    "body",
    [
        {"conf": {"email": ADDRESS}},
        {"conf": {"request_id": ADDRESS}},
        {"conf": {"request_id": ID, "email": ADDRESS}},
        {"conf": json.dumps({"email": ADDRESS})},
        {"conf": {}, "note": f"for {ADDRESS}"},
        {"conf": {}, "dag_run_id": ADDRESS},
        [ADDRESS],
    ],
    ids=["another-key", "no-id", "besides-an-id", "as-text", "as-a-note", "as-the-runs-id", "no-object"],
)
def test_what_names_a_person_is_emptied_wherever_it_was_typed(db: Connection, body: object) -> None:
    triggered(db, body)
    assert airflow_traces.forget(db, DAG) == 1
    assert extras(db) == [None]


def test_a_call_that_was_refused_left_its_body_too_and_that_goes(db: Connection) -> None:
    run(db, "INSERT INTO log (dag_id, event, extra) VALUES (:d, 'trigger_dag_run', :x)", d=DAG, x=f"not json {ADDRESS}")
    assert airflow_traces.forget(db, DAG) == 1
    assert extras(db) == [None]


def test_opaque_ids_other_dags_and_other_events_are_left_alone(db: Connection) -> None:
    triggered(db, {"conf": {"request_id": ID}, "dag_run_id": ID, "logical_date": None})
    triggered(db, {"conf": {"email": ADDRESS}}, dag="another")
    triggered(db, {"new_dag_id": "x"}, event="clear")
    before = extras(db)
    assert airflow_traces.forget(db, DAG) == 0
    assert extras(db) == before


def test_the_runs_own_configuration_goes_and_an_id_stays(db: Connection) -> None:
    for conf in ({"email": ADDRESS}, {"request_id": ID}, {}):
        run(db, "INSERT INTO dag_run (dag_id, conf) VALUES (:d, CAST(:c AS jsonb))", d=DAG, c=json.dumps(conf))
    assert airflow_traces.forget(db, DAG) == 1
    assert [row.conf for row in rows(db, "SELECT conf FROM dag_run ORDER BY id")] == [None, {"request_id": ID}, {}]
