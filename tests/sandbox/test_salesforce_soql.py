"""Does the emulator read SOQL as the service does: the rows of right statements, the words for wrong ones?"""

from __future__ import annotations

from datetime import date

import pytest

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql import ranges
from sandbox.salesforce.soql.run import run
from sandbox.salesforce.store import OrgStore

BASE = "/services/data/v62.0"
ONE, TWO, THREE, FOUR = (f"0030100000000{number:02d}AAA" for number in (1, 2, 3, 4))


def ids(org: OrgStore, where: str, *, deleted: bool = False) -> list[str]:
    statement = f"SELECT Id FROM Contact WHERE {where} ORDER BY Id"
    return [row["Id"] for row in run(statement, org.session(BASE, deleted=deleted)).rows]


def records(org: OrgStore, statement: str) -> list[dict[str, object]]:
    found = run(statement, org.session(BASE))
    return [found.render(row) for row in found.rows]


def refused(org: OrgStore, statement: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        run(statement, org.session(BASE))
    return caught.value


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (r"Email = 'ann.o\'hara@example.com'", [ONE]),
        (r"Email = 'ANN.O\u0027HARA@EXAMPLE.COM'", [ONE]),
        ("eMAIL like 'ann.%'", [ONE]),
        (r"Email LIKE 'bo\_100\%@%'", [TWO]),
        (r"Email LIKE 'b\_%'", []),
        ("Email LIKE 'b_\\_100%'", [TWO]),
        ("Email = null", [THREE]),
        ("Email = ''", [THREE]),
        ("Email != null", [ONE, TWO]),
        ("Email <> 'ann.o\\'hara@example.com'", [TWO, THREE]),
        ("FirstName IN ('ANN', 'bo')", [ONE, TWO]),
        ("FirstName NOT IN ('ann')", [TWO, THREE]),
        ("FirstName IN ('ann', null)", [ONE, THREE]),
        ("(NOT FirstName LIKE 'a%')", [TWO, THREE]),
        ("NOT FirstName = 'Ann'", [TWO, THREE]),
        ("Id = '003010000000001'", [ONE]),
        ("Id > '003010000000001AAA'", [TWO, THREE]),
        ("HasOptedOutOfEmail = TRUE", [THREE]),
        ("HasOptedOutOfEmail != true", [ONE, TWO]),
        ("Lead_Score__c >= 7.0 AND Lead_Score__c < +8", [TWO]),
        ("Lead_Score__c > -1", [TWO]),
        ("Collected_On__c = 2021-02-28", [TWO]),
        ("Collected_On__c < 2021-02-28", []),
        ("CreatedDate < 2021-11-22T23:30:00Z", [ONE, TWO]),
        ("CreatedDate <= 2021-11-23T00:30:00+01:00", [ONE, TWO, THREE]),
        ("CreatedDate < 2021-11-22T23:30:00.001Z", [ONE, TWO]),
        ("Account.Name = 'northgate example'", [ONE]),
        ("Contact.Account.Name LIKE '%sons%'", [THREE]),
        ("Account.Name = null", [TWO]),
        ("(FirstName = 'Ann' OR FirstName = 'Bo') AND Email LIKE '%.org'", [TWO]),
        ("Id IN (SELECT ContactId FROM Case WHERE IsClosed = false)", [THREE]),
        ("Id NOT IN (SELECT ContactId FROM OpportunityContactRole) AND HasOptedOutOfEmail = false", [TWO]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'Hall%')", [THREE]),
        ("CALENDAR_YEAR(CreatedDate) = 2020", [ONE, TWO]),
        ("CreatedDate < LAST_N_YEARS:5", [ONE, TWO]),
        ("CreatedDate = N_YEARS_AGO:5", [THREE]),
    ],
)
def test_a_condition_keeps_the_rows_it_means(org: OrgStore, where: str, expected: list[str]) -> None:
    assert ids(org, where) == expected


def test_rows_in_the_bin_are_seen_only_when_asked_for(org: OrgStore) -> None:
    assert ids(org, f"Id = '{FOUR}'") == []
    assert ids(org, f"Id = '{FOUR}'", deleted=True) == [FOUR]
    assert ids(org, "IsDeleted = true", deleted=True) == [FOUR]


def test_records_carry_attributes_nested_parents_and_the_schemas_spelling(org: OrgStore) -> None:
    (first,) = records(org, "select ID, account.name, Owner.Email from contact c where c.email like 'ann%'")
    assert first == {
        "attributes": {"type": "Contact", "url": f"{BASE}/sobjects/Contact/{ONE}"},
        "Id": ONE,
        "Account": {
            "attributes": {"type": "Account", "url": f"{BASE}/sobjects/Account/001010000000001AAA"},
            "Name": "Northgate Example",
        },
        "Owner": {
            "attributes": {"type": "User", "url": f"{BASE}/sobjects/User/0058d0000000001AAA"},
            "Email": "integration@sandbox.example",
        },
    }


def test_a_missing_parent_is_null(org: OrgStore) -> None:
    (two,) = records(org, f"SELECT Account.Name FROM Contact WHERE Id = '{TWO}'")
    assert two["Account"] is None


def test_children_come_as_a_list_of_their_own_or_null(org: OrgStore) -> None:
    first, second = records(org, "SELECT Id, (SELECT Name FROM Opportunities) FROM Account ORDER BY Name DESC")
    assert first["Opportunities"] == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Opportunity", "url": f"{BASE}/sobjects/Opportunity/006010000000001AAA"},
                "Name": "Sale",
            }
        ],
    }
    assert second["Opportunities"] is None


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("ORDER BY FirstName", [THREE, ONE, TWO]),
        ("ORDER BY FirstName NULLS LAST", [ONE, TWO, THREE]),
        ("ORDER BY FirstName DESC NULLS LAST", [TWO, ONE, THREE]),
        ("ORDER BY HasOptedOutOfEmail DESC, Id DESC", [THREE, TWO, ONE]),
        ("ORDER BY Account.Name NULLS LAST, Id", [THREE, ONE, TWO]),
        ("ORDER BY Id LIMIT 1 OFFSET 1", [TWO]),
        ("ORDER BY Id LIMIT 0", []),
    ],
)
def test_rows_are_ordered_and_cut(org: OrgStore, tail: str, expected: list[str]) -> None:
    assert [row["Id"] for row in records(org, f"SELECT Id FROM Contact {tail}")] == expected


def test_rows_are_counted_and_grouped(org: OrgStore) -> None:
    assert len(run("SELECT COUNT() FROM Contact", org.session(BASE)).rows) == 3
    assert records(org, "SELECT COUNT(AccountId), MAX(Lead_Score__c) top FROM Contact") == [
        {"attributes": {"type": "AggregateResult"}, "expr0": 2, "top": 7}
    ]
    grouped = "SELECT HasOptedOutOfEmail, COUNT(Id) n FROM Contact GROUP BY HasOptedOutOfEmail HAVING COUNT(Id) > 1"
    assert records(org, grouped) == [{"attributes": {"type": "AggregateResult"}, "HasOptedOutOfEmail": False, "n": 2}]


@pytest.mark.parametrize(
    ("statement", "code", "words"),
    [
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "Row:1:Column:29\nunexpected token: '<EOF>'"),
        ("SELECT FROM Contact", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT * FROM Contact", "MALFORMED_QUERY", "'*'"),
        ("SELECT Id Contact", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Contact WHERE Id = 'a' AND Id = 'b' OR Id = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Contact WHERE Email != null AND NOT Email = 'a'", "MALFORMED_QUERY", "'NOT'"),
        ("SELECT Id FROM Contact WHERE Email = 'a", "MALFORMED_QUERY", "expecting '''"),
        (r"SELECT Id FROM Contact WHERE Email = 'a\q'", "MALFORMED_QUERY", r"Illegal character sequence '\q'"),
        ('SELECT Id FROM Contact WHERE Email = "a"', "MALFORMED_QUERY", "at character '\"'"),
        ("SELECT Id FROM Contact WHERE Email = o'hara", "MALFORMED_QUERY", "expecting '''"),
        ("SELECT Id FROM Contact WHERE Email = Phone", "MALFORMED_QUERY", "unexpected token: 'Phone'"),
        ("SELECT Id FROM Contact WHERE Email = 'a' -- x", "MALFORMED_QUERY", "unexpected token: '-'"),
        ("SELECT Id FROM Contact ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context"),
        ("SELECT Id FROM Contact; DELETE", "MALFORMED_QUERY", "';'"),
        ("SELECT Foo FROM Contact", "INVALID_FIELD", "Row:1:Column:8\nNo such column 'Foo' on entity 'Contact'"),
        ("SELECT Id,\n Foo FROM Contact", "INVALID_FIELD", "Row:2:Column:2"),
        ("SELECT Foo.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Foo'"),
        ("SELECT Account.Foo FROM Contact", "INVALID_FIELD", "No such column 'Foo' on entity 'Account'"),
        ("SELECT Id, ID FROM Contact", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id x FROM Contact", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Id FROM Kontact", "INVALID_TYPE", "sObject type 'Kontact' is not supported"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "'Description' can not be filtered"),
        ("SELECT Id FROM Contact ORDER BY Description", "MALFORMED_QUERY", "'Description' can not be sorted"),
        ("SELECT Id FROM Contact WHERE CreatedDate < '2021-01-01'", "INVALID_FIELD", "dateTime and should not be"),
        ("SELECT Id FROM Contact WHERE CreatedDate < 2021-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Contact WHERE CreatedDate < 2021-01-01T00:00:00", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Contact WHERE CreatedDate < 2021-02-30T00:00:00Z", "MALFORMED_QUERY", "invalid date"),
        ("SELECT Id FROM Contact WHERE Collected_On__c < 2021-01-01T00:00:00Z", "INVALID_FIELD", "of type date and"),
        ("SELECT Id FROM Contact WHERE Email = 5", "INVALID_FIELD", "of type string and should be enclosed"),
        ("SELECT Id FROM Contact WHERE DoNotCall = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Contact WHERE Lead_Score__c = '7'", "INVALID_FIELD", "must be of type double"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Contact WHERE CreatedDate LIKE '2%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        (
            "SELECT Id FROM Contact WHERE DoNotCall = true OR Id IN (SELECT ContactId FROM Case)",
            "MALFORMED_QUERY",
            "only allowed at the top level",
        ),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT Id FROM Contact)", "MALFORMED_QUERY", "the same object type"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT Subject FROM Case)", "MALFORMED_QUERY", "only query id fields"),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT ContactId FROM Case LIMIT 1)", "MALFORMED_QUERY", "WHERE clause"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT AccountId, COUNT(Id) FROM Contact", "MALFORMED_QUERY", "must be grouped or aggregated: AccountId"),
        (f"SELECT Id FROM Contact WHERE Email = '{'x' * 4001}'", "MALFORMED_QUERY", "4000"),
        (f"SELECT Id FROM Contact WHERE Email = '{'x' * 100_000}'", "MALFORMED_QUERY", "100000"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else None,
)
def test_a_wrong_statement_is_refused_in_the_services_words(
    org: OrgStore, statement: str, code: str, words: str
) -> None:
    error = refused(org, statement)
    assert (error.status, error.code) == (400, code)
    assert words in error.message


def test_a_hidden_field_does_not_exist_for_the_caller(org: OrgStore) -> None:
    org.set_switches({"hidden_fields": ["Contact.HasOptedOutOfEmail"]})
    assert "No such column" in refused(org, "SELECT HasOptedOutOfEmail FROM Contact").message
    assert refused(org, "SELECT Id FROM Contact WHERE HasOptedOutOfEmail = true").code == "INVALID_FIELD"


def test_an_object_without_rights_is_unknown_and_an_unshared_one_is_empty(org: OrgStore) -> None:
    org.set_switches({"hidden_objects": ["Case"], "unshared_objects": ["Contact"]})
    assert refused(org, "SELECT Id FROM Case").code == "INVALID_TYPE"
    assert records(org, "SELECT Id FROM Contact") == []
    assert org.count("Contact") == 3


@pytest.mark.parametrize(
    ("name", "count", "first", "after"),
    [
        ("TODAY", None, "2026-11-23", "2026-11-24"),
        ("YESTERDAY", None, "2026-11-22", "2026-11-23"),
        ("THIS_WEEK", None, "2026-11-22", "2026-11-29"),
        ("LAST_WEEK", None, "2026-11-15", "2026-11-22"),
        ("LAST_MONTH", None, "2026-10-01", "2026-11-01"),
        ("NEXT_QUARTER", None, "2027-01-01", "2027-04-01"),
        ("LAST_90_DAYS", None, "2026-08-25", "2026-11-24"),
        ("LAST_N_DAYS", 1, "2026-11-22", "2026-11-24"),
        ("NEXT_N_DAYS", 2, "2026-11-24", "2026-11-26"),
        ("LAST_N_YEARS", 5, "2021-01-01", "2026-01-01"),
        ("N_YEARS_AGO", 5, "2021-01-01", "2022-01-01"),
        ("LAST_N_FISCAL_QUARTERS", 1, "2026-07-01", "2026-10-01"),
    ],
)
def test_a_named_span_covers_these_days(name: str, count: int | None, first: str, after: str) -> None:
    found = ranges.days(name, count, date(2026, 11, 23))
    assert found == (date.fromisoformat(first), date.fromisoformat(after))


def test_a_span_of_an_instant_follows_the_users_time_zone(org: OrgStore) -> None:
    org.set_switches({"time_zone": "Asia/Tokyo"})
    # 23:30 in UTC is the next morning in Tokyo.
    assert ids(org, "CreatedDate = N_YEARS_AGO:5") == [THREE]
    assert ids(org, "CreatedDate = N_DAYS_AGO:1826") == [THREE]
    org.set_switches({"time_zone": "UTC"})
    assert ids(org, "CreatedDate = N_DAYS_AGO:1826") == []
    assert ids(org, "CreatedDate = N_DAYS_AGO:1827") == [THREE]
