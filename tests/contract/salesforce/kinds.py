"""The further kinds of record that a policy may declare, and how the tests read and erase them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.salesforce import SalesforceConnector, tenant_of
from retention.vocabulary import (
    Action,
    Criteria,
    DataClass,
    FieldSet,
    Finding,
    Gap,
    IdentifierKind,
    LawfulBasis,
    OutcomeStatus,
    Reason,
    RecordKind,
    RecordRef,
    Step,
)
from tests.contract.salesforce_world import (
    KINDS,
    SYSTEM,
    SalesforceWorld,
    no_pause,
    verdicts,
)
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
