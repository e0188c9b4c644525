"""Which cases hang on an unsubscribe? Seen in one system only, taken back later, without a date, beside a purchase."""

from __future__ import annotations

from sandbox.population.story import Story


def tell(story: Story) -> None:
    _one_system_only(story)
    _beside_a_purchase(story)
    _taken_back_or_unclear(story)
    _several_records(story)


def _one_system_only(story: Story) -> None:
    days = story.days
    case, person = story.one("unsubscribed_in_salesforce_only", "HubSpot still believes this person is subscribed")
    day, opted_out = days.ago(years=2), days.ago(days=80)
    story.contact(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        HasOptedOutOfEmail=True,
        Marketing_Consent_On__c=day.isoformat(),
        Opted_Out_On__c=opted_out.isoformat(),
        Interests__c="exhibitions",
        Lead_Score__c=30,
    )
    story.hub(case, person, day, collected=day, marketing_consent_on=day.isoformat(), interests="exhibitions")

    case, person = story.one("unsubscribed_in_hubspot_only", "Salesforce still believes this person is subscribed")
    day, opted_out = days.ago(years=1, days=60), days.ago(days=12)
    consent = day.isoformat()
    story.contact(case, person, day, collected=day, Marketing_Consent_On__c=consent, Interests__c="workshops")
    story.hub(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        marketing_consent_on=consent,
        hs_email_optout="true",
        opted_out_on=opted_out.isoformat(),
        interests="workshops",
    )

    case, person = story.one("unsubscribed_lead", "a Lead that unsubscribed in both systems")
    day, opted_out = days.ago(years=3), days.ago(days=200)
    story.lead(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        HasOptedOutOfEmail=True,
        Marketing_Consent_On__c=day.isoformat(),
        Opted_Out_On__c=opted_out.isoformat(),
    )
    story.hub(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        marketing_consent_on=day.isoformat(),
        hs_email_optout="true",
        opted_out_on=opted_out.isoformat(),
    )


def _beside_a_purchase(story: Story) -> None:
    days = story.days
    case, person = story.one("unsubscribed_with_open_order", "marketing ends, the running order stays")
    day, opted_out = days.ago(years=2), days.ago(days=20)
    account = story.salesforce.account("Ashdown Example Trading", day)
    contact = story.contact(
        case,
        person,
        day,
        collected=day,
        account=account,
        touched=opted_out,
        HasOptedOutOfEmail=True,
        Marketing_Consent_On__c=day.isoformat(),
        Opted_Out_On__c=opted_out.isoformat(),
        Interests__c="spare parts",
        Lead_Score__c=77,
    )
    story.salesforce.order(account, contact, begun=days.ago(days=45))

    case, person = story.one("unsubscribed_customer_of_hubspot", "unsubscribed in HubSpot with a deal won this year")
    day, opted_out = days.ago(years=1, days=100), days.ago(days=33)
    row = story.hub(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        marketing_consent_on=day.isoformat(),
        hs_email_optout="true",
        opted_out_on=opted_out.isoformat(),
        interests="repairs",
        lead_score="63",
    )
    story.hubspot.deal(row, days.ago(days=150))


def _taken_back_or_unclear(story: Story) -> None:
    days = story.days
    case, person = story.one("resubscribed_later", "opted out in Salesforce, signed up again in HubSpot since")
    day, opted_out, again = days.ago(years=3), days.ago(years=2), days.ago(days=150)
    story.contact(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        HasOptedOutOfEmail=True,
        Marketing_Consent_On__c=day.isoformat(),
        Opted_Out_On__c=opted_out.isoformat(),
        Interests__c="guided tours",
    )
    story.hub(
        case,
        person,
        day,
        collected=day,
        touched=again,
        marketing_consent_on=again.isoformat(),
        hs_email_optout="false",
        interests="guided tours",
    )

    case, person = story.one("opted_out_without_date", "an opt-out of unknown date: no consent is known to be newer")
    day = story.lately()
    story.lead(case, person, day, collected=day, HasOptedOutOfEmail=True, Marketing_Consent_On__c=day.isoformat())

    case, person = story.one("opted_out_of_calls_only", "no calls and no fax, but e-mail is welcome")
    day = story.lately()
    consent = day.isoformat()
    story.contact(
        case, person, day, collected=day, DoNotCall=True, HasOptedOutOfFax=True, Marketing_Consent_On__c=consent
    )


def _several_records(story: Story) -> None:
    days = story.days
    case, person = story.one("duplicate_in_salesforce", "two Contacts of one person, opted out in one of them")
    day, opted_out = days.ago(years=2, days=40), days.ago(days=60)
    consent = day.isoformat()
    story.contact(case, person, day, collected=day, Marketing_Consent_On__c=consent, Interests__c="concerts")
    story.contact(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        HasOptedOutOfEmail=True,
        Marketing_Consent_On__c=consent,
        Opted_Out_On__c=opted_out.isoformat(),
    )

    case = story.case("secondary_address", "Salesforce knows the opt-out under what HubSpot holds as a second address")
    person = story.person(case, emails=("work.address@northgate.example", "private.address@larkfield.test"))
    day, opted_out = days.ago(years=1, days=200), days.ago(days=90)
    story.hub(case, person, day, collected=day, marketing_consent_on=day.isoformat(), interests="lectures")
    story.contact(
        case,
        person,
        day,
        collected=day,
        touched=opted_out,
        Email="private.address@larkfield.test",
        HasOptedOutOfEmail=True,
        Opted_Out_On__c=opted_out.isoformat(),
    )
