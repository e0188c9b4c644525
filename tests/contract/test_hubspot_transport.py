"""What does the HubSpot client make of answers that go wrong on the wire? A server says exactly what it is told."""

from __future__ import annotations

import json
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator

import pytest

from connectors.hubspot import HubSpotClient, Pace, connect
from connectors.hubspot.client import SCOPES
from connectors.hubspot.patience import ATTEMPTS, NoAnswer
from retention.contract import AccessDenied, ConnectorError, Incomplete, Unavailable

TOKEN = "pat-made-up-0000"
ADDRESS = "o'brien+news/1@example.com"
GRANTED = sorted(scope for needed in SCOPES for scope in needed)


def http(status: str, body: bytes = b"", kind: str = "application/json", *headers: str, length: int = -1) -> bytes:
    """An answer as it goes over the wire; `length` announces more than comes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {max(length, len(body))}"]
    return "\r\n".join([*lines, *headers, "Connection: close", "", ""]).encode() + body


def token_info(**given: object) -> bytes:
    info = {"userId": 1, "hubId": 147, "appId": 2, "scopes": GRANTED} | given
    return http("200 OK", json.dumps(info).encode())


HANG_UP = b""
EMPTY = http("200 OK", b'{"results": [], "total": 0}')
DELETED = http("204 No Content")


class Wire:
    """A loopback server that gives prepared bytes, the last ones for ever, and remembers the requests."""

    def __init__(self) -> None:
        self.answers: deque[bytes] = deque([token_info()])
        self.requests: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def says(self, *answers: bytes) -> None:
        self.answers = deque(answers)
        self.requests.clear()

    def lines(self) -> list[str]:
        """Method and path of each request."""
        return [request.split(" HTTP", 1)[0] for request in self.requests]

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(_request(connection))
                connection.sendall(self.answers.popleft() if len(self.answers) > 1 else self.answers[0])


def _request(connection: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(h[15:]) for h in head.decode().lower().split("\r\n") if h.startswith("content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return f"{head.decode()}\r\n\r\n{body.decode()}"


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def client_on(wire: Wire, token: str = TOKEN) -> HubSpotClient:
    return connect(token, wire.url, timeout=5, pace=Pace(pause=lambda seconds: None))


@pytest.fixture
def client(wire: Wire) -> HubSpotClient:
    return client_on(wire).named("crm")


def text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


# --- Connecting ---


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


# --- Reading ---


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
    assert client.search({"filterGroups": []}) == {"results": [], "total": 0}
    assert len(wire.requests) == 2


def test_a_search_whose_answers_keep_breaking_off_is_incomplete(wire: Wire, client: HubSpotClient) -> None:
    wire.says(http("200 OK", b'{"results": [{"id": "1"}', length=4000))
    with pytest.raises(Incomplete, match="crm"):
        client.search({})
    assert len(wire.requests) == ATTEMPTS


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"[]", b'{"results": []}', b'{"total": 3}'])
def test_a_search_that_answers_with_something_else_is_incomplete(
    wire: Wire, client: HubSpotClient, body: bytes
) -> None:
    wire.says(http("200 OK", body))
    with pytest.raises(Incomplete, match="crm"):
        client.search({})


def test_a_not_found_page_in_html_is_an_error_that_names_the_call(wire: Wire, client: HubSpotClient) -> None:
    wire.says(http("404 Not Found", b"<html>caf\xe9</html>", "text/html", "X-HubSpot-NotFound: true"))
    with pytest.raises(Unavailable, match="crm: batch read of contacts"):
        client.contacts(["1"], ["email"])


# --- Changing ---


CHANGES: dict[str, Callable[[HubSpotClient], object]] = {
    "purge": lambda client: client.purge("51"),
    "update": lambda client: client.update([{"id": "51", "properties": {"phone": ""}}]),
    "unsubscribe": lambda client: client.unsubscribe(ADDRESS),
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
    assert client.purge("51").status == 204
    assert wire.lines() == ["POST /crm/v3/objects/contacts/gdpr-delete"]
    assert json.loads(wire.requests[0].partition("\r\n\r\n")[2]) == {"objectId": "51"}


def test_an_address_cannot_leave_its_place_in_the_path(wire: Wire, client: HubSpotClient) -> None:
    wire.says(EMPTY)
    client.unsubscribe(ADDRESS)
    (line,) = wire.lines()
    path, _, query = line.partition("?")
    assert path == ("POST /communication-preferences/v4/statuses/o%27brien%2Bnews%2F1%40example.com/unsubscribe-all")
    assert query == "channel=EMAIL&verbose=true"
    assert f"Bearer {TOKEN}" in wire.requests[0]
