"""How does a tester reach behind the HubSpot connector? By the vendor's plain HTTP API and the control surface."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from connectors.hubspot import HubSpotClient, HubSpotConnector, Pace, connect
from retention.contract import Connector
from retention.vocabulary import (
    Action,
    Criteria,
    DataClass,
    FieldSet,
    IdentifierKind,
    LawfulBasis,
    RecordKind,
    RecordRef,
    Scalar,
)
from tests.contract.world import CUTOFF, CUTOFF_DAY, EXPIRED_ON, LIVE_ON, SHORT_ON, Fault, Sample

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 11, 22)
SYSTEM = "hubspot"
CONTACT = "contact"
EXPIRED = Criteria(collected_before=CUTOFF, collected_before_day=CUTOFF_DAY)

OWN_DATE = ("collected_on", "createdate")
IDENTITY = (
    *("firstname", "lastname", "email", "phone", "jobtitle", "company", "city"),
    *("salutation", "mobilephone", "fax", "address", "state", "zip", "country", "website", "date_of_birth"),
)
KINDS = (
    RecordKind(
        name=CONTACT,
        field_sets=(
            FieldSet(
                DataClass.MARKETING_SIGNUP,
                ("email",),
                ("marketing_consent_on", *OWN_DATE),
                LawfulBasis.CONSENT,
                present_if="marketing_consent_on",
            ),
            FieldSet(DataClass.MARKETING_PROFILE, ("interests", "lead_score"), OWN_DATE, LawfulBasis.CONSENT),
            FieldSet(
                DataClass.CONTACT_IDENTITY,
                IDENTITY,
                ("recent_conversion_date", *OWN_DATE),
                LawfulBasis.CONSENT,
            ),
            FieldSet(DataClass.CONTACT_NOTES, ("message",), ("recent_conversion_date",), LawfulBasis.CONSENT),
        ),
        identifiers=(
            ("email", IdentifierKind.EMAIL),
            ("phone", IdentifierKind.PHONE),
            ("hs_additional_emails", IdentifierKind.EMAIL),
        ),
        opt_out="hs_email_optout",
        opt_out_on="opted_out_on",
        consent_on="marketing_consent_on",
        undated_if="migrated",
        restricted="processing_restricted",
    ),
)


SINGULAR = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "tickets": "ticket",
    "notes": "note",
    "emails": "email",
    "calls": "call",
    "meetings": "meeting",
    "tasks": "task",
    "communications": "communication",
}

_PART = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True)
class Emulator:
    """A running emulator, with its control surface."""

    base_url: str
    control: str
    token: str

    def tell(self, command: str, **given: Any) -> Any:
        answer = requests.post(f"{self.control}/_sandbox/{command}", json=given, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def ask(self, what: str) -> Any:
        return requests.get(f"{self.control}/_sandbox/{what}", timeout=10).json()

    def forget_calls(self) -> None:
        requests.delete(f"{self.control}/_sandbox/calls", timeout=10)

    def calls(self) -> dict[str, int]:
        """Calls since the log was emptied, by method and path (`*` for what varies), without the check of the token."""
        counts = self.ask("calls")["counts"]
        return {_PART.sub("*", name): count for name, count in counts.items() if "oauth" not in name}

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """A call as any other integration of the account would make it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.request(
            method, f"{self.base_url}{path}", json=body, params=query, headers=headers, timeout=10
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def connect(self, timeout: float = 10) -> HubSpotClient:
        return connect(self.token, self.base_url, timeout=timeout, pace=unhurried())


def unhurried() -> Pace:
    """A pace that waits for nothing: its clock moves on when it is asked to wait."""
    now = 0.0

    def pause(seconds: float) -> None:
        nonlocal now
        now += seconds

    return Pace(clock=lambda: now, pause=pause)


@contextmanager
def running() -> Iterator[Emulator]:
    """An emulator in a process of its own, ended by its id."""
    command = [sys.executable, "-m", "sandbox", "hubspot", "--port", "0", "--as-of", AS_OF.isoformat()]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        yield Emulator(line["base_url"], line["control"], line["credentials"]["token"])
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


class HubSpotWorld:
    """The tester's back door."""

    samples = frozenset(Sample) - {Sample.SHARED}
    # The service hides no single records from a token; that an absence needs a control is tested on the wire.
    faults = frozenset(Fault) - {Fault.HIDDEN}
    clearable: tuple[str, ...] = ("interests", "lead_score")
    corrections: Mapping[str, Scalar] = {"lastname": "Corrected", "jobtitle": "Gardener"}
    # The opt-out that comes with a restriction stays after the release: tested by itself.
    bookkeeping = frozenset({"lastmodifieddate", "updatedAt", "opted_out", "hs_email_optout"})

    def __init__(self, emulator: Emulator) -> None:
        emulator.tell("reset")
        emulator.tell("switches", enforce_limits=False)
        self.emulator = emulator
        self.secrets = (emulator.token,)
        self.connector: Connector = self.reconnect()
        self._now = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 13, tzinfo=UTC)

    def reconnect(self, page_size: int = 2, kinds: Sequence[RecordKind] = KINDS) -> HubSpotConnector:
        client = self.emulator.connect()
        return HubSpotConnector(client, SYSTEM, client.tenant, kinds, page_size=page_size)

    def make(self, sample: Sample, email: str) -> RecordRef:
        ref = self.contact(email, **_PROPERTIES.get(sample, {}))
        if sample is Sample.OPTED_OUT:
            self.opt_out(email)
        return ref

    def contact(self, email: str, **properties: str) -> RecordRef:
        named = {"firstname": "Ann", "lastname": "Example", "email": email, "collected_on": LIVE_ON.isoformat()}
        made = self.emulator.send("POST", "/crm/v3/objects/contacts", {"properties": named | properties})
        return RecordRef(SYSTEM, CONTACT, made["id"])

    def contacts(self, properties: Sequence[Mapping[str, str]]) -> list[RecordRef]:
        """Many contacts, 100 a call."""
        made: list[RecordRef] = []
        for start in range(0, len(properties), 100):
            inputs = [{"properties": dict(one)} for one in properties[start : start + 100]]
            answer = self.emulator.send("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})
            made += [RecordRef(SYSTEM, CONTACT, row["id"]) for row in answer["results"]]
        return made

    def record(self, object_type: str, properties: Mapping[str, str], **linked: Sequence[RecordRef]) -> RecordRef:
        """A record of any type, linked with others: `contacts=[...]`."""
        path = f"/crm/v3/objects/{object_type}"
        made = self.emulator.send("POST", path, {"properties": dict(properties), "associations": []})
        for target, others in linked.items():
            for other in others:
                default = f"/crm/v4/objects/{object_type}/{made['id']}/associations/default/{target}/{other.key}"
                self.emulator.send("PUT", default)
        return RecordRef(SYSTEM, SINGULAR[object_type], made["id"])

    def stored_record(self, ref: RecordRef) -> Mapping[str, Any] | None:
        """A record as it is stored, None if it is gone."""
        rows = {row["id"]: row for kind in self.stored()["objects"].values() for row in kind}
        return rows.get(ref.key)

    def opt_out(self, email: str) -> None:
        path = f"/communication-preferences/v4/statuses/{quote(email, safe='')}/unsubscribe-all"
        self.emulator.send("POST", path, channel="EMAIL")

    def change(self, ref: RecordRef) -> None:
        self.pass_time(timedelta(minutes=1))
        body = {"properties": {"jobtitle": "edited by somebody else"}}
        self.emulator.send("PATCH", f"/crm/v3/objects/contacts/{ref.key}", body)

    def archive(self, ref: RecordRef) -> None:
        self.emulator.send("DELETE", f"/crm/v3/objects/contacts/{ref.key}")

    def remove(self, ref: RecordRef) -> None:
        self.emulator.send("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": ref.key})

    def merge(self, winner: RecordRef, loser: RecordRef) -> None:
        body = {"primaryObjectId": winner.key, "objectIdToMerge": loser.key}
        self.emulator.send("POST", "/crm/v3/objects/contacts/merge", body)

    def is_opted_out(self, email: str) -> bool:
        path = f"/communication-preferences/v4/statuses/{quote(email, safe='')}/unsubscribe-all"
        return bool(self.emulator.send("GET", path, channel="EMAIL")["results"])

    def stored(self) -> dict[str, Any]:
        return dict(self.emulator.ask("state"))

    def stored_contact(self, ref: RecordRef) -> Mapping[str, Any]:
        rows = self.stored()["objects"]["contacts"]
        return next(dict(row["properties"]) for row in rows if row["id"] == ref.key)

    def snapshot(self) -> Mapping[tuple[str, str], Mapping[str, object]]:
        """What is stored. The opt-out of an address stands under the contact that has it, whose flag it is."""
        state = self.stored()
        out = set(state["preferences"]["unsubscribed_from_all"])
        stored: dict[tuple[str, str], Mapping[str, object]] = {}
        for row in state["objects"]["contacts"]:
            properties = row["properties"]
            addresses = {properties.get("email"), *(properties.get("hs_additional_emails") or "").split(";")}
            stored[CONTACT, row["id"]] = {
                **properties,
                **{name: row[name] for name in ("archived", "updatedAt", "associations")},
                "opted_out": sorted(out & addresses),
            }
            out -= addresses
        stored |= {("deal", row["id"]): row for row in state["objects"]["deals"]}
        return stored | {("address", address): {"opted_out": True} for address in out}

    def break_next(self, fault: Fault, doing: Action | None = None) -> None:
        effect = {"method": "POST", "path": _EFFECTS.get(doing, "*") if doing else "*"}
        match fault:
            case Fault.UNAVAILABLE:
                self.emulator.tell("faults", fault="status", status=503, times=1000)
            case Fault.DENIED:
                self.emulator.tell("faults", fault="status", status=401, times=1000)
            case Fault.TRUNCATED:
                self.emulator.tell("faults", fault="truncated", path="*/search", times=20)
            case _:
                self.emulator.tell("faults", fault=fault.value.replace("-", "_"), times=1, **effect)

    def finish(self) -> None:
        self.pass_time(timedelta(days=1))

    def next_day(self) -> None:
        """Let the account's midnight pass."""
        self.pass_time(timedelta(days=1))

    def pass_time(self, by: timedelta) -> None:
        self._now += by
        self.emulator.tell("clock", now=self._now.isoformat())


_EFFECTS: Mapping[Action, str] = {
    Action.ERASE: "*/gdpr-delete",
    Action.REDACT: "*/batch/update",
    Action.RESTRICT: "*/batch/update",
    Action.RELEASE: "*/batch/update",
    Action.RECTIFY: "*/batch/update",
    Action.SUPPRESS: "*/unsubscribe-all",
}

_PROPERTIES: Mapping[Sample, Mapping[str, str]] = {
    Sample.EXPIRED: {"collected_on": EXPIRED_ON.isoformat()},
    Sample.ONE_DAY_SHORT: {"collected_on": SHORT_ON.isoformat()},
    Sample.UNDATED: {"collected_on": "", "migrated": "true"},
    Sample.MIXED: {
        "phone": "+44 1632 960001",
        "interests": "brochures",
        "lead_score": "7",
        "marketing_consent_on": LIVE_ON.isoformat(),
    },
}
