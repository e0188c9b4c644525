"""How many calls does a night on HubSpot take, beside the fewest the vendor's own limits allow?

Lower bounds: a search answers 200 records a call and takes 300 addresses (three groups of 100 values), a list answers
100 a call; links cost one call per 1,000 contacts and type, deals one per 100; every type of record is searched for
what is past its date, and its properties are read once a night to see whether each has a data class; a batch reads or
writes 100 records; there is no batch of permanent deletes, and none of opt-outs below the largest edition; a read-back
needs both views, and what was only accepted is seen by reading once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from connectors.hubspot import HubSpotConnector, Pace, connect
from tests.bench.night import Rows, Weighed, weigh
from tests.bench.running import Emulator, emulator, policy_of

SCALE = 800
SYSTEM = "hubspot"
SEARCHED, ADDRESSES, LISTED = 200, 300, 100
LINKED, BATCH = 1_000, 100
KINDS_OF_MAIL = 1
PROPERTIES = 1
ONE_BY_ONE = ("erase", "suppress")
ACTS = ("erase", "redact", "restrict", "release", "suppress")


def measure() -> Iterator[tuple[str, float, float]]:
    with emulator(SYSTEM, SCALE) as account:
        account.tell("switches", enforce_limits=False)
        state = account.ask("state")
        night = _night(account)
    found = found_bound(night, state, len(policy_of(SYSTEM).systems[SYSTEM].kinds()))
    yield "hubspot.find.calls", night.calls("find"), found
    yield "hubspot.erase.calls", night.calls("erase"), act_bound(night, "erase")
    yield "hubspot.redact.calls", night.calls("redact"), act_bound(night, "redact")
    yield "hubspot.verify.calls", night.calls("read_back"), verify_bound(night)
    yield "hubspot.night.calls", night.calls(), found + act_bound(night, *ACTS) + verify_bound(night)


def _night(account: Emulator) -> Weighed:
    client = connect(account.credentials["token"], account.base_url, pace=unhurried())
    kinds = policy_of(SYSTEM).systems[SYSTEM].kinds()
    connector = HubSpotConnector(client, SYSTEM, client.tenant, kinds)

    def stored() -> Rows:
        return {("contact", key): row for key, row in contacts_in(account.ask("state")).items()}

    return weigh(connector, account, stored)


def unhurried() -> Pace:
    """A pace that waits for nothing: its clock moves on when it is asked to wait."""
    now = 0.0

    def pause(seconds: float) -> None:
        nonlocal now
        now += seconds

    return Pace(clock=lambda: now, pause=pause)


def contacts_in(state: Any) -> Mapping[str, Any]:
    return {row["id"]: row for row in state["objects"]["contacts"] if not row.get("archived")}


def found_bound(night: Weighed, state: Any, kinds: int) -> int:
    """Both searches; the business of a contact is read where it was not read before in the same night."""
    contacts = contacts_in(state)
    listed = ceil(len(contacts) / LISTED)
    known: set[str] = set()
    calls = kinds + KINDS_OF_MAIL
    for verb in night.named("find"):
        asked = ceil(len(verb.addresses) / ADDRESSES)
        calls += min(listed, max(1, asked, ceil(len(verb.refs) / SEARCHED)))
        new = {ref.key for ref in verb.refs} - known
        calls += deals_bound([contacts[key] for key in new if key in contacts]) + ceil(len(new) / LINKED)
        calls += kinds - 1  # searches for activities past their date, or links with those of the people asked for
        known |= new
    return calls


def asked_bound(night: Weighed, state: Any, kinds: int) -> int:
    """Searches by address only: which properties and which lists there are, the contacts, and what hangs on them."""
    contacts = contacts_in(state)
    calls = PROPERTIES + KINDS_OF_MAIL
    for verb in night.named("find"):
        calls += max(ceil(len(verb.addresses) / ADDRESSES), ceil(len(verb.refs) / SEARCHED))
        calls += kinds * ceil(len(verb.refs) / LINKED)
        calls += deals_bound([contacts[ref.key] for ref in verb.refs if ref.key in contacts])
    return calls


def deals_bound(rows: list[Any]) -> int:
    deals = [deal for row in rows for deal in row.get("associations", {}).get("deals", ())]
    having = sum(1 for row in rows if row.get("associations", {}).get("deals"))
    return ceil(having / LINKED) + ceil(len(set(deals)) / BATCH)


def act_bound(night: Weighed, *names: str) -> int:
    """Reading again, a hundred a call, and acting, before and after the approval; an opt-out needs no reading."""
    calls = 0
    for approved in (False, True):
        counts = {name: night.per_kind(name, after_approval=approved).total() for name in names}
        single = sum(count for name, count in counts.items() if name in ONE_BY_ONE)
        read = sum(count for name, count in counts.items() if name != "suppress")
        written = sum(count for name, count in counts.items() if name not in ONE_BY_ONE)
        calls += ceil(read / BATCH) + single + ceil(written / BATCH)
    return calls


def verify_bound(night: Weighed) -> int:
    """Both views for what was erased, the live one for what was changed."""
    gone = night.per_kind("erase").total()
    return sum(
        ceil(night.per_kind("read_back", after_approval=approved).total() / BATCH)
        + (ceil(gone / BATCH) if approved else 0)
        for approved in (False, True)
    )
