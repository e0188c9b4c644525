"""What is a HubSpot account asked for? Criteria as filter groups within the smallest limits any source names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from connectors.hubspot.filters import by_facts, by_identifiers, in_request, may_be_address, queries
from retention.vocabulary import Criteria, DataClass, FieldSet, Identifier, IdentifierKind, LawfulBasis, RecordKind

MIDNIGHT = "1637625600000"  # 2021-11-23T00:00:00Z
NOON = "1637668800000"
EXPIRED = Criteria(collected_before=datetime(2021, 11, 23, 12, tzinfo=UTC), collected_before_day=date(2021, 11, 23))

KIND = RecordKind(
    name="contact",
    field_sets=(
        FieldSet(
            DataClass.MARKETING_SIGNUP,
            ("email",),
            ("marketing_consent_on",),
            LawfulBasis.CONSENT,
            present_if="marketing_consent_on",
        ),
        FieldSet(DataClass.MARKETING_PROFILE, ("interests",), ("collected_on", "createdate"), LawfulBasis.CONSENT),
        FieldSet(
            DataClass.CONTACT_IDENTITY,
            ("email", "phone"),
            ("recent_conversion_date", "collected_on", "createdate"),
            LawfulBasis.CONSENT,
        ),
    ),
    identifiers=(
        ("email", IdentifierKind.EMAIL),
        ("phone", IdentifierKind.PHONE),
        ("hs_additional_emails", IdentifierKind.EMAIL),
    ),
    opt_out="hs_email_optout",
    consent_on="marketing_consent_on",
    undated_if="migrated",
)
TYPES = {
    **dict.fromkeys(("email", "phone", "interests", "hs_additional_emails"), "string"),
    **dict.fromkeys(("marketing_consent_on", "collected_on"), "date"),
    **dict.fromkeys(("createdate", "recent_conversion_date"), "datetime"),
    **dict.fromkeys(("hs_email_optout", "migrated"), "bool"),
}


def without(*names: str) -> dict[str, str]:
    return {name: type_ for name, type_ in TYPES.items() if name not in names}


def emails(*values: str) -> list[Identifier]:
    return [Identifier(IdentifierKind.EMAIL, value) for value in values]


def test_dates_are_asked_for_in_the_order_of_preference_with_days_at_midnight_and_instants_as_they_are() -> None:
    assert by_facts(KIND, TYPES, EXPIRED) == [
        (("marketing_consent_on", "LT", MIDNIGHT),),
        (("collected_on", "LT", MIDNIGHT),),
        (("createdate", "LT", NOON), ("collected_on", "NOT_HAS_PROPERTY", "")),
        (("recent_conversion_date", "LT", NOON),),
    ]


def test_the_creation_date_of_an_imported_contact_proves_nothing() -> None:
    undated = (("migrated", "EQ", "true"), ("collected_on", "NOT_HAS_PROPERTY", ""))
    assert by_facts(KIND, TYPES, Criteria(undated=True)) == [undated]


def test_a_set_without_a_creation_date_in_its_order_is_undated_where_it_is_filled_and_its_dates_are_not() -> None:
    notes = FieldSet(DataClass.CONTACT_NOTES, ("interests",), ("recent_conversion_date",), LawfulBasis.CONSENT)
    kind = replace(KIND, field_sets=(notes,))
    undated = (("interests", "HAS_PROPERTY", ""), ("recent_conversion_date", "NOT_HAS_PROPERTY", ""))
    assert by_facts(kind, TYPES, Criteria(undated=True)) == [undated]


def test_whoever_opted_out_is_asked_for_by_equality_and_nobody_by_inequality() -> None:
    assert by_facts(KIND, TYPES, Criteria(opted_out=True)) == [(("hs_email_optout", "EQ", "true"),)]
    everything = replace(EXPIRED, opted_out=True, undated=True)
    operators = {part[1] for condition in by_facts(KIND, TYPES, everything) for part in condition}
    assert operators == {"LT", "EQ", "NOT_HAS_PROPERTY"}


def test_a_sweep_stays_within_three_groups_of_three_filters_in_two_queries() -> None:
    asked = queries(by_facts(KIND, TYPES, replace(EXPIRED, opted_out=True, undated=True)))
    groups = [in_request(query, "17") for query in asked]
    assert [len(some) for some in groups] == [3, 3]
    assert max(len(group["filters"]) for some in groups for group in some) == 3
    assert all(
        group["filters"][-1] == {"propertyName": "hs_object_id", "operator": "GT", "value": "17"}
        for some in groups
        for group in some
    )


def test_behind_a_hidden_date_no_later_one_is_asked_for() -> None:
    assert by_facts(KIND, without("collected_on"), EXPIRED) == [
        (("marketing_consent_on", "LT", MIDNIGHT),),
        (("recent_conversion_date", "LT", NOON),),
    ]


def test_nothing_is_asked_of_a_hidden_opt_out() -> None:
    assert by_facts(KIND, without("hs_email_optout"), Criteria(opted_out=True)) == []


def test_addresses_are_asked_for_in_lower_case_a_hundred_at_a_time() -> None:
    asked = list(by_identifiers(KIND, TYPES, emails(*(f"Ann-{n:03}@Example.com" for n in range(250)))))
    primary = [condition for some in asked for condition in some if condition[0][0] == "email"]
    values = [condition[0][2] for condition in primary]
    assert [len(some) for some in values] == [100, 100, 50]
    assert values[0][0] == "ann-000@example.com"
    assert asked[-1] == [(("hs_additional_emails", "HAS_PROPERTY", ""),)]


def test_one_person_is_asked_for_in_one_query_additional_addresses_included() -> None:
    (asked,) = by_identifiers(KIND, TYPES, emails("ann@example.com", "ben@example.com"))
    assert asked == [
        (("email", "IN", ("ann@example.com", "ben@example.com")),),
        (("hs_additional_emails", "CONTAINS_TOKEN", "ann@example.com"),),
        (("hs_additional_emails", "CONTAINS_TOKEN", "ben@example.com"),),
    ]
    assert len(queries(asked)) == 1


def test_a_telephone_number_is_asked_for_in_its_own_property_only() -> None:
    asked = list(by_identifiers(KIND, TYPES, [Identifier(IdentifierKind.PHONE, "+441632960001")]))
    assert asked == [[(("phone", "IN", ("+441632960001",)),)]]


@pytest.mark.parametrize(
    "text", ["", " ", "%", "nobody", "@example.com", "ann@", "a b@example.com", "a@b\r\nc@d", "a\x00@example.com"]
)
def test_what_nobody_can_be_stored_under_is_not_asked_for(text: str) -> None:
    assert not may_be_address(text)
    assert list(by_identifiers(KIND, TYPES, emails(text))) == []


@pytest.mark.parametrize("text", ["ann@example.com", "o'brien+%_@example.com", '"x"@example.com', "*@example.com"])
def test_every_legal_address_is_asked_for(text: str) -> None:
    assert may_be_address(text)
