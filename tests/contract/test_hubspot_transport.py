"""What does the HubSpot connector make of answers nobody hoped for? A server says exactly what it is told."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from connectors.hubspot import HubSpotClient, HubSpotConnector, Pace, connect
from connectors.hubspot.client import SCOPES
from connectors.hubspot.facts import declared
from connectors.hubspot.patience import ATTEMPTS, NoAnswer
from retention.contract import AccessDenied, ConnectorError, Incomplete, Throttled, Unavailable
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Gap,
    GapCode,
    Handle,
    Outcome,
    Presence,
    RecordRef,
    Step,
    Transaction,
)
from sandbox.tls import TlsFiles, issue
from tests.contract.hubspot_world import EXPIRED, KINDS
from tests.leave import Leave

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

    def __init__(self, tls: TlsFiles | None = None) -> None:
        self.answers: deque[bytes] = deque([token_info()])
        self.requests: list[str] = []
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
        if tls and self._context:
            self._context.load_cert_chain(tls.certificate, tls.key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
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
            if self._context:
                try:
                    connection = self._context.wrap_socket(connection, server_side=True)
                except OSError:
                    continue
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
    "purge": lambda client: client.purge("51", Leave()),
    "update": lambda client: client.update([{"id": "51", "properties": {"phone": ""}}], Leave()),
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
    assert client.purge("51", Leave()).status == 204
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


# --- What the connector makes of it ---

VERSION = "2026-11-20T10:00:00.000Z"


def answers(body: object, status: str = "200 OK") -> bytes:
    return http(status, json.dumps(body).encode())


def row(key: str, **properties: str) -> dict[str, object]:
    return {"id": key, "properties": properties, "createdAt": VERSION, "updatedAt": VERSION, "archived": False}


def rows(*keys: str) -> bytes:
    return answers({"status": "COMPLETE", "results": [row(key) for key in keys]})


def mixed(*keys: str, **errors: str) -> bytes:
    """A batch's answer with results and, by category, an id each that has none."""
    said = [
        {"status": "error", "category": category, "message": ADDRESS, "context": {"ids": [key]}}
        for category, key in errors.items()
    ]
    results = [row(key) for key in keys]
    return answers({"status": "COMPLETE", "results": results, "numErrors": len(said), "errors": said}, "207 Mixed")


def steps(action: Action, *keys: str) -> list[Step]:
    return [Step(key, RecordRef("crm", "contact", key, VERSION), action, fields=("phone",)) for key in keys]


def ignore(_: Handle) -> None:
    """Note nothing."""


@pytest.fixture
def connector(client: HubSpotClient) -> HubSpotConnector:
    return HubSpotConnector(client, "crm", client.tenant, KINDS)


def verdicts(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    return [(outcome.status.value, outcome.reason.value) for outcome in outcomes]


DAILY = answers({"policyName": "DAILY", "errorType": "RATE_LIMIT", "message": ADDRESS}, "429 Too Many Requests")


def test_the_allowance_of_the_day_ends_a_batch_in_the_middle_with_an_outcome_for_each(
    wire: Wire, connector: HubSpotConnector
) -> None:
    wire.says(rows("1", "2", "3", "4"), DELETED, DELETED, DAILY)
    outcomes = connector.act(Action.ERASE, steps(Action.ERASE, "1", "2", "3", "4"), Leave())
    assert verdicts(outcomes) == [("done", "ok")] * 2 + [("failed", "not-sent")] * 2
    assert len(wire.requests) == 4


def test_a_batch_of_which_nothing_was_sent_yet_fails_as_a_whole(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(rows("1", "2"), DAILY)
    with pytest.raises(Throttled, match="crm"):
        connector.act(Action.ERASE, steps(Action.ERASE, "1", "2"), Leave())


def test_a_scope_withdrawn_in_the_middle_is_no_permission_for_the_rest(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(rows("1", "2", "3"), DELETED, answers({"category": "MISSING_SCOPES"}, "403 Forbidden"))
    outcomes = connector.act(Action.ERASE, steps(Action.ERASE, "1", "2", "3"), Leave())
    assert verdicts(outcomes) == [("done", "ok")] + [("refused", "no-permission")] * 2


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("400 Bad Request", ("refused", "rejected-by-validation")),
        ("423 Locked", ("failed", "locked")),
        ("405 Method Not Allowed", ("failed", "vendor-error")),
    ],
)
def test_a_purge_that_is_rejected_leaves_the_next_one_its_turn(
    wire: Wire, connector: HubSpotConnector, status: str, expected: tuple[str, str]
) -> None:
    rejected = [answers({"message": ADDRESS}, status)] * (ATTEMPTS if "423" in status else 1)
    wire.says(rows("1", "2"), *rejected, DELETED)
    outcomes = connector.act(Action.ERASE, steps(Action.ERASE, "1", "2"), Leave())
    assert verdicts(outcomes) == [expected, ("done", "ok")]


NOBODY = mixed(OBJECT_NOT_FOUND="1")
HTML_404 = http("404 Not Found", b"<html></html>", "text/html")


@pytest.mark.parametrize(
    ("seen_then", "expected"),
    [
        ([NOBODY, NOBODY, rows("9"), rows("9")], ("already-done", "gone")),
        ([rows("1")], ("failed", "not-proven")),
        ([NOBODY, rows("1")], ("accepted", "recoverable")),
        ([HTML_404], ("unknown", "not-proven")),
    ],
    ids=["gone", "still-there", "in-the-archive", "cannot-be-read"],
)
def test_a_purge_answered_with_not_found_is_checked_by_reading(
    wire: Wire, connector: HubSpotConnector, seen_then: list[bytes], expected: tuple[str, str]
) -> None:
    wire.says(rows("1"), HTML_404, *seen_then)
    assert verdicts(connector.act(Action.ERASE, steps(Action.ERASE, "1"), Leave())) == [expected]


def test_half_a_batch_that_failed_is_told_apart_from_the_half_that_did_not(
    wire: Wire, connector: HubSpotConnector
) -> None:
    filled = answers({"results": [row(key, phone="1") for key in ("1", "2", "3", "4")]})
    wire.says(filled, mixed("1", VALIDATION_ERROR="2", OBJECT_NOT_FOUND="4"))
    outcomes = connector.act(Action.REDACT, steps(Action.REDACT, "1", "2", "3", "4"), Leave())
    assert verdicts(outcomes) == [
        ("done", "ok"),
        ("refused", "rejected-by-validation"),
        ("unknown", "no-answer"),
        ("refused", "changed-since-planned"),
    ]


def test_a_change_that_every_contact_rejects_is_not_tried_on_each(wire: Wire, connector: HubSpotConnector) -> None:
    keys = [str(number) for number in range(1, 101)]
    filled = answers({"results": [row(key, phone="1") for key in keys]})
    wire.says(filled, answers({"category": "VALIDATION_ERROR", "message": ADDRESS}, "400 Bad Request"))
    outcomes = connector.act(Action.REDACT, steps(Action.REDACT, *keys), Leave())
    assert verdicts(outcomes) == [("refused", "rejected-by-validation")] * 100
    assert len(wire.requests) < 15


def test_an_error_of_another_kind_is_not_taken_for_absence(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(mixed("1", INTERNAL_ERROR="2"))
    seen = connector.read_back(steps(Action.ERASE, "1", "2"))
    assert [one.presence for one in seen] == [Presence.PRESENT, Presence.UNREADABLE]


def test_an_answer_about_somebody_nobody_asked_for_proves_no_absence(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(rows("1", "77"))
    seen = connector.read_back(steps(Action.ERASE, "1", "2"))
    assert [one.presence for one in seen] == [Presence.PRESENT, Presence.UNREADABLE]


def test_without_any_contact_that_is_shown_nothing_is_proven_absent(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(NOBODY, NOBODY, rows())
    (seen,) = connector.read_back(steps(Action.ERASE, "1"))
    assert seen.presence is Presence.UNREADABLE


def test_a_merged_contact_reads_as_there_and_is_not_acted_on(wire: Wire, connector: HubSpotConnector) -> None:
    winner = answers({"results": [row("8", hs_merged_object_ids="3;1", phone="1")]})
    wire.says(winner)
    (seen,) = connector.read_back(steps(Action.ERASE, "1"))
    assert seen.presence is Presence.PRESENT
    for action in (Action.ERASE, Action.REDACT):
        assert verdicts(connector.act(action, steps(action, "1"), Leave())) == [("refused", "changed-since-planned")]


# --- What a search makes of it ---

PROPERTIES = answers({"results": [{"name": name, "type": "string"} for name in declared(KINDS[0])]})
ASKED = Criteria(opted_out=True)


def hits(*keys: str, total: int) -> bytes:
    return answers({"total": total, "results": [row(key, hs_email_optout="true", email=ADDRESS) for key in keys]})


def test_a_page_short_of_its_own_total_is_incomplete(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(PROPERTIES, hits("1", "2", total=3))
    with pytest.raises(Incomplete, match="2 of 3"):
        list(connector.find(ASKED))


@pytest.mark.parametrize("keys", [("2", "1"), ("1", "1"), ("x",), ("0",)])
def test_a_page_out_of_order_is_incomplete(wire: Wire, connector: HubSpotConnector, keys: tuple[str, ...]) -> None:
    wire.says(PROPERTIES, hits(*keys, total=len(keys)))
    with pytest.raises(Incomplete, match="order"):
        list(connector.find(ASKED))


@pytest.mark.parametrize("cursor", ["", "7/1", "x/y", "0/-1", ADDRESS])
def test_a_cursor_of_another_search_is_refused(wire: Wire, connector: HubSpotConnector, cursor: str) -> None:
    wire.says(PROPERTIES)
    with pytest.raises(ConnectorError, match="another search"):
        list(connector.find(ASKED, Cursor(cursor)))


def test_deals_that_cannot_be_read_are_a_gap_and_protect_the_contact(wire: Wire, connector: HubSpotConnector) -> None:
    buyer = row("1", hs_email_optout="true", num_associated_deals="2", email=ADDRESS)
    linked = answers({"results": [{"from": {"id": "1"}, "to": [{"toObjectId": 70}, {"toObjectId": "71"}]}]})
    won = row("70", hs_is_closed="true", hs_is_closed_won="true", closedate="2025-03-04T10:00:00Z")
    wire.says(PROPERTIES, answers({"total": 1, "results": [buyer]}), linked, answers({"results": [won]}, "207 Mixed"))
    (page,) = connector.find(ASKED)
    assert [(gap.code, gap.what) for gap in page.gaps] == [(GapCode.LINK_NOT_FOLLOWED, "deals")]
    assert page.findings[0].facts.transactions == (
        Transaction("deal", date(2025, 3, 4), live=False),
        Transaction("deal", date(2026, 11, 20), live=True),
    )


def test_a_won_deal_is_a_transaction_an_open_one_is_live_and_a_lost_one_is_none(
    wire: Wire, connector: HubSpotConnector
) -> None:
    buyer = row("1", hs_email_optout="true", num_associated_deals="3", email=ADDRESS)
    linked = {"from": {"id": "1"}, "to": [{"toObjectId": key} for key in (70, 71, 72)]}
    closed = {"hs_is_closed": "true", "closedate": "2025-03-04T10:00:00Z"}
    deals = [
        row("70", hs_is_closed_won="true", **closed),
        row("71", hs_is_closed_won="false", **closed),
        row("72", hs_is_closed="false", createdate="2026-10-01T10:00:00Z"),
    ]
    found = answers({"total": 1, "results": [buyer]})
    wire.says(PROPERTIES, found, answers({"results": [linked]}), answers({"results": deals}))
    (page,) = connector.find(ASKED)
    assert page.gaps == ()
    assert page.findings[0].facts.transactions == (
        Transaction("deal", date(2025, 3, 4), live=False),
        Transaction("deal", date(2026, 10, 1), live=True),
    )


def test_a_property_the_account_does_not_show_is_a_gap_and_leaves_no_date_instead_of_a_worse_one(
    wire: Wire, connector: HubSpotConnector
) -> None:
    shown = [name for name in declared(KINDS[0]) if name != "collected_on"]
    properties = answers({"results": [{"name": name, "type": "datetime"} for name in shown]})
    known = row("1", email=ADDRESS, createdate="2019-01-01T00:00:00Z", hs_email_optout="true")
    wire.says(properties, answers({"total": 1, "results": [known]}))
    (page,) = connector.find(replace(EXPIRED, opted_out=True))
    assert page.gaps == (Gap(GapCode.FIELD_HIDDEN, "contact", "collected_on"),)
    assert [one.collected for one in page.findings[0].facts.classes] == [None]
    assert "createdate" not in wire.requests[1].partition("properties")[0]


def test_all_pages_of_a_contacts_deals_are_read(wire: Wire, connector: HubSpotConnector) -> None:
    buyer = row("1", hs_email_optout="true", num_associated_deals="2", email=ADDRESS)
    first = {"from": {"id": "1"}, "to": [{"toObjectId": 70}], "paging": {"next": {"after": "500"}}}
    second = {"from": {"id": "1"}, "to": [{"toObjectId": 71}]}
    deals = [row(key, hs_is_closed="false", closedate="2026-12-01T10:00:00Z") for key in ("70", "71")]
    wire.says(
        PROPERTIES,
        answers({"total": 1, "results": [buyer]}),
        *(answers({"results": [some]}) for some in (first, second)),
        answers({"results": deals}),
    )
    (page,) = connector.find(ASKED)
    assert len(page.findings[0].facts.transactions) == 2
    assert '"after": "500"' in wire.requests[3]
