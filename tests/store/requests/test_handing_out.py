"""Does the endpoint for copies hand out the file to whoever has the link, once, and refuse everybody else on record?"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from retention.clocks import Right
from retention.requests import copies
from retention.requests.copy_links import Reader, token_of
from retention.store import requests
from retention.store.database import rows
from retention.store.desk import Desk
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import NEW, Run, identified
from tools.open_copy import opened

BY_HEADER = {"Authorization": "Bearer of-the-website"}


@pytest.fixture
def website(desk: Desk, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The intake's app for a caller who may trigger the DAG, on this test's ledger and folder."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    from intake import app, guard, runs
    from orchestration import wiring

    def not_started(*_: object) -> None:
        raise runs.NotStarted("no Airflow in this test")

    monkeypatch.setattr(wiring, "desk", lambda: desk)
    monkeypatch.setattr(wiring, "copies_folder", lambda: folder)
    monkeypatch.setattr(runs, "refuse_if_paused", not_started)

    def caller(request: Request) -> Any:
        return guard.Caller("website", "of-the-website", "authorization" in request.headers)

    overrides = app.app.dependency_overrides
    overrides |= {guard.may_trigger.dependency: lambda: None, guard._caller: caller}
    yield TestClient(app.app)
    overrides.clear()


@pytest.fixture
def copied(desk: Desk, folder: Path) -> tuple[str, str]:
    """A request whose copy is made: its id, and the token of the subject's link."""
    crm = MemorySystem("crm", tenant="crm-tenant")
    crm.add(person("ann@example.com", NEW))
    request_id = identified(desk, "ann@example.com", asks_for=Right.ACCESS)
    run = Run(desk, [MemoryConnector(crm)], request_id)
    run.plan()
    made = copies.make(desk, run.sweep, request_id, [MemoryConnector(crm)], folder)
    with desk.transaction() as db:
        return request_id, token_of(requests.key_of(db, desk.keyring, request_id), made.copy_id, Reader.SUBJECT)


def events(desk: Desk) -> list[dict[str, Any]]:
    with desk.transaction() as db:
        return [json.loads(bytes(row.body)) for row in rows(db, "SELECT body FROM audit_entries ORDER BY seq")]


def test_whoever_has_the_link_gets_the_encrypted_file_once(
    website: TestClient, desk: Desk, copied: tuple[str, str]
) -> None:
    request_id, token = copied
    address = f"/api/requests/{request_id}/copy"

    first = website.post(address, json={"token": token}, headers=BY_HEADER)
    second = website.post(address, json={"token": token}, headers=BY_HEADER)

    assert (first.status_code, first.headers["cache-control"]) == (200, "no-store")
    archive = zipfile.ZipFile(io.BytesIO(opened(first.content, copies.tell_passphrase(desk, request_id, "dpo"))))
    assert "crm/person-1.json" in archive.namelist()
    assert (second.status_code, "link-used-before" in second.text) == (410, True)
    assert [e["event"] for e in events(desk) if e["event"] in ("copy_fetched", "copy_refused")] == [
        "copy_fetched",
        "copy_refused",
    ]


def test_a_link_that_is_not_for_this_request_is_gone_and_that_is_on_record(
    website: TestClient, desk: Desk, copied: tuple[str, str]
) -> None:
    _, token = copied
    other = identified(desk, "ben@example.com", asks_for=Right.ACCESS)

    foreign = website.post(f"/api/requests/{other}/copy", json={"token": token}, headers=BY_HEADER)
    typed = website.post("/api/requests/ann@example.com/copy", json={"token": "x" * 43}, headers=BY_HEADER)

    assert (foreign.status_code, typed.status_code) == (410, 410)
    refused = [(e["run"], e["reasons"]) for e in events(desk) if e["event"] == "copy_refused"]
    assert refused == [(other, ["link-of-another-request"]), ("", ["unknown-link"])]


def test_a_browsers_cookie_fetches_nothing(website: TestClient, copied: tuple[str, str]) -> None:
    request_id, token = copied
    assert website.post(f"/api/requests/{request_id}/copy", json={"token": token}).status_code == 403


def test_a_folder_that_is_not_mounted_uses_up_no_link(
    website: TestClient, copied: tuple[str, str], folder: Path
) -> None:
    request_id, token = copied
    moved = folder.rename(folder.parent / "elsewhere")

    down = website.post(f"/api/requests/{request_id}/copy", json={"token": token}, headers=BY_HEADER)
    moved.rename(folder)
    up = website.post(f"/api/requests/{request_id}/copy", json={"token": token}, headers=BY_HEADER)

    assert (down.status_code, up.status_code) == (503, 200)
    assert "retention_copies" in down.text


def test_the_website_may_show_the_passphrase_to_whoever_asks_and_to_nobody_who_joins_them(
    website: TestClient, desk: Desk
) -> None:
    asking = {
        "right": "access",
        "channel": "form",
        "received_at": "2026-11-20T09:00:00+00:00",
        "identifiers": ["ann@example.com"],
        "shows_passphrase": True,
    }

    first = website.post("/api/requests", json=asking, headers=BY_HEADER).json()
    joined = website.post("/api/requests", json=asking, headers=BY_HEADER).json()
    silent = website.post("/api/requests", json=asking | {"identifiers": ["b@c.example"], "shows_passphrase": False})

    assert first["passphrase"] == copies.tell_passphrase(desk, first["request_id"], "dpo")
    assert "passphrase" not in joined
    assert silent.status_code == 403


def test_for_what_is_no_copy_there_is_no_passphrase(website: TestClient) -> None:
    asking = {
        "right": "erasure",
        "channel": "form",
        "received_at": "2026-11-20T09:00:00+00:00",
        "identifiers": ["ann@example.com"],
        "shows_passphrase": True,
    }
    answer = website.post("/api/requests", json=asking, headers=BY_HEADER)
    assert (answer.status_code, "passphrase" in answer.text) == (422, True)
