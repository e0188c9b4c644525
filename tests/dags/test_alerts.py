"""Is everybody told once per news, with ids and counts only, and does a notice that cannot be sent harm nothing?"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import make_url

from retention.keyring import Keyring
from retention.store.alerts import Kind

Told = list[dict[str, Any]]


@pytest.fixture
def hook() -> Iterator[tuple[str, Told]]:
    """A webhook on loopback: its address for Apprise, and what it was told."""
    told: Told = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}/", told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def alerts(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    ledger_url: str,
    hook: tuple[str, Told],
) -> Any:
    url = make_url(ledger_url)
    place = {"host": url.host, "port": url.port, "schema": url.database, "login": url.username}
    connections = {
        "retention_ledger": {"conn_type": "postgres", "password": url.password, **place},
        "retention_keys": {"conn_type": "generic", "password": Keyring.generate("k1").to_json()},
        "retention_alerts": {"conn_type": "generic", "password": hook[0]},
    }
    for name, values in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(values))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    from orchestration import alerts

    return alerts


def during(run: str, **more: Any) -> dict[str, Any]:
    """What a callback is given in a task of a run; `report` is what `seal` returned."""
    report = more.pop("report", None)
    instance = SimpleNamespace(log_url=f"http://localhost:8080/{run}", xcom_pull=lambda task_ids: report)
    return {"dag_run": SimpleNamespace(run_id=run), "ti": instance, **more}


def with_gaps(**gaps: int) -> dict[str, Any]:
    return {"systems": {system: {"gaps": n} for system, n in gaps.items()}}


def test_an_approval_that_is_asked_again_is_told_once_and_that_of_the_next_night_anew(
    alerts: Any, hook: tuple[str, Told]
) -> None:
    for run in ("night-1", "night-1", "night-2"):
        alerts.Alert(Kind.APPROVAL_WAITS).notify(during(run))

    assert [notice["title"] for notice in hook[1]] == ["Retention: a plan waits for your approval"] * 2
    assert "http://localhost:8080/night-1" in hook[1][0]["message"]


def test_a_failed_night_is_told_with_the_lines_of_what_was_wrong(alerts: Any, hook: tuple[str, Told]) -> None:
    alerts.Alert(Kind.FAILED).notify(during("night-1", exception=Exception("crm: 4 steps failed")))

    assert "crm: 4 steps failed" in hook[1][0]["message"]
    assert "docs/runbook.md" in hook[1][0]["message"]


def test_gaps_are_told_when_they_change_and_when_they_are_gone(alerts: Any, hook: tuple[str, Told]) -> None:
    for night, report in enumerate([with_gaps(crm=3), with_gaps(crm=3), with_gaps(crm=4), with_gaps(crm=0)]):
        alerts.Alert(Kind.GAPS).notify(during(f"night-{night}", report=report))

    said = [notice["message"].splitlines()[0] for notice in hook[1]]
    assert said == [
        "crm: 3 items, fields or places could not be read",
        "crm: 4 items, fields or places could not be read",
        "Everything could be read.",
    ]


def test_a_ledger_out_of_reach_keeps_nobody_from_being_told(
    alerts: Any, hook: tuple[str, Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "schema": "ledger", "login": "x", "password": "y"}
    monkeypatch.setenv("AIRFLOW_CONN_RETENTION_LEDGER", json.dumps(place))

    assert alerts.tell(Kind.FAILED, "night-1", "the ledger does not answer", during("night-1"))
    assert len(hook[1]) == 1


def test_without_addresses_the_task_goes_on_and_its_log_says_so(
    alerts: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_RETENTION_ALERTS")

    assert not alerts.tell(Kind.FAILED, "night-1", "text", during("night-1"))
    assert "no connection retention_alerts" in capsys.readouterr().out


def test_an_address_that_apprise_does_not_know_is_numbered_and_not_shown(
    alerts: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_RETENTION_ALERTS", json.dumps({"conn_type": "generic", "password": "no://secret"}))

    assert not alerts.tell(Kind.FAILED, "night-1", "text", during("night-1"))
    said = capsys.readouterr().out
    assert "address 1 of retention_alerts" in said
    assert "secret" not in said


def test_a_plan_told_of_before_is_no_news_though_another_was_told_of_since(alerts: Any, hook: tuple[str, Told]) -> None:
    for run in ("night-1", "request-1", "night-1"):
        alerts.Alert(Kind.APPROVAL_WAITS).notify(during(run))

    assert len(hook[1]) == 2


def test_due_dates_and_requests_left_open_are_told_by_id_and_day_and_again_only_when_they_change(
    alerts: Any, hook: tuple[str, Told]
) -> None:
    left = ["request-1 is not finished (crm: failed)", "request-1 is not finished (crm: failed)", "request-2 is not"]
    for morning, said in enumerate(left):
        alerts.Alert(Kind.REQUEST_OPEN).notify(during(f"morning-{morning}", exception=Exception(said)))
    alerts.Alert(Kind.DUE).notify(
        during("morning-3", exception=Exception("due dates: request-1: open, due 2026-12-01"))
    )

    assert [notice["title"] for notice in hook[1]] == [
        "Retention: a request could not be finished",
        "Retention: a request could not be finished",
        "Retention: somebody waits for an answer",
    ]
    assert "request-1: open, due 2026-12-01" in hook[1][2]["message"]


def test_a_run_for_requests_that_broke_off_is_told_of_each_time(alerts: Any, hook: tuple[str, Told]) -> None:
    for morning in ("morning-1", "morning-2"):
        alerts.Alert(Kind.REQUEST_OPEN).notify(during(morning, exception=Exception("the run could not be sealed")))

    assert len(hook[1]) == 2


def test_due_dates_that_nobody_saw_to_are_told_from_the_triggerer_with_the_run_alone(
    alerts: Any, hook: tuple[str, Told]
) -> None:
    from orchestration import deadlines

    context = {"dag_run": {"dag_run_id": "scheduled__1"}, "deadline": {"id": "1"}}
    for _ in range(2):
        asyncio.run(deadlines.unseen(context=context))

    (notice,) = hook[1]
    assert notice["title"] == "Retention: due dates were not seen to"
    assert "scheduled__1" in notice["message"]
