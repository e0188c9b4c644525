"""Identifiers are hostile input: does each find exactly its own person, or nobody, in every form of query?

Each kind is asked in another form: by a field of the record, of its parent, by a semi-join over a related object.
"""

from __future__ import annotations

import pytest

from tests.contract.salesforce.kinds import CASE, MEMBER, MESSAGE, REGISTRATION, TASK, found_by, knowing
from tests.contract.salesforce_world import KINDS, SalesforceWorld, asking_for

STORED = {
    "an apostrophe and wildcards": "o'brien+%_@exämple.com",
    "a percent sign": "%@example.com",
    "an underscore": "_@example.com",
    "an ampersand and a hash": "a&q=1#x@example.com",
    "a plus": "ann+news@example.com",
    "full-width letters": "ａｎｎ@example.com",
    "an emoji": "ann😀@example.com",
    "a comment": "ann--@example.com",
}
"""What a field for an address takes."""
HOSTILE = STORED | {
    "a quote that ends the string": "x' OR Id != null OR Email = 'y@example.com",
    "a quote behind a backslash": "back\\' OR Name != '@example.com",
    "a backslash at the end": "a@example.com\\",
    "double quotes": '"ann smith"@example.com',
    "a semi-join": "x') OR Id IN (SELECT ContactId FROM Case) OR Email IN ('@example.com",
    "brackets and braces": "{[(ann)]}@example.com",
    "an encoded address": "ann%40example.com",
    "a bound name": ":ann@example.com",
}
NEIGHBOURS = ("ann@example.com", "a@example.com", "y@example.com", "o'brien@example.com", "brien@example.com")
NEVER_STORED = ("", "   ", "a\x00b@example.com", "a\nb@example.com", "ann\u2028@example.com", "x" * 4_001)


def everything_about(org: SalesforceWorld, address: str, whose: str) -> set[str]:
    """A record of every kind that knows a person by this address."""
    campaign = org.create("Campaign", Name=f"News for {whose}")
    contact = org.create("Contact", LastName=whose, Email=address)
    lead = org.create("Lead", LastName=whose, Company=whose, Email=address)
    return {
        contact,
        lead,
        org.create("Task", Subject=whose, WhoId=contact),
        org.create("Case", Subject=whose, ContactId=contact),
        org.create("CampaignMember", CampaignId=campaign, ContactId=contact, Status="Sent"),
        org.create("EmailMessage", Subject=whose, FromAddress="us@example.org", ToAddress=address),
        org.create("Event_Registration__c", Name=whose, Email__c=address),
    }


@pytest.mark.parametrize("what", STORED)
def test_a_hostile_address_finds_exactly_what_is_its_persons_in_every_form_of_query(
    org: SalesforceWorld, what: str
) -> None:
    for number, neighbour in enumerate(NEIGHBOURS):
        everything_about(org, neighbour, f"Neighbour {number}")
    theirs = everything_about(org, HOSTILE[what], "Owner")

    connector = knowing(org, *KINDS, TASK, CASE, MEMBER, MESSAGE, REGISTRATION)

    assert set(found_by(connector, asking_for(HOSTILE[what]))[0]) == theirs


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_address_of_nobody_finds_nobody(org: SalesforceWorld, what: str) -> None:
    for number, neighbour in enumerate(NEIGHBOURS):
        everything_about(org, neighbour, f"Neighbour {number}")

    connector = knowing(org, *KINDS, TASK, CASE, MEMBER, MESSAGE, REGISTRATION)

    assert not found_by(connector, asking_for(HOSTILE[what]))[0]


@pytest.mark.parametrize("number", range(len(NEVER_STORED)))
def test_what_no_field_can_hold_finds_nobody_and_not_everybody(org: SalesforceWorld, number: int) -> None:
    everything_about(org, "ann@example.com", "Neighbour")
    org.create("Contact", LastName="Without an address")

    assert not found_by(knowing(org), asking_for(NEVER_STORED[number]))[0]
    assert len(found_by(knowing(org), asking_for(NEVER_STORED[number], "ann@example.com"))[0]) == 2
