"""Is everybody there who must be, on the right side of every date, and made up beyond doubt?"""

from __future__ import annotations

import re
import string
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.clock import Clock
from sandbox.microsoft365.seed import fill
from sandbox.microsoft365.tenant import Tenant
from sandbox.population import Population, build

TODAY = date(2026, 11, 22)
# Ordinary days, the ends of February in and after leap years, a new year, and a day in summer time.
DAYS = [TODAY, date(2024, 2, 29), date(2025, 2, 28), date(2025, 3, 1), date(2027, 1, 1), date(2028, 2, 29)]
DAYS += [date(2026, 7, 1)]

WANTED = """expired one_day_short leap_day live_subscriber_over_five_years unsubscribed_in_salesforce_only
unsubscribed_in_hubspot_only unsubscribed_with_open_order resubscribed_later old_contact_new_form no_collection_date
shared_mailbox two_people_one_name apostrophe_address plus_tag_address internationalised_domain
already_deleted_in_one_system legal_hold past_five_years_statutory_keep open_complaint converted_lead"""

ADDRESS = re.compile(r"[^\s<>,;\"]+@[\w.-]+\.[a-z]+")


@pytest.fixture(scope="module")
def people() -> Population:
    return build(seed=1, scale=1, as_of=TODAY)


def last_kept_day(collected: date) -> date:
    """The fifth anniversary, the last of February where 29 February has none: reckoned apart from the population."""
    year = collected.year + 5
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (
        date(year, 2, 28) if (collected.month, collected.day) == (2, 29) and not leap else collected.replace(year=year)
    )


def salesforce(people: Population, case: str, kind: str | None = None) -> list[dict[str, Any]]:
    keys = people.cases[case].keys("salesforce", kind)
    rows = {row["Id"]: row for name in ("Contact", "Lead") for row in people.salesforce[name]}
    return [rows[key] for key in keys]


def hubspot(people: Population, case: str) -> list[dict[str, Any]]:
    rows = {row["id"]: row for row in people.hubspot["contacts"]}
    return [rows[key]["properties"] for key in people.cases[case].keys("hubspot")]


def collected_days(people: Population, case: str) -> set[date]:
    days = [row["Collected_On__c"] for row in salesforce(people, case)]
    days += [row["collected_on"] for row in hubspot(people, case)]
    return {date.fromisoformat(day) for day in days}


@pytest.mark.parametrize("case", WANTED.split())
def test_every_wanted_case_is_there_and_lies_where_it_says(people: Population, case: str) -> None:
    told = people.cases[case]
    assert told.places
    paths = {document.path for document in people.documents}
    stored = {
        ("salesforce", "Contact"): {row["Id"] for row in people.salesforce["Contact"]},
        ("salesforce", "Lead"): {row["Id"] for row in people.salesforce["Lead"]},
        ("hubspot", "contact"): {row["id"] for row in people.hubspot["contacts"]},
        ("documents", "file"): paths,
        **mailed(people),
    }
    for place in told.places:
        assert place.key in stored[place.system, place.kind]
    assert all(case in person.cases for person in told.people)


def mailed(people: Population) -> dict[tuple[str, str], set[str]]:
    """The keys of what the emulator's mailboxes hold, by kind."""
    tenant = Tenant(lambda empty: fill(empty, people.mail), Clock(people.as_of))
    kept: dict[tuple[str, str], set[str]] = {}
    for user, box in tenant.state()["mailboxes"].items():
        for key, item in box["items"].items():
            kept.setdefault(("microsoft365", item["kind"]), set()).add(f"{user}/{key}")
    return kept


@pytest.mark.parametrize("today", DAYS)
def test_each_dated_case_stays_on_its_side_of_the_line_whatever_the_day(today: date) -> None:
    people = build(as_of=today)
    for case in ("expired", "just_expired", "leap_day", "legal_hold", "live_subscriber_over_five_years"):
        assert all(last_kept_day(day) < today for day in collected_days(people, case)), case
    for case in ("one_day_short", "leap_day_not_due", "unsubscribed_lead", "resubscribed_later"):
        assert all(last_kept_day(day) >= today for day in collected_days(people, case)), case
    assert all((day.month, day.day) == (2, 29) for day in collected_days(people, "leap_day"))


def test_one_day_lies_between_just_expired_and_one_day_short(people: Population) -> None:
    assert collected_days(people, "one_day_short") == {date(2021, 11, 22)}
    assert collected_days(people, "just_expired") == {date(2021, 11, 21)}


def test_no_fifth_anniversary_falls_on_29_february_so_the_next_day_is_the_edge() -> None:
    people = build(as_of=date(2028, 2, 29))
    assert collected_days(people, "one_day_short") == {date(2023, 3, 1)}
    assert collected_days(people, "just_expired") == {date(2023, 2, 28)}


def test_the_leap_day_falls_due_on_the_first_of_march() -> None:
    assert collected_days(build(as_of=date(2025, 2, 28)), "leap_day") == {date(2016, 2, 29)}
    assert collected_days(build(as_of=date(2025, 3, 1)), "leap_day") == {date(2020, 2, 29)}


def test_in_summer_the_oldest_kept_day_begins_on_the_utc_day_before() -> None:
    people = build(as_of=date(2026, 7, 1))
    [row] = salesforce(people, "created_just_after_midnight")
    created = datetime.strptime(row["CreatedDate"], "%Y-%m-%dT%H:%M:%S.000%z")
    assert created.astimezone(UTC).date() == date(2021, 6, 30)
    assert created.astimezone(ZoneInfo("Europe/London")).date() == date(2021, 7, 1)
    assert row["Collected_On__c"] is None


def test_an_opt_out_is_seen_in_one_system_only(people: Population) -> None:
    [contact] = salesforce(people, "unsubscribed_in_salesforce_only")
    [other] = hubspot(people, "unsubscribed_in_salesforce_only")
    assert contact["HasOptedOutOfEmail"] is True
    assert other["hs_email_optout"] is None
    assert other["marketing_consent_on"] < contact["Opted_Out_On__c"]
    assert contact["Email"] == other["email"]

    [contact] = salesforce(people, "unsubscribed_in_hubspot_only")
    [other] = hubspot(people, "unsubscribed_in_hubspot_only")
    assert contact["HasOptedOutOfEmail"] is False
    assert other["hs_email_optout"] == "true"
    assert contact["Marketing_Consent_On__c"] < other["opted_out_on"]


def test_the_newer_consent_of_one_system_answers_the_opt_out_of_the_other(people: Population) -> None:
    [contact] = salesforce(people, "resubscribed_later")
    [other] = hubspot(people, "resubscribed_later")
    assert contact["HasOptedOutOfEmail"] is True
    assert other["hs_email_optout"] == "false"
    assert other["marketing_consent_on"] > contact["Opted_Out_On__c"]


def test_the_running_order_of_one_who_unsubscribed_is_billed_to_the_contact(people: Population) -> None:
    [contact] = salesforce(people, "unsubscribed_with_open_order")
    [order] = [row for row in people.salesforce["Order"] if row["BillToContactId"] == contact["Id"]]
    assert order["Status"] == "Activated"
    assert contact["HasOptedOutOfEmail"] is True


def test_the_live_subscriber_has_a_sign_up_a_profile_and_an_identity_all_past_five_years(people: Population) -> None:
    [contact] = salesforce(people, "live_subscriber_over_five_years")
    assert contact["Marketing_Consent_On__c"] == contact["Collected_On__c"]
    assert not contact["HasOptedOutOfEmail"]
    assert contact["Interests__c"]
    assert contact["Lead_Score__c"]
    assert contact["Title"]


def test_the_form_of_this_year_lies_on_a_contact_of_long_ago(people: Population) -> None:
    [contact] = hubspot(people, "old_contact_new_form")
    assert contact["collected_on"] < "2021-01-01"
    assert contact["recent_conversion_date"] > "2026-01-01"
    assert contact["message"]


def test_a_migrated_record_proves_no_collection_date(people: Population) -> None:
    [contact] = salesforce(people, "no_collection_date")
    [other] = hubspot(people, "no_collection_date")
    assert (contact["Migrated__c"], contact["Collected_On__c"]) == (True, None)
    assert (other["migrated"], other["collected_on"]) == ("true", None)


def test_a_tax_keep_still_runs_for_the_sale_of_an_expired_contact(people: Population) -> None:
    sold, ordered = salesforce(people, "past_five_years_statutory_keep")
    [role] = [row for row in people.salesforce["OpportunityContactRole"] if row["ContactId"] == sold["Id"]]
    [sale] = [row for row in people.salesforce["Opportunity"] if row["Id"] == role["OpportunityId"]]
    [order] = [row for row in people.salesforce["Order"] if row["BillToContactId"] == ordered["Id"]]
    for contact, day in ((sold, sale["CloseDate"]), (ordered, order["EffectiveDate"])):
        assert last_kept_day(date.fromisoformat(contact["Collected_On__c"])) < TODAY
        assert last_kept_day(date.fromisoformat(day)) < TODAY
        assert date.fromisoformat(day) > TODAY.replace(year=TODAY.year - 6)
        filled = {name for name in contact if contact[name] and name.endswith("__c")}
        assert filled == {"Collected_On__c"}
    assert sale["IsWon"] is True
    assert order["EndDate"] < TODAY.isoformat()


def test_conversion_made_a_young_contact_of_an_old_lead(people: Population) -> None:
    contact, lead = salesforce(people, "converted_lead")
    assert lead["IsConverted"] is True
    assert lead["ConvertedContactId"] == contact["Id"]
    assert lead["Email"] == contact["Email"]
    assert lead["CreatedDate"] < "2021-11-22" < contact["CreatedDate"]


def test_what_is_deleted_in_salesforce_is_still_in_hubspot_and_in_a_letter(people: Population) -> None:
    [contact] = salesforce(people, "already_deleted_in_one_system")
    assert contact["IsDeleted"] is True
    assert len(hubspot(people, "already_deleted_in_one_system")) == 1
    assert len(people.cases["already_deleted_in_one_system"].keys("documents")) == 1


def test_shared_and_look_alike_addresses_belong_to_different_people(people: Population) -> None:
    first, second = salesforce(people, "shared_mailbox")
    assert first["Email"] == second["Email"] == "info@brightwater.example"
    assert first["LastName"] != second["LastName"]
    assert [first["HasOptedOutOfEmail"], second["HasOptedOutOfEmail"]] == [False, True]

    first, second = salesforce(people, "two_people_one_name")
    assert (first["FirstName"], first["LastName"]) == (second["FirstName"], second["LastName"])
    assert first["Email"] != second["Email"]
    assert first["Collected_On__c"] < "2021-11-22" < second["Collected_On__c"]

    assert {row["Email"] for row in salesforce(people, "plus_tag_address")} == {
        "kit@northgate.example",
        "kit+news@northgate.example",
    }
    assert people.cases["apostrophe_address"].address == "siobhan.o'testwick@example.org"


def test_a_recent_touch_of_an_integration_leaves_the_creation_date_old(people: Population) -> None:
    [contact] = salesforce(people, "touched_by_integration")
    assert contact["CreatedDate"] < "2021-11-22"
    assert contact["SystemModstamp"] > "2026-11-01"


def test_nobody_shares_an_address_or_a_number_but_where_a_case_says_so() -> None:
    people = build(seed=5, scale=20, as_of=TODAY)
    addresses = Counter(address.lower() for person in people.people for address in person.emails)
    numbers = Counter(person.phone for person in people.people if person.phone)
    assert [address for address, times in addresses.items() if times > 1] == ["info@brightwater.example"]
    assert [n for n, times in numbers.items() if times > 1] == [people.cases["shared_phone"].people[0].phone]


def test_addresses_and_numbers_are_reserved_for_fiction() -> None:
    people = build(seed=9, scale=10, as_of=TODAY)
    for person in people.people:
        assert person.phone is None or re.fullmatch(r"\+442079460\d{3}|\+447700900\d{3}", person.phone)
        for address in person.emails:
            domain = address.rpartition("@")[2].lower()
            assert domain in {"example.com", "example.org"} or domain.endswith((".example", ".test"))


def test_the_identifiers_name_everybody_in_every_spelling_stored(people: Population) -> None:
    known = set(people.identifiers())
    for row in [*people.salesforce["Contact"], *people.salesforce["Lead"]]:
        assert {f"{row['FirstName']} {row['LastName']}", row["Email"], row["Phone"]} - {None} <= known
    for contact in people.hubspot["contacts"]:
        row = contact["properties"]
        others = (row["hs_additional_emails"] or "").split(";")
        assert {f"{row['firstname']} {row['lastname']}", row["email"], row["phone"], *others} - {None, ""} <= known
    for document in people.documents:
        if document.path.endswith((".txt", ".csv")) and not document.content.startswith(b"\xff\xfe"):
            assert set(ADDRESS.findall(document.content.decode("cp1252"))) <= known | {"mia.berg@bücher.example"}


def test_salesforce_ids_are_valid_unique_and_lead_somewhere(people: Population) -> None:
    prefixes = {"Contact": "003", "Lead": "00Q", "Account": "001", "Opportunity": "006", "Order": "801", "Case": "500"}
    prefixes["OpportunityContactRole"] = "00K"
    assert set(people.salesforce) == set(prefixes)
    every = [row["Id"] for rows in people.salesforce.values() for row in rows]
    assert len(every) == len(set(every))
    for name, rows in people.salesforce.items():
        for row in rows:
            assert re.fullmatch(prefixes[name] + r"[0-9A-Za-z]{15}", row["Id"])
            assert row["Id"][15:] == _check_characters(row["Id"][:15])
            for field in ("AccountId", "ContactId", "BillToContactId", "ConvertedContactId", "MasterRecordId"):
                assert row.get(field) is None or row[field] in every


def _check_characters(short: str) -> str:
    letters = string.ascii_uppercase + "012345"
    bits = ["".join("1" if c in string.ascii_uppercase else "0" for c in short[i : i + 5]) for i in (0, 5, 10)]
    return "".join(letters[int(five[::-1], 2)] for five in bits)


def test_hubspot_rows_hold_text_or_nothing_and_their_deals_exist(people: Population) -> None:
    deals = {row["id"]: row for row in people.hubspot["deals"]}
    for contact in people.hubspot["contacts"]:
        assert all(value is None or isinstance(value, str) for value in contact["properties"].values())
        linked = contact["associations"]["deals"]
        assert contact["properties"]["num_associated_deals"] == (str(len(linked)) if linked else None)
        assert all(deals[deal]["associations"]["contacts"] == [contact["id"]] for deal in linked)


def test_the_same_seed_gives_the_same_rows_and_another_seed_other_people() -> None:
    first, again, other = build(3, 2, TODAY), build(3, 2, TODAY), build(4, 2, TODAY)
    assert first.salesforce == again.salesforce
    assert first.hubspot == again.hubspot
    assert first.people == again.people
    assert {p.full_name for p in first.people} != {p.full_name for p in other.people}


def test_scale_multiplies_ordinary_people_and_leaves_every_case_as_it_is(people: Population) -> None:
    many = build(seed=1, scale=100, as_of=TODAY)
    cases_of = {name: (case.people, case.keys("salesforce"), case.keys("hubspot")) for name, case in many.cases.items()}
    assert cases_of == {n: (c.people, c.keys("salesforce"), c.keys("hubspot")) for n, c in people.cases.items()}
    ordinary = [person for person in many.people if not person.cases]
    assert len(ordinary) == 100 * len([person for person in people.people if not person.cases])
    rows = [*many.salesforce["Contact"], *many.salesforce["Lead"]]
    expired = [row for row in rows if row["Collected_On__c"] and row["Collected_On__c"] < "2021-11-22"]
    opted_out = [row for row in rows if row["HasOptedOutOfEmail"]]
    assert 0.01 < len(expired) / len(rows) < 0.08
    assert 0.01 < len(opted_out) / len(rows) < 0.08


def test_a_day_is_needed_and_a_scale_of_nothing_is_refused() -> None:
    with pytest.raises(TypeError, match="as_of"):
        build(1, 1)
    with pytest.raises(ValueError, match="scale"):
        build(1, 0, TODAY)
