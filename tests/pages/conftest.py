"""How does a test call pages as Airflow's users do? Any app of ours, Airflow's own tokens, and a stand-in for its API.

`visit(app)` is all a test of another app needs: a client on the app, with `token(name)` for whom it speaks.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, make_url

from retention.keyring import Keyring

ROLES = {"operator": "user", "dpo": "user", "onlooker": "viewer"}
"""One who may trigger, one who may besides approve (the policy says so), one who may only look."""


@dataclass
class Api:
    """What Airflow's REST API answers, and which runs it was asked for."""

    paused: bool = False
    refuses: int = 0
    started: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A stand-in for Airflow's API on loopback, at the address the configuration names."""
    told = Api()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, {"is_paused": told.paused})

        def do_POST(self) -> None:
            told.started.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._say(told.refuses or 200, {})

        def _say(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", told.url)
        yield told
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def airflow_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Airflow's own tables in a file, with nothing in them: its access checks read them."""
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    from airflow import settings
    from airflow.models import import_all_models
    from airflow.models.base import Base

    file = tmp_path_factory.mktemp("airflow-database") / "airflow.db"
    import_all_models()
    engine = create_engine(f"sqlite:///{file}")
    before = settings.engine
    settings.engine = engine
    Base.metadata.create_all(engine)
    settings.Session.remove()
    settings.Session.configure(bind=engine)
    yield
    settings.Session.remove()
    settings.Session.configure(bind=before)
    settings.engine = before
    engine.dispose()


@pytest.fixture
def token(airflow_database: None, api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """A token of Airflow's for somebody."""
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "a" * 64)
    users = ",".join(f"{name}:{role}" for name, role in ROLES.items())
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", users)
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    manager = create_auth_manager()
    return lambda name: manager.generate_jwt(SimpleAuthManagerUser(username=name, role=ROLES[name]))


@pytest.fixture
def connected(ledger: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger of this test as an Airflow connection, with keys of its own."""
    url = make_url(ledger_url)
    place = {"host": url.host, "port": url.port, "schema": url.database, "login": url.username}
    made = {
        "retention_ledger": {"conn_type": "postgres", **place, "password": url.password},
        "retention_ledger_approver": {"conn_type": "postgres", **place, "password": url.password},
        "retention_keys": {"conn_type": "generic", "password": Keyring.generate("k1").to_json()},
    }
    for name, values in made.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(values))


@pytest.fixture
def visit(token: Callable[[str], str], api: Api) -> Callable[[FastAPI], TestClient]:
    """A client on an app, at the address that Airflow believes to be its own."""
    return lambda app: TestClient(app, base_url=api.url, raise_server_exceptions=False)


@pytest.fixture
def operations() -> FastAPI:
    from operations.app import app

    return app


@pytest.fixture
def browse(
    operations: FastAPI, visit: Callable[[FastAPI], TestClient], token: Callable[[str], str]
) -> Callable[[str], TestClient]:
    """A browser of somebody who is signed in: the cookie, and nothing else."""

    def of(name: str) -> TestClient:
        client = visit(operations)
        client.cookies.set("_token", token(name))
        return client

    return of


def same_origin(client: TestClient) -> dict[str, str]:
    """The headers of a form that was sent from our own page."""
    host = urlsplit(str(client.base_url)).netloc
    return {"origin": f"http://{host}", "host": host}
