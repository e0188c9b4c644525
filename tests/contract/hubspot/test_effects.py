"""Restricting, purging and exporting on HubSpot: what must happen besides the one obvious call?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from retention.contract import AccessDenied
from retention.vocabulary import (
    Action,
    Criteria,
    Handle,
    Identifier,
    IdentifierKind,
    Outcome,
    OutcomeStatus,
    Presence,
    Reason,
    RecordRef,
    Step,
)
from sandbox.hubspot.subscription_types import SUBSCRIPTION_TYPES
from tests.contract.hubspot_world import CONTACT, HubSpotWorld
from tests.leave import Leave

ANN = "ann@example.com"
OPT_OUT = "POST /communication-preferences/v4/statuses/*/unsubscribe-all"
OPT_OUTS = "POST /communication-preferences/v4/statuses/batch/unsubscribe-all"
DONE, ACCEPTED = OutcomeStatus.DONE, OutcomeStatus.ACCEPTED


def planned(account: HubSpotWorld, action: Action, *refs: RecordRef, **how: Any) -> list[Step]:
    """Steps on the records as they are now."""
    seen = account.reconnect().read_back([Step("read", ref, action) for ref in refs])
    return [Step(f"step-{number}", one.ref, action, **how) for number, one in enumerate(seen)]


def act(account: HubSpotWorld, action: Action, *refs: RecordRef, **how: Any) -> list[Outcome]:
    return list(account.reconnect().act(action, planned(account, action, *refs, **how), Leave()))


def presence(account: HubSpotWorld, ref: RecordRef) -> Presence:
    (seen,) = account.reconnect().read_back([Step("read", ref, Action.ERASE)])
    return seen.presence


def found(account: HubSpotWorld, address: str) -> list[str]:
    asked = Criteria(identifiers=(Identifier(IdentifierKind.EMAIL, address),))
    return [finding.ref.key for page in account.reconnect().find(asked) for finding in page.findings]


# --- Restricting and releasing ---


def test_a_restriction_sets_the_property_and_stops_mail_to_every_address(account: HubSpotWorld) -> None:
    ref, other = account.contact(ANN), account.contact("ann.second@example.com")
    account.merge(ref, other)
    noted: list[Handle] = []
    (step,) = planned(account, Action.RESTRICT, ref)
    (outcome,) = account.reconnect().act(Action.RESTRICT, [step], Leave(noted.append))
    before = {"processing_restricted": "", "hs_email_optout": ""}
    assert (outcome.status, outcome.reason, outcome.previous) == (DONE, Reason.OK, before)
    assert noted == [Handle(Action.RESTRICT, "", (step.ref,), (before,))]
    assert account.stored_contact(ref)["processing_restricted"] == "true"
    assert account.is_opted_out(ANN)
    assert account.is_opted_out("ann.second@example.com")


def test_a_release_puts_the_property_back_and_says_that_the_opt_out_stays(account: HubSpotWorld) -> None:
    ref = account.contact(ANN)
    (restricted,) = act(account, Action.RESTRICT, ref)
    (released,) = act(account, Action.RELEASE, ref, values=restricted.previous)
    assert (released.status, released.reason) == (DONE, Reason.OPT_OUT_STAYS)
    assert not account.stored_contact(ref).get("processing_restricted")
    assert account.is_opted_out(ANN)
    assert presence(account, ref) is Presence.PRESENT


def test_who_had_opted_out_before_the_restriction_leaves_no_task_at_its_release(account: HubSpotWorld) -> None:
    ref = account.contact(ANN)
    account.opt_out(ANN)
    (restricted,) = act(account, Action.RESTRICT, ref)
    assert restricted.previous == {"processing_restricted": "", "hs_email_optout": "true"}
    (released,) = act(account, Action.RELEASE, ref, values=restricted.previous)
    assert (released.status, released.reason) == (DONE, Reason.OK)


def test_a_contact_without_an_address_is_restricted_by_its_property_alone(account: HubSpotWorld) -> None:
    ref = account.contact("", phone="+44 1632 960001")
    account.emulator.forget_calls()
    (outcome,) = act(account, Action.RESTRICT, ref)
    assert (outcome.status, outcome.reason) == (DONE, Reason.OK)
    assert OPT_OUT not in account.emulator.calls()


def test_a_restriction_that_could_not_stop_mail_says_so(account: HubSpotWorld) -> None:
    ref = account.contact(ANN)
    account.emulator.tell("faults", path="*/unsubscribe-all", fault="status", status=400, times=1)
    (outcome,) = act(account, Action.RESTRICT, ref)
    assert (outcome.status, outcome.reason) == (DONE, Reason.MAIL_NOT_STOPPED)
    assert presence(account, ref) is Presence.RESTRICTED
    assert not account.is_opted_out(ANN)


def test_the_property_of_a_restriction_is_made_on_first_use(account: HubSpotWorld) -> None:
    refs = [account.contact(f"first-use-{number}@example.com") for number in range(3)]
    account.emulator.send("DELETE", "/crm/v3/properties/contacts/processing_restricted")
    outcomes = act(account, Action.RESTRICT, *refs)
    assert [outcome.status for outcome in outcomes] == [DONE] * 3
    assert [presence(account, ref) for ref in refs] == [Presence.RESTRICTED] * 3
    made = account.emulator.send("GET", "/crm/v3/properties/contacts/processing_restricted")
    assert (made["type"], made["fieldType"], made["hubspotDefined"]) == ("bool", "booleancheckbox", False)


def test_without_leave_to_make_the_property_nothing_is_restricted_and_the_scope_is_named(
    account: HubSpotWorld,
) -> None:
    ref = account.contact(ANN)
    account.emulator.send("DELETE", "/crm/v3/properties/contacts/processing_restricted")
    scopes = account.emulator.ask("state")["switches"]["scopes"]
    steps = planned(account, Action.RESTRICT, ref)
    account.emulator.tell("switches", scopes=[one for one in scopes if one != "crm.schemas.contacts.write"])
    with pytest.raises(AccessDenied, match="new property of contacts"):
        account.reconnect().act(Action.RESTRICT, steps, Leave())
    assert not account.is_opted_out(ANN)


# --- Many opt-outs at once ---


def test_the_largest_edition_opts_a_hundred_addresses_out_in_one_call(account: HubSpotWorld) -> None:
    account.emulator.tell("switches", enterprise=True)
    refs = account.contacts([{"email": f"many-{number}@example.com"} for number in range(120)])
    account.emulator.forget_calls()
    outcomes = []
    for some in (refs[:100], refs[100:]):
        outcomes += act(account, Action.SUPPRESS, *some)
    assert {(outcome.status, outcome.reason) for outcome in outcomes} == {(DONE, Reason.OK)}
    assert account.emulator.calls()[OPT_OUTS] == 2
    assert OPT_OUT not in account.emulator.calls()
    assert account.is_opted_out("many-119@example.com")
    again = act(account, Action.SUPPRESS, *refs[:100])
    assert {outcome.status for outcome in again} == {OutcomeStatus.ALREADY_DONE}


def test_of_many_addresses_opted_out_at_once_one_that_is_none_is_refused_by_itself(account: HubSpotWorld) -> None:
    account.emulator.tell("switches", enterprise=True)
    refs = [account.contact(f"half-{number}@example.com") for number in range(2)]
    steps = planned(account, Action.SUPPRESS, *refs)
    wrong = Identifier(IdentifierKind.EMAIL, "nobody@no-domain")
    steps.insert(1, Step("wrong", steps[0].ref, Action.SUPPRESS, identifiers=(wrong,)))
    outcomes = account.reconnect().act(Action.SUPPRESS, steps, Leave())
    assert [outcome.status for outcome in outcomes] == [DONE, OutcomeStatus.REFUSED, DONE]


# --- Purging ---


def test_a_purge_names_the_day_by_which_what_hung_on_the_contact_is_gone(account: HubSpotWorld) -> None:
    (outcome,) = act(account, Action.ERASE, account.contact(ANN))
    assert (outcome.status, outcome.reason) == (DONE, Reason.OK)
    assert outcome.settle_on is not None


def test_a_purged_contact_that_is_still_shown_was_only_accepted_until_it_is_read_back_as_gone(
    account: HubSpotWorld,
) -> None:
    account.emulator.tell("switches", purge_lag_seconds=3600.0)
    ref = account.contact(ANN)
    (outcome,) = act(account, Action.ERASE, ref)
    assert (outcome.status, outcome.reason) == (ACCEPTED, Reason.PENDING)
    assert outcome.settle_on is not None
    assert presence(account, ref) is Presence.PRESENT
    account.pass_time(timedelta(hours=2))
    assert presence(account, ref) is Presence.ABSENT
    (settled,) = account.reconnect().settle(Handle(Action.ERASE, "", (ref,)))
    assert settled.status is DONE


def test_a_gateway_error_after_the_purge_took_effect_is_unknown_and_settled_by_reading(account: HubSpotWorld) -> None:
    ref = account.contact(ANN)
    steps = planned(account, Action.ERASE, ref)
    fault = {"path": "*/gdpr-delete", "fault": "status", "status": 502, "after_effect": True, "times": 1}
    account.emulator.tell("faults", **fault)
    (outcome,) = account.reconnect().act(Action.ERASE, steps, Leave())
    assert (outcome.status, outcome.reason) == (OutcomeStatus.UNKNOWN, Reason.NO_ANSWER)
    (settled,) = account.reconnect().settle(Handle(Action.ERASE, "", (ref,)))
    assert settled.status is DONE


def test_an_erased_person_whom_another_integration_makes_again_is_found_as_a_new_contact(
    account: HubSpotWorld,
) -> None:
    ref = account.contact(ANN)
    act(account, Action.ERASE, ref)
    assert ANN in account.stored()["blocklist"]
    again = account.contact(ANN)
    assert again.key != ref.key
    assert found(account, ANN) == [again.key]
    assert presence(account, ref) is Presence.ABSENT


def test_a_search_that_lags_behind_a_purge_finds_the_contact_and_nothing_is_done_to_it(account: HubSpotWorld) -> None:
    ref = account.contact(ANN)
    account.emulator.tell("switches", search_lag_seconds=60.0)
    steps = planned(account, Action.ERASE, ref)
    account.remove(ref)
    assert found(account, ANN) == [ref.key]
    (outcome,) = account.reconnect().act(Action.ERASE, steps, Leave())
    assert (outcome.status, outcome.reason) == (OutcomeStatus.ALREADY_DONE, Reason.GONE)
    account.pass_time(timedelta(minutes=5))
    assert found(account, ANN) == []


# --- Clearing and exporting ---


def test_a_cleared_property_stays_in_the_history_which_the_export_shows(account: HubSpotWorld) -> None:
    ref = account.contact(ANN, interests="roses")
    act(account, Action.REDACT, ref, fields=("interests",))
    (document,) = account.reconnect().export([ref])
    told = json.loads(document.content)
    assert "interests" not in told["properties"]
    assert [version["value"] for version in told["formerValues"]["interests"]] == ["roses"]


def test_an_export_tells_what_each_address_wants(account: HubSpotWorld) -> None:
    ref, other = account.contact(ANN), account.contact("ann.second@example.com")
    account.merge(ref, other)
    account.opt_out("ann.second@example.com")
    (document,) = account.reconnect().export([ref])
    wants = json.loads(document.content)["subscriptions"]
    assert set(wants) == {ANN, "ann.second@example.com"}
    assert {status["status"] for status in wants["ann.second@example.com"]} == {"UNSUBSCRIBED"}
    assert {status["subscriptionName"] for status in wants[ANN]} == {one.name for one in SUBSCRIPTION_TYPES}


def test_an_export_reads_fifty_contacts_a_call_since_it_asks_for_their_history(account: HubSpotWorld) -> None:
    refs = account.contacts([{"firstname": f"Person {number}"} for number in range(60)])
    account.emulator.forget_calls()
    assert len(list(account.reconnect().export(refs))) == 60
    assert account.emulator.calls()["POST /crm/v3/objects/*/batch/read"] == 2
    assert {ref.kind for ref in refs} == {CONTACT}


def test_a_corrected_address_reads_as_corrected_though_the_account_keeps_it_in_small_letters(
    account: HubSpotWorld,
) -> None:
    ref = account.contact(ANN, firstname="Ann")
    values = {"email": "Ann.Right@example.com", "firstname": ""}
    (step,) = planned(account, Action.RECTIFY, ref, values=values)
    noted: list[Handle] = []

    (outcome,) = account.reconnect().act(Action.RECTIFY, [step], Leave(noted.append))

    assert outcome.status is DONE
    assert noted[0].previous == ({"email": ANN, "firstname": "Ann"},)
    stored = account.stored_contact(ref)
    assert (stored["email"].casefold(), stored.get("firstname") or "") == ("ann.right@example.com", "")
    (seen,) = account.reconnect().read_back([step])
    assert seen.corrected is True
