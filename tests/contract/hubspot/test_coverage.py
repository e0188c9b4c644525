"""What of a HubSpot account is covered, what is reported as a gap, and what protects a contact?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.hubspot import HubSpotConnector
from connectors.hubspot.coverage import BY_HAND
from retention.contract import ConnectorError
from retention.policy import load
from retention.tasks import DAYS_TO_DO
from retention.vocabulary import (
    Criteria,
    Facts,
    GapCode,
    Identifier,
    IdentifierKind,
    RecordRef,
    Transaction,
)
from sandbox.hubspot.subscription_types import SUBSCRIPTION_TYPES
from tests.contract.hubspot_world import EXPIRED, KINDS, ROOT, HubSpotWorld

SHIPPED = load(Path(ROOT) / "include" / "policy").systems["hubspot"].kinds()
ANN = "ann@example.com"
OPTED_OUT = Criteria(opted_out=True)
MARKETING = [one.id for one in SUBSCRIPTION_TYPES if one.purpose == "Marketing"]


@pytest.fixture
def connector(account: HubSpotWorld) -> HubSpotConnector:
    return account.reconnect(page_size=200, kinds=SHIPPED)


def gaps(connector: HubSpotConnector, criteria: Criteria = EXPIRED) -> set[tuple[GapCode, str, str]]:
    return {(gap.code, gap.kind, gap.what) for page in connector.find(criteria) for gap in page.gaps}


def alarms(connector: HubSpotConnector) -> set[tuple[GapCode, str, str]]:
    return {gap for gap in gaps(connector) if gap[0] is not GapCode.NO_DELETE_API}


def define(account: HubSpotWorld, object_type: str, name: str, kind: str = "string", field_type: str = "text") -> None:
    given = {"name": name, "label": name, "type": kind, "fieldType": field_type, "groupName": "own", "options": []}
    account.emulator.send("POST", f"/crm/v3/properties/{object_type}", given)


def facts_of(connector: HubSpotConnector, ref: RecordRef, *addresses: str) -> Facts:
    asked = Criteria(identifiers=tuple(Identifier(IdentifierKind.EMAIL, one) for one in addresses))
    return next(f.facts for page in connector.find(asked) for f in page.findings if f.ref.key == ref.key)


# --- Gaps ---


def test_every_property_of_a_fresh_account_stands_in_the_shipped_policy(connector: HubSpotConnector) -> None:
    assert alarms(connector) == set()


@pytest.mark.parametrize(("object_type", "kind"), [("contacts", "contact"), ("notes", "note"), ("calls", "call")])
def test_a_new_property_without_a_data_class_raises_the_coverage_alarm(
    account: HubSpotWorld, connector: HubSpotConnector, object_type: str, kind: str
) -> None:
    define(account, object_type, "shoe_size", "number", "number")
    define(account, object_type, "nickname")
    assert alarms(connector) == {
        (GapCode.UNCLASSIFIED, kind, "shoe_size"),
        (GapCode.UNCLASSIFIED, kind, "nickname"),
    }


def test_a_property_named_in_the_policy_raises_no_alarm(account: HubSpotWorld) -> None:
    define(account, "contacts", "nickname")
    (contact,) = KINDS
    first, *others = contact.field_sets
    told = replace(contact, field_sets=(replace(first, fields=(*first.fields, "nickname")), *others))
    assert alarms(account.reconnect(kinds=[told])) == set()


def test_what_has_no_way_to_be_deleted_is_a_gap_that_says_what_a_person_does(connector: HubSpotConnector) -> None:
    reported = {kind: what for code, kind, what in gaps(connector) if code is GapCode.NO_DELETE_API}
    assert reported == BY_HAND
    assert {"form_submission", "event", "marketing_event", "list", "property_history"} == set(reported)
    assert all(reported.values())


@pytest.mark.parametrize("code", [GapCode.NO_DELETE_API, GapCode.UNCLASSIFIED])
def test_the_core_makes_a_task_with_a_due_date_of_it(code: GapCode) -> None:
    assert 0 < DAYS_TO_DO[code.value] <= 30


def test_asking_for_one_person_reports_no_gap_of_the_whole_account(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    account.contact(ANN)
    asked = Criteria(identifiers=(Identifier(IdentifierKind.EMAIL, ANN),))
    assert not any(page.gaps for page in connector.find(asked))


# --- Opting out of single kinds of mail ---


def unsubscribe(account: HubSpotWorld, address: str, number: int) -> None:
    body = {"emailAddress": address, "subscriptionId": str(number)}
    account.emulator.send("POST", "/communication-preferences/v3/unsubscribe", body)


def test_who_unsubscribed_from_every_kind_of_marketing_one_by_one_opted_out(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    ref = account.contact(ANN)
    for number in MARKETING:
        unsubscribe(account, ANN, number)
    assert not account.is_opted_out(ANN)
    assert facts_of(connector, ref, ANN).opted_out
    assert ref.key in {finding.ref.key for page in connector.find(OPTED_OUT) for finding in page.findings}


def test_who_unsubscribed_from_one_kind_of_several_did_not_opt_out(
    account: HubSpotWorld, connector: HubSpotConnector
) -> None:
    ref = account.contact(ANN)
    unsubscribe(account, ANN, MARKETING[0])
    assert not facts_of(connector, ref, ANN).opted_out
    assert ref.key not in {finding.ref.key for page in connector.find(OPTED_OUT) for finding in page.findings}


# --- Business ---


@pytest.mark.parametrize(("stage", "is_open"), [("1", True), ("3", True), ("4", False)])
def test_an_open_ticket_is_a_sign_of_a_complaint(
    account: HubSpotWorld, connector: HubSpotConnector, stage: str, is_open: bool
) -> None:
    ref = account.contact(ANN)
    account.record("tickets", {"subject": "Late again", "hs_pipeline_stage": stage}, contacts=[ref])
    assert facts_of(connector, ref, ANN).open_complaint is is_open


@pytest.mark.parametrize(("stage", "counts"), [("customer", True), ("lead", False)])
def test_the_company_of_a_contact_is_a_live_transaction_while_it_is_a_customer(
    account: HubSpotWorld, connector: HubSpotConnector, stage: str, counts: bool
) -> None:
    ref = account.contact(ANN)
    account.record("companies", {"name": "Example & Sons", "lifecyclestage": stage}, contacts=[ref])
    found = facts_of(connector, ref, ANN).transactions
    assert [(one.kind, one.live) for one in found] == ([("company", True)] if counts else [])


def test_business_of_two_kinds_is_reported_together(account: HubSpotWorld, connector: HubSpotConnector) -> None:
    ref = account.contact(ANN)
    won = {"dealname": "Roof", "dealstage": "closedwon", "pipeline": "default", "closedate": "2025-03-04T10:00:00Z"}
    account.record("deals", won, contacts=[ref])
    account.record("companies", {"name": "Example & Sons", "lifecyclestage": "customer"}, contacts=[ref])
    found = facts_of(connector, ref, ANN).transactions
    assert {(one.kind, one.live) for one in found} == {("deal", False), ("company", True)}
    assert isinstance(found[0], Transaction)


def test_neither_deal_nor_company_nor_ticket_is_a_record_to_erase(account: HubSpotWorld) -> None:
    for name in ("deal", "company", "ticket"):
        with pytest.raises(ConnectorError, match=name):
            account.reconnect(kinds=[*KINDS, replace(KINDS[0], name=name)])
