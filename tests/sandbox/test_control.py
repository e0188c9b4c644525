"""Does the control surface break, count, stop and reset an emulator exactly as asked?"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import server, tls
from sandbox.control import Control, touched

ROOT = Path(__file__).parents[2]


class Shelf:
    """A tiny store: names of things put on it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.things = ["seeded"]
        self.now = ""

    def set_clock(self, now: datetime) -> None:
        self.now = now.isoformat()

    def state(self) -> Mapping[str, Any]:
        return {"things": list(self.things), "now": self.now}


async def _put(request: Request) -> Response:
    body = await request.json()
    request.state.store.things.append(body["name"])
    touched(request, [body["name"]], effect=True)
    return JSONResponse({"things": request.state.store.things})


async def _get(request: Request) -> Response:
    touched(request, [request.path_params["name"]])
    return JSONResponse({"name": request.path_params["name"]})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = Starlette(routes=[Route("/things", _put, methods=["POST"]), Route("/things/{name}", _get)])
    files = tls.issue(tmp_path_factory.mktemp("tls"), "shelf")
    sock = server.listen(0)
    running = server.http_server(Control(app, Shelf()), files)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [sock]})
    thread.start()
    deadline = time.monotonic() + 10
    while not running.started and time.monotonic() < deadline:
        time.sleep(0.005)
    client.verify_with = files.ca
    yield server.base_url(sock, files)
    running.should_exit = True
    thread.join(10)


class _Client:
    """Passes the authority with each request: a CA bundle in the environment would beat one set on a session."""

    verify_with: Path

    def __call__(self, method: str, url: str, **options: Any) -> requests.Response:
        return requests.request(method, url, verify=str(self.verify_with), timeout=10, **options)


client = _Client()


@pytest.fixture(autouse=True)
def _fresh(base: str) -> None:
    client("POST", f"{base}/_sandbox/reset")


def break_next(base: str, **fault: Any) -> None:
    assert client("POST", f"{base}/_sandbox/faults", json=fault).status_code == 200


def put(base: str, name: str) -> requests.Response:
    return client("POST", f"{base}/things", json={"name": name})


def things(base: str) -> list[str]:
    found: list[str] = client("GET", f"{base}/_sandbox/state").json()["things"]
    return found


def test_calls_are_logged_with_template_touched_ids_and_effect(base: str) -> None:
    put(base, "lamp")
    client("GET", f"{base}/things/lamp")
    report = client("GET", f"{base}/_sandbox/calls").json()
    assert [(c["method"], c["template"], c["status"], c["ids"], c["effect"]) for c in report["calls"]] == [
        ("POST", "/things", 200, ["lamp"], True),
        ("GET", "/things/{name}", 200, ["lamp"], False),
    ]
    assert report["counts"] == {"GET /things/{name}": 1, "POST /things": 1}


def test_a_status_fault_answers_before_any_effect_and_only_as_often_as_asked(base: str) -> None:
    break_next(base, method="POST", path="/things", times=2, fault="status", status=429, retry_after=1)
    first, second, third = put(base, "a"), put(base, "b"), put(base, "c")
    assert [first.status_code, second.status_code, third.status_code] == [429, 429, 200]
    assert first.headers["Retry-After"] == "1"
    assert things(base) == ["seeded", "c"]


def test_a_status_fault_after_effect_answers_an_error_although_the_work_is_done(base: str) -> None:
    break_next(base, fault="status", status=500, after_effect=True)
    assert put(base, "a").status_code == 500
    assert things(base) == ["seeded", "a"]


def test_a_timeout_after_effect_does_the_work_and_drops_the_connection(base: str) -> None:
    break_next(base, path="/th*", fault="timeout_after_effect")
    with pytest.raises(requests.ConnectionError):
        put(base, "a")
    assert things(base) == ["seeded", "a"]
    last = client("GET", f"{base}/_sandbox/calls").json()["calls"][-1]
    assert (last["status"], last["effect"], last["fault"]) == (None, True, "timeout_after_effect")


def test_success_without_effect_answers_as_if_done_and_changes_nothing(base: str) -> None:
    break_next(base, fault="success_without_effect")
    assert put(base, "a").json() == {"things": ["seeded", "a"]}
    assert things(base) == ["seeded"]
    assert client("GET", f"{base}/_sandbox/calls").json()["calls"][-1]["effect"] is False


def test_a_truncated_answer_announces_more_than_it_sends(base: str) -> None:
    break_next(base, fault="truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        put(base, "a")
    assert things(base) == ["seeded", "a"]


def test_an_html_fault_answers_a_gateway_page(base: str) -> None:
    break_next(base, fault="html")
    answer = put(base, "a")
    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("text/html")
    assert things(base) == ["seeded"]


def test_a_delay_after_effect_lets_a_client_give_up_on_finished_work(base: str) -> None:
    break_next(base, fault="delay_after_effect", seconds=0.6)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{base}/things", json={"name": "a"}, verify=str(client.verify_with), timeout=0.3)
    assert things(base) == ["seeded", "a"]


def test_a_delay_before_effect_answers_late_but_truly(base: str) -> None:
    break_next(base, fault="delay_before_effect", seconds=0.05)
    began = time.monotonic()
    assert put(base, "a").json() == {"things": ["seeded", "a"]}
    assert time.monotonic() - began >= 0.05


def test_faults_elsewhere_leave_a_call_alone(base: str) -> None:
    break_next(base, method="DELETE", path="/things", fault="status")
    break_next(base, method="POST", path="/other/*", fault="status")
    assert put(base, "a").status_code == 200
    assert len(client("GET", f"{base}/_sandbox/faults").json()["faults"]) == 2


def test_reset_restores_the_seed_and_forgets_calls_and_faults(base: str) -> None:
    put(base, "a")
    break_next(base, fault="status")
    client("POST", f"{base}/_sandbox/reset")
    assert things(base) == ["seeded"]
    assert client("GET", f"{base}/_sandbox/calls").json()["calls"] == []
    assert put(base, "b").status_code == 200


def test_the_clock_is_set_with_its_time_zone_and_utc_when_none_is_given(base: str) -> None:
    client("POST", f"{base}/_sandbox/clock", json={"now": "2026-03-01T00:00:00"})
    assert client("GET", f"{base}/_sandbox/state").json()["now"] == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("command", "body", "status"),
    [
        ("POST faults", {"fault": "earthquake"}, 400),
        ("POST faults", {"fault": "status", "colour": 1}, 400),
        ("POST clock", {"now": "yesterday"}, 400),
        ("POST clock", {}, 400),
        ("POST tea", {}, 404),
    ],
)
def test_a_command_that_cannot_be_obeyed_is_refused(base: str, command: str, body: dict[str, Any], status: int) -> None:
    method, name = command.split()
    answer = client(method, f"{base}/_sandbox/{name}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_the_certificate_is_refused_without_its_authority(base: str) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{base}/things/lamp", verify=True, timeout=10)


def test_certificates_are_reused_while_valid(tmp_path: Path) -> None:
    first = tls.issue(tmp_path, "shelf").certificate.read_bytes()
    assert tls.issue(tmp_path, "shelf").certificate.read_bytes() == first
    assert tls.issue(tmp_path, "other").certificate.read_bytes() != first
    assert (tmp_path / "shelf-key.pem").stat().st_mode & 0o077 == 0


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    command = [sys.executable, "-m", "sandbox", "nonsense"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "salesforce" in ended.stderr


def test_sigterm_ends_an_emulator_although_a_call_is_waiting(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "salesforce", "--port", "0", "--as-of", "2026-11-23"]
    with subprocess.Popen([*command, "--tls-dir", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        line = json.loads(one.stdout.readline())
        assert line["ca"] == str(tmp_path / "salesforce-ca.pem")
        fault = {"fault": "delay_before_effect", "seconds": 60}
        requests.post(f"{line['control']}/_sandbox/faults", json=fault, verify=line["ca"], timeout=10)
        with pytest.raises(requests.Timeout):
            requests.get(f"{line['base_url']}/services/data", verify=line["ca"], timeout=0.2)
        one.terminate()
        assert one.wait(timeout=5) is not None
