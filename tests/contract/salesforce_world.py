"""How does a tester reach behind the Salesforce connector? By the vendor's client and the control surface."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from simple_salesforce.api import Salesforce

from connectors.salesforce import SalesforceConnector, connect, tenant_of
from retention.contract import Connector
from retention.vocabulary import (
    Action,
    Criteria,
    DataClass,
    FieldSet,
    Finding,
    Identifier,
    IdentifierKind,
    LawfulBasis,
    Outcome,
    OutcomeStatus,
    Presence,
    Reason,
    RecordKind,
    RecordRef,
    Scalar,
    Step,
)
from tests.contract.world import CUTOFF, CUTOFF_DAY, EXPIRED_ON, LIVE_ON, SHORT_ON, Fault, Sample
from tests.leave import Leave

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 11, 22)
SYSTEM = "salesforce"
EXPIRED = Criteria(collected_before=CUTOFF, collected_before_day=CUTOFF_DAY)
EVERYTHING = replace(EXPIRED, opted_out=True, undated=True)


def kind(name: str, *identity: str) -> RecordKind:
    consent = LawfulBasis.CONSENT
    own_date = ("Collected_On__c", "CreatedDate")
    return RecordKind(
        name=name,
        field_sets=(
            FieldSet(
                DataClass.MARKETING_SIGNUP,
                ("Email",),
                ("Marketing_Consent_On__c",),
                consent,
                present_if="Marketing_Consent_On__c",
            ),
            FieldSet(DataClass.MARKETING_PROFILE, ("Interests__c", "Lead_Score__c"), own_date, consent),
            FieldSet(DataClass.CONTACT_IDENTITY, identity, own_date, consent),
            FieldSet(DataClass.CONTACT_NOTES, ("Last_Form_Message__c",), ("Last_Form_On__c",), consent),
        ),
        identifiers=(("Email", IdentifierKind.EMAIL), ("Phone", IdentifierKind.PHONE)),
        opt_out="HasOptedOutOfEmail",
        opt_out_on="Opted_Out_On__c",
        consent_on="Marketing_Consent_On__c",
        undated_if="Migrated__c",
        restricted="Processing_Restricted__c",
    )


KINDS = (
    kind("Contact", "FirstName", "LastName", "Email", "Phone", "Title"),
    kind("Lead", "FirstName", "LastName", "Company", "Email", "Phone", "Title"),
)


@dataclass(frozen=True)
class Emulator:
    """A running emulator, with its control surface."""

    base_url: str
    ca: str
    control: str
    credentials: Mapping[str, str]

    def tell(self, command: str, **given: Any) -> Any:
        return requests.post(f"{self.control}/_sandbox/{command}", json=given, verify=self.ca, timeout=10).json()

    def ask(self, what: str) -> Any:
        return requests.get(f"{self.control}/_sandbox/{what}", verify=self.ca, timeout=10).json()

    def reset(self) -> None:
        self.tell("reset")

    def clear_faults(self) -> None:
        requests.delete(f"{self.control}/_sandbox/faults", verify=self.ca, timeout=10)

    def forget_calls(self) -> None:
        requests.delete(f"{self.control}/_sandbox/calls", verify=self.ca, timeout=10)

    def calls(self) -> dict[str, int]:
        """Calls counted against the allowance, by method and template, the API's version left out."""
        counts = self.ask("calls")["counts"]
        return {name.partition(" ")[0] + " " + _tail(name.partition(" ")[2]): count for name, count in counts.items()}

    def connect(self, timeout: float = 10) -> Salesforce:
        return connect(
            self.base_url,
            self.credentials["client_id"],
            self.credentials["client_secret"],
            ca_bundle=self.ca,
            timeout=timeout,
            pause=no_pause,
        )


def _tail(template: str) -> str:
    """`/services/data/v{version}/composite` → `composite`."""
    parts = template.strip("/").split("/")
    return "/".join(parts[3:]) if parts[:2] == ["services", "data"] else template


def no_pause(seconds: float) -> None:
    """Wait for nothing: the emulator needs no time."""


@contextmanager
def running(tls: Path) -> Iterator[Emulator]:
    """An emulator in a process of its own, ended by its id."""
    command = [sys.executable, "-m", "sandbox", "salesforce", "--port", "0", "--as-of", AS_OF.isoformat()]
    process = subprocess.Popen([*command, "--tls-dir", str(tls)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        yield Emulator(line["base_url"], line["ca"], line["control"], line["credentials"])
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


class SalesforceWorld:
    """The tester's back door: the vendor's own client, and the emulator's control surface."""

    samples = frozenset(Sample) - {Sample.SHARED}
    faults = frozenset(Fault)
    clearable: tuple[str, ...] = ("Interests__c", "Lead_Score__c")
    corrections: Mapping[str, Scalar] = {"Phone": "+44 1632 960002", "Title": "Gardener"}
    bookkeeping = frozenset({"SystemModstamp", "LastModifiedDate", "LastModifiedById"})

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.secrets = (emulator.credentials["client_secret"],)
        self.org = emulator.connect()
        self.connector: Connector = self.reconnect()
        self._now = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 13, tzinfo=UTC)

    def reconnect(self, page_size: int = 200) -> SalesforceConnector:
        client = self.emulator.connect()
        return SalesforceConnector(client, SYSTEM, tenant_of(client), KINDS, page_size=page_size, pause=no_pause)

    def make(self, sample: Sample, email: str) -> RecordRef:
        return self.contact(email, **_FIELDS.get(sample, {}))

    def contact(self, email: str, **fields: Any) -> RecordRef:
        named = {"FirstName": "Ann", "LastName": "Example", "Email": email, "Collected_On__c": LIVE_ON.isoformat()}
        return RecordRef(SYSTEM, "Contact", self.create("Contact", **named | fields))

    def create(self, name: str, **fields: Any) -> str:
        return str(getattr(self.org, name).create(fields)["id"])

    def merge(self, master: str, *losers: str) -> None:
        """Merge contacts as the vendor's screen does; REST cannot."""
        named = "".join(f"<recordToMergeIds>{loser}</recordToMergeIds>" for loser in losers)
        envelope = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com">'
            f"<e:Header><SessionHeader><sessionId>{self.org.session_id}</sessionId></SessionHeader></e:Header>"
            '<e:Body><merge><request><masterRecord xmlns:s="urn:sobject.partner.soap.sforce.com">'
            f"<s:type>Contact</s:type><s:Id>{master}</s:Id></masterRecord>{named}</request></merge></e:Body></e:Envelope>"
        )
        url = f"https://{self.org.sf_instance}/services/Soap/u/{self.org.sf_version}"
        headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
        answer = self.org.session.post(url, data=envelope.encode(), headers=headers, timeout=10)
        assert "<success>true</success>" in answer.text, answer.text

    def change(self, ref: RecordRef) -> None:
        """The vendor's versions are whole seconds, so that the clock has to move for a new one."""
        self.pass_time(timedelta(minutes=1))
        getattr(self.org, ref.kind).update(ref.key, {"Title": "edited by somebody else"})

    def bin(self, ref: RecordRef) -> None:
        getattr(self.org, ref.kind).delete(ref.key)

    def remove(self, ref: RecordRef) -> None:
        job = self.org.restful(
            "jobs/ingest", method="POST", json={"object": ref.kind, "operation": "hardDelete", "contentType": "CSV"}
        )["id"]
        address, headers = f"{self.org.base_url}jobs/ingest/{job}", {**self.org.headers, "Content-Type": "text/csv"}
        self.org.session.put(f"{address}/batches", data=f"Id\n{ref.key}\n", headers=headers).raise_for_status()
        self.org.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "UploadComplete"})
        assert self.org.restful(f"jobs/ingest/{job}")["numberRecordsFailed"] == 0

    def snapshot(self) -> Mapping[tuple[str, str], Mapping[str, object]]:
        return {(name, row["Id"]): row for name, rows in self.stored().items() for row in rows}

    def stored(self) -> dict[str, list[dict[str, Any]]]:
        return dict(self.emulator.ask("state")["objects"])

    def break_next(self, fault: Fault, doing: Action | None = None) -> None:
        effect = (
            {"method": "PATCH", "path": "*/jobs/ingest/*"}
            if doing is Action.ERASE
            else {"method": "POST", "path": "*/composite"}
        )
        match fault:
            case Fault.UNAVAILABLE:
                self.emulator.tell("faults", fault="status", status=503, times=1000)
            case Fault.DENIED:
                self.emulator.tell("faults", fault="status", status=401, times=1000)
            case Fault.TRUNCATED:
                self.emulator.tell("faults", fault="truncated", path="*/query*", times=20)
            case Fault.HIDDEN:
                self.emulator.tell("switches", unshared_objects=["Contact", "Lead"])
            case _:
                self.emulator.tell("faults", fault=fault.value.replace("-", "_"), times=1, **effect)

    def finish(self) -> None:
        self.pass_time(timedelta(days=1))

    def pass_time(self, by: timedelta) -> None:
        self._now += by
        self.emulator.tell("clock", now=self._now.isoformat())


_FIELDS: Mapping[Sample, Mapping[str, Any]] = {
    Sample.EXPIRED: {"Collected_On__c": EXPIRED_ON.isoformat()},
    Sample.ONE_DAY_SHORT: {"Collected_On__c": SHORT_ON.isoformat()},
    Sample.OPTED_OUT: {"HasOptedOutOfEmail": True},
    Sample.UNDATED: {"Collected_On__c": None, "Migrated__c": True},
    Sample.MIXED: {
        "Phone": "+44 1632 960001",
        "Interests__c": "brochures",
        "Lead_Score__c": 7,
        "Marketing_Consent_On__c": LIVE_ON.isoformat(),
    },
}


# --- How the tests ask ---


def found(org: SalesforceWorld, criteria: Criteria) -> dict[str, Finding]:
    pages = list(org.reconnect().find(criteria))
    assert not any(page.gaps for page in pages)
    return {finding.ref.key: finding for page in pages for finding in page.findings}


def asking_for(*addresses: str) -> Criteria:
    return Criteria(identifiers=tuple(Identifier(IdentifierKind.EMAIL, address) for address in addresses))


def act(org: SalesforceWorld, action: Action, *refs: RecordRef, **how: Any) -> list[Outcome]:
    steps = [Step(f"step-{number}", ref, action, **how) for number, ref in enumerate(refs)]
    return list(org.reconnect().act(action, steps, Leave()))


def presence(org: SalesforceWorld, *refs: RecordRef) -> list[Presence]:
    return [seen.presence for seen in org.reconnect().read_back([Step("read", ref, Action.ERASE) for ref in refs])]


def verdicts(outcomes: Sequence[Outcome]) -> list[tuple[OutcomeStatus, Reason]]:
    return [(outcome.status, outcome.reason) for outcome in outcomes]


def many(org: SalesforceWorld, how_many: int, **fields: Any) -> list[RecordRef]:
    """Contacts made 200 at a time."""
    records = [
        {"attributes": {"type": "Contact"}, "LastName": "Example", "Email": f"many-{number}@example.com", **fields}
        for number in range(how_many)
    ]
    made: list[RecordRef] = []
    for start in range(0, how_many, 200):
        asked = {"allOrNone": True, "records": records[start : start + 200]}
        answer = org.org.restful("composite/sobjects", method="POST", json=asked)
        made += [RecordRef(SYSTEM, "Contact", one["id"]) for one in answer or ()]
    assert len(made) == how_many
    return made


def spent(org: SalesforceWorld) -> dict[str, int]:
    """Calls since `forget_calls`, without logins."""
    return {name: count for name, count in org.emulator.calls().items() if "oauth2" not in name}
