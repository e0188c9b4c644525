"""Which calls does the HubSpot client make, and which does it make again?"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from connectors.hubspot import HubSpotClient
from connectors.hubspot.patience import ATTEMPTS, NoAnswer
from retention.contract import AccessDenied, Incomplete, Unavailable
from tests.contract.hubspot_wire import (
    ADDRESS,
    DELETED,
    EMPTY,
    HANG_UP,
    TOKEN,
    Wire,
    client_on,
    http,
    text_of,
)
from tests.leave import Leave


@pytest.fixture
def client(wire: Wire) -> HubSpotClient:
    return client_on(wire).named("crm")


@pytest.mark.parametrize(
    "trouble",
    [
        HANG_UP,
        http("200 OK", b'{"results": [', length=4000),
        http("502 Bad Gateway", b"<html>\xe9\xff</html>", "text/html"),
        http("429 Too Many Requests", b"{}", "application/json", "Retry-After: 1"),
    ],
    ids=["hung-up", "half-a-body", "html-that-is-no-utf8", "throttled"],
)
def test_a_search_is_repeated_after_trouble_on_the_wire(wire: Wire, client: HubSpotClient, trouble: bytes) -> None:
    wire.says(trouble, EMPTY)
    assert client.search("contacts", {"filterGroups": []}) == {"results": [], "total": 0}
    assert len(wire.requests) == 2


def test_a_search_whose_answers_keep_breaking_off_is_incomplete(wire: Wire, client: HubSpotClient) -> None:
    wire.says(http("200 OK", b'{"results": [{"id": "1"}', length=4000))
    with pytest.raises(Incomplete, match="crm"):
        client.search("contacts", {})
    assert len(wire.requests) == ATTEMPTS


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"[]", b'{"results": []}', b'{"total": 3}'])
def test_a_search_that_answers_with_something_else_is_incomplete(
    wire: Wire, client: HubSpotClient, body: bytes
) -> None:
    wire.says(http("200 OK", body))
    with pytest.raises(Incomplete, match="crm"):
        client.search("contacts", {})


def test_a_not_found_page_in_html_is_an_error_that_names_the_call(wire: Wire, client: HubSpotClient) -> None:
    wire.says(http("404 Not Found", b"<html>caf\xe9</html>", "text/html", "X-HubSpot-NotFound: true"))
    with pytest.raises(Unavailable, match="crm: batch read of contacts"):
        client.records("contacts", ["1"], ["email"])


CHANGES: dict[str, Callable[[HubSpotClient], object]] = {
    "purge": lambda client: client.purge("contacts", "51", Leave()),
    "update": lambda client: client.update("contacts", [{"id": "51", "properties": {"phone": ""}}], Leave()),
    "unsubscribe": lambda client: client.unsubscribe(ADDRESS, Leave()),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "trouble",
    [HANG_UP, http("502 Bad Gateway", b"<html></html>", "text/html"), http("200 OK", b'{"stat', length=4000)],
    ids=["hung-up", "bad-gateway", "half-a-body"],
)
def test_a_change_whose_answer_was_lost_is_sent_once_and_not_known(
    wire: Wire, client: HubSpotClient, change: str, trouble: bytes
) -> None:
    wire.says(trouble, DELETED)
    with pytest.raises(NoAnswer) as lost:
        CHANGES[change](client)
    assert len(wire.requests) == 1
    assert "example.com" not in text_of(lost.value)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_without_permission_is_denied(wire: Wire, client: HubSpotClient, change: str) -> None:
    wire.says(http("403 Forbidden", json.dumps({"message": f"not for {ADDRESS}"}).encode()))
    with pytest.raises(AccessDenied) as denied:
        CHANGES[change](client)
    assert "example.com" not in text_of(denied.value)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_never_redirected_to_another_place(wire: Wire, client: HubSpotClient, change: str) -> None:
    other = Wire()
    wire.says(http("307 Temporary Redirect", b"", "text/plain", f"Location: {other.url}/elsewhere"))
    answer = CHANGES[change](client)
    assert getattr(answer, "status", None) == 307
    assert other.requests == []
    other.close()


def test_a_purge_names_a_contact_by_its_id_alone(wire: Wire, client: HubSpotClient) -> None:
    wire.says(DELETED)
    assert client.purge("contacts", "51", Leave()).status == 204
    assert wire.lines() == ["POST /crm/v3/objects/contacts/gdpr-delete"]
    assert json.loads(wire.requests[0].partition("\r\n\r\n")[2]) == {"objectId": "51"}


def test_an_address_cannot_leave_its_place_in_the_path(wire: Wire, client: HubSpotClient) -> None:
    wire.says(EMPTY)
    client.unsubscribe(ADDRESS, Leave())
    (line,) = wire.lines()
    path, _, query = line.partition("?")
    assert path == ("POST /communication-preferences/v4/statuses/o%27brien%2Bnews%2F1%40example.com/unsubscribe-all")
    assert query == "channel=EMAIL&verbose=true"
    assert f"Bearer {TOKEN}" in wire.requests[0]
