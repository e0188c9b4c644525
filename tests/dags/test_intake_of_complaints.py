"""Does a complaint come in by form and by endpoint, held at once, and from nobody who may not?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, make_url

from retention.keyring import Keyring
from retention.store.database import rows

GIVEN = {"channel": "form", "received_at": "2026-11-20T09:00:00+00:00", "identifiers": ["ann@example.com"]}


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, ledger_url: str) -> Iterator[Any]:
    """The intake's app as Airflow loads it, and who calls it: `site.caller` may be changed."""
    url = make_url(ledger_url)
    place = {"host": url.host, "port": url.port, "schema": url.database, "login": url.username}
    connections = {
        "retention_ledger": {"conn_type": "postgres", "password": url.password, **place},
        "retention_keys": {"conn_type": "generic", "password": Keyring.generate("k1").to_json()},
    }
    for name, values in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(values))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "s" * 64)
    from starlette.testclient import TestClient

    from intake import guard
    from intake.app import app

    with TestClient(app) as client:

        def call_as(caller: guard.Caller) -> None:
            app.dependency_overrides[guard._caller] = lambda: caller
            app.dependency_overrides[guard.may_trigger.dependency] = lambda: None

        client.call_as = call_as  # type: ignore[attr-defined]
        yield client
    app.dependency_overrides.clear()


def by_token(site: Any) -> Any:
    from intake.guard import Caller

    caller = Caller("clerk", "token", True)
    site.call_as(caller)
    return caller


def by_browser(site: Any) -> Any:
    from intake.guard import Caller

    caller = Caller("clerk", "cookie", False)
    site.call_as(caller)
    return caller


def on_record(ledger: Engine) -> list[tuple[str, str, str]]:
    with ledger.begin() as db:
        found = rows(db, "SELECT c.state, c.channel, h.state AS hold FROM complaints c JOIN holds h USING (hold_id)")
    return [(row.state, row.channel, row.hold) for row in found]


def test_the_website_sends_a_complaint_and_its_hold_stands(site: Any, ledger: Engine) -> None:
    by_token(site)
    answer = site.post("/api/complaints", json=GIVEN | {"words": "Why?"})

    assert answer.status_code == 201
    told = answer.json()
    assert told["complaint_id"].startswith("complaint-")
    assert not told["acknowledged"]  # no mail server is connected
    assert "ann@" not in answer.text
    assert on_record(ledger) == [("received", "form", "in_force")]


def test_the_form_opens_a_complaint_and_says_that_a_letter_is_owed(site: Any, ledger: Engine) -> None:
    caller = by_browser(site)
    assert caller.form_token() in site.get("/complaint").text

    told = {"channel": "post", "identifiers": "ann@example.com\n\n4711", "form_token": caller.form_token()}
    page = site.post("/complaint", data=told, headers={"origin": "http://testserver"})

    assert page.status_code == 201
    assert "It was not acknowledged" in page.text
    assert on_record(ledger) == [("received", "post", "in_force")]


def test_a_form_of_another_site_and_a_cookie_alone_change_nothing(site: Any, ledger: Engine) -> None:
    caller = by_browser(site)
    told = {"channel": "post", "identifiers": "ann@example.com", "form_token": caller.form_token()}

    assert site.post("/complaint", data=told, headers={"origin": "http://elsewhere.example"}).status_code == 403
    assert site.post("/api/complaints", json=GIVEN).status_code == 403
    assert on_record(ledger) == []


def test_what_is_no_complaint_is_refused_without_repeating_it(site: Any, ledger: Engine) -> None:
    by_token(site)
    for wrong in ({"identifiers": []}, {"channel": "pigeon"}, {"about_request": "ann@example.com"}, {"x": "ann@"}):
        answer = site.post("/api/complaints", json=GIVEN | wrong)
        assert (answer.status_code, "ann@" in answer.text) == (422, False)
    assert on_record(ledger) == []


def test_without_a_login_no_route_answers(site: Any) -> None:
    for method, path in (("GET", "/complaint"), ("POST", "/complaint"), ("POST", "/api/complaints")):
        assert site.request(method, path).status_code == 401
