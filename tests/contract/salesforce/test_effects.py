"""Does the Salesforce connector erase, redact and restrict by the vendor's rules, and say truly what came of it?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from retention.vocabulary import Action, Gap, GapCode, Handle, OutcomeStatus, Presence, Reason, RecordRef, Step
from tests.contract.salesforce_world import (
    AS_OF,
    EVERYTHING,
    SYSTEM,
    SalesforceWorld,
    act,
    many,
    presence,
    spent,
    verdicts,
)
from tests.contract.world import Sample
from tests.leave import Leave

# --- Erasing ---


def test_a_row_in_the_recycle_bin_is_recoverable_and_is_still_erased_for_good(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "binned@example.com")
    org.bin(ref)
    assert presence(org, ref) == [Presence.RECOVERABLE]
    assert verdicts(act(org, Action.ERASE, ref)) == [(OutcomeStatus.DONE, Reason.OK)]
    assert presence(org, ref) == [Presence.ABSENT]
    assert ("Contact", ref.key) not in org.snapshot()


def test_a_row_in_the_recycle_bin_is_not_redacted_on_old_facts(org: SalesforceWorld) -> None:
    ref = org.make(Sample.MIXED, "binned-too@example.com")
    org.bin(ref)
    outcomes = act(org, Action.REDACT, ref, fields=("Interests__c",))
    assert verdicts(outcomes) == [(OutcomeStatus.REFUSED, Reason.CHANGED)]


def test_a_row_with_a_restricted_child_is_blocked_and_the_others_go(org: SalesforceWorld) -> None:
    free, blocked = org.make(Sample.LIVE, "free@example.com"), org.make(Sample.LIVE, "blocked@example.com")
    org.create("Case", Subject="Complaint", Status="New", ContactId=blocked.key)
    assert verdicts(act(org, Action.ERASE, blocked, free)) == [
        (OutcomeStatus.REFUSED, Reason.BLOCKED_BY_CHILD),
        (OutcomeStatus.DONE, Reason.OK),
    ]
    assert presence(org, blocked, free) == [Presence.PRESENT, Presence.ABSENT]


def test_without_the_right_to_hard_delete_rows_go_through_the_bin_and_out_of_it(org: SalesforceWorld) -> None:
    refs = [org.make(Sample.LIVE, f"long-way-{number}@example.com") for number in range(3)]
    org.bin(refs[1])
    org.remove(refs[2])
    org.emulator.tell("switches", hard_delete_permission=False)
    assert verdicts(act(org, Action.ERASE, *refs)) == [
        (OutcomeStatus.DONE, Reason.OK),
        (OutcomeStatus.DONE, Reason.OK),
        (OutcomeStatus.ALREADY_DONE, Reason.GONE),
    ]
    assert presence(org, *refs) == [Presence.ABSENT] * 3


def test_where_the_bin_may_not_be_emptied_either_rows_are_recoverable_until_it_lets_go(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "recoverable@example.com")
    org.emulator.tell("switches", hard_delete_permission=False, empty_bin_permission=False)
    (outcome,) = act(org, Action.ERASE, ref)
    assert (outcome.status, outcome.reason) == (OutcomeStatus.ACCEPTED, Reason.RECOVERABLE)
    assert outcome.settle_on is not None
    (seen,) = org.reconnect().read_back([Step("read", ref, Action.ERASE)])
    assert (seen.presence, seen.recoverable_until) == (Presence.RECOVERABLE, AS_OF + timedelta(days=16))
    org.pass_time(timedelta(days=16))
    assert presence(org, ref) == [Presence.ABSENT]


def test_without_the_right_to_delete_every_step_is_refused_and_nothing_touched(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "kept@example.com")
    org.emulator.tell("switches", hard_delete_permission=False, delete_permission=False)
    before = org.snapshot()
    assert verdicts(act(org, Action.ERASE, ref)) == [(OutcomeStatus.REFUSED, Reason.NO_PERMISSION)]
    assert org.snapshot() == before


def test_a_job_that_was_never_closed_is_aborted_when_it_is_settled(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "unclosed@example.com")
    org.emulator.tell("faults", method="PATCH", path="*/jobs/ingest/*", fault="status", status=503, times=1)
    noted: list[Handle] = []
    (outcome,) = org.connector.act(Action.ERASE, [Step("s", ref, Action.ERASE)], Leave(noted.append))
    assert (outcome.status, outcome.reason) == (OutcomeStatus.UNKNOWN, Reason.NO_ANSWER)
    (handle,) = noted
    assert verdicts(org.reconnect().settle(handle)) == [(OutcomeStatus.FAILED, Reason.NOT_SENT)]
    assert verdicts(org.reconnect().settle(handle)) == [(OutcomeStatus.FAILED, Reason.NOT_SENT)]
    assert presence(org, ref) == [Presence.PRESENT]
    assert verdicts(act(org, Action.ERASE, ref)) == [(OutcomeStatus.DONE, Reason.OK)]


def test_a_job_the_org_no_longer_knows_is_settled_by_looking_at_the_record(org: SalesforceWorld) -> None:
    there, gone = org.make(Sample.LIVE, "there@example.com"), org.make(Sample.LIVE, "gone@example.com")
    org.remove(gone)
    handle = Handle(Action.ERASE, "7500000000000zzAAA", (there, gone))
    assert verdicts(org.reconnect().settle(handle)) == [
        (OutcomeStatus.FAILED, Reason.NOT_SENT),
        (OutcomeStatus.DONE, Reason.GONE),
    ]


def test_a_lost_result_file_leaves_the_outcome_open_and_settling_closes_it(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "result@example.com")
    org.emulator.tell("faults", path="*/successfulResults*", fault="status", status=503, times=4)
    noted: list[Handle] = []
    (outcome,) = org.connector.act(Action.ERASE, [Step("s", ref, Action.ERASE)], Leave(noted.append))
    assert outcome.status is OutcomeStatus.UNKNOWN
    assert verdicts(org.reconnect().settle(noted[0])) == [(OutcomeStatus.DONE, Reason.OK)]


def test_a_job_that_takes_its_time_is_waited_for(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "slow@example.com")
    org.emulator.tell("switches", polls_before_complete=3)
    assert verdicts(act(org, Action.ERASE, ref)) == [(OutcomeStatus.DONE, Reason.OK)]


def test_a_job_that_takes_too_long_stays_accepted_and_is_settled_later(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "slower@example.com")
    org.emulator.tell("switches", polls_before_complete=26)
    noted: list[Handle] = []
    (outcome,) = org.connector.act(Action.ERASE, [Step("s", ref, Action.ERASE)], Leave(noted.append))
    assert (outcome.status, outcome.reason) == (OutcomeStatus.ACCEPTED, Reason.PENDING)
    assert outcome.settle_on == AS_OF
    assert verdicts(org.reconnect().settle(noted[0])) == [(OutcomeStatus.ACCEPTED, Reason.PENDING)]
    assert verdicts(org.reconnect().settle(noted[0])) == [(OutcomeStatus.DONE, Reason.OK)]


def test_results_in_another_order_reach_the_right_steps(org: SalesforceWorld) -> None:
    refs = [org.make(Sample.LIVE, f"order-{number}@example.com") for number in range(4)]
    org.create("Case", Subject="Complaint", Status="New", ContactId=refs[0].key)
    org.emulator.tell("switches", bulk_results_in_order=False)
    reasons = [outcome.reason for outcome in act(org, Action.ERASE, *refs)]
    assert reasons == [Reason.BLOCKED_BY_CHILD, Reason.OK, Reason.OK, Reason.OK]


def test_a_binned_row_the_org_will_not_purge_is_recoverable_until_the_bin_lets_go(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "stuck@example.com")
    org.bin(ref)
    org.emulator.tell("switches", hard_delete_of_binned=False)
    (outcome,) = act(org, Action.ERASE, ref)
    assert (outcome.status, outcome.reason) == (OutcomeStatus.ACCEPTED, Reason.RECOVERABLE)
    assert outcome.settle_on == AS_OF + timedelta(days=16)
    assert presence(org, ref) == [Presence.RECOVERABLE]
    org.pass_time(timedelta(days=16))
    assert presence(org, ref) == [Presence.ABSENT]


# --- Reading back ---


def test_the_last_row_of_an_object_can_be_shown_to_be_gone(org: SalesforceWorld) -> None:
    leads = [RecordRef(SYSTEM, "Lead", row["Id"]) for row in org.stored()["Lead"]]
    assert leads
    assert {outcome.status for outcome in act(org, Action.ERASE, *leads)} == {OutcomeStatus.DONE}
    assert set(presence(org, *leads)) == {Presence.ABSENT}


def test_an_object_that_is_hidden_as_a_whole_is_a_gap_and_reads_as_unreadable(org: SalesforceWorld) -> None:
    ref = org.make(Sample.EXPIRED, "hidden-kind@example.com")
    org.emulator.tell("switches", hidden_objects=["Contact"])
    pages = list(org.reconnect().find(EVERYTHING))
    assert [gap for page in pages for gap in page.gaps] == [Gap(GapCode.KIND_HIDDEN, "Contact", "Contact")]
    assert {finding.ref.kind for page in pages for finding in page.findings} == {"Lead"}
    assert presence(org, ref) == [Presence.UNREADABLE]
    assert verdicts(act(org, Action.ERASE, ref)) == [(OutcomeStatus.FAILED, Reason.NOT_PROVEN)]


def test_a_thousand_ids_are_read_back_in_one_call(org: SalesforceWorld) -> None:
    refs = many(org, 1_000)
    org.emulator.forget_calls()
    assert set(presence(org, *refs)) == {Presence.PRESENT}
    assert spent(org) == {"POST composite": 1}


def test_how_much_the_addresses_of_a_call_may_hold_is_learnt_from_one_refusal(org: SalesforceWorld) -> None:
    refs = many(org, 1_000)
    org.emulator.tell("switches", composite_url_limit=9_000)
    org.emulator.forget_calls()
    connector = org.reconnect()
    steps = [Step("", ref, Action.ERASE) for ref in refs]
    for calls in (1 + 2, 2):
        assert {seen.presence for seen in connector.read_back(steps)} == {Presence.PRESENT}
        assert spent(org) == {"POST composite": calls}
        org.emulator.forget_calls()


# --- Redacting and restricting ---


def test_a_converted_lead_that_may_not_be_edited_is_refused(org: SalesforceWorld) -> None:
    (key,) = (row["Id"] for row in org.stored()["Lead"] if row["IsConverted"])
    ref = RecordRef(SYSTEM, "Lead", key)
    outcomes = act(org, Action.REDACT, ref, fields=("FirstName",))
    assert verdicts(outcomes) == [(OutcomeStatus.REFUSED, Reason.NO_PERMISSION)]


def test_a_required_name_becomes_a_placeholder_that_counts_as_empty(org: SalesforceWorld) -> None:
    key = org.create("Lead", FirstName="Ann", LastName="Example", Company="Example Ltd", Email="lead@example.com")
    ref = RecordRef(SYSTEM, "Lead", key)
    step = Step("s", ref, Action.REDACT, fields=("FirstName", "LastName", "Company", "Email"))
    connector = org.reconnect()
    assert verdicts(connector.act(Action.REDACT, [step], Leave())) == [(OutcomeStatus.DONE, Reason.OK)]
    stored = org.snapshot()["Lead", key]
    assert [stored[name] for name in step.fields] == [None, "[redacted]", "[redacted]", None]
    (seen,) = connector.read_back([step])
    assert (seen.presence, seen.filled) == (Presence.PRESENT, frozenset())
    assert verdicts(connector.act(Action.REDACT, [step], Leave())) == [(OutcomeStatus.ALREADY_DONE, Reason.SAME)]


def test_a_restriction_stops_every_contact_and_notes_what_was_there_before_it_does(org: SalesforceWorld) -> None:
    ref = org.contact("restrict@example.com", DoNotCall=True)
    noted: list[Handle] = []
    (outcome,) = org.connector.act(Action.RESTRICT, [Step("s", ref, Action.RESTRICT)], Leave(noted.append))
    before = {
        "Processing_Restricted__c": False,
        "HasOptedOutOfEmail": False,
        "DoNotCall": True,
        "HasOptedOutOfFax": False,
    }
    assert outcome.previous == before
    assert noted == [Handle(Action.RESTRICT, "", (ref,), (before,))]
    stored = org.snapshot()["Contact", ref.key]
    assert {name: stored[name] for name in before} == dict.fromkeys(before, True)


# --- Correcting ---


def test_a_text_is_set_in_the_type_of_its_field_and_read_back_as_it(org: SalesforceWorld) -> None:
    ref = org.make(Sample.MIXED, "typed@example.com")
    values = {"Lead_Score__c": "12", "Email": "New.Name@example.com", "Phone": ""}
    step = Step("s", ref, Action.RECTIFY, fields=tuple(values), values=values)
    assert verdicts(org.connector.act(Action.RECTIFY, [step], Leave())) == [(OutcomeStatus.DONE, Reason.OK)]
    stored = org.snapshot()["Contact", ref.key]
    assert (stored["Lead_Score__c"], stored["Phone"]) == (12, None)
    (seen,) = org.reconnect().read_back([step])
    assert seen.corrected is True
    assert verdicts(org.reconnect().act(Action.RECTIFY, [step], Leave())) == [(OutcomeStatus.ALREADY_DONE, Reason.SAME)]


@pytest.mark.parametrize("wrong", [{"Lead_Score__c": "seven"}, {"Lead_Score__c": "nan"}, {"LastName": ""}])
def test_what_a_field_cannot_hold_is_refused_and_nothing_is_written(
    org: SalesforceWorld, wrong: dict[str, str]
) -> None:
    ref = org.make(Sample.MIXED, "wrong@example.com")
    before = org.snapshot()
    outcomes = act(org, Action.RECTIFY, ref, values={"Title": "Gardener", **wrong})
    assert verdicts(outcomes) == [(OutcomeStatus.REFUSED, Reason.VALIDATION)]
    assert org.snapshot() == before
