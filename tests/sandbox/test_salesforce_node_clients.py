"""Do clients and a grammar that are not ours get on with the emulator, and with what the connector sends?

They come from npm, pinned by the lock file in `tests/clients/salesforce`, into a folder of this run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors.salesforce import SalesforceConnector, tenant_of
from retention.policy import load
from retention.vocabulary import Action, Step
from tests import node
from tests.contract.finding import HOSTILE
from tests.contract.salesforce_world import (
    EVERYTHING,
    SYSTEM,
    Emulator,
    SalesforceWorld,
    asking_for,
    many,
    no_pause,
    running,
)
from tests.contract.world import EXPIRED_ON
from tests.leave import Leave

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "tests" / "clients" / "salesforce"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node_clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return node.installed(CLIENTS, tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running(tmp_path_factory.mktemp("tls")) as emulator:
        yield emulator


@pytest.fixture
def org(emulator: Emulator) -> SalesforceWorld:
    emulator.reset()
    return SalesforceWorld(emulator)


def told(folder: Path, script: str, given: Any, ca: str = "") -> Any:
    return node.told(folder, script, given=json.dumps(given), ca=ca)


def test_jsforce_logs_in_queries_and_deletes_in_collections_and_in_bulk(
    node_clients: Path, org: SalesforceWorld
) -> None:
    known = org.emulator.credentials
    given = {"base_url": org.emulator.base_url, **{name: known[name] for name in ("client_id", "client_secret")}}
    said = told(node_clients, "jsforce.mjs", given, org.emulator.ca)
    made = said["made"]
    assert said["queried"] == 6
    assert said["deleted"] == [True, True]
    assert said["in_bulk"] == [f"jsforce-{number}@example.com" for number in range(2, 6)]
    assert (said["hard_deleted"], said["failed"]) == (sorted(made[2:]), 0)
    stored = {row["Id"]: row["IsDeleted"] for row in org.stored()["Contact"] if row["Id"] in made}
    assert stored == {made[0]: True, made[1]: True}


def test_a_grammar_that_is_not_ours_accepts_every_query_the_connector_sends(
    node_clients: Path, org: SalesforceWorld
) -> None:
    statements: dict[str, None] = {}
    org.emulator.tell("switches", person_accounts=True)
    client = org.emulator.connect()
    client.session.hooks["response"].append(lambda response, **_: statements.update(_statements_of(response)))
    kinds = load(ROOT / "include" / "policy").systems["salesforce"].kinds()
    connector = SalesforceConnector(client, SYSTEM, tenant_of(client), kinds, page_size=200, pause=no_pause)
    refs = many(org, 1_050, Collected_On__c=EXPIRED_ON.isoformat())  # more than three pages more: a bulk query
    findings = [finding for page in connector.find(EVERYTHING) for finding in page.findings]
    assert {ref.key for ref in refs} <= {finding.ref.key for finding in findings}
    list(connector.find(asking_for("o'brien@example.com", *HOSTILE.values())))
    ours = [finding.ref for finding in findings if finding.ref.key in {ref.key for ref in refs}]
    connector.act(Action.REDACT, [Step("r", ours[0], Action.REDACT, fields=("Email",))], Leave())
    connector.act(Action.ERASE, [Step("e", ref, Action.ERASE) for ref in ours[1:4]], Leave())
    connector.read_back([Step("v", ref, Action.ERASE) for ref in ours[:4]])
    objects = {statement.partition(" FROM ")[2].split(" ")[0] for statement in statements}
    assert {"Contact", "Lead", "Account", "Task", "EmailMessage", "Order", "ContactHistory"} <= objects
    assert told(node_clients, "grammar.mjs", list(statements)) == []


def _statements_of(response: requests.Response) -> dict[str, None]:
    """The SOQL in one request: in its address, in the parts of a composite call, or in a query job."""
    urls, found = [str(response.request.url)], []
    if response.request.method == "POST" and "json" in response.request.headers.get("Content-Type", ""):
        body = json.loads(response.request.body or b"{}")
        urls += [part["url"] for part in body.get("compositeRequest", ())]
        found += [body["query"]] if "query" in body else []
    for url in urls:
        found += parse_qs(urlsplit(url).query).get("q", [])
    return dict.fromkeys(found)
