"""Does the HubSpot connector keep every promise, and the vendor's own rules with it?"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.hubspot import HubSpotConnector
from retention.contract import ConnectorError
from retention.vocabulary import (
    Action,
    Criteria,
    DataClass,
    Finding,
    GapCode,
    Handle,
    Identifier,
    IdentifierKind,
    Outcome,
    OutcomeStatus,
    Presence,
    Reason,
    RecordRef,
    Step,
    Transaction,
)
from tests.contract.hubspot_world import AS_OF, EXPIRED, KINDS, SYSTEM, Emulator, HubSpotWorld
from tests.contract.suite import ConnectorContract
from tests.contract.world import EXPIRED_ON, LIVE_ON, World
from tests.leave import Leave

EVERYTHING = replace(EXPIRED, opted_out=True, undated=True)
READ = "POST /crm/v3/objects/*/batch/read"
UPDATE = "POST /crm/v3/objects/*/batch/update"
SEARCH = "POST /crm/v3/objects/*/search"
LIST = "GET /crm/v3/objects/*"
PURGE = "POST /crm/v3/objects/contacts/gdpr-delete"
PROPERTIES = "GET /crm/v3/properties/*"
KINDS_OF_MAIL = "GET /communication-preferences/v3/definitions"
LINKS = "POST /crm/v4/associations/*/*/batch/read"
OPT_OUT = "POST /communication-preferences/v4/statuses/*/unsubscribe-all"


class TestHubSpot(ConnectorContract):
    @pytest.fixture
    def world(self, emulator: Emulator) -> World:
        return HubSpotWorld(emulator)


def found(account: HubSpotWorld, criteria: Criteria, page_size: int = 200) -> dict[str, Finding]:
    pages = list(account.reconnect(page_size).find(criteria))
    assert not [gap for page in pages for gap in page.gaps if gap.code is not GapCode.NO_DELETE_API]
    return {finding.ref.key: finding for page in pages for finding in page.findings}


def asking_for(*addresses: str) -> Criteria:
    return Criteria(identifiers=tuple(Identifier(IdentifierKind.EMAIL, address) for address in addresses))


def versions(account: HubSpotWorld, *refs: RecordRef) -> list[RecordRef]:
    return [seen.ref for seen in account.reconnect().read_back([Step("read", ref, Action.ERASE) for ref in refs])]


def act(account: HubSpotWorld, action: Action, *refs: RecordRef, **how: Any) -> list[Outcome]:
    """Do it to the records as they are now."""
    steps = [Step(f"step-{number}", ref, action, **how) for number, ref in enumerate(versions(account, *refs))]
    return list(account.reconnect().act(action, steps, Leave()))


def presence(account: HubSpotWorld, *refs: RecordRef) -> list[Presence]:
    seen = account.reconnect().read_back([Step("read", ref, Action.ERASE) for ref in refs])
    return [one.presence for one in seen]


def verdicts(outcomes: Sequence[Outcome]) -> list[tuple[OutcomeStatus, Reason]]:
    return [(outcome.status, outcome.reason) for outcome in outcomes]


def many(account: HubSpotWorld, how_many: int, **properties: str) -> list[RecordRef]:
    named = {"lastname": "Example", "collected_on": LIVE_ON.isoformat()} | properties
    return account.contacts([{"email": f"many-{number}@example.com", **named} for number in range(how_many)])


def spent(account: HubSpotWorld) -> dict[str, int]:
    return account.emulator.calls()


# --- Facts ---


def test_every_fact_of_the_seeded_people_is_the_one_that_is_stored(account: HubSpotWorld) -> None:
    stored = account.stored()
    rows = {row["id"]: row["properties"] for row in stored["objects"]["contacts"]}
    deals = {row["id"]: row["properties"] for row in stored["objects"]["deals"]}
    linked: dict[str, set[Transaction]] = defaultdict(set)
    for row in stored["objects"]["contacts"]:
        for deal in row["associations"]["deals"]:
            if deals[deal]["hs_is_closed_won"] == "true" or deals[deal]["hs_is_closed"] != "true":
                day = date.fromisoformat(deals[deal]["closedate"][:10])
                linked[row["id"]].add(Transaction("deal", day, live=deals[deal]["hs_is_closed"] != "true"))
    addresses = sorted(properties["email"] for properties in rows.values() if properties["email"])
    everybody = found(account, replace(EVERYTHING, identifiers=asking_for(*addresses).identifiers))

    assert {key for key, properties in rows.items() if properties["email"]} <= set(everybody)
    assert linked, "the population has no deals"
    for key, finding in everybody.items():
        facts, properties = finding.facts, rows[key]
        assert facts.opted_out is (properties.get("hs_email_optout") == "true")
        assert facts.restricted is (properties.get("processing_restricted") == "true")
        assert facts.opted_out_on == day_of(properties.get("opted_out_on"))
        assert facts.consented_on == day_of(properties.get("marketing_consent_on"))
        assert set(facts.transactions) == linked[key]
        named = {name for facts_of_class in facts.classes for name in facts_of_class.fields}
        assert named == {name for name in PERSONAL if properties.get(name)}


PERSONAL = (
    *("firstname", "lastname", "email", "phone", "jobtitle", "company", "city"),
    *("interests", "lead_score", "message"),
)


def day_of(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def test_a_collection_date_of_its_own_beats_the_creation_date_and_an_import_date_counts_for_nothing(
    account: HubSpotWorld,
) -> None:
    own = account.contact("own@example.com", collected_on=EXPIRED_ON.isoformat())
    created = account.contact("created@example.com", collected_on="")
    imported = account.contact("imported@example.com", collected_on="", migrated="true")
    seen = found(account, asking_for("own@example.com", "created@example.com", "imported@example.com"))
    dated = {key: finding.facts.classes[0].collected for key, finding in seen.items()}
    assert dated[own.key] is not None
    assert (dated[own.key].value, dated[own.key].provenance) == (EXPIRED_ON, "contact.collected_on")
    assert dated[created.key] is not None
    assert dated[created.key].provenance == "contact.createdate"
    assert dated[imported.key] is None


def test_a_sign_up_is_reported_only_where_somebody_signed_up(account: HubSpotWorld) -> None:
    signed_up = account.contact("signed-up@example.com", marketing_consent_on=LIVE_ON.isoformat())
    plain = account.contact("plain@example.com")
    seen = found(account, asking_for("signed-up@example.com", "plain@example.com"))
    classes = {key: {one.data_class for one in finding.facts.classes} for key, finding in seen.items()}
    assert classes[signed_up.key] == {DataClass.MARKETING_SIGNUP, DataClass.CONTACT_IDENTITY}
    assert classes[plain.key] == {DataClass.CONTACT_IDENTITY}


def test_an_opt_out_that_was_never_set_means_no(account: HubSpotWorld) -> None:
    ref = account.contact("never-asked@example.com")
    assert not account.stored_contact(ref).get("hs_email_optout")
    assert found(account, asking_for("never-asked@example.com"))[ref.key].facts.opted_out is False
    assert ref.key not in found(account, Criteria(opted_out=True))


def test_a_kind_that_is_not_served_is_refused_at_once(account: HubSpotWorld) -> None:
    client = account.emulator.connect()
    with pytest.raises(ConnectorError, match="company"):
        HubSpotConnector(client, SYSTEM, client.tenant, [replace(KINDS[0], name="company")])


# --- Traps of finding ---


def test_a_secondary_address_finds_its_contact_and_nobody_with_similar_parts(account: HubSpotWorld) -> None:
    winner = account.contact("first@example.com")
    loser = account.contact("second+news@example.com")
    account.contact("second@example.com")
    account.contact("news@example.com")
    account.merge(winner, loser)
    seen = found(account, asking_for("second+news@example.com"))
    assert set(seen) == {winner.key}
    assert {one.value for one in seen[winner.key].identifiers} == {"first@example.com", "second+news@example.com"}
    strangers = [f"stranger-{number}@example.com" for number in range(20)]
    assert set(found(account, asking_for("second+news@example.com", *strangers))) == {winner.key}


def test_erasing_while_paging_skips_nobody(account: HubSpotWorld) -> None:
    refs = many(account, 12, collected_on=EXPIRED_ON.isoformat())
    before = set(found(account, EXPIRED))
    seen: list[str] = []
    for page in account.reconnect(page_size=2).find(EXPIRED):
        seen += [finding.ref.key for finding in page.findings]
        for finding in page.findings:
            account.remove(finding.ref)
    assert {ref.key for ref in refs} <= before
    assert set(seen) == before
    assert len(seen) == len(before)


# --- Traps of erasing ---


def test_nobody_is_purged_by_address_so_that_no_stranger_is_blocklisted(account: HubSpotWorld) -> None:
    ref = account.contact("known@example.com")
    gone = account.contact("gone@example.com")
    account.remove(gone)
    account.emulator.forget_calls()
    outcomes = account.reconnect().act(
        Action.ERASE,
        [
            Step("known", *versions(account, ref), Action.ERASE),
            Step("gone", gone, Action.ERASE),
            Step("address", replace(ref, key="stranger@example.com"), Action.ERASE),
        ],
        Leave(),
    )
    assert verdicts(outcomes) == [
        (OutcomeStatus.DONE, Reason.OK),
        (OutcomeStatus.ALREADY_DONE, Reason.GONE),
        (OutcomeStatus.REFUSED, Reason.VALIDATION),
    ]
    purged = [call["ids"] for call in account.emulator.ask("calls")["calls"] if call["path"].endswith("/gdpr-delete")]
    assert purged == [[ref.key]]
    assert "stranger@example.com" not in json.dumps(account.emulator.ask("state"))


def test_an_archived_contact_is_recoverable_for_ninety_days_and_is_still_purged(account: HubSpotWorld) -> None:
    ref = account.contact("archived@example.com")
    account.archive(ref)
    (seen,) = account.reconnect().read_back([Step("read", ref, Action.ERASE)])
    assert seen.presence is Presence.RECOVERABLE
    assert seen.recoverable_until == AS_OF + timedelta(days=90)
    assert seen.views == ("batch-read", "batch-read-archived")
    assert verdicts(act(account, Action.ERASE, ref)) == [(OutcomeStatus.DONE, Reason.OK)]
    assert presence(account, ref) == [Presence.ABSENT]


@pytest.mark.parametrize("action", [Action.REDACT, Action.RESTRICT, Action.RELEASE], ids=str)
def test_an_archived_contact_is_not_edited(account: HubSpotWorld, action: Action) -> None:
    ref = account.contact("archived@example.com", interests="roses")
    account.archive(ref)
    before = account.snapshot()
    outcomes = act(account, action, ref, fields=("interests",), values={"processing_restricted": ""})
    assert verdicts(outcomes) == [(OutcomeStatus.REFUSED, Reason.RECOVERABLE)]
    assert account.snapshot() == before


def test_a_contact_that_was_merged_into_another_is_left_alone_and_so_is_the_other(account: HubSpotWorld) -> None:
    winner, loser = account.contact("winner@example.com"), account.contact("loser@example.com")
    (planned,) = versions(account, loser)
    account.merge(winner, loser)
    account.emulator.forget_calls()
    (outcome,) = account.reconnect().act(Action.ERASE, [Step("s", planned, Action.ERASE)], Leave())
    assert (outcome.status, outcome.reason) in {
        (OutcomeStatus.REFUSED, Reason.CHANGED),
        (OutcomeStatus.FAILED, Reason.NOT_PROVEN),  # where the answer does not say which contact it leads to
    }
    assert PURGE not in spent(account)
    assert presence(account, winner) == [Presence.PRESENT]


def test_a_system_that_falls_silent_is_not_hammered(account: HubSpotWorld) -> None:
    refs = many(account, 5)
    account.emulator.tell("faults", path="*/gdpr-delete", fault="timeout_after_effect", times=1000)
    account.emulator.forget_calls()
    outcomes = act(account, Action.ERASE, *refs)
    assert [outcome.status for outcome in outcomes] == [OutcomeStatus.UNKNOWN] * 2 + [OutcomeStatus.FAILED] * 3
    assert [outcome.reason for outcome in outcomes[2:]] == [Reason.NOT_SENT] * 3
    assert spent(account)[PURGE] == 2
    settled = account.reconnect().settle(Handle(Action.ERASE, "", tuple(refs)))
    assert [outcome.status for outcome in settled] == [OutcomeStatus.DONE] * 2 + [OutcomeStatus.FAILED] * 3


# --- Traps of changing ---


def test_one_change_the_service_rejects_keeps_no_other_from_being_made(account: HubSpotWorld) -> None:
    refs = versions(account, *many(account, 7, interests="roses"))
    steps = [Step(f"step-{number}", ref, Action.REDACT, fields=("interests",)) for number, ref in enumerate(refs)]
    steps[4] = replace(steps[4], fields=("interests", "createdate"))
    outcomes = account.reconnect().act(Action.REDACT, steps, Leave())
    assert verdicts(outcomes) == [
        *[(OutcomeStatus.DONE, Reason.OK)] * 4,
        (OutcomeStatus.REFUSED, Reason.VALIDATION),
        *[(OutcomeStatus.DONE, Reason.OK)] * 2,
    ]
    left = [account.stored_contact(ref)["interests"] for ref in refs]
    assert [bool(value) for value in left] == [False] * 4 + [True] + [False] * 2


def test_a_suppression_without_a_named_address_reaches_every_address_of_the_contact(account: HubSpotWorld) -> None:
    winner, loser = account.contact("one@example.com"), account.contact("two@example.com")
    account.merge(winner, loser)
    assert verdicts(act(account, Action.SUPPRESS, winner)) == [(OutcomeStatus.DONE, Reason.OK)]
    assert account.is_opted_out("one@example.com")
    assert account.is_opted_out("two@example.com")
    assert verdicts(act(account, Action.SUPPRESS, winner)) == [(OutcomeStatus.ALREADY_DONE, Reason.SAME)]


def test_a_contact_without_an_address_cannot_be_suppressed_and_a_person_is_told(account: HubSpotWorld) -> None:
    ref = account.contact("", phone="+44 1632 960001")
    assert verdicts(act(account, Action.SUPPRESS, ref)) == [(OutcomeStatus.REFUSED, Reason.SUBJECT_NOT_FOUND)]


# --- Calls ---


@pytest.mark.slow
def test_more_than_the_ten_thousand_a_query_shows_are_all_found_each_once(account: HubSpotWorld) -> None:
    made = {ref.key for ref in many(account, 10_050, collected_on=EXPIRED_ON.isoformat())}
    account.emulator.forget_calls()
    keys = [finding.ref.key for page in account.reconnect(200).find(EXPIRED) for finding in page.findings]
    assert made <= set(keys)
    assert len(keys) == len(set(keys))
    assert spent(account)[SEARCH] <= -(-len(keys) // 200) + 2
    assert spent(account)[LINKS] <= -(-len(keys) // 1_000) + 2


def test_finding_a_thousand_costs_five_searches_one_for_the_second_query_and_one_for_the_properties(
    account: HubSpotWorld,
) -> None:
    many(account, 1_000, collected_on=EXPIRED_ON.isoformat())
    account.emulator.forget_calls()
    seen = found(account, EXPIRED)
    pages_needed = -(-len(seen) // 200)
    calls = spent(account)
    assert calls[SEARCH] <= pages_needed + 1
    assert calls[PROPERTIES] == 1
    assert len(seen) >= 1_000


def test_erasing_costs_one_reading_per_hundred_and_one_call_each(account: HubSpotWorld) -> None:
    refs = versions(account, *many(account, 200))
    account.emulator.forget_calls()
    connector = account.reconnect()
    for start in (0, 100):
        steps = [Step(ref.key, ref, Action.ERASE) for ref in refs[start : start + 100]]
        assert {outcome.status for outcome in connector.act(Action.ERASE, steps, Leave())} == {OutcomeStatus.DONE}
    assert spent(account) == {READ: 2 + 2, PURGE: 200}  # before, and what is still shown after
    account.emulator.forget_calls()
    assert set(presence(account, *refs)) == {Presence.ABSENT}
    assert spent(account) == {READ: 2 + 2 + 1, LIST: 1}  # live, archived, and the control record


@pytest.mark.parametrize("action", [Action.REDACT, Action.RESTRICT], ids=str)
def test_a_hundred_changes_are_one_reading_and_one_call_and_one_opt_out_each_where_mail_is_stopped(
    account: HubSpotWorld, action: Action
) -> None:
    refs = versions(account, *many(account, 100, interests="roses"))
    account.emulator.forget_calls()
    steps = [Step(ref.key, ref, action, fields=("interests",)) for ref in refs]
    outcomes = account.reconnect().act(action, steps, Leave())
    assert {outcome.status for outcome in outcomes} == {OutcomeStatus.DONE}
    opt_outs = {OPT_OUT: 100} if action is Action.RESTRICT else {}
    assert spent(account) == {READ: 1, UPDATE: 1, **opt_outs}
    account.emulator.forget_calls()
    expected = Presence.RESTRICTED if action is Action.RESTRICT else Presence.PRESENT
    assert set(presence(account, *refs)) == {expected}
    assert spent(account) == {READ: 1}


def test_one_person_is_found_in_one_search(account: HubSpotWorld) -> None:
    account.contact("one-person@example.com")
    account.emulator.forget_calls()
    assert len(found(account, asking_for("one-person@example.com"))) == 1
    assert spent(account) == {SEARCH: 1, PROPERTIES: 1, KINDS_OF_MAIL: 1, LINKS: 1}
