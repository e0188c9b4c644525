"""Does every call of the HubSpot connector, and every answer it works with, fit what HubSpot publishes?

The connector does everything it can against the emulator, through a proxy that remembers each exchange.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors.hubspot import HubSpotConnector, connect
from retention.policy import load
from retention.vocabulary import Action, Criteria, Identifier, IdentifierKind, RecordRef, Step
from tests.contract.hubspot_world import EXPIRED, ROOT, SYSTEM, HubSpotWorld, running, unhurried
from tests.contract.world import EXPIRED_ON
from tests.leave import Leave
from tests.sandbox.hubspot_specs import SPECS, operation

pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason=f"the published descriptions are not at {SPECS}")
KINDS = load(Path(ROOT) / "include" / "policy").systems["hubspot"].kinds()
NOT_DESCRIBED = frozenset({"POST /oauth/v2/private-apps/get/access-token-info"})
"""Described by HubSpot's guides only."""
ADDRESS = "ann@example.com"


@dataclass(frozen=True)
class Exchange:
    """One call and its answer."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    status: int
    answer: Any


class Recorder:
    """A proxy on loopback that remembers what goes through it."""

    def __init__(self, target: str) -> None:
        exchanges: list[Exchange] = []
        self.exchanges = exchanges

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Nothing personal on the screen."""

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length")}
                answer = requests.request(self.command, target + self.path, data=body, headers=headers, timeout=30)
                parts = urlsplit(self.path)
                exchanges.append(
                    Exchange(
                        self.command,
                        parts.path,
                        parse_qs(parts.query),
                        json.loads(body) if body else None,
                        answer.status_code,
                        answer.json() if answer.content else None,
                    )
                )
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass_on

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


@pytest.fixture(scope="module")
def exchanges() -> Iterator[list[Exchange]]:
    with running() as emulator:
        account = HubSpotWorld(emulator)
        emulator.tell("switches", association_ids_as_text=True, enforce_limits=False)
        proxy = Recorder(emulator.base_url)
        for enterprise in (False, True):
            emulator.tell("switches", enterprise=enterprise)
            client = connect(emulator.token, proxy.url, pace=unhurried())
            do_everything(account, HubSpotConnector(client, SYSTEM, client.tenant, KINDS))
        proxy.close()
        yield proxy.exchanges


def do_everything(account: HubSpotWorld, connector: HubSpotConnector) -> None:
    """Find, act on, read back and export contacts and notes."""
    account.emulator.send("DELETE", "/crm/v3/properties/contacts/processing_restricted")
    ann, bo, cy = (account.contact(f"{name}@example.com", collected_on=str(EXPIRED_ON)) for name in ("ann", "bo", "cy"))
    account.record("companies", {"name": "Example & Sons", "lifecyclestage": "customer"}, contacts=[ann])
    account.record("tickets", {"subject": "Late", "hs_pipeline_stage": "1"}, contacts=[ann])
    account.record("deals", {"dealname": "Roof", "dealstage": "closedwon", "pipeline": "default"}, contacts=[ann])
    text = {"hs_note_body": f"met {ADDRESS}", "hs_timestamp": f"{EXPIRED_ON}T09:00:00Z"}
    note = account.record("notes", text, contacts=[ann, bo])
    named = (Identifier(IdentifierKind.EMAIL, ADDRESS),)
    list(connector.find(replace(EXPIRED, opted_out=True, undated=True)))
    list(connector.find(Criteria(identifiers=named)))
    list(connector.export([ann, note]))
    act(connector, Action.SUPPRESS, ann, bo)
    act(connector, Action.RESTRICT, ann, bo)
    act(connector, Action.RELEASE, ann, values={"processing_restricted": ""})
    act(connector, Action.REDACT, cy, fields=("phone", "city"))
    act(connector, Action.REDACT, note, fields=("hs_note_body",), identifiers=named)
    act(connector, Action.ERASE, note)
    act(connector, Action.ERASE, ann, bo, cy)
    act(connector, Action.ERASE, ann)


def act(connector: HubSpotConnector, action: Action, *refs: RecordRef, **how: Any) -> None:
    steps = [Step(ref.key, ref, action, **how) for ref in refs]
    now = [seen.ref for seen in connector.read_back(steps)]
    connector.act(action, [Step(ref.key, ref, action, **how) for ref in now], Leave())
    connector.read_back(steps)


def test_every_call_the_connector_makes_is_described_and_fits(exchanges: list[Exchange]) -> None:
    faults: dict[str, list[str]] = {}
    for one in exchanges:
        name = f"{one.method} {one.path}"
        if name in NOT_DESCRIBED:
            continue
        known = operation(one.method, one.path)
        if known is None:
            faults[name] = ["is not described"]
        elif found := known.faults_of_call(one.query, one.body):
            faults[known.template] = found
    assert faults == {}


def test_every_answer_the_connector_works_with_fits(exchanges: list[Exchange]) -> None:
    faults: dict[str, list[str]] = {}
    for one in exchanges:
        known = operation(one.method, one.path)
        if known is not None and (found := known.faults_of_answer(one.status, one.answer)):
            faults[f"{one.status} {known.template}"] = found
    assert faults == {}


def test_all_that_the_connector_can_do_was_done(exchanges: list[Exchange]) -> None:
    done = {f"{one.method} {known.template}" for one in exchanges if (known := operation(one.method, one.path))}
    assert done >= {
        "POST /crm/v3/objects/contacts/gdpr-delete",
        "POST /crm/objects/2026-09/{objectType}/gdpr-delete",
        "POST /communication-preferences/v4/statuses/{subscriberIdString}/unsubscribe-all",
        "POST /communication-preferences/v4/statuses/batch/unsubscribe-all",
        "GET /communication-preferences/v4/statuses/{subscriberIdString}",
        "GET /communication-preferences/v3/definitions",
        "POST /crm/v4/associations/{fromObjectType}/{toObjectType}/batch/archive",
        "POST /crm/v3/properties/{objectType}",
    }
    assert {207, 204, 201} <= {one.status for one in exchanges}
