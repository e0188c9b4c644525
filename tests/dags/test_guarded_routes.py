"""Who gets in? Every route of our pages, asked for by everybody: the table of routes is the list of questions.

Airflow leaves a plugin's routes open. Asked of the apps as Airflow mounts them, with its own auth manager, in a process
of their own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT

ASK = """
import json, os, re
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from airflow.api_fastapi.app import create_auth_manager, init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
outside = FastAPI()
init_auth_manager(outside)
manager = create_auth_manager()
token_of = lambda role: manager.generate_jwt(SimpleAuthManagerUser(username=role.lower(), role=role))
tokens = {role: token_of(role) for role in ("VIEWER", "OP")}
from intake.app import app as intake
from operations.app import app as operations
asked = []
for name, app in {"intake": intake, "operations": operations}.items():
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False, base_url="http://localhost:8080")
    for route in app.routes:
        if not isinstance(route, APIRoute):
            continue
        path = re.sub(r"[{][^}]*[}]", "x", route.path)
        for method in sorted(route.methods):
            said = {"app": name, "path": route.path, "method": method}
            said["bare"] = client.request(method, path).status_code
            said["forged"] = client.request(method, path, headers={"Authorization": "Bearer forged"}).status_code
            viewer = {"Authorization": f"Bearer {tokens['VIEWER']}"}
            said["viewer"] = client.request(method, path, headers=viewer).status_code
            cookie = {"Cookie": f"_token={tokens['OP']}", "Origin": "https://elsewhere.example"}
            said["from elsewhere"] = client.request(method, path, headers=cookie, data={"form_token": "x"}).status_code
            asked.append(said)
print("RESULT" + json.dumps(asked))
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    home = tmp_path_factory.mktemp("airflow")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "viewer:viewer,op:op",
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-this-test-and-long-enough-0123456789abcdef0123456789abcdef",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "PYTHONPATH": str(ROOT / "plugins"),
    }
    command = [sys.executable, "-c", ASK]
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        env=environment,
        check=True,
        capture_output=True,
        timeout=180,
    )
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)
    assert "RESULT" in done.stdout, done.stderr[-3000:]
    answered: list[dict[str, Any]] = json.loads(done.stdout.rpartition("RESULT")[2])
    return answered


def test_the_table_of_routes_is_not_empty(asked: list[dict[str, Any]]) -> None:
    assert {one["app"] for one in asked} == {"intake", "operations"}
    assert len(asked) > 15


def test_no_route_answers_somebody_who_is_not_signed_in_or_brings_a_forged_token(asked: list[dict[str, Any]]) -> None:
    assert [one for one in asked if one["bare"] != 401 or one["forged"] not in {401, 403}] == []


def test_whoever_may_only_look_gets_into_no_route_that_takes_requests_or_changes_anything(
    asked: list[dict[str, Any]],
) -> None:
    wanted = [one for one in asked if one["app"] == "intake" or one["method"] != "GET"]
    assert wanted
    assert [one for one in wanted if one["viewer"] != 403] == []


def test_no_form_is_taken_from_another_site_even_with_a_good_cookie(asked: list[dict[str, Any]]) -> None:
    changing = [one for one in asked if one["method"] != "GET"]
    assert changing
    assert [one for one in changing if one["from elsewhere"] not in {403, 422}] == []


def test_what_is_asked_for_by_get_is_only_ever_read() -> None:
    """No route function behind a GET calls what writes: such names are nowhere in the modules of the pages."""
    writes = re.compile(r"\b(insert|update|delete|take_in|place|release|set_switch|record|append|start)\(")
    for file in (ROOT / "plugins" / "operations").glob("*.py"):
        if not file.name.startswith("forms"):
            assert not re.search(writes, file.read_text(encoding="utf-8").replace("by_figure.append(", "")), file.name
