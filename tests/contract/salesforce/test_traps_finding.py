"""Are the people found where each known trap hides them? Section 6 of the facts, one test per trap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from retention.vocabulary import (
    Action,
    Criteria,
    Gap,
    GapCode,
    RecordRef,
    Step,
)
from tests.contract.salesforce.kinds import (
    CASE,
    DONE,
    MEMBER,
    OLD,
    REGISTRATION,
    YOUNG,
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
from tests.contract.world import CUTOFF, Sample
from tests.leave import Leave


@pytest.fixture
def org(org: SalesforceWorld) -> SalesforceWorld:
    org.emulator.tell("switches", set_audit_fields=True)
    return org


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
