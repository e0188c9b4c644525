"""Does a value written into SOQL stay a value, whatever it holds?"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce import filters, soql
from connectors.salesforce.describe import FieldView
from retention.vocabulary import Criteria, DataClass, FieldSet, Identifier, IdentifierKind, LawfulBasis, RecordKind

LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'")
ESCAPES = {"\\\\": "\\", "\\'": "'", '\\"': '"'}

CONTACT = RecordKind(
    name="Contact",
    field_sets=(
        FieldSet(DataClass.CONTACT_IDENTITY, ("Email",), ("Collected_On__c", "CreatedDate"), LawfulBasis.CONSENT),
    ),
    identifiers=(("Email", IdentifierKind.EMAIL), ("Second_Email__c", IdentifierKind.EMAIL)),
    undated_if="Migrated__c",
)


def understood(literal: str) -> str:
    """What the service reads in a literal, by the escapes its SOQL guide lists."""
    assert LITERAL.fullmatch(literal), "the literal ends before its last character"
    return re.sub(r"\\.", lambda escape: ESCAPES[escape.group()], literal[1:-1])


printable = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=80)


@given(printable)
def test_any_printable_text_is_read_back_as_itself(text: str) -> None:
    assert understood(soql.literal(text)) == text


@given(printable, printable)
def test_a_list_of_texts_holds_exactly_these_literals_and_no_operator(one: str, other: str) -> None:
    statement = soql.within("Email", [one, other])
    assert [understood(literal) for literal in LITERAL.findall(statement)] == [one, other]
    assert LITERAL.sub("?", statement) == "Email IN (?, ?)"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("o'brien@example.com", r"'o\'brien@example.com'"),
        ("' OR '1'='1", r"'\' OR \'1\'=\'1'"),
        ("nobody@example.com\\", r"'nobody@example.com\\'"),
        ("\\' OR Id != null --", r"'\\\' OR Id != null --'"),
        ('"quoted"@example.com', r"'\"quoted\"@example.com'"),
        ("100%_off@example.com", "'100%_off@example.com'"),
        ("mia.berg@bücher.example", "'mia.berg@bücher.example'"),
    ],
)
def test_quotes_and_backslashes_are_escaped_and_wildcards_mean_themselves(value: str, written: str) -> None:
    assert soql.literal(value) == written


@pytest.mark.parametrize("bad", ["a\x00b", "a\nb", "a\r\nb", "a\tb", "a\x7fb", "a\x85b", "a\u2028b", "a\ud800b"])
def test_a_control_character_is_refused_and_never_dropped(bad: str) -> None:
    with pytest.raises(soql.NotExpressible) as refused:
        soql.literal(bad)
    assert bad not in str(refused.value)


def test_a_text_longer_than_the_service_takes_is_refused() -> None:
    assert len(soql.literal("x" * 4_000)) == 4_002
    with pytest.raises(soql.NotExpressible):
        soql.literal("x" * 4_001)


@pytest.mark.parametrize("bad", ["", "Email = null OR Id", "Email;", "Email--", "9Email", "Email.", "Émail"])
def test_a_field_name_that_is_no_name_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="no Salesforce field"):
        soql.name(bad)


@pytest.mark.parametrize(
    "key", ["' OR '1'='1", "../../etc/passwd", "", "003Sb0000000001\n", "003Sb000000000", "003Sb0000000001AB"]
)
def test_what_is_no_record_id_is_never_sent_as_one(key: str) -> None:
    assert not soql.is_record_id(key)


def test_an_instant_is_written_in_utc_whatever_its_zone() -> None:
    summer = timezone(timedelta(hours=1))
    assert soql.instant(datetime(2021, 7, 1, 0, 30, tzinfo=summer)) == "2021-06-30T23:30:00Z"


def test_identifiers_are_compared_by_equality_in_every_field_that_holds_their_kind() -> None:
    asked = (Identifier(IdentifierKind.EMAIL, "%@example.com"), Identifier(IdentifierKind.PHONE, "+441632960001"))
    where = filters.by_identifiers(CONTACT, FieldView("Contact"), asked)
    assert where == "(Email IN ('%@example.com')) OR (Second_Email__c IN ('%@example.com'))"


def test_an_empty_identifier_is_not_asked_for_since_it_would_match_every_row_without_an_address() -> None:
    asked = [Identifier(IdentifierKind.EMAIL, value) for value in ("", "  ", "a\x00b", "ann@example.com")]
    assert [one.value for one in filters.askable(CONTACT, asked)] == ["ann@example.com"]


def test_each_date_field_decides_only_where_the_preferred_ones_are_empty() -> None:
    criteria = Criteria(
        collected_before=datetime(2021, 11, 22, 23, 0, tzinfo=UTC), collected_before_day=date(2021, 11, 23)
    )
    assert filters.by_facts(CONTACT, FieldView("Contact"), criteria) == (
        "((Collected_On__c < 2021-11-23)) OR "
        "((Collected_On__c = null) AND (CreatedDate < 2021-11-22T23:00:00Z) AND (Migrated__c = false))"
    )


def test_behind_a_hidden_date_field_no_later_one_decides() -> None:
    seen = FieldView("Contact", {name: {"filterable": True} for name in ("Email", "CreatedDate", "Migrated__c")})
    criteria = Criteria(collected_before=datetime(2021, 11, 23, tzinfo=UTC))
    assert filters.by_facts(CONTACT, seen, criteria) == ""


@given(st.lists(printable.filter(bool), max_size=300))
def test_long_lists_are_cut_without_losing_anybody(values: list[str]) -> None:
    chunks = soql.chunks(values, soql.SAFE_URL, times=2)
    assert [value for chunk in chunks for value in chunk] == values
    assert all(len(chunk) == 1 or len(soql.in_url(soql.within("Email", chunk))) <= soql.SAFE_URL for chunk in chunks)
