"""What does the emulated org do when rows are written, deleted and forgotten?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.ids import checksum, long_id, made_id
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.store import OrgStore

ACCOUNT, ANN, BO, CASED = "001010000000001AAA", "003010000000001AAA", "003010000000002AAA", "003010000000003AAA"
ROLE, CASE, SALE, BINNED = "00K010000000001EAA", "500010000000001AAA", "006010000000001AAA", "003010000000004AAA"


def contact(org: OrgStore) -> SObject:
    found = org.schema.get("contact")
    assert found is not None
    return found


def row(org: OrgStore, sobject: str, record_id: str) -> dict[str, Any]:
    found = org.stored(sobject, record_id)
    assert found is not None
    return found


def refused(work: Any, *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        work(*arguments)
    return caught.value


def test_a_delete_moves_the_row_and_its_roles_to_the_bin_and_unlinks_the_sale(org: OrgStore) -> None:
    assert org.delete(contact(org), ANN) == [ANN, ROLE]
    assert row(org, "Contact", ANN)["IsDeleted"] is True
    assert row(org, "OpportunityContactRole", ROLE)["IsDeleted"] is True
    assert row(org, "Opportunity", SALE)["IsDeleted"] is False
    assert row(org, "Opportunity", SALE)["ContactId"] is None
    assert row(org, "Contact", ANN)["SystemModstamp"] == "2026-11-23T12:00:00.000+0000"
    assert ANN in org.state()["bin"]


@pytest.mark.parametrize("way", ["delete", "hard_delete"])
def test_a_case_blocks_the_delete_of_its_contact_and_names_itself(org: OrgStore, way: str) -> None:
    before = org.state()
    error = refused(getattr(org, way), contact(org), CASED)
    assert (error.status, error.code) == (400, "DELETE_FAILED")
    assert error.message.endswith("associated with the following cases.: 00001026\n")
    assert org.state() == before


def test_a_case_in_the_bin_blocks_nothing(org: OrgStore) -> None:
    case = org.schema.get("Case")
    assert case is not None
    org.delete(case, CASE)
    assert org.delete(contact(org), CASED) == [CASED]


@pytest.mark.parametrize("lookup", ["BillToContactId", "ShipToContactId", "CustomerAuthorizedById"])
def test_an_order_blocks_the_delete_through_each_of_its_contacts(org: OrgStore, lookup: str) -> None:
    order = org.schema.get("Order")
    assert order is not None
    org.create(order, {"AccountId": ACCOUNT, "EffectiveDate": "2026-01-01", "Status": "Draft", lookup: BO})
    assert refused(org.delete, contact(org), BO).code == "DELETE_FAILED"


def test_an_account_takes_contacts_sales_and_roles_along(org: OrgStore) -> None:
    account = org.schema.get("Account")
    assert account is not None
    assert sorted(org.delete(account, ACCOUNT)) == sorted([ACCOUNT, ANN, SALE, ROLE])


def test_a_restriction_below_a_cascade_stops_the_whole_delete(org: OrgStore) -> None:
    account = org.schema.get("Account")
    assert account is not None
    assert refused(org.delete, account, "001010000000002AAA").code == "DELETE_FAILED"
    assert row(org, "Contact", CASED)["IsDeleted"] is False


def test_a_hard_delete_leaves_nothing_of_the_row_and_what_cascades(org: OrgStore) -> None:
    org.hard_delete(contact(org), ANN)
    assert org.stored("Contact", ANN) is None
    assert org.stored("OpportunityContactRole", ROLE) is None
    assert row(org, "Opportunity", SALE)["ContactId"] is None
    assert ANN not in org.state()["bin"]
    assert refused(org.hard_delete, contact(org), ANN).code == "ENTITY_IS_DELETED"


def test_a_row_in_the_bin_can_be_hard_deleted_unless_switched_off(org: OrgStore) -> None:
    org.set_switches({"hard_delete_of_binned": False})
    assert refused(org.hard_delete, contact(org), BINNED).code == "ENTITY_IS_DELETED"
    org.set_switches({"hard_delete_of_binned": True})
    org.hard_delete(contact(org), BINNED)
    assert org.stored("Contact", BINNED) is None


def test_the_bin_forgets_after_fifteen_days_and_not_before(org: OrgStore) -> None:
    org.delete(contact(org), BO)
    start = org.now()
    org.set_clock(start + timedelta(days=14, hours=23))
    org.expire()
    assert org.stored("Contact", BO) is not None
    org.set_clock(start + timedelta(days=15, seconds=1))
    assert org.state()["bin"] == {}
    assert org.stored("Contact", BO) is None


def test_an_update_moves_the_stamps_and_keeps_the_creation(org: OrgStore) -> None:
    org.update(contact(org), BO, {"firstname": "Bob", "Lead_Score__c": None, "Email": " bob@example.org "})
    changed = row(org, "Contact", BO)
    assert (changed["Name"], changed["Email"], changed["Lead_Score__c"]) == ("Bob Example2", "bob@example.org", None)
    assert changed["LastModifiedDate"] == changed["SystemModstamp"] == "2026-11-23T12:00:00.000+0000"
    assert changed["CreatedDate"] == "2020-05-01T09:30:00.000+0000"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Foo": 1}, "INVALID_FIELD"),
        ({"CreatedDate": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"LastName": ""}, "REQUIRED_FIELD_MISSING"),
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG"),
        ({"Email": "no address"}, "INVALID_EMAIL_ADDRESS"),
        ({"DoNotCall": "maybe"}, "JSON_PARSER_ERROR"),
        ({"DoNotCall": None}, "JSON_PARSER_ERROR"),
        ({"Collected_On__c": "yesterday"}, "JSON_PARSER_ERROR"),
        ({"Lead_Score__c": "many"}, "JSON_PARSER_ERROR"),
        ({"AccountId": "nonsense"}, "MALFORMED_ID"),
        ({"AccountId": "001010000000009AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"AccountId": BO}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"ReportsToId": BINNED}, "ENTITY_IS_DELETED"),
    ],
)
def test_a_value_the_field_cannot_hold_is_refused_and_nothing_changes(
    org: OrgStore, given: dict[str, Any], code: str
) -> None:
    before = org.state()
    assert refused(org.update, contact(org), BO, given).code == code
    assert org.state() == before


@pytest.mark.parametrize(("record_id", "status", "code"), [
    (BINNED, 404, "ENTITY_IS_DELETED"),
    ("003010000000009AAA", 404, "NOT_FOUND"),
    (ACCOUNT, 400, "MALFORMED_ID"),
])  # fmt: skip
def test_a_row_that_is_not_there_can_neither_be_changed_nor_deleted(
    org: OrgStore, record_id: str, status: int, code: str
) -> None:
    for error in (refused(org.update, contact(org), record_id, {}), refused(org.delete, contact(org), record_id)):
        assert (error.status, error.code) == (status, code)


def test_a_converted_lead_is_not_updated_without_the_permission(org: OrgStore) -> None:
    lead = org.schema.get("Lead")
    assert lead is not None
    made = org.create(lead, {"LastName": "Example", "Company": "Example Ltd"})
    org.change("Lead", row(org, "Lead", made), {"IsConverted": True})
    assert refused(org.update, lead, made, {"Title": "x"}).code == "CANNOT_UPDATE_CONVERTED_LEAD"
    org.set_switches({"edit_converted_leads": True})
    org.update(lead, made, {"Title": "x"})
    assert row(org, "Lead", made)["Title"] == "x"


def test_a_transaction_can_take_everything_back(org: OrgStore) -> None:
    before = org.state()
    with org.transaction() as roll_back:
        org.update(contact(org), BO, {"FirstName": "Changed"})
        org.delete(contact(org), ANN)
        org.hard_delete(contact(org), BINNED)
        org.create(contact(org), {"LastName": "New", "AccountId": ACCOUNT})
        roll_back()
    assert org.state() == before
    assert org.delete(contact(org), ANN) == [ANN, ROLE]


def test_a_reset_gives_back_the_seed_the_switches_and_the_clock(org: OrgStore) -> None:
    before, noon = org.state(), org.now()
    org.hard_delete(contact(org), ANN)
    org.set_switches({"page_rows": 5})
    org.set_clock(noon + timedelta(days=400))
    org.reset()
    assert org.state() == before
    assert org.switches.page_rows == 2000
    assert org.now() - noon < timedelta(minutes=1)


@pytest.mark.parametrize("given", [{"nonsense": 1}, {"page_rows": "many"}, {"hidden_fields": "Contact.Email"}])
def test_an_unknown_switch_or_value_is_refused(org: OrgStore, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))):
        org.set_switches(given)


def test_short_and_long_ids_name_the_same_row() -> None:
    assert long_id("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert long_id("001D000000IqhSLIAZ") == "001D000000IqhSLIAZ"
    assert long_id("001d000000iqhsliaz") == "001D000000IqhSLIAZ"
    assert checksum("003010000000001") == "AAA"
    assert made_id("003", 62**7 - 1).startswith("0038d000zzzzzzz")


@pytest.mark.parametrize("text", ["", "003", "0030100000000019", "00301000000000-", "003010000000001BAA", "é" * 15])
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    assert long_id(text) is None
