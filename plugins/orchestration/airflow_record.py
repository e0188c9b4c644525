"""What does Airflow itself say about an answer? Read through its REST API with a service account, never from XCom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from orchestration import wiring
from retention.approve import Answer

TIMEOUT_SECONDS = 30


class AirflowUnreadable(Exception):
    """Airflow's API did not say what was answered. Nothing was done; the text says what to check."""


def answer_of(run: Any, task_id: str) -> Answer | None:
    """The recorded question and answer of a human-in-the-loop task of a run; None if it never asked."""
    with sign_in() as client:
        path = f"/api/v2/dags/{quote(run.dag_id, safe='')}/dagRuns/{quote(run.run_id, safe='')}"
        asked = client.get(f"{path}/taskInstances/{task_id}/-1/hitlDetails")
        if asked.status_code == httpx.codes.NOT_FOUND:
            return None
        details = _checked(asked, "read the answer")
        this_run = _checked(client.get(path), "read the run")
    responded = details.get("responded_by_user") or {}
    at = details.get("responded_at")
    return Answer(
        subject=details.get("subject") or "",
        body=details.get("body") or "",
        chosen=tuple(details.get("chosen_options") or ()) if details.get("response_received") else (),
        # By name, as the policy lists approvers and Airflow notes who started a run; FAB's ids are row numbers.
        responded_by=str(responded.get("name") or ""),
        responded_name=str(responded.get("name") or ""),
        responded_at=datetime.fromisoformat(at) if at and responded else None,
        run_started_by=this_run.get("triggering_user_name"),
    )


@contextmanager
def sign_in() -> Iterator[httpx.Client]:
    """A client of Airflow's API under the service account of its connection."""
    conn = wiring.connection(wiring.AIRFLOW, "Airflow's own REST API, with a service account that may read")
    base = f"{conn.host}" if "://" in (conn.host or "") else f"http://{conn.host}:{conn.port}"
    with httpx.Client(base_url=base, timeout=TIMEOUT_SECONDS, follow_redirects=False) as client:
        answer = client.post("/auth/token", json={"username": conn.login, "password": conn.password})
        client.headers["Authorization"] = f"Bearer {_checked(answer, 'log in')['access_token']}"
        yield client


def _checked(response: httpx.Response, what: str) -> Any:
    if response.status_code >= 400:
        raise AirflowUnreadable(
            f"Airflow's API answered {response.status_code} when asked to {what}: "
            f"check the connection {wiring.AIRFLOW!r} and its account's role"
        )
    return response.json()
