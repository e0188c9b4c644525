"""Which cases hang on how a person is known? Shared and look-alike addresses, hostile characters, one name twice."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox.population.people import Case, Person
from sandbox.population.story import Story


def tell(story: Story) -> None:
    _shared(story)
    _hostile(story)
    _look_alikes(story)
    _spellings(story)


def _live(story: Story, case: Case, person: Person, **known: Any) -> None:
    """In Salesforce and HubSpot, young, subscribed, with something to lose."""
    day = story.lately()
    consent = day.isoformat()
    story.contact(
        case, person, day, collected=day, Marketing_Consent_On__c=consent, **{"Interests__c": "gardening", **known}
    )
    story.hub(case, person, day, collected=day, marketing_consent_on=consent, interests="gardening")


def _opted_out(day: date) -> dict[str, str]:
    return {"hs_email_optout": "true", "opted_out_on": day.isoformat()}


def _shared(story: Story) -> None:
    days = story.days
    case = story.case("shared_mailbox", "one role address of two people; one of them opted out")
    first = story.person(case, emails=("info@brightwater.example",))
    second = story.person(case, emails=("info@brightwater.example",))
    _live(story, case, first)
    day, opted_out = days.ago(years=2), days.ago(days=50)
    story.contact(
        case,
        second,
        day,
        collected=day,
        touched=opted_out,
        HasOptedOutOfEmail=True,
        Opted_Out_On__c=opted_out.isoformat(),
        Interests__c="wholesale",
    )

    case = story.case("shared_phone", "two people of one household share a telephone; one of them opted out")
    first = story.person(case)
    _live(story, case, first)
    second = story.person(case, phone=first.phone)
    day, opted_out = days.ago(years=2), days.ago(days=35)
    story.hub(case, second, day, collected=day, touched=opted_out, interests="camping", **_opted_out(opted_out))

    case = story.case("two_people_one_name", "the first is past the period, the second is not")
    expired = story.person(case, first="Ottoline", last="Namesake", emails=("ottoline.namesake@example.com",))
    day = story.long_ago()
    story.contact(case, expired, day, collected=day, Interests__c="brochures")
    story.hub(case, expired, day, collected=day)
    kept = story.person(case, first="Ottoline", last="Namesake", emails=("o.namesake@ashdown.test",))
    _live(story, case, kept)


def _hostile(story: Story) -> None:
    opted_out = story.days.ago(days=40)
    case = story.case("apostrophe_address", "a quote in the address; unsubscribed in HubSpot, so Salesforce is asked")
    person = story.person(case, first="Siobhan", last="O'Testwick", emails=("siobhan.o'testwick@example.org",))
    day = story.lately()
    story.contact(case, person, day, collected=day, Marketing_Consent_On__c=day.isoformat(), Interests__c="knitting")
    story.hub(case, person, day, collected=day, touched=opted_out, **_opted_out(opted_out))

    case = story.case("wildcard_address", "wildcards in the address of one who opted out must not reach the other")
    person = story.person(case, emails=("100%_off@example.com",))
    day = story.lately()
    story.contact(case, person, day, collected=day, Interests__c="coupons")
    story.hub(case, person, day, collected=day, touched=opted_out, **_opted_out(opted_out))
    other = story.person(case, emails=("100percentageoff@example.com",))
    _live(story, case, other)

    case = story.case("formula_in_a_field", "a spreadsheet would run the title of this live contact")
    person = story.person(case)
    _live(story, case, person, Title='=HYPERLINK("https://example.com","x")')


def _look_alikes(story: Story) -> None:
    opted_out = story.days.ago(days=30)
    case = story.case("plus_tag_address", "the tagged address opted out; the plain one belongs to somebody else")
    tagged = story.person(case, emails=("kit+news@northgate.example",))
    plain = story.person(case, emails=("kit@northgate.example",))
    _live(story, case, plain)
    day = story.lately()
    story.contact(case, tagged, day, collected=day, Interests__c="archery")
    story.hub(case, tagged, day, collected=day, touched=opted_out, **_opted_out(opted_out))

    case = story.case("address_inside_another", "one address ends like the other; only the shorter one opted out")
    short = story.person(case, emails=("bo@larkfield.test",))
    long = story.person(case, emails=("jimbo@larkfield.test",))
    _live(story, case, long)
    day = story.lately()
    story.hub(case, short, day, collected=day, touched=opted_out, **_opted_out(opted_out))


def _spellings(story: Story) -> None:
    opted_out = story.days.ago(days=55)
    case = story.case("internationalised_domain", "one domain in two spellings: letters here, its A-label there")
    person = story.person(case, emails=("mia.berg@bücher.example",))
    day = story.lately()
    story.contact(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        HasOptedOutOfEmail=True,
        Opted_Out_On__c=opted_out.isoformat(),
    )
    story.hub(case, person, day, collected=day, email="mia.berg@xn--bcher-kva.example", interests="poetry")

    case = story.case("mixed_case_address", "HubSpot lower-cases what Salesforce keeps as it was typed")
    person = story.person(case, emails=("Nora.McSketch@Example.com",))
    day = story.lately()
    story.contact(case, person, day, collected=day, Marketing_Consent_On__c=day.isoformat(), Interests__c="sailing")
    story.hub(case, person, day, collected=day, touched=opted_out, **_opted_out(opted_out))
