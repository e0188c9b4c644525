"""Whom does the HubSpot client trust with its token, and whose account is it?"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.hubspot import Pace, connect
from retention.contract import AccessDenied, ConnectorError, Incomplete, Unavailable
from sandbox.tls import TlsFiles, issue
from tests.contract.hubspot_wire import (
    TOKEN,
    Wire,
    client_on,
    http,
    text_of,
    token_info,
)


def test_the_account_behind_the_token_is_known_from_the_first_call(wire: Wire) -> None:
    assert client_on(wire).tenant == "147"
    assert wire.lines() == ["POST /oauth/v2/private-apps/get/access-token-info"]
    assert json.loads(wire.requests[0].partition("\r\n\r\n")[2]) == {"tokenKey": TOKEN}


def test_every_missing_scope_is_named_at_the_start(wire: Wire) -> None:
    wire.says(token_info(scopes=["crm.objects.contacts.read", "crm.schemas.contacts.read"]))
    with pytest.raises(AccessDenied) as denied:
        client_on(wire)
    assert "crm.objects.contacts.write" in str(denied.value)
    assert "crm.objects.deals.read" in str(denied.value)
    assert "communication_preferences.read_write" in str(denied.value)
    assert "crm.objects.contacts.read" not in str(denied.value)


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found"])
def test_a_wrong_token_is_denied_and_not_shown(wire: Wire, status: str) -> None:
    wire.says(http(status, json.dumps({"message": f"no such token {TOKEN}"}).encode()))
    with pytest.raises(AccessDenied) as denied:
        client_on(wire)
    assert TOKEN not in text_of(denied.value)
    assert "127.0.0.1" in str(denied.value)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html></html>", b'{"scopes": []}', b'{"hubId": null, "scopes": []}', b'{"hubId": "x"}']
)
def test_an_answer_that_names_no_account_is_no_account(wire: Wire, body: bytes) -> None:
    wire.says(http("200 OK", body))
    with pytest.raises(Incomplete):
        client_on(wire)


@pytest.mark.parametrize("url", ["http://api.example.com", "ftp://127.0.0.1", "api.example.com", "https://", ""])
def test_a_token_never_goes_to_a_host_in_the_clear(url: str) -> None:
    with pytest.raises(ConnectorError, match="https"):
        connect(TOKEN, url)


def test_a_host_that_is_not_there_is_unavailable(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unavailable) as failed:
        connect(TOKEN, f"http://127.0.0.1:{port}", timeout=5, pace=Pace(pause=lambda seconds: None))
    assert TOKEN not in text_of(failed.value)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return issue(tmp_path_factory.mktemp("tls"), "wire")


@pytest.fixture
def secure(tls: TlsFiles) -> Iterator[Wire]:
    wire = Wire(tls)
    yield wire
    wire.close()


def test_an_authority_of_ones_own_is_trusted_whatever_the_environment_says(
    secure: Wire, tls: TlsFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(issue(tmp_path, "stranger").ca))
    assert connect(TOKEN, secure.url, ca_bundle=str(tls.ca), timeout=5).tenant == "147"


@pytest.mark.parametrize("named", [True, False], ids=["another-authority", "no-authority"])
def test_a_host_that_proves_nothing_never_sees_the_token(secure: Wire, tmp_path: Path, named: bool) -> None:
    stranger = str(issue(tmp_path, "stranger").ca) if named else None
    with pytest.raises(Unavailable, match="TLS"):
        connect(TOKEN, secure.url, ca_bundle=stranger, timeout=5)
    assert secure.requests == []


def test_a_bundle_that_is_not_there_is_no_trust(secure: Wire, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="CA bundle"):
        connect(TOKEN, secure.url, ca_bundle=str(tmp_path / "nowhere.pem"), timeout=5)
