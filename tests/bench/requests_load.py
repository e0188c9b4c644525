"""What do 1, 100 and 1,000 requests for erasure at once take, over all of the sandbox's systems and without Airflow?

Each number runs in a process of its own on fresh emulators and an empty ledger: taken in, read, planned, approved,
carried out, read back, sealed, answered. Calls are counted by the emulators. Lower bounds: those of a night for
Salesforce and HubSpot, but for the searches, which are by address only; for mailboxes 100 messages a page, what is
short 20 a call, and an erasure as in `microsoft365_calls`, per mailbox; for files one listing of each folder, one
reading of each file, and eight round trips of each that is acted upon.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from connectors import documents, hubspot, microsoft365, salesforce
from retention.contract import Connector
from retention.policy import Policy
from retention.requests import finishing
from retention.requests.intake import Intake, take_in
from retention.requests.notices import ByPost
from retention.store import requests
from retention.store.desk import Desk
from retention.store.requests import Channel
from retention.vocabulary import LawfulBasis
from sandbox.population import Population, build
from sandbox.population.mail_rows import OWN_DOMAIN
from tests.bench import hubspot_calls, microsoft365_calls, salesforce_calls
from tests.bench.deciding import peak_memory
from tests.bench.night import Metered, Weighed, metered
from tests.bench.running import AS_OF, NOW, ROOT, Emulator, desk_of, emulator, ledger, policy_of
from tests.requesting import KEY, CaseFile, Right, Run, identity, who
from tests.sweeping import rehearse

SYSTEMS = {"salesforce": "salesforce", "hubspot": "hubspot", "documents": "sftp", "microsoft365": "microsoft365"}
NUMBERS = {"one": 1, "hundred": 100, "thousand": 1_000}
SCALE = 130
"""So many times the small population that more than 1,000 ordinary people are known to a sales system."""
ROUND_TRIPS = 8
"""Of a file with rows taken out: look, read, write beside, read that, dress it, put it in place; look and read back."""
DONE = ("answered", "settling", "closed", "deferred")


def measure() -> Iterator[tuple[str, float, float]]:
    told = {name: _told(number) for name, number in NUMBERS.items()}
    alone = told["one"]["seconds"]
    for name, number in NUMBERS.items():
        yield f"requests.{name}.seconds", told[name]["seconds"], alone * number
        yield f"requests.{name}.p50_s", told[name]["p50"], alone
        yield f"requests.{name}.p95_s", told[name]["p95"], alone
        yield f"requests.{name}.lost", told[name]["lost"], number
        yield f"requests.{name}.doubled", told[name]["doubled"], number
    yield "requests.thousand.waiting", told["thousand"]["waiting"], NUMBERS["thousand"]
    yield "requests.thousand.memory_mb", told["thousand"]["memory"], told["one"]["memory"]
    for system in SYSTEMS:
        yield f"requests.{system}.calls", *told["thousand"]["calls"][system]


def _told(number: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.requests_load", str(number)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@dataclass(frozen=True)
class Place:
    """One system: its emulator, the connector on it, and what lay there before."""

    emulator: Emulator
    connector: Metered
    before: Any


def main(number: int) -> None:
    people = build(1, SCALE, AS_OF)
    with ExitStack() as stack:
        policy = policy_of(*SYSTEMS)
        places = {system: _place(stack, system, policy) for system in SYSTEMS}
        asking = _ordinary(people, places)[:number]
        if len(asking) != number:
            raise RuntimeError(f"only {len(asking)} people are known to a sales system: the scale is too small")
        desk = desk_of(stack.enter_context(ledger()), *SYSTEMS)
        rehearse(desk)
        began = time.perf_counter()
        ended, waiting, lost = _carry_through(desk, places, asking, began)
        seconds = time.perf_counter() - began
        known = _known_to_sales(places, now=True)
        found = {
            "seconds": seconds,
            "p50": statistics.median(ended),
            "p95": sorted(ended)[ceil(len(ended) * 0.95) - 1],
            "memory": peak_memory(),
            "lost": lost + max(0, sum(address in known for address in asking) - waiting),
            "waiting": waiting,
            "doubled": sum(_doubled(place) for place in places.values()),
            "calls": {system: calls_and_bound(system, place, policy) for system, place in places.items()},
        }
    sys.stdout.write(json.dumps(found) + "\n")


def _place(stack: ExitStack, system: str, policy: Policy) -> Place:
    scale = 1 if system == "microsoft365" else SCALE  # there it makes mailboxes of 5,000 messages, not people
    running = stack.enter_context(emulator(SYSTEMS[system], scale, tls=system == "salesforce"))
    if system == "hubspot":
        running.tell("switches", enforce_limits=False)
    connector = metered(_connected(system, running, policy), running)
    return Place(running, connector, None if system == "documents" else running.ask("state"))


def _connected(system: str, running: Emulator, policy: Policy) -> Connector:
    given, declared = running.credentials, policy.systems[system]
    if system == "salesforce":
        org = salesforce.connect(
            running.base_url,
            given["client_id"],
            given["client_secret"],
            ca_bundle=running.ca,
            pause=salesforce_calls.no_pause,
        )
        return salesforce.SalesforceConnector(
            org, system, salesforce.tenant_of(org), declared.kinds(), pause=salesforce_calls.no_pause
        )
    if system == "hubspot":
        account = hubspot.connect(given["token"], running.base_url, pace=hubspot_calls.unhurried())
        return hubspot.HubSpotConnector(account, system, account.tenant, declared.kinds())
    if system == "microsoft365":
        return microsoft365.connect(
            system,
            tenant=given["tenant"],
            client_id=given["client_id"],
            credential=given["client_secret"],
            scope=microsoft365.Scope(frozenset({OWN_DOMAIN}), LawfulBasis.CONSENT, archives=frozenset()),
            base_url=f"{running.base_url}/v1.0",
            authority=running.base_url,
            ca_bundle=running.ca,
        )
    place = urlsplit(running.base_url)
    login = documents.Login(
        place.hostname or "", place.port, given["username"], given["password"], {"host_key": given["host_key"]}
    )
    folders = {name: (folder.data_class, folder.lawful_basis) for name, folder in declared.folders.items()}
    return documents.DocumentsConnector(documents.open_store("sftp", system, login), folders)


def _carry_through(
    desk: Desk, places: Mapping[str, Place], asking: list[str], began: float
) -> tuple[list[float], int, int]:
    """All requests in one run; the second at which each was dealt with, how many wait and say for what, how many are
    neither answered nor waiting."""
    files = [CaseFile(who(address)) for address in asking]
    opened = take_in(desk, [Intake(Right.ERASURE, Channel.FORM, NOW, file) for file in files], "clerk")
    for one in opened:
        identity.show_by_hand(desk, one.request_id, "dpo")
    run = Run(desk, [place.connector for place in places.values()], *(one.request_id for one in opened))
    if run.plan() is None or not run.approve() or run.left_behind:
        raise RuntimeError(f"nothing to measure: {run.left_behind or 'no plan was approved'}")
    for system, place in places.items():
        place.connector.approved = True
        run.carry_out(system)
    finishing.give_to_people(desk, run.sweep, list(places))
    with tempfile.TemporaryDirectory() as outside:
        finishing.seal(desk, run.sweep, KEY, Path(outside))
    ended: list[float] = []
    waiting = 0
    for one in opened:
        try:
            finishing.answer(desk, None, one.request_id, "clerk", ByPost("OPS-1", desk.today))
        except finishing.Unfinished as left:
            waiting += 1
            sys.stderr.write(f"{left}\n")
        ended.append(time.perf_counter() - began)
    with desk.transaction() as db:
        unanswered = sum(one.state not in DONE for one in requests.listed(db))
    return ended, waiting, unanswered - waiting


def _ordinary(people: Population, places: Mapping[str, Place]) -> list[str]:
    """Addresses of people nothing happens to: no customers, and no letter with a number nobody can place."""
    letters = b"\n".join(one.content for one in people.documents if not one.path.endswith(".csv"))
    known = _known_to_sales(places)
    found = (one.email for one in people.people if not one.cases and one.emails)
    return [one for one in found if one in known and one.encode() not in letters]


def _known_to_sales(places: Mapping[str, Place], *, now: bool = False) -> set[str]:
    """Addresses of people without a sale behind them, before the run or as it is now."""
    states = {name: places[name].emulator.ask("state") if now else places[name].before for name in CRM}
    objects, contacts = states["salesforce"]["objects"], hubspot_calls.contacts_in(states["hubspot"]).values()
    rows = [row for name in ("Contact", "Lead") for row in objects[name] if not row["IsDeleted"]]
    buying = {row["Email"] for row in rows if row.get("AccountId")}
    buying |= {row["properties"]["email"] for row in contacts if row.get("associations", {}).get("deals")}
    return ({row["Email"] for row in rows} | {row["properties"]["email"] for row in contacts}) - buying


CRM = ("salesforce", "hubspot")


def _doubled(place: Place) -> int:
    """Records that one action reached more than once."""
    acts = [verb for verb in place.connector.verbs if verb.name not in ("find", "changes", "read_back", "settle")]
    sent = Counter((verb.name, ref.kind, ref.key) for verb in acts for ref in verb.refs)
    return sum(count - 1 for count in sent.values())


def calls_and_bound(system: str, place: Place, policy: Policy) -> tuple[int, int]:
    """What a system was asked, and the fewest its limits allow for that."""
    night = Weighed(tuple(place.connector.verbs))
    if system == "salesforce":
        floor = salesforce_calls.asked_bound(night) + salesforce_calls.verify_bound(night)
        packed = salesforce_calls.QUERIES
        return night.calls(), floor + salesforce_calls.act_bound(night, *salesforce_calls.ACTS, packed=packed)
    if system == "hubspot":
        floor = hubspot_calls.asked_bound(night, place.before, len(policy.systems[system].kinds()))
        floor += hubspot_calls.verify_bound(night)
        return night.calls(), floor + hubspot_calls.act_bound(night, *hubspot_calls.ACTS)
    if system == "microsoft365":
        read = Counter(ref.key.partition("/")[0] for verb in night.named("changes") for ref in verb.refs)
        gone = Counter(ref.key.partition("/")[0] for verb in night.named("erase") for ref in verb.refs)
        batch = microsoft365_calls.BATCH
        floor = 1 + sum(ceil(count / microsoft365_calls.PAGE) for count in read.values())
        floor += ceil(len(read) * microsoft365_calls.SHORT / batch)
        return night.calls(), floor + sum(3 * ceil(count / batch) + 2 for count in gone.values())
    read = {ref.key for verb in night.named("walk") for ref in verb.refs}
    folders = {folder for path in read for folder in PurePosixPath(path).parents}
    acted = sum(len(verb.refs) for verb in night.verbs if verb.name in ("erase", "redact"))
    return night.calls(), len(folders) + len(read) + ROUND_TRIPS * acted


if __name__ == "__main__":
    main(int(sys.argv[1]))
