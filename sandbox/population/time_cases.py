"""Which cases hang on a date? Expired, on the edge, on a leap day, without a date, kept by statute, blocked."""

from __future__ import annotations

from datetime import timedelta

from sandbox.population.story import Story


def tell(story: Story) -> None:
    _expired(story)
    _edges(story)
    _doubtful_dates(story)
    _kept_all_the_same(story)
    _transactions(story)


def _expired(story: Story) -> None:
    day = story.long_ago()
    case, person = story.one("expired", "past the period everywhere: Salesforce Contact, HubSpot, a letter")
    story.contact(case, person, day, collected=day, Title="Head of Sampling", Interests__c="brochures")
    story.hub(case, person, day, collected=day, interests="brochures", city="Bristol")

    day = story.long_ago()
    case, person = story.one("expired_lead", "the same as a Salesforce Lead")
    story.lead(case, person, day, collected=day, Interests__c="webinars", Lead_Score__c=12)
    story.hub(case, person, day, collected=day, lead_score="12")

    day = story.long_ago()
    case, person = story.one("expired_by_creation_date", "no collection date of its own; the creation date proves it")
    story.contact(case, person, day)
    story.hub(case, person, day, jobtitle="Buyer")

    case, person = story.one("touched_by_integration", "past the period, though an integration wrote to it last week")
    day = story.long_ago()
    story.contact(case, person, day, collected=day, touched=story.days.ago(days=6))
    story.hub(case, person, day, collected=day, touched=story.days.ago(days=5))

    case, person = story.one("without_address", "past the period and known by telephone only", emails=())
    story.contact(case, person, story.long_ago())

    # Known to the document server only.
    story.one("documents_only", "past the period, in a letter and nowhere else")
    story.one("copied_recently", "the file's own date is of last month, the document's of years ago")
    story.one("name_in_a_path", "past the period, and the file is called after the person")

    day = story.long_ago()
    case, person = story.one(
        "already_deleted_in_one_system", "past the period; its Salesforce row is already in the recycle bin"
    )
    story.contact(case, person, day, collected=day, touched=story.days.ago(days=4), IsDeleted=True)
    story.hub(case, person, day, collected=day)


def _edges(story: Story) -> None:
    days = story.days
    case, person = story.one("one_day_short", "today is the fifth anniversary: still kept today")
    story.contact(case, person, days.oldest_kept, collected=days.oldest_kept, Interests__c="price lists")
    story.hub(case, person, days.oldest_kept, collected=days.oldest_kept)

    case, person = story.one("just_expired", "collected the day before that: due since midnight")
    story.lead(case, person, days.newest_expired, collected=days.newest_expired)
    story.hub(case, person, days.newest_expired, collected=days.newest_expired)

    case, person = story.one("leap_day", "collected on 29 February: the last day kept was a 28 February")
    leap = days.newest_expired_leap_day
    story.contact(case, person, leap, collected=leap)
    story.hub(case, person, leap, collected=leap)

    case, person = story.one("leap_day_not_due", "collected on 29 February and still kept")
    leap = days.oldest_kept_leap_day
    story.lead(case, person, leap, collected=leap)
    story.hub(case, person, leap, collected=leap)

    case, person = story.one(
        "created_just_after_midnight",
        "created half an hour into the oldest kept day in London; in summer that is the day before in UTC",
    )
    story.contact(case, person, days.first_instant_kept)


def _doubtful_dates(story: Story) -> None:
    case, person = story.one("no_collection_date", "migrated: the creation date is the day of the import")
    imported = story.days.ago(years=2)
    story.contact(case, person, imported, Migrated__c=True, Interests__c="open days")
    story.hub(case, person, imported, migrated="true")

    case, person = story.one("future_date", "a collection date that is still to come")
    story.lead(case, person, story.lately(), collected=story.days.as_of + timedelta(days=40))

    day = story.days.ago(years=6, days=30)
    case, person = story.one("old_contact_new_form", "old fields fall due; the form of this year does not")
    form = story.days.ago(days=25)
    story.hub(
        case,
        person,
        day,
        collected=day,
        touched=form,
        interests="catalogues",
        recent_conversion_date=f"{form.isoformat()}T09:12:00.000Z",
        message="Please send me the new opening hours.",
    )
    story.contact(
        case,
        person,
        day,
        collected=day,
        touched=form,
        Interests__c="catalogues",
        Last_Form_On__c=form.isoformat(),
        Last_Form_Message__c="Please send me the new opening hours.",
    )

    case, person = story.one(
        "converted_lead", "a Contact made at conversion looks young; its Lead shows when the data was collected"
    )
    converted = story.days.ago(years=4)
    account = story.salesforce.account("Northgate Example Ltd", converted)
    contact = story.contact(case, person, converted, account=account)
    story.lead(
        case,
        person,
        story.days.ago(years=6),
        company="Northgate Example Ltd",
        touched=converted,
        Status="Closed - Converted",
        IsConverted=True,
        ConvertedDate=converted.isoformat(),
        ConvertedContactId=contact,
        ConvertedAccountId=account,
    )

    case, person = story.one("merged_record", "two rows became one: the loser lies in the bin and names the survivor")
    day = story.lately()
    survivor = story.contact(case, person, day, collected=day)
    merged = story.days.ago(days=9)
    story.contact(case, person, day, touched=merged, IsDeleted=True, MasterRecordId=survivor)


def _kept_all_the_same(story: Story) -> None:
    case, person = story.one(
        "live_subscriber_over_five_years", "profile and identity end at five years, the sign-up does not"
    )
    day = story.long_ago()
    consent = {"Marketing_Consent_On__c": day.isoformat(), "Interests__c": "newsletter, offers", "Lead_Score__c": 41}
    story.contact(case, person, day, collected=day, Title="Curator", **consent)
    story.hub(
        case,
        person,
        day,
        collected=day,
        marketing_consent_on=day.isoformat(),
        hs_email_optout="false",
        interests="newsletter, offers",
        lead_score="41",
    )

    case, person = story.one("legal_hold", "past the period; a hold is to be placed on this address")
    day = story.long_ago()
    story.contact(case, person, day, collected=day, Interests__c="brochures")
    story.hub(case, person, day, collected=day)

    case, person = story.one("open_complaint", "past the period with a complaint still open")
    day = story.long_ago()
    contact = story.contact(case, person, day, collected=day)
    story.salesforce.case(None, contact, opened=story.days.ago(days=70))

    case, person = story.one("closed_complaint", "past the period; the complaint ended years ago but blocks deletion")
    day = story.days.ago(years=8)
    contact = story.contact(case, person, day, collected=day)
    story.salesforce.case(None, contact, opened=story.days.ago(years=7), closed=story.days.ago(years=7, days=-20))

    case, person = story.one("restricted", "past the period while a restriction is in force")
    day = story.long_ago()
    story.contact(case, person, day, collected=day, Processing_Restricted__c=True)
    story.hub(case, person, day, collected=day, processing_restricted="true")


def _transactions(story: Story) -> None:
    days = story.days
    case, person = story.one(
        "past_five_years_statutory_keep", "only identity is left, and the sale's books must be kept six years"
    )
    account = story.salesforce.account("Larkfield Example Ltd", days.ago(years=8))
    contact = story.contact(case, person, days.ago(years=8), collected=days.ago(years=8), account=account)
    story.salesforce.won_opportunity(account, contact, closed=days.ago(years=5, days=75))

    second = story.person(case)
    contact = story.contact(case, second, days.ago(years=7), collected=days.ago(years=7), account=account)
    story.salesforce.order(account, contact, begun=days.ago(years=5, days=90), ended=days.ago(years=5, days=60))

    case, person = story.one("statutory_keep_ended", "past five years, and the books of the old sale are past theirs")
    account = story.salesforce.account("Ashdown Example Ltd", days.ago(years=10))
    contact = story.contact(case, person, days.ago(years=10), collected=days.ago(years=10), account=account)
    story.salesforce.won_opportunity(account, contact, closed=days.ago(years=9))

    case, person = story.one("customer_live", "a customer of today in both systems: nothing to do")
    day = story.lately()
    account = story.salesforce.account("Brightwater Example Ltd", day)
    contact = story.contact(case, person, day, collected=day, account=account, Title="Owner")
    story.salesforce.won_opportunity(account, contact, closed=days.ago(days=100))
    story.hubspot.deal(
        story.hub(case, person, day, collected=day, company="Brightwater Example Ltd"), days.ago(days=100)
    )

    case, person = story.one("customer_of_hubspot_expired", "past five years in HubSpot with a deal of last year")
    day = story.long_ago()
    row = story.hub(case, person, day, collected=day, lead_score="7", company="Larkfield Example Ltd")
    story.hubspot.deal(row, days.ago(days=300))
