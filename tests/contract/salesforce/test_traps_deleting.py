"""What does deleting a person touch, and is each known trap met? Section 5.1 of the facts, one test per trap."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from retention.vocabulary import (
    Action,
    DataClass,
    Gap,
    GapCode,
    OutcomeStatus,
    Presence,
    Reason,
    RecordRef,
    Step,
)
from tests.contract.salesforce.kinds import (
    BLOCKED,
    DONE,
    MESSAGE,
    OLD,
    PERSON_ACCOUNT,
    REGISTRATION,
    TASK,
    erased,
    found_by,
    knowing,
    rows,
)
from tests.contract.salesforce_world import (
    EVERYTHING,
    EXPIRED,
    KINDS,
    SYSTEM,
    SalesforceWorld,
    asking_for,
    verdicts,
)
from tests.contract.world import EXPIRED_ON, Sample
from tests.leave import Leave


@pytest.fixture
def org(org: SalesforceWorld) -> SalesforceWorld:
    org.emulator.tell("switches", set_audit_fields=True)
    return org


def test_trap_5_1_1_a_restricted_child_is_known_before_the_delete_and_blocks_only_its_row(org: SalesforceWorld) -> None:
    with_contract = org.contact("contract@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    account = org.create("Account", Name="Example Ltd")
    org.create("Contract", AccountId=account, Status="Draft", CustomerSignedId=with_contract.key)
    shipped_to = org.contact("shipped@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    org.create("Order", AccountId=account, Status="Draft", EffectiveDate="2020-01-01", ShipToContactId=shipped_to.key)
    subscribed = org.contact("consent-giver@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    org.create("CommSubscriptionConsent", Name="News", ConsentGiverId=subscribed.key, PrivacyConsentStatus="Seen")
    free = org.contact("free@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    found, gaps = found_by(knowing(org), EXPIRED)
    assert not gaps
    assert [found[ref.key].facts.undeletable for ref in (with_contract, shipped_to, free)] == [True, True, False]
    assert erased(knowing(org), with_contract, free, subscribed) == [BLOCKED, DONE, BLOCKED]


def test_trap_5_1_2_roles_in_deals_and_assets_are_evidence_and_keep_the_contact(org: SalesforceWorld) -> None:
    owner = org.contact("asset@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    org.create("Asset", Name="Boiler", ContactId=owner.key, PurchaseDate="2019-05-01")
    buyer = org.contact("deal@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    deal = org.create("Opportunity", Name="Sale", StageName="Closed Won", CloseDate="2019-06-01")
    org.create("OpportunityContactRole", OpportunityId=deal, ContactId=buyer.key)
    found, _ = found_by(knowing(org), EXPIRED)
    for ref, kind, day in ((owner, "Asset", date(2019, 5, 1)), (buyer, "Opportunity", date(2019, 6, 1))):
        facts = found[ref.key].facts
        assert facts.undeletable
        assert [(one.kind, one.on, one.live) for one in facts.transactions] == [(kind, day, False)]


def test_trap_5_1_3_files_of_one_person_go_with_the_person_and_shared_ones_stay(org: SalesforceWorld) -> None:
    ref, other = org.make(Sample.LIVE, "files@example.com"), org.make(Sample.LIVE, "other@example.com")
    org.create("ContentVersion", Title="CV", PathOnClient="cv.txt", VersionData="eA==", FirstPublishLocationId=ref.key)
    org.create("ContentVersion", Title="Both", PathOnClient="b.txt", VersionData="eA==", FirstPublishLocationId=ref.key)
    both = next(key for key, row in rows(org, "ContentDocument").items() if row["Title"] == "Both")
    org.create("ContentDocumentLink", ContentDocumentId=both, LinkedEntityId=other.key, ShareType="V")
    assert erased(knowing(org), ref) == [DONE]
    assert set(rows(org, "ContentDocument")) == {both}
    assert {row["Title"] for row in rows(org, "ContentVersion").values()} == {"Both"}
    assert erased(knowing(org), other) == [DONE]
    assert not rows(org, "ContentDocument")
    assert not rows(org, "ContentVersion")


def test_trap_5_1_4_messages_only_with_one_person_go_and_messages_naming_others_stay(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "mail@example.com")
    org.make(Sample.LIVE, "third@example.com")
    org.create("EmailMessage", Subject="Hello", ToAddress="mail@example.com", FromAddress="integration@sandbox.example")
    org.create("EmailMessage", Subject="All", ToAddress="mail@example.com; third@example.com")
    assert len(rows(org, "EmailMessageRelation")) == 4
    assert erased(knowing(org), ref) == [DONE]
    assert [row["Subject"] for row in rows(org, "EmailMessage").values()] == ["All"]


def test_trap_5_1_4_messages_are_found_by_every_address_in_them_as_about_several_people(org: SalesforceWorld) -> None:
    key = org.create(
        "EmailMessage", Subject="All", FromAddress="a@example.com", ToAddress="b@example.com; c@example.com"
    )
    found, _ = found_by(knowing(org, MESSAGE), asking_for("c@example.com"))
    assert set(found) == {key}
    assert found[key].facts.several_people
    assert {one.value for one in found[key].identifiers} == {"a@example.com", "b@example.com", "c@example.com"}
    assert not found_by(knowing(org, MESSAGE), asking_for("%@example.com"))[0]


def test_trap_5_1_5_an_activity_shared_with_others_keeps_its_person(org: SalesforceWorld) -> None:
    ref, guest = org.make(Sample.LIVE, "host@example.com"), org.make(Sample.LIVE, "guest@example.com")
    task = org.create("Task", Subject="Call both", WhoId=ref.key)
    for who in (ref, guest):
        org.create("TaskRelation", TaskId=task, RelationId=who.key)
    assert erased(knowing(org), ref) == [BLOCKED]
    assert task in rows(org, "Task")
    assert erased(knowing(org), ref, guest) == [DONE, DONE]
    assert not rows(org, "Task")


def test_trap_5_1_6_archived_activities_are_found_erased_and_proven_gone(org: SalesforceWorld) -> None:
    who = org.make(Sample.LIVE, "archived@example.com")
    key = org.create("Task", Subject="Old call", Status="Completed", WhoId=who.key, CreatedDate=OLD)
    assert rows(org, "Task")[key]["IsArchived"]
    found, gaps = found_by(knowing(org, TASK), EXPIRED)
    assert (set(found), gaps) == ({key}, set())
    assert [one.value for one in found[key].identifiers] == ["archived@example.com"]
    assert set(found_by(knowing(org, TASK), asking_for("archived@example.com"))[0]) == {key}
    connector = knowing(org, TASK)
    assert erased(connector, found[key].ref) == [DONE]
    assert [seen.presence for seen in connector.read_back([Step("r", found[key].ref, Action.ERASE)])] == [
        Presence.ABSENT
    ]


def test_trap_5_1_6_an_archived_activity_younger_than_its_person_is_judged_before_it_goes(org: SalesforceWorld) -> None:
    ref = org.contact("young-task@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    org.create("Task", Subject="Call", Status="Completed", WhoId=ref.key, CreatedDate="2025-02-03T09:00:00.000+0000")
    aged = org.contact("old-task@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    org.create("Task", Subject="Call", Status="Completed", WhoId=aged.key, CreatedDate=OLD)
    found, _ = found_by(knowing(org), EXPIRED)
    activity = [one for one in found[ref.key].facts.classes if not one.fields]
    assert [(one.data_class, one.collected and one.collected.value) for one in activity] == [
        (DataClass.CONTACT_NOTES, datetime(2025, 2, 3, 9, tzinfo=UTC))
    ]
    assert all(one.fields for one in found[aged.key].facts.classes)


def test_trap_5_1_7_old_values_leave_the_field_history_of_a_redacted_record(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", field_history=True, history_deletable=True)
    ref = org.make(Sample.LIVE, "before@example.com")
    step = Step("s", ref, Action.REDACT, fields=("Email",))
    assert verdicts(list(knowing(org).act(Action.REDACT, [step], Leave()))) == [DONE]
    assert not rows(org, "ContactHistory")
    assert rows(org, "Contact")[ref.key]["Email"] is None


def test_trap_5_1_7_a_history_that_may_not_be_deleted_is_said_so(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", field_history=True, history_deletable=False)
    ref = org.make(Sample.LIVE, "kept-before@example.com")
    step = Step("s", ref, Action.REDACT, fields=("Email",))
    assert verdicts(list(knowing(org).act(Action.REDACT, [step], Leave()))) == [
        (OutcomeStatus.REFUSED, Reason.NO_PERMISSION)
    ]
    assert rows(org, "Contact")[ref.key]["Email"] is None


def test_trap_5_1_8_a_person_account_is_erased_as_an_account_with_both_halves(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", person_accounts=True)
    key = org.create("Account", FirstName="Ann", LastName="Example", PersonEmail="ann@example.com", CreatedDate=OLD)
    half = str(rows(org, "Account")[key]["PersonContactId"])
    business = org.create("Account", Name="Example Ltd", CreatedDate=OLD)
    found, gaps = found_by(knowing(org, *KINDS, PERSON_ACCOUNT), EVERYTHING)
    assert key in found
    assert half not in found
    assert business not in found
    assert not gaps
    assert erased(knowing(org, *KINDS, PERSON_ACCOUNT), found[key].ref) == [DONE]
    assert key not in rows(org, "Account")
    assert half not in rows(org, "Contact")
    assert business in rows(org, "Account")


def test_trap_5_1_8_person_accounts_nobody_declared_are_a_gap(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", person_accounts=True)
    assert Gap(GapCode.UNCLASSIFIED, "Contact", "IsPersonAccount") in found_by(knowing(org), EVERYTHING)[1]


def test_trap_5_1_9_a_converted_lead_is_found_deleted_and_not_edited(org: SalesforceWorld) -> None:
    (key,) = (row["Id"] for row in org.stored()["Lead"] if row["IsConverted"])
    ref = RecordRef(SYSTEM, "Lead", key)
    step = Step("s", ref, Action.REDACT, fields=("FirstName",))
    assert verdicts(list(knowing(org).act(Action.REDACT, [step], Leave()))) == [
        (OutcomeStatus.REFUSED, Reason.NO_PERMISSION)
    ]
    assert erased(knowing(org), ref) == [DONE]
    assert key not in rows(org, "Lead")


def test_trap_5_1_10_a_delete_that_a_trigger_refuses_is_refused_and_not_repeated(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "trigger@example.com")
    org.emulator.tell("switches", delete_refused_by_trigger=["Contact"])
    assert erased(knowing(org), ref) == [(OutcomeStatus.REFUSED, Reason.VALIDATION)]


@pytest.mark.parametrize(("on_delete", "undeletable"), [("clear", False), ("restrict", True), ("cascade", True)])
def test_trap_5_1_11_what_a_custom_lookup_does_is_read_from_the_org(
    org: SalesforceWorld, on_delete: str, undeletable: bool
) -> None:
    org.emulator.tell("switches", registrations_on_delete=on_delete)
    ref = org.contact("registered@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    org.create("Event_Registration__c", Contact__c=ref.key, Email__c="registered@example.com")
    assert found_by(knowing(org), EXPIRED)[0][ref.key].facts.undeletable is undeletable
    if on_delete == "cascade":  # declared, its rows are judged by themselves and keep nothing
        declared = found_by(knowing(org, *KINDS, REGISTRATION), EXPIRED)[0]
        assert not declared[ref.key].facts.undeletable


def test_trap_6_rows_merged_into_a_record_leave_the_bin_with_it_at_any_remove(org: SalesforceWorld) -> None:
    first, second, last, other = (
        org.contact(f"{name}@example.com", Collected_On__c=EXPIRED_ON.isoformat())
        for name in ("first", "second", "last", "other")
    )
    untouched = org.contact("untouched@example.com")
    org.merge(second.key, first.key)
    org.merge(last.key, second.key, other.key)
    org.bin(untouched)

    assert {first.key, second.key, other.key} <= rows(org, "Contact").keys()
    assert erased(knowing(org), last) == [DONE]

    left = rows(org, "Contact").keys()
    assert left.isdisjoint({first.key, second.key, last.key, other.key})
    assert untouched.key in left


def test_trap_6_a_merged_row_that_only_the_bin_lets_go_is_told_of_the_record_it_was_merged_into(
    org: SalesforceWorld,
) -> None:
    loser, winner = (
        org.contact(f"{name}@example.com", Collected_On__c=EXPIRED_ON.isoformat()) for name in ("loser", "winner")
    )
    org.merge(winner.key, loser.key)
    org.emulator.tell("switches", hard_delete_of_binned=False)

    assert erased(knowing(org), winner) == [(OutcomeStatus.ACCEPTED, Reason.RECOVERABLE)]

    assert winner.key not in rows(org, "Contact")
    org.pass_time(timedelta(days=16))
    assert loser.key not in rows(org, "Contact")
