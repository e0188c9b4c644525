"""What becomes of notes, calls, tasks, e-mails and meetings about a person? They are records of their own.

Against the emulator, with the kinds of record of the shipped policy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.hubspot import HubSpotConnector
from retention.policy import load
from retention.vocabulary import (
    Action,
    Criteria,
    DataClass,
    Finding,
    Identifier,
    IdentifierKind,
    Outcome,
    OutcomeStatus,
    Presence,
    Reason,
    RecordRef,
    Step,
)
from tests.contract.hubspot_world import EXPIRED, ROOT, HubSpotWorld
from tests.contract.world import EXPIRED_ON, LIVE_ON
from tests.leave import Leave

KINDS = load(Path(ROOT) / "include" / "policy").systems["hubspot"].kinds()
OLD, NEW = f"{EXPIRED_ON}T09:00:00Z", f"{LIVE_ON}T09:00:00Z"
BODIES = {
    "notes": "hs_note_body",
    "emails": "hs_email_text",
    "calls": "hs_call_body",
    "meetings": "hs_meeting_body",
    "tasks": "hs_task_body",
    "communications": "hs_communication_body",
}
EVERY_TYPE = pytest.mark.parametrize("object_type", BODIES)
ANN, BO = "ann@example.com", "bo@example.org"


@pytest.fixture
def connector(account: HubSpotWorld) -> HubSpotConnector:
    return account.reconnect(page_size=200, kinds=KINDS)


def about(account: HubSpotWorld, object_type: str, text: str, *people: RecordRef, on: str = NEW, **more: Any) -> Any:
    return account.record(object_type, {BODIES[object_type]: text, "hs_timestamp": on}, contacts=people, **more)


def found(connector: HubSpotConnector, criteria: Criteria) -> dict[str, Finding]:
    return {finding.ref.key: finding for page in connector.find(criteria) for finding in page.findings}


def asking_for(*addresses: str) -> Criteria:
    return Criteria(identifiers=named(*addresses))


def named(*addresses: str) -> tuple[Identifier, ...]:
    return tuple(Identifier(IdentifierKind.EMAIL, address) for address in addresses)


def act(connector: HubSpotConnector, action: Action, *refs: RecordRef, **how: Any) -> list[Outcome]:
    """Do it to the records as they are now."""
    steps = [Step(ref.key, ref, action, **how) for ref in refs]
    now = [seen.ref for seen in connector.read_back(steps)]
    return list(connector.act(action, [Step(ref.key, ref, action, **how) for ref in now], Leave()))


def seen(connector: HubSpotConnector, action: Action, ref: RecordRef, **how: Any) -> Any:
    (one,) = connector.read_back([Step(ref.key, ref, action, **how)])
    return one


def verdicts(outcomes: Sequence[Outcome]) -> list[tuple[OutcomeStatus, Reason]]:
    return [(outcome.status, outcome.reason) for outcome in outcomes]


# --- Finding ---


@EVERY_TYPE
def test_an_activity_falls_due_by_its_own_date(
    account: HubSpotWorld, connector: HubSpotConnector, object_type: str
) -> None:
    ann = account.contact(ANN)
    old, new = (about(account, object_type, "spoke to her", ann, on=day) for day in (OLD, NEW))
    expired = found(connector, EXPIRED)
    assert old.key in expired
    assert new.key not in expired
    facts = expired[old.key].facts
    assert facts.classes[0].collected is not None
    assert facts.classes[0].collected.provenance == f"{old.kind}.hs_timestamp"
    assert expired[old.key].identifiers == named(ANN)


@EVERY_TYPE
def test_a_person_is_found_with_every_activity_about_them(
    account: HubSpotWorld, connector: HubSpotConnector, object_type: str
) -> None:
    ann, bo = account.contact(ANN), account.contact(BO)
    hers, his = about(account, object_type, "hers", ann), about(account, object_type, "his", bo)
    findings = found(connector, asking_for(ANN))
    assert hers.key in findings
    assert his.key not in findings
    assert findings[hers.key].facts.classes[0].data_class in {DataClass.CONTACT_NOTES, DataClass.EMAIL_MESSAGE}


def test_an_activity_about_one_person_carries_that_persons_word_and_business(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    ann = account.contact(ANN)
    account.opt_out(ANN)
    account.record("deals", {"dealname": "Roof", "dealstage": "contractsent", "pipeline": "default"}, contacts=[ann])
    account.record("tickets", {"subject": "Late", "hs_pipeline_stage": "1"}, contacts=[ann])
    note = about(account, "notes", "wants no more brochures", ann)
    facts = found(connector, asking_for(ANN))[note.key].facts
    assert facts.opted_out
    assert not facts.several_people
    assert [transaction.live for transaction in facts.transactions] == [True]
    assert facts.open_complaint


def test_a_shared_note_is_about_several_people_and_carries_nobodys_word(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    ann, bo = account.contact(ANN), account.contact(BO)
    account.opt_out(ANN)
    note = about(account, "notes", "met both", ann, bo)
    finding = found(connector, asking_for(ANN))[note.key]
    assert finding.facts.several_people
    assert not finding.facts.opted_out
    assert set(finding.identifiers) == set(named(ANN, BO))


def test_an_activity_nobody_is_linked_with_is_still_found_by_its_date(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    orphan = about(account, "calls", "left behind by a purge", on=OLD)
    finding = found(connector, EXPIRED)[orphan.key]
    assert finding.identifiers == ()
    assert not finding.facts.several_people


# --- Erasing ---


@EVERY_TYPE
def test_an_erased_activity_is_gone_from_both_views_and_its_contact_is_untouched(
    account: HubSpotWorld, connector: HubSpotConnector, object_type: str
) -> None:
    ann = account.contact(ANN)
    mine, other = about(account, object_type, "one", ann), about(account, object_type, "other", ann)
    before = account.stored_record(ann)
    (outcome,) = act(connector, Action.ERASE, mine)
    assert outcome.status is OutcomeStatus.DONE
    observed = seen(connector, Action.ERASE, mine)
    assert observed.presence is Presence.ABSENT
    assert observed.views == ("batch-read", "batch-read-archived")
    assert account.stored_record(other) is not None
    after = account.stored_record(ann)
    assert after is not None
    assert before is not None
    assert after["properties"] == before["properties"]


@pytest.mark.parametrize("object_type", ["calls", "tasks"])
def test_a_call_or_task_survives_the_purge_of_its_contact_and_is_erased_by_itself(
    account: HubSpotWorld, connector: HubSpotConnector, object_type: str
) -> None:
    ann = account.contact(ANN)
    left = about(account, object_type, "Ann rang", ann)
    assert left.key in found(connector, asking_for(ANN))
    act(connector, Action.ERASE, ann)
    account.pass_time(timedelta(days=31))
    assert account.stored_record(left) is not None
    assert verdicts(act(connector, Action.ERASE, left)) == [(OutcomeStatus.DONE, Reason.OK)]
    assert account.stored_record(left) is None


def test_a_note_that_hangs_on_a_company_too_survives_the_purge_of_its_contact(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    ann, company = account.contact(ANN), account.record("companies", {"name": "Example & Sons"})
    shared = about(account, "notes", "with the company", ann, companies=[company])
    own = about(account, "notes", "hers alone", ann)
    act(connector, Action.ERASE, ann)
    account.pass_time(timedelta(days=31))
    assert account.stored_record(shared) is not None
    assert account.stored_record(own) is None
    assert account.stored_record(company) is not None


def test_a_note_edited_after_planning_is_left_alone(account: HubSpotWorld, connector: HubSpotConnector) -> None:
    note = about(account, "notes", "first", account.contact(ANN))
    planned = seen(connector, Action.ERASE, note).ref
    account.pass_time(timedelta(minutes=1))
    account.emulator.send("PATCH", f"/crm/v3/objects/notes/{note.key}", {"properties": {"hs_note_body": "second"}})
    outcomes = connector.act(Action.ERASE, [Step("s", planned, Action.ERASE)], Leave())
    assert verdicts(outcomes) == [(OutcomeStatus.REFUSED, Reason.CHANGED)]


# --- Redacting ---


def test_one_person_is_taken_out_of_a_shared_note_and_the_others_stay(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    ann = account.contact(ANN, firstname="Ann", lastname="Archer", phone="+44 1632 960001")
    bo = account.contact(BO, firstname="Bo", lastname="Brook")
    text = "Met Ann Archer (ANN@example.com, +44 1632 960001) and Bo Brook, bo@example.org. Annual review next."
    note = about(account, "notes", text, ann, bo)
    about_ann = {"identifiers": named(ANN), "fields": ("hs_note_body",)}
    assert seen(connector, Action.REDACT, note, **about_ann).mentions is True

    (outcome,) = act(connector, Action.REDACT, note, **about_ann)

    assert outcome.status is OutcomeStatus.DONE
    stored = account.stored_record(note)
    assert stored is not None
    assert stored["properties"]["hs_note_body"] == (
        "Met [erased] ([erased], [erased]) and Bo Brook, bo@example.org. Annual review next."
    )
    assert stored["associations"]["contacts"] == [bo.key]
    assert seen(connector, Action.REDACT, note, **about_ann).mentions is False
    assert seen(connector, Action.REDACT, note, fields=("hs_note_body",), identifiers=named(BO)).mentions is True


def test_who_is_only_linked_and_not_named_is_unlinked(account: HubSpotWorld, connector: HubSpotConnector) -> None:
    ann, bo = account.contact(ANN, firstname="Ann", lastname="Archer"), account.contact(BO)
    note = about(account, "notes", "they agreed", ann, bo)
    (outcome,) = act(connector, Action.REDACT, note, identifiers=named(ANN), fields=("hs_note_body",))
    assert outcome.status is OutcomeStatus.DONE
    stored = account.stored_record(note)
    assert stored is not None
    assert stored["associations"]["contacts"] == [bo.key]
    assert stored["properties"]["hs_note_body"] == "they agreed"


def test_taking_a_person_out_twice_succeeds_twice(account: HubSpotWorld, connector: HubSpotConnector) -> None:
    ann, bo = account.contact(ANN), account.contact(BO)
    note = about(account, "notes", f"for {ANN}", ann, bo)
    how: dict[str, Any] = {"identifiers": named(ANN), "fields": ("hs_note_body",)}
    assert verdicts(act(connector, Action.REDACT, note, **how)) == [(OutcomeStatus.DONE, Reason.OK)]
    before = account.stored_record(note)
    assert verdicts(act(connector, Action.REDACT, note, **how)) == [
        (OutcomeStatus.ALREADY_DONE, Reason.SUBJECT_NOT_FOUND)
    ]
    assert account.stored_record(note) == before


def test_the_switch_thrown_before_the_link_is_undone_leaves_the_person_to_be_taken_out_again(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    ann, bo = account.contact(ANN), account.contact(BO)
    note = about(account, "notes", f"for {ANN}", ann, bo)
    how: dict[str, Any] = {"identifiers": named(ANN), "fields": ("hs_note_body",)}
    planned = seen(connector, Action.REDACT, note, **how).ref
    (outcome,) = connector.act(Action.REDACT, [Step("s", planned, Action.REDACT, **how)], Leave(requests=1))
    assert (outcome.status, outcome.reason) == (OutcomeStatus.FAILED, Reason.NOT_SENT)
    assert seen(connector, Action.REDACT, note, **how).mentions is True
    assert verdicts(act(connector, Action.REDACT, note, **how)) == [(OutcomeStatus.DONE, Reason.OK)]
    assert seen(connector, Action.REDACT, note, **how).mentions is False


# --- Restricting, suppressing, exporting ---


def test_an_activity_is_restricted_and_released_by_a_property_made_on_first_use(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    note = about(account, "notes", "kept for a claim", account.contact(ANN))
    assert "processing_restricted" not in account.stored()["properties"]["notes"]
    (restricted,) = act(connector, Action.RESTRICT, note)
    assert (restricted.status, restricted.previous) == (OutcomeStatus.DONE, {"processing_restricted": ""})
    assert seen(connector, Action.RESTRICT, note).presence is Presence.RESTRICTED
    assert not account.is_opted_out(ANN)
    (released,) = act(connector, Action.RELEASE, note, values=restricted.previous)
    assert (released.status, released.reason) == (OutcomeStatus.DONE, Reason.OK)
    assert seen(connector, Action.RELEASE, note).presence is Presence.PRESENT


def test_suppressing_an_activity_stops_mail_to_the_people_it_is_about(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    note = about(account, "notes", "sends brochures", account.contact(ANN))
    assert seen(connector, Action.SUPPRESS, note).opted_out is False
    assert verdicts(act(connector, Action.SUPPRESS, note)) == [(OutcomeStatus.DONE, Reason.OK)]
    assert account.is_opted_out(ANN)
    assert seen(connector, Action.SUPPRESS, note).opted_out is True


def test_an_activity_is_exported_with_its_text(account: HubSpotWorld, connector: HubSpotConnector) -> None:
    note = about(account, "notes", "likes roses", account.contact(ANN))
    (document,) = connector.export([note])
    assert json.loads(document.content)["properties"]["hs_note_body"] == "likes roses"
    assert connector.link(note) == f"https://app.hubspot.com/contacts/{connector.tenant}/record/0-46/{note.key}"
