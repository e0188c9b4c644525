"""Who else is there? People nothing happens to: most live, a few past the period, a few unsubscribed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.population.days import PERIOD_YEARS
from sandbox.population.hubspot_rows import HubSpotRows
from sandbox.population.people import Person, national
from sandbox.population.salesforce_rows import SalesforceRows
from sandbox.population.story import Story

PER_SCALE = 15
_EXPIRED = _OPTED_OUT = 0.03
_INTERESTS = ("gardening", "sailing", "pottery", "astronomy", "cheese", "walking", "chess", "choirs")
_CITIES = ("Bristol", "Leeds", "Cardiff", "Glasgow", "Norwich", "York")


@dataclass(frozen=True, slots=True)
class Ordinary:
    """One ordinary person and what the systems know of them."""

    person: Person
    collected: date
    touched: date
    signed_up: bool
    opted_out: date | None
    opted_out_in: str
    salesforce: str
    """Contact, Lead, or nothing."""
    in_hubspot: bool
    customer: bool
    interest: str
    score: int
    city: str


def invent(story: Story, count: int) -> list[Ordinary]:
    """Make up `count` ordinary people. Those past the period never signed up, so that they fall due as a whole."""
    return [_one(story) for _ in range(count)]


def _one(story: Story) -> Ordinary:
    chance, days = story.chance, story.days
    fate = chance.random()
    expired, unsubscribed = fate < _EXPIRED, _EXPIRED <= fate < _EXPIRED + _OPTED_OUT
    if expired:
        collected = days.ago(years=PERIOD_YEARS, days=1 + chance.randrange(5 * 365))
    else:
        collected = days.ago(days=30 + chance.randrange(PERIOD_YEARS * 365 - 90))
    where = chance.random()
    young = (days.as_of - collected).days
    opted_out = days.ago(days=chance.randrange(1, max(2, young))) if unsubscribed else None
    return Ordinary(
        person=story.invention.person(phone=chance.random() < 0.6),
        collected=collected,
        touched=collected + timedelta(days=chance.randrange(young)) if chance.random() < 0.3 else collected,
        signed_up=not expired and (unsubscribed or chance.random() < 0.6),
        opted_out=opted_out,
        opted_out_in=("salesforce", "hubspot", "both")[chance.randrange(3)],
        salesforce="Contact" if where < 0.5 else "Lead" if where < 0.75 else "",
        in_hubspot=where >= 0.75 or chance.random() < 0.6,
        customer=not expired and where < 0.5 and chance.random() < 0.15,
        interest=_INTERESTS[chance.randrange(len(_INTERESTS))] if chance.random() < 0.5 else "",
        score=chance.randrange(100),
        city=_CITIES[chance.randrange(len(_CITIES))],
    )


def into_salesforce(rows: SalesforceRows, people: list[Ordinary]) -> None:
    for one in people:
        if not one.salesforce:
            continue
        fields: dict[str, Any] = {"Lead_Score__c": one.score, "Interests__c": one.interest or None}
        if one.person.phone and one.score % 3 == 0:
            fields["Phone"] = national(one.person.phone)
        if one.signed_up:
            fields["Marketing_Consent_On__c"] = one.collected.isoformat()
        if one.opted_out and (one.opted_out_in != "hubspot" or not one.in_hubspot):
            fields.update(HasOptedOutOfEmail=True, Opted_Out_On__c=one.opted_out.isoformat())
        if one.salesforce == "Lead":
            company = f"{one.person.last} Example Ltd"
            rows.lead(
                one.person, one.collected, collected=one.collected, company=company, touched=one.touched, **fields
            )
            continue
        account = rows.account(f"{one.city} Example Trading", one.collected) if one.customer else None
        contact = rows.contact(
            one.person, one.collected, collected=one.collected, account=account, touched=one.touched, **fields
        )
        if account:
            rows.won_opportunity(account, contact["Id"], closed=one.touched)


def into_hubspot(rows: HubSpotRows, people: list[Ordinary]) -> None:
    for one in people:
        if not one.in_hubspot:
            continue
        properties: dict[str, str | None] = {"city": one.city, "interests": one.interest or None}
        if one.signed_up:
            properties["marketing_consent_on"] = one.collected.isoformat()
        if one.opted_out and (one.opted_out_in != "salesforce" or not one.salesforce):
            properties.update(hs_email_optout="true", opted_out_on=one.opted_out.isoformat())
        elif one.score % 4 == 0:
            properties["hs_email_optout"] = "false"
        contact = rows.contact(one.person, one.collected, collected=one.collected, touched=one.touched, **properties)
        if one.customer:
            rows.deal(contact, one.touched)
