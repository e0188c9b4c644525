"""What do tests of the emulators share? Starting one as its own process, and a small org without a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce

from sandbox.clock import Clock
from sandbox.salesforce.store import OrgStore
from tests.sandbox.salesforce_calls import VERSION, Trusting, token

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)


class Running:
    """An emulator that said it is ready; `verify` goes with every request, since the environment may name a bundle."""

    def __init__(self, line: dict[str, Any]) -> None:
        self.line = line
        self.base_url: str = line["base_url"]
        self.ca: str = line["ca"]
        self.credentials: dict[str, str] = line["credentials"]

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else self.base_url + path
        return requests.request(method, url, verify=self.ca, timeout=20, **options)

    def control(self, verb: str, command: str, /, **given: Any) -> Any:
        answer = self.request(verb, f"{self.line['control']}/_sandbox/{command}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    processes: list[subprocess.Popen[str]] = []

    def begin(name: str, *arguments: str) -> Running:
        tls = tmp_path_factory.mktemp("tls")
        command = [sys.executable, "-m", "sandbox", name, "--port", "0", "--as-of", TODAY.isoformat()]
        process = subprocess.Popen(
            [*command, "--tls-dir", str(tls), *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout is not None
        return Running(json.loads(process.stdout.readline()))

    yield begin
    for process in processes:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def salesforce(start: Callable[..., Running]) -> Running:
    return start("salesforce")


@pytest.fixture
def emulator(salesforce: Running) -> Running:
    """The running org, as it was seeded."""
    salesforce.control("POST", "reset")
    return salesforce


@pytest.fixture
def sf(emulator: Running) -> Iterator[Salesforce]:
    """The vendor's client, logged in."""
    with Trusting(emulator.ca) as session:
        yield Salesforce(session_id=token(emulator), instance_url=emulator.base_url, version=VERSION, session=session)


def _contact(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "Id": f"0030100000000{number:02d}AAA",
        "LastName": f"Example{number}",
        "CreatedDate": "2020-05-01T09:30:00.000+0000",
        "SystemModstamp": "2021-01-01T00:00:00.000+0000",
        **fields,
    }


@pytest.fixture
def org() -> OrgStore:
    """Four contacts, two accounts, and what hangs on them."""
    rows: dict[str, list[dict[str, Any]]] = {
        "Account": [
            {"Id": "001010000000001AAA", "Name": "Northgate Example", "CreatedDate": "2019-01-01T00:00:00Z"},
            {"Id": "001010000000002AAA", "Name": "Hall & Sons Example", "CreatedDate": "2019-01-01T00:00:00Z"},
        ],
        "Contact": [
            _contact(1, FirstName="Ann", Email="ann.o'hara@example.com", AccountId="001010000000001AAA"),
            _contact(
                2, FirstName="Bo", Email="BO_100%@example.org", Collected_On__c=date(2021, 2, 28), Lead_Score__c=7
            ),
            _contact(3, HasOptedOutOfEmail=True, CreatedDate="2021-11-22T23:30:00Z", AccountId="001010000000002AAA"),
            _contact(4, FirstName="Di", IsDeleted=True, SystemModstamp="2026-11-20T00:00:00Z"),
        ],
        "Opportunity": [
            {
                "Id": "006010000000001AAA",
                "Name": "Sale",
                "StageName": "Closed Won",
                "AccountId": "001010000000001AAA",
                "ContactId": "003010000000001AAA",
                "CreatedDate": "2020-06-01T00:00:00Z",
            }
        ],
        "OpportunityContactRole": [
            {
                "Id": "00K010000000001EAA",
                "OpportunityId": "006010000000001AAA",
                "ContactId": "003010000000001AAA",
                "CreatedDate": "2020-06-01T00:00:00Z",
            }
        ],
        "Case": [
            {
                "Id": "500010000000001AAA",
                "CaseNumber": "00001026",
                "Status": "Working",
                "ContactId": "003010000000003AAA",
                "CreatedDate": "2026-10-01T00:00:00Z",
            }
        ],
    }
    return OrgStore(lambda: rows, Clock(TODAY))
