"""Does the intake let in whom it should, refuse everybody else, and never repeat what was typed in?"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from retention.store.database import rows, transaction
from tests.pages.conftest import Api, same_origin

pytestmark = pytest.mark.usefixtures("connected")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ANN = "ann.secretname@example.com"
ASKED = {
    "right": "erasure",
    "channel": "form",
    "received_at": "2026-11-20T09:00:00+00:00",
    "identifiers": [ANN],
}
FORM = {"right": "erasure", "channel": "form", "received_at": "2026-11-20T09:00", "identifiers": ANN}


@pytest.fixture
def app() -> FastAPI:
    from intake.app import app

    return app


@pytest.fixture
def client(app: FastAPI, visit: Callable[[FastAPI], TestClient]) -> TestClient:
    return visit(app)


@pytest.fixture
def bearer(token: Callable[[str], str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token('operator')}"}


@pytest.fixture
def browser(client: TestClient, token: Callable[[str], str]) -> TestClient:
    """A client that has only the cookie, as a browser does."""
    client.cookies.set("_token", token("operator"))
    return client


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every route with every method it takes, the parts in its path filled with something."""
    table = [route for route in app.routes if isinstance(route, APIRoute)]
    return sorted((m, re.sub(r"\{.*?\}", "request-" + "0" * 16, route.path)) for route in table for m in route.methods)


def written(ledger: Engine) -> dict[str, int]:
    """How much stands in every table of the ledger."""
    with transaction(ledger) as db:
        tables = rows(db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {t.tablename: rows(db, f"SELECT count(*) AS n FROM {t.tablename}")[0].n for t in tables}


def form_token(browser: TestClient) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', browser.get("/new").text)
    assert found is not None
    return found[1]


def test_the_table_of_routes_is_not_empty_and_every_route_is_ours_to_guard(app: FastAPI) -> None:
    assert len(routes(app)) >= 5
    assert len(routes(app)) == sum(len(getattr(route, "methods", [])) for route in app.routes)


def test_every_route_refuses_whoever_is_nobody(app: FastAPI, client: TestClient) -> None:
    assert {one: client.request(*one).status_code for one in routes(app)} == dict.fromkeys(routes(app), 401)


def test_every_route_refuses_a_user_who_may_not_trigger(
    app: FastAPI, client: TestClient, token: Callable[[str], str], ledger: Engine
) -> None:
    before, headers = written(ledger), {"Authorization": f"Bearer {token('onlooker')}"}
    found = {one: client.request(*one, headers=headers).status_code for one in routes(app)}
    assert found == dict.fromkeys(routes(app), 403)
    assert written(ledger) == before


def test_a_token_that_nobody_signed_is_refused_everywhere(app: FastAPI, client: TestClient) -> None:
    headers = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."}
    assert {client.request(*one, headers=headers).status_code for one in routes(app)} <= {401, 403}


def test_no_route_changes_anything_when_it_is_read(
    app: FastAPI, client: TestClient, bearer: dict[str, str], ledger: Engine, api: Api
) -> None:
    client.post("/api/requests", json=ASKED, headers=bearer)
    before, asked_for = written(ledger), len(api.started)
    for path in {path for _, path in routes(app)}:
        client.get(path, headers=bearer, params={"token": "x" * 20, **FORM})
    assert (written(ledger), len(api.started)) == (before, asked_for)


def test_no_other_method_leads_anywhere(app: FastAPI, client: TestClient, bearer: dict[str, str]) -> None:
    known = routes(app)
    others = {(m, path) for m in METHODS for _, path in known} - set(known)
    assert {client.request(*one, headers=bearer).status_code for one in others} == {405}


def test_the_website_opens_a_request_and_a_run_named_by_its_id_alone(
    client: TestClient, bearer: dict[str, str], api: Api
) -> None:
    answer = client.post("/api/requests", json=ASKED, headers=bearer)
    assert answer.status_code == 201
    request_id = answer.json()["request_id"]
    assert [(run["dag_run_id"], run["conf"]) for run in api.started] == [(request_id, {"request_id": request_id})]
    assert ANN not in str(api.started) + answer.text
    stands = client.get(f"/api/requests/{request_id}", headers=bearer)
    assert stands.json()["state"] == "received"
    assert ANN not in stands.text


def test_a_form_of_ours_opens_a_request(browser: TestClient, api: Api) -> None:
    sent = browser.post("/new", data={**FORM, "form_token": form_token(browser)}, headers=same_origin(browser))
    assert sent.status_code == 201
    assert len(api.started) == 1
    assert ANN not in sent.text


@pytest.mark.parametrize("wrong", ["no-token", "other-token", "no-origin", "other-origin"])
def test_a_form_that_another_site_could_have_sent_is_refused(
    browser: TestClient, ledger: Engine, api: Api, wrong: str
) -> None:
    data, headers = {**FORM, "form_token": form_token(browser)}, same_origin(browser)
    if wrong == "no-token":
        del data["form_token"]
    if wrong == "other-token":
        data["form_token"] = "0" * 64
    if wrong == "no-origin":
        del headers["origin"]
    if wrong == "other-origin":
        headers["origin"] = "https://elsewhere.example"
    before = written(ledger)
    assert browser.post("/new", data=data, headers=headers).status_code == 403
    assert (written(ledger), api.started) == (before, [])


@pytest.mark.parametrize("path", ["/api/requests", "/api/requests/request-0000000000000000/confirm"])
def test_a_cookie_alone_changes_nothing_at_the_endpoints(browser: TestClient, ledger: Engine, path: str) -> None:
    body = ASKED if path == "/api/requests" else {"token": "t" * 43}
    before = written(ledger)
    assert browser.post(path, json=body, headers=same_origin(browser)).status_code == 403
    assert written(ledger) == before


def test_while_the_dag_is_paused_the_form_says_so_and_writes_nothing(
    browser: TestClient, ledger: Engine, api: Api
) -> None:
    api.paused, before = True, written(ledger)
    sent = browser.post("/new", data={**FORM, "form_token": form_token(browser)}, headers=same_origin(browser))
    assert sent.status_code == 422
    assert "is paused" in sent.text
    assert "Unpause it" in sent.text
    assert (written(ledger), api.started) == (before, [])


def test_while_the_dag_is_paused_the_request_of_the_website_is_written_down_and_waits(
    client: TestClient, bearer: dict[str, str], api: Api
) -> None:
    api.paused = True
    answer = client.post("/api/requests", json=ASKED, headers=bearer)
    assert (answer.status_code, answer.json()["started"], api.started) == (201, False, [])


@pytest.mark.parametrize(
    "changed",
    [
        {"right": ANN},
        {"channel": ANN},
        {"received_at": ANN},
        {"identifiers": []},
        {"identifiers": [ANN * 20]},
        {"ground": ANN},
        {ANN: ANN},
        {"received_at": "2999-01-01T00:00:00+00:00"},
        {"to_marketing": ANN},
    ],
    ids=["right", "channel", "moment", "nobody", "too-long", "ground", "unknown-field", "future", "flag"],
)
def test_what_is_wrong_is_said_without_what_was_typed_in(
    client: TestClient, bearer: dict[str, str], ledger: Engine, api: Api, changed: dict[str, object]
) -> None:
    before = written(ledger)
    answer = client.post("/api/requests", json={**ASKED, **changed}, headers=bearer)
    assert answer.status_code == 422
    assert "secretname" not in answer.text
    assert (written(ledger), api.started) == (before, [])


@pytest.mark.parametrize("name", ["right", "channel", "received_at", "ground", "to_marketing"])
def test_the_form_does_not_repeat_what_was_wrong(browser: TestClient, api: Api, name: str) -> None:
    data = {**FORM, "form_token": form_token(browser), name: ANN}
    sent = browser.post("/new", data=data, headers=same_origin(browser))
    assert sent.status_code == 422
    assert "secretname" not in sent.text
    assert api.started == []


def test_a_link_that_proves_nothing_is_refused_without_being_repeated_and_is_on_record(
    client: TestClient, bearer: dict[str, str], ledger: Engine
) -> None:
    request_id = client.post("/api/requests", json=ASKED, headers=bearer).json()["request_id"]
    answer = client.post(f"/api/requests/{request_id}/confirm", json={"token": "t" * 43}, headers=bearer)
    assert answer.status_code == 410
    assert "t" * 43 not in answer.text
    with transaction(ledger) as db:
        found = rows(db, "SELECT convert_from(body, 'UTF8') AS body FROM audit_entries ORDER BY seq DESC LIMIT 1")
    assert "identity_refused" in found[0].body
    assert request_id in found[0].body
