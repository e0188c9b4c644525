"""How is a run started for somebody? Through Airflow's own REST API, with the caller's own token and rights."""

from __future__ import annotations

import httpx
from airflow.configuration import conf

from intake.guard import DAG, Caller

SECONDS = 30
PAUSED = (
    "The DAG 'Subject requests' is paused, so nothing would be done and nothing was written down. Unpause it (the"
    " switch beside its name), then send the form again."
)


class NotStarted(Exception):
    """No run could be started; the text says why and what to do."""


def refuse_if_paused(caller: Caller) -> None:
    """Before anything is written: a request that nobody works on is worse than a form that says no."""
    with _airflow(caller) as client:
        answer = client.get(f"/dags/{DAG}")
    if answer.status_code != httpx.codes.OK:
        raise NotStarted(f"Airflow does not show the DAG (status {answer.status_code}): see its import errors")
    if answer.json().get("is_paused"):
        raise NotStarted(PAUSED)


def start(caller: Caller, request_id: str, stage: str = "") -> None:
    """Start the run of a request, named by its id alone; a second start of the same stage is the same run."""
    run_id = f"{request_id}-{stage}" if stage else request_id
    body = {"dag_run_id": run_id, "logical_date": None, "conf": {"request_id": request_id}}
    with _airflow(caller) as client:
        answer = client.post(f"/dags/{DAG}/dagRuns", json=body)
    if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.CONFLICT):
        raise NotStarted(
            f"{request_id} is on record, but Airflow started no run (status {answer.status_code}): trigger the DAG with"
            " this id, or let the next morning's run take it"
        )


def start_dag(caller: Caller, dag: str, run_id: str) -> None:
    """Start a run of another DAG; one that is paused would only queue, so it is refused."""
    with _airflow(caller) as client:
        shown = client.get(f"/dags/{dag}")
        if shown.status_code != httpx.codes.OK or shown.json().get("is_paused"):
            raise NotStarted(f"the DAG {dag} is paused or not to be seen: unpause it in Airflow, then ask again")
        answer = client.post(f"/dags/{dag}/dagRuns", json={"dag_run_id": run_id, "logical_date": None, "conf": {}})
    if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
        raise NotStarted(f"Airflow started no run of {dag} (status {answer.status_code}): see its import errors")


def _airflow(caller: Caller) -> httpx.Client:
    base = f"{conf.get_mandatory_value('api', 'base_url').rstrip('/')}/api/v2"
    headers = {"Authorization": f"Bearer {caller.token}"}
    return httpx.Client(base_url=base, headers=headers, timeout=SECONDS, trust_env=False)
