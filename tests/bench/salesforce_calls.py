"""How many calls does a night on Salesforce take, beside the fewest the vendor's own limits allow?

Lower bounds: a query answers 2,000 rows, three Bulk calls answer any number; a composite call takes five queries, each
of up to 100,000 characters, or five collections of 200 records; a collections read takes 2,000 ids; a Bulk erasure
takes seven calls for any number (create, upload, close, one look, three results). What an org is (describes, counts of
rows) takes a call each for up to 25 objects; what hangs on people, one query per related object.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from connectors.salesforce import SalesforceConnector, connect, tenant_of
from retention.vocabulary import Action
from tests.bench import salesforce_size
from tests.bench.night import Rows, Verb, Weighed, weigh
from tests.bench.running import Emulator, emulator, policy_of

SCALE = 4_000
SYSTEM = "salesforce"
PAGE, BULK_QUERY = 2_000, 3
QUERIES, STATEMENT = 5, 100_000
COLLECTIONS_READ = 2_000
WRITTEN = 1_000
BULK = 7
STRICT_READ = 1_000
SEARCHED = ("Contact", "Lead", "Task", "Event", "EmailMessage", "CampaignMember")
DESCRIBES, ROW_COUNTS = 1, 1
RELATED = {"Contact": 18, "Lead": 5}
"""What hangs on a person: proof of a transaction, complaints, what goes along, consents, where it came from."""
HISTORY = 1
"""Old values are looked for after fields were emptied."""
HANGING = 1
"""Files, messages, shared activities: five queries before people of one object are erased."""
WRITES = tuple(action.value for action in (Action.REDACT, Action.RESTRICT, Action.RELEASE, Action.SUPPRESS))
ACTS = (Action.ERASE.value, *WRITES)


def measure() -> Iterator[tuple[str, float, float]]:
    with emulator(SYSTEM, SCALE, tls=True) as org:
        night = _night(org)
    yield "salesforce.find.calls", night.calls("find"), found_bound(night)
    yield "salesforce.erase.calls", night.calls("erase"), act_bound(night, "erase")
    yield "salesforce.redact.calls", night.calls("redact"), act_bound(night, "redact")
    yield "salesforce.verify.calls", night.calls("read_back"), verify_bound(night)
    acts = act_bound(night, *ACTS)
    yield "salesforce.night.calls", night.calls(), found_bound(night) + acts + verify_bound(night)
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


def found_bound(night: Weighed) -> int:
    """Both searches: one by what facts say, per object; one by address, as few statements as hold all of them."""
    known: set[str] = set()
    calls = DESCRIBES + ROW_COUNTS
    for verb in night.named("find"):
        per_object = {kind: verb.per_kind().get(kind, 0) for kind in SEARCHED}
        if verb.addresses:
            calls += ceil(sum(max(_statements(verb), ceil(rows / PAGE)) for rows in per_object.values()) / QUERIES)
        else:
            pages = [max(1, ceil(rows / PAGE)) for rows in per_object.values()]
            calls += ceil(sum(min(BULK_QUERY, count) for count in pages) / QUERIES)
        # What hangs on people not met before.
        new = {ref for ref in verb.refs if ref.key not in known}
        calls += sum(ceil(RELATED[kind] / QUERIES) for kind in {ref.kind for ref in new})
        known |= {ref.key for ref in new}
    return calls


def _statements(verb: Verb) -> int:
    return ceil(sum(len(f"'{address}', ") for address in verb.addresses) / STATEMENT)


def act_bound(night: Weighed, *names: str) -> int:
    """Reading again and acting, per object, before and after the approval: fields of all actions in the same calls."""
    calls = 0
    for approved in (False, True):
        touched = night.per_kind(*names, after_approval=approved)
        calls += sum(ceil(count / COLLECTIONS_READ) for count in touched.values())
        if "erase" in names:
            calls += (HANGING + BULK) * len(night.per_kind("erase", after_approval=approved))
        if "redact" in names:
            calls += HISTORY * len(night.per_kind("redact", after_approval=approved))
        written = night.per_kind(*(set(names) - {"erase"}), after_approval=approved)
        calls += sum(min(BULK, ceil(count / WRITTEN)) for count in written.values())
    return calls


def verify_bound(night: Weighed) -> int:
    return sum(
        min(BULK_QUERY, ceil(count / STRICT_READ))
        for approved in (False, True)
        for count in night.per_kind("read_back", after_approval=approved).values()
    )
