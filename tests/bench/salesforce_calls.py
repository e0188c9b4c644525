"""How many calls does a night on Salesforce take, beside the fewest the vendor's own limits allow?

Lower bounds, per object: a query answers 2,000 rows, three Bulk calls answer any number; each related object takes one
query; a collections read takes 2,000 ids; a Bulk erasure takes seven calls for any number (create, upload, close, one
look, three results); a composite call writes five collections of 200 records, or proves 18,000 ids gone by four
statements of 100,000 characters beside a control. What an org is (describes, counts of rows) takes a call for up to
25 objects.

Since a composite call carries five queries, a night can do with fewer than one call for each: `packed` is that floor.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from connectors.salesforce import SalesforceConnector, connect, tenant_of
from retention.vocabulary import Action
from tests.bench import salesforce_size
from tests.bench.night import Rows, Verb, Weighed, weigh
from tests.bench.running import Emulator, emulator, policy_of

SYSTEM = "salesforce"
PAGE, BULK_QUERY = 2_000, 3
QUERIES, STATEMENT = 5, 100_000
COLLECTIONS_READ = 2_000
WRITTEN = 1_000
BULK = 7
IDS_IN_STATEMENT = 4_500
PROVEN_GONE = IDS_IN_STATEMENT * (QUERIES - 1)
SEARCHED = ("Contact", "Lead", "Task", "Event", "EmailMessage", "CampaignMember")
DESCRIBES, ROW_COUNTS = 1, 1
RELATED = {"Contact": 18, "Lead": 5}
"""What hangs on a person: proof of a transaction, complaints, what goes along, consents, where it came from."""
HISTORY = 1
"""Old values are looked for after fields were emptied."""
HANGING = 5
"""Files, messages, shared tasks, shared events, Individuals: asked for before people of one object are erased."""
WRITES = tuple(action.value for action in (Action.REDACT, Action.RESTRICT, Action.RELEASE, Action.SUPPRESS))
ACTS = (Action.ERASE.value, *WRITES)


def measure() -> Iterator[tuple[str, float, float]]:
    with emulator(SYSTEM, salesforce_size.SCALE, tls=True) as org:
        salesforce_size.fill(org)
        night = _night(org)
    yield "salesforce.find.calls", night.calls("find"), found_bound(night)
    yield "salesforce.erase.calls", night.calls("erase"), act_bound(night, "erase")
    yield "salesforce.redact.calls", night.calls("redact"), act_bound(night, "redact")
    yield "salesforce.verify.calls", night.calls("read_back"), verify_bound(night)
    for name, packed in (("salesforce.night.calls", 1), ("salesforce.night.packed", QUERIES)):
        floor = found_bound(night, packed) + act_bound(night, *ACTS, packed=packed) + verify_bound(night)
        yield name, night.calls(), floor
    yield from salesforce_size.measure()


def _night(org: Emulator) -> Weighed:
    client = connect(
        org.base_url,
        org.credentials["client_id"],
        org.credentials["client_secret"],
        ca_bundle=org.ca,
        pause=no_pause,
    )
    kinds = policy_of(SYSTEM).systems[SYSTEM].kinds()
    connector = SalesforceConnector(client, SYSTEM, tenant_of(client), kinds, pause=no_pause)

    def stored() -> Rows:
        return {(name, row["Id"]): row for name, rows in org.ask("state")["objects"].items() for row in rows}

    return weigh(connector, org, stored)


def no_pause(seconds: float) -> None:
    """Wait for nothing: calls are counted here, not seconds."""


def found_bound(night: Weighed, packed: int = 1) -> int:
    """Both searches: by what facts say, and by address. `packed` queries travel in one call; a Bulk job's calls do not.

    What hangs on people is asked once for those not met before.
    """
    known: set[str] = set()
    calls = DESCRIBES + ROW_COUNTS
    for verb in night.named("find"):
        queries = 0
        for kind in SEARCHED:
            pages = max(1, ceil(verb.per_kind().get(kind, 0) / PAGE))
            if not verb.addresses and pages > BULK_QUERY:
                calls += BULK_QUERY
            else:
                queries += max(_statements(verb), pages)
        calls += ceil(queries / packed)
        new = {ref for ref in verb.refs if ref.key not in known}
        calls += sum(ceil(RELATED[kind] / packed) for kind in {ref.kind for ref in new})
        known |= {ref.key for ref in new}
    return calls


def asked_bound(night: Weighed) -> int:
    """Searches by address only: what the org is, and every query that people of a kind need, five in a call."""
    queries = 0
    for verb in night.named("find"):
        found = verb.per_kind()
        queries += sum(max(_statements(verb), ceil(found.get(kind, 0) / PAGE)) for kind in SEARCHED)
        queries += sum(RELATED[kind] for kind in found if kind in RELATED)
    return DESCRIBES + ceil(queries / QUERIES)


def _statements(verb: Verb) -> int:
    return ceil(sum(len(f"'{address}', ") for address in verb.addresses) / STATEMENT)


def act_bound(night: Weighed, *names: str, packed: int = 1) -> int:
    """Reading again and acting, per object, before and after the approval: fields of all actions in the same calls."""
    calls = 0
    for approved in (False, True):
        touched = night.per_kind(*names, after_approval=approved)
        calls += sum(ceil(count / COLLECTIONS_READ) for count in touched.values())
        if "erase" in names:
            for count in night.per_kind("erase", after_approval=approved).values():
                calls += BULK + ceil(HANGING * ceil(count / IDS_IN_STATEMENT) / packed)
        if "redact" in names:
            calls += HISTORY * len(night.per_kind("redact", after_approval=approved))
        written = night.per_kind(*(set(names) - {"erase"}), after_approval=approved)
        calls += sum(min(BULK, ceil(count / WRITTEN)) for count in written.values())
    return calls


def verify_bound(night: Weighed) -> int:
    return sum(
        ceil(count / PROVEN_GONE)
        for approved in (False, True)
        for count in night.per_kind("read_back", after_approval=approved).values()
    )
