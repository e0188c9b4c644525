"""Does a session with an org log in, renew its login, wait and stop as it should? A scripted server plays the org."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from connectors.salesforce import SalesforceConnector, connect, tenant_of
from retention.contract import AccessDenied, ConnectorError, Incomplete, Throttled, Unavailable
from retention.vocabulary import (
    Action,
    Criteria,
    DataClass,
    FieldSet,
    Identifier,
    IdentifierKind,
    LawfulBasis,
    OutcomeStatus,
    RecordKind,
    RecordRef,
    Step,
)
from sandbox.server import http_server, listen, port_of
from sandbox.tls import issue
from tests.leave import Leave

SECRET = "s3cret-of-the-app"
ORG = "00D000000000001AAA"
KIND = RecordKind(
    "Contact",
    (FieldSet(DataClass.CONTACT_IDENTITY, ("Email",), (), LawfulBasis.CONSENT),),
    (("Email", IdentifierKind.EMAIL),),
    opt_out="HasOptedOutOfEmail",
)
REF = RecordRef("crm", "Contact", "003000000000001AAA", "")
EXPIRED_TOKEN = JSONResponse([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)


@dataclass
class ScriptedOrg:
    """Logs everybody in, and answers each other call with the next of `answers`; the last one again and again."""

    origin: str
    ca: Path
    answers: list[Response] = field(default_factory=list)
    login: Response | None = None
    calls: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    delay: float = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        self.urls.append(str(request.url))
        self.calls.append((request.method, request.url.path, dict(request.headers)))
        # Taken before the delay: a caller that gave up must not use up the answers of a later test.
        answer = self._answer(request.url.path)
        await asyncio.sleep(self.delay)
        await answer(scope, receive, send)

    def _answer(self, path: str) -> Response:
        if path == "/services/oauth2/token":
            number = sum(1 for _, called, _ in self.calls if called == path)
            return self.login or self.token(access_token=f"token-{number}")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def token(self, **other: Any) -> Response:
        identity = f"https://login.salesforce.com/id/{ORG}/005000000000001AAA"
        return JSONResponse({"access_token": "token", "instance_url": self.origin, "id": identity} | other)

    def script(self) -> None:
        """Begin a new story."""
        self.answers, self.calls, self.urls, self.login, self.delay = [], [], [], None, 0.0

    def paths(self) -> list[str]:
        return [path.rpartition("/")[2] for _, path, _ in self.calls]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedOrg]:
    tls = issue(tmp_path_factory.mktemp("tls"), "scripted")
    sock = listen(0)
    org = ScriptedOrg(f"https://127.0.0.1:{port_of(sock)}", tls.ca)
    server: uvicorn.Server = http_server(org, tls)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the scripted server did not come up"
        time.sleep(0.01)
    yield org
    server.should_exit = True
    thread.join(timeout=10)
    sock.close()


@pytest.fixture
def org(running: ScriptedOrg) -> ScriptedOrg:
    running.script()
    return running


class Pauses(list[float]):
    """Notes how long it was asked to wait, and does not."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def connector(
    org: ScriptedOrg, pauses: Pauses | None = None, timeout: float = 30, kind: RecordKind = KIND
) -> SalesforceConnector:
    pause = pauses if pauses is not None else Pauses()
    client = connect(org.origin, "app-id", SECRET, ca_bundle=str(org.ca), timeout=timeout, pause=pause)
    return SalesforceConnector(client, "crm", tenant_of(client), (kind,), pause=pause)


def parts(*bodies: Any) -> Response:
    """The answer to a composite call whose parts all went well."""
    given = [
        {"referenceId": f"part{number}", "httpStatusCode": 200, "httpHeaders": {}, "body": body}
        for number, body in enumerate(bodies)
    ]
    return JSONResponse({"compositeResponse": given})


def described() -> Response:
    """What the org says of an object and of the consent object: a few fields, and nothing that points at them."""
    names = ("Id", "SystemModstamp", "Email", "HasOptedOutOfEmail")
    fields = [{"name": name, "type": "string", "filterable": True, "nillable": True} for name in names]
    return parts({"fields": fields}, {"fields": fields})


COUNTED = JSONResponse({"sObjects": [{"name": "Contact", "count": 2}]})


def rows(*found: dict[str, Any] | None) -> Response:
    return JSONResponse(list(found))


def test_the_tenant_is_the_organization_that_the_login_names(org: ScriptedOrg) -> None:
    assert connector(org).tenant == ORG
    assert org.paths() == ["token"]


def test_without_that_name_the_organization_is_asked_for(org: ScriptedOrg) -> None:
    org.login = org.token(id="")
    org.answers = [JSONResponse({"totalSize": 1, "done": True, "records": [{"Id": ORG}]})]
    assert connector(org).tenant == ORG
    assert org.paths() == ["token", "query"]


@pytest.mark.parametrize(
    ("code", "culprit"),
    [
        ("invalid_client_id", "client id"),
        ("invalid_client", "client secret"),
        ("invalid_grant", "run-as user"),
        ("inactive_user", "run-as user is inactive"),
        ("unsupported_grant_type", "client credentials flow"),
        ("something new", "NO_CODE"),
    ],
)
@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_login_says_which_credential_is_wrong_and_shows_none(
    org: ScriptedOrg, status: int, code: str, culprit: str
) -> None:
    org.login = JSONResponse({"error": code, "error_description": f"no such app-id with {SECRET}"}, status)
    with pytest.raises(AccessDenied, match=culprit) as denied:
        connector(org)
    assert SECRET not in str(denied.value)
    assert "app-id" not in str(denied.value)


def test_an_expired_login_is_renewed_once_and_the_call_repeated_whole(org: ScriptedOrg) -> None:
    org.answers = [EXPIRED_TOKEN, rows(None)]
    client = connect(org.origin, "app-id", SECRET, ca_bundle=str(org.ca), pause=Pauses())
    headers = {**client.headers, "Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert client.session.get(f"{client.base_url}limits", headers=headers).status_code == 200
    assert org.paths() == ["token", "limits", "token", "limits"]
    first, second = org.calls[1][2], org.calls[3][2]
    assert (first["authorization"], second["authorization"]) == ("Bearer token-1", "Bearer token-2")
    assert second["sforce-duplicate-rule-header"] == "allowSave=true"


def test_a_login_that_is_never_accepted_ends_instead_of_looping(org: ScriptedOrg) -> None:
    org.answers = [EXPIRED_TOKEN]
    ours = connector(org)
    with pytest.raises(AccessDenied, match="crm"):
        list(ours.export([REF]))
    assert org.paths() == ["token", "Contact", "token", "Contact"]


def test_a_401_that_is_no_json_is_access_denied_too(org: ScriptedOrg) -> None:
    org.answers = [Response("<html>no</html>", 401, media_type="text/html")]
    with pytest.raises(AccessDenied, match="crm"):
        list(connector(org).export([REF]))


def test_a_redirect_to_another_host_is_not_followed_and_sees_no_token(org: ScriptedOrg) -> None:
    org.answers = [RedirectResponse("https://elsewhere.example/services/data", 302)]
    with pytest.raises(Unavailable, match="redirect"):
        list(connector(org).export([REF]))


@pytest.mark.parametrize("instance", ["https://elsewhere.example", "http://127.0.0.1", "https://10.0.0.1"])
def test_a_login_that_sends_us_to_a_foreign_instance_is_refused(org: ScriptedOrg, instance: str) -> None:
    org.login = org.token(instance_url=instance)
    with pytest.raises(AccessDenied, match="foreign host"):
        connector(org)


@pytest.mark.parametrize("address", ["http://login.example", "login.example", "https://", ""])
def test_a_login_address_that_is_not_https_is_refused_before_any_secret_is_sent(address: str) -> None:
    with pytest.raises(ConnectorError, match="https"):
        connect(address, "app-id", SECRET)


def test_the_ca_of_the_connection_beats_the_one_of_the_environment(
    org: ScriptedOrg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = issue(tmp_path, "other").ca
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    assert connector(org).tenant == ORG
    with pytest.raises(Unavailable, match="TLS"):
        connect(org.origin, "app-id", SECRET, ca_bundle=str(other), pause=Pauses())


def test_a_wait_that_is_asked_for_is_kept(org: ScriptedOrg) -> None:
    pauses = Pauses()
    org.answers = [Response(status_code=503, headers={"Retry-After": "7"}), rows(None)]
    assert list(connector(org, pauses).export([REF])) == []
    assert pauses == [7.0]


def test_a_wait_longer_than_the_budget_is_handed_to_the_caller_at_once(org: ScriptedOrg) -> None:
    pauses = Pauses()
    org.answers = [Response(status_code=429, headers={"Retry-After": "3600"})]
    ours = connector(org, pauses)
    with pytest.raises(Throttled, match="crm") as throttled:
        list(ours.export([REF]))
    assert throttled.value.retry_after == 3600
    assert pauses == []


def test_the_daily_allowance_is_no_matter_of_waiting(org: ScriptedOrg) -> None:
    pauses = Pauses()
    org.answers = [JSONResponse([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit"}], 403)]
    ours = connector(org, pauses)
    with pytest.raises(Throttled, match="REQUEST_LIMIT_EXCEEDED"):
        list(ours.export([REF]))
    assert pauses == []


def test_a_read_is_repeated_a_few_times_and_an_effect_never(org: ScriptedOrg) -> None:
    pauses = Pauses()
    org.answers = [Response("<html>busy</html>", 503, media_type="text/html")]
    ours = connector(org, pauses)
    with pytest.raises(Unavailable):
        list(ours.export([REF]))
    assert org.paths() == ["token", *["Contact"] * 4]
    assert pauses == [0.5, 1.0, 2.0]

    org.calls.clear()
    row = {"Id": REF.key, "SystemModstamp": "2021-11-22T00:00:00.000+0000", "Email": "ann@example.com"}
    org.answers = [rows(row), Response(status_code=503)]
    (outcome,) = ours.act(Action.REDACT, [Step("s", REF, Action.REDACT, fields=("Email",))], Leave())
    assert outcome.status is OutcomeStatus.UNKNOWN
    assert org.paths() == ["Contact", "composite"]


def test_an_answer_that_does_not_come_in_time_ends_the_wait(org: ScriptedOrg) -> None:
    org.answers = [rows(None)]
    ours = connector(org, timeout=0.2)
    org.delay = 0.5
    with pytest.raises(Unavailable, match="crm does not answer"):
        list(ours.export([REF]))


def some_rows(total: int, **more: Any) -> dict[str, Any]:
    row = {"Id": REF.key, "SystemModstamp": "2021-11-22T00:00:00.000+0000", "HasOptedOutOfEmail": True}
    return {"totalSize": total, "done": True, "records": [row]} | more


def test_fewer_rows_than_announced_are_no_population(org: ScriptedOrg) -> None:
    org.answers = [described(), COUNTED, parts(some_rows(total=2))]
    with pytest.raises(Incomplete, match="1 of 2 rows"):
        list(connector(org).find(Criteria(opted_out=True)))


def test_a_next_page_on_another_host_is_not_followed(org: ScriptedOrg) -> None:
    elsewhere = "https://elsewhere.example/services/data/v68.0/query/0r8-2000"
    org.answers = [described(), COUNTED, parts(some_rows(total=2, done=False, nextRecordsUrl=elsewhere))]
    pages = connector(org, kind=replace(KIND, name="Lead")).find(Criteria(opted_out=True))
    assert len(next(pages).findings) == 1
    with pytest.raises(Incomplete, match="next page lies outside"):
        next(pages)
    assert org.paths() == ["token", "composite", "recordCount", "composite"]


def test_a_page_of_a_gateway_is_no_answer(org: ScriptedOrg) -> None:
    org.answers = [Response("<html>maintenance</html>", 200, media_type="text/html")]
    with pytest.raises(Incomplete, match="crm"):
        list(connector(org).export([REF]))


def test_an_address_asked_for_never_stands_in_a_url(org: ScriptedOrg) -> None:
    nobody = {"totalSize": 0, "done": True, "records": []}
    org.answers = [described(), parts(nobody)]
    asked = Criteria(identifiers=(Identifier(IdentifierKind.EMAIL, "ann@example.com"),))
    (page,) = connector(org).find(asked)
    assert page.findings == ()
    assert org.paths() == ["token", "composite", "composite"]
    assert not any("ann" in url for url in org.urls)


def test_a_machine_that_is_not_there_is_unavailable() -> None:
    sock = listen(0)
    origin = f"https://127.0.0.1:{port_of(sock)}"
    sock.close()
    pauses = Pauses()
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 does not answer"):
        connect(origin, "app-id", SECRET, pause=pauses)
    assert len(pauses) == 3
