"""Does each known trap of the service catch nobody here? One test per trap, named after the fact sheet's sections.

1.2 the client's behaviours, 5.1 what a delete touches, 6 finding the people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.salesforce import SalesforceConnector, tenant_of
from retention.contract import AccessDenied, Throttled
from retention.vocabulary import (
    Action,
    Criteria,
    DataClass,
    FieldSet,
    Finding,
    Gap,
    GapCode,
    IdentifierKind,
    LawfulBasis,
    OutcomeStatus,
    Presence,
    Reason,
    RecordKind,
    RecordRef,
    Step,
)
from tests.contract.salesforce_world import (
    EVERYTHING,
    EXPIRED,
    KINDS,
    SYSTEM,
    Emulator,
    SalesforceWorld,
    asking_for,
    many,
    no_pause,
    presence,
    running,
    verdicts,
)
from tests.contract.world import CUTOFF, EXPIRED_ON, Sample
from tests.leave import Leave

OLD = "2019-03-01T09:00:00.000+0000"
YOUNG = "2026-01-05T09:00:00.000+0000"
DONE = (OutcomeStatus.DONE, Reason.OK)
BLOCKED = (OutcomeStatus.REFUSED, Reason.BLOCKED_BY_CHILD)


def plain_kind(name: str, identifiers: Mapping[str, IdentifierKind], *fields: str, **known: Any) -> RecordKind:
    field_set = FieldSet(
        known.pop("data_class", DataClass.CONTACT_NOTES), fields, ("CreatedDate",), LawfulBasis.CONSENT
    )
    return RecordKind(name, (field_set,), tuple(identifiers.items()), **known)


MAIL = IdentifierKind.EMAIL
PERSON_ACCOUNT = plain_kind(
    "Account",
    {"PersonEmail": MAIL},
    "FirstName",
    "LastName",
    "PersonEmail",
    opt_out="PersonHasOptedOutOfEmail",
    not_personal=("Collected_On__c", "Migrated__c", "Processing_Restricted__c"),
)
TASK = plain_kind("Task", {"Who.Email": MAIL}, "Subject", "Description")
CASE = plain_kind("Case", {"Contact.Email": MAIL}, "Subject", "Description")
MESSAGE = plain_kind(
    "EmailMessage",
    {"FromAddress": MAIL, "ToAddress": MAIL},
    "Subject",
    "TextBody",
    "FromAddress",
    "ToAddress",
    data_class=DataClass.EMAIL_MESSAGE,
)
MEMBER = plain_kind("CampaignMember", {"Email": MAIL}, "Status")
REGISTRATION = plain_kind("Event_Registration__c", {"Email__c": MAIL}, "Email__c", "Dietary_Notes__c")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running(tmp_path_factory.mktemp("tls")) as emulator:
        yield emulator


@pytest.fixture
def org(emulator: Emulator) -> SalesforceWorld:
    emulator.reset()
    emulator.tell("switches", set_audit_fields=True)
    return SalesforceWorld(emulator)


def knowing(org: SalesforceWorld, *kinds: RecordKind, **how: Any) -> SalesforceConnector:
    client = org.emulator.connect()
    return SalesforceConnector(client, SYSTEM, tenant_of(client), kinds or KINDS, pause=no_pause, **how)


def found_by(connector: SalesforceConnector, criteria: Criteria) -> tuple[dict[str, Finding], set[Gap]]:
    pages = list(connector.find(criteria))
    return (
        {finding.ref.key: finding for page in pages for finding in page.findings},
        {gap for page in pages for gap in page.gaps},
    )


def erased(connector: SalesforceConnector, *refs: RecordRef) -> list[tuple[OutcomeStatus, Reason]]:
    steps = [Step(f"s{number}", ref, Action.ERASE) for number, ref in enumerate(refs)]
    return verdicts(list(connector.act(Action.ERASE, steps, Leave())))


def rows(org: SalesforceWorld, name: str) -> dict[str, Mapping[str, Any]]:
    return {str(row["Id"]): row for row in org.stored()[name]}


# --- 5.1: what deleting a person touches ---


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


# --- 6: finding the people ---


def test_trap_6_a_hidden_individual_or_consent_object_is_a_gap_and_a_declared_absence_is_none(
    org: SalesforceWorld,
) -> None:
    org.emulator.tell("switches", hidden_objects=["ContactPointTypeConsent"])
    assert Gap(GapCode.KIND_HIDDEN, "Contact", "ContactPointTypeConsent") in found_by(knowing(org), EVERYTHING)[1]
    absent = knowing(org, absent=["ContactPointTypeConsent"])
    assert not found_by(absent, EVERYTHING)[1]
    org.emulator.tell("switches", hidden_objects=[], hidden_fields=["Contact.IndividualId"])
    assert Gap(GapCode.KIND_HIDDEN, "Contact", "Individual") in found_by(knowing(org), EVERYTHING)[1]


def test_trap_6_an_org_without_orders_is_not_blocked_once_the_policy_says_so(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", hidden_objects=["Order"])
    assert found_by(knowing(org), EVERYTHING)[1] == {Gap(GapCode.KIND_HIDDEN, "Contact", "Order")}
    assert not found_by(knowing(org, absent=["Order"]), EVERYTHING)[1]


def test_trap_6_a_field_somebody_added_without_a_data_class_raises_the_alarm(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", custom_fields=["Contact.Nickname__c", "Contact.Sync_Id__c"])
    assert found_by(knowing(org), EXPIRED)[1] == {
        Gap(GapCode.UNCLASSIFIED, "Contact", "Nickname__c"),
        Gap(GapCode.UNCLASSIFIED, "Contact", "Sync_Id__c"),
    }
    told = [replace(kind, not_personal=("Nickname__c", "Sync_Id__c")) for kind in KINDS]
    assert not found_by(knowing(org, *told), EXPIRED)[1]


def test_trap_6_a_hidden_opt_out_is_a_gap_and_nobody_is_taken_to_have_stayed(org: SalesforceWorld) -> None:
    org.make(Sample.OPTED_OUT, "hidden-opt-out@example.com")
    org.emulator.tell("switches", hidden_fields=["Contact.HasOptedOutOfEmail"])
    found, gaps = found_by(knowing(org), Criteria(opted_out=True))
    assert Gap(GapCode.FIELD_HIDDEN, "Contact", "HasOptedOutOfEmail") in gaps
    assert not any(finding.ref.kind == "Contact" for finding in found.values())


@pytest.mark.parametrize("flag", ["HasOptedOutSolicit", "HasOptedOutProcessing", "ShouldForget"])
def test_trap_6_the_flags_of_an_individual_are_an_opt_out(org: SalesforceWorld, flag: str) -> None:
    individual = org.create("Individual", LastName="Example", **{flag: True})
    ref = org.contact("individual@example.com", IndividualId=individual)
    facts = found_by(knowing(org), Criteria(opted_out=True))[0][ref.key].facts
    assert (facts.opted_out, facts.opted_out_on) == (True, None)


def test_trap_6_of_several_consents_the_one_in_force_with_the_latest_date_decides(org: SalesforceWorld) -> None:
    def person(name: str, *words: tuple[str, str, str | None]) -> RecordRef:
        individual = org.create("Individual", LastName="Example")
        for status, since, until in words:
            org.create(
                "ContactPointTypeConsent",
                Name="Email",
                PartyId=individual,
                ContactPointType="Email",
                PrivacyConsentStatus=status,
                EffectiveFrom=since,
                EffectiveTo=until,
            )
        return org.contact(f"{name}@example.com", IndividualId=individual)

    out = person("out", ("OptIn", "2022-01-01T00:00:00Z", None), ("OptOut", "2023-02-03T00:00:00Z", None))
    back = person("back", ("OptOut", "2022-01-01T00:00:00Z", None), ("OptIn", "2023-02-03T00:00:00Z", None))
    over = person("over", ("OptOut", "2022-01-01T00:00:00Z", "2022-06-01T00:00:00Z"))
    found, _ = found_by(knowing(org), Criteria(opted_out=True))
    assert found[out.key].facts.opted_out_on == date(2023, 2, 3)
    assert {back.key, over.key}.isdisjoint(found)
    asked, _ = found_by(knowing(org), asking_for("back@example.com"))
    assert asked[back.key].facts.consented_on == date(2023, 2, 3)


def test_trap_6_a_subscription_consent_of_the_contact_is_an_opt_out(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "subscription@example.com")
    org.create(
        "CommSubscriptionConsent",
        Name="News",
        ConsentGiverId=ref.key,
        PrivacyConsentStatus="OptOut",
        EffectiveFromDate="2024-05-06",
    )
    facts = found_by(knowing(org), Criteria(opted_out=True))[0][ref.key].facts
    assert (facts.opted_out, facts.opted_out_on) == (True, date(2024, 5, 6))


def test_trap_6_a_contact_converted_from_an_older_lead_counts_from_the_lead(org: SalesforceWorld) -> None:
    lead = next(row for row in org.stored()["Lead"] if row["IsConverted"])
    contact = rows(org, "Contact")[lead["ConvertedContactId"]]
    assert lead["CreatedDate"] < CUTOFF.strftime("%Y-%m-%dT") < contact["CreatedDate"]
    facts = found_by(knowing(org), EXPIRED)[0][contact["Id"]].facts
    assert "Lead.CreatedDate" in {one.collected.provenance for one in facts.classes if one.collected}


def test_trap_6_campaign_members_are_found_by_their_copied_address(org: SalesforceWorld) -> None:
    who, campaign = org.make(Sample.LIVE, "member@example.com"), org.create("Campaign", Name="Spring")
    key = org.create("CampaignMember", CampaignId=campaign, ContactId=who.key)
    assert set(found_by(knowing(org, MEMBER), asking_for("member@example.com"))[0]) == {key}


def test_trap_6_a_case_counts_from_its_newest_comment_and_is_a_complaint_while_open(org: SalesforceWorld) -> None:
    who = org.make(Sample.LIVE, "case@example.com")
    key = org.create("Case", Subject="Complaint", Status="New", ContactId=who.key, CreatedDate=OLD)
    org.create("CaseComment", ParentId=key, CommentBody="again", CreatedDate=YOUNG)
    facts = found_by(knowing(org, CASE), EXPIRED)[0][key].facts
    assert facts.open_complaint
    newest = [one.collected.value for one in facts.classes if one.collected and not one.fields]
    assert newest == [datetime(2026, 1, 5, 9, tzinfo=UTC)]


def test_trap_6_rows_of_a_declared_custom_object_are_found_redacted_and_erased(org: SalesforceWorld) -> None:
    key = org.create("Event_Registration__c", Email__c="guest@example.com", Dietary_Notes__c="vegan", CreatedDate=OLD)
    connector = knowing(org, REGISTRATION)
    found, _ = found_by(connector, EXPIRED)
    assert set(found) == set(found_by(connector, asking_for("guest@example.com"))[0]) == {key}
    step = Step("s", found[key].ref, Action.REDACT, fields=("Dietary_Notes__c",))
    assert verdicts(list(connector.act(Action.REDACT, [step], Leave()))) == [DONE]
    assert rows(org, "Event_Registration__c")[key]["Dietary_Notes__c"] is None
    assert erased(connector, RecordRef(SYSTEM, "Event_Registration__c", key)) == [DONE]


def test_trap_6_the_individual_goes_with_its_last_person_and_not_before(org: SalesforceWorld) -> None:
    individual = org.create("Individual", LastName="Example")
    first, second = (org.contact(f"twin-{n}@example.com", IndividualId=individual) for n in (1, 2))
    assert erased(knowing(org), first) == [DONE]
    assert individual in rows(org, "Individual")
    assert erased(knowing(org), second) == [DONE]
    assert individual not in rows(org, "Individual")


# --- 1.2: the client's behaviours ---


def test_trap_1_2_batch_size_a_list_of_one_and_of_10_001_records_are_sent_whole(org: SalesforceWorld) -> None:
    (single,) = many(org, 1)
    assert erased(knowing(org), single) == [DONE]
    refs = many(org, 201)
    assert set(erased(knowing(org), *refs)) == {DONE}
    assert not set(rows(org, "Contact")) & {ref.key for ref in refs}


def test_trap_1_2_always_401_ends_instead_of_looping(org: SalesforceWorld) -> None:
    connector = knowing(org)
    org.emulator.tell("faults", fault="status", status=401, times=1000)
    with pytest.raises(AccessDenied):
        list(connector.find(EXPIRED))


def test_trap_1_2_a_session_that_expires_while_a_job_runs_is_renewed(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "mid-bulk@example.com")
    connector = knowing(org)
    org.emulator.tell("faults", method="GET", path="*/jobs/ingest/*", fault="status", status=401, times=1)
    assert erased(connector, ref) == [DONE]


def test_trap_1_2_the_daily_limit_is_known_by_its_code_and_not_taken_for_missing_rights(org: SalesforceWorld) -> None:
    connector = knowing(org)
    org.emulator.tell("switches", daily_api_requests=1)
    with pytest.raises(Throttled, match="REQUEST_LIMIT_EXCEEDED"):
        list(connector.find(EXPIRED))


def test_trap_1_2_failed_rows_of_a_completed_job_are_no_success(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "row-failed@example.com")
    org.emulator.tell("switches", locked_rows=3)
    assert erased(knowing(org), ref) == [(OutcomeStatus.FAILED, Reason.LOCKED)]
    assert presence(org, ref) == [Presence.PRESENT]
    assert erased(knowing(org), ref) == [DONE]


def test_trap_1_2_an_apostrophe_in_an_address_finds_its_person(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "o'brien@example.com")
    assert set(found_by(knowing(org), asking_for("o'brien@example.com"))[0]) == {ref.key}


def test_trap_1_2_the_allowance_left_to_others_is_not_touched(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", daily_api_requests=1_000)
    connector = knowing(org, api_reserve=995)
    with pytest.raises(Throttled, match="policy reserves 995"):
        list(connector.find(EXPIRED))
    used = sum(count for name, count in org.emulator.calls().items() if "oauth2" not in name)
    assert used <= 6
