"""What becomes of people in the emulated org when they are merged, matched by value, or asked for their consent?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sandbox.salesforce.consent import PEOPLE
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.merging import merge
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.store import OrgStore
from tests.sandbox.conftest import Running
from tests.sandbox.salesforce_calls import VERSION, call

ANN, BO, CASED, BINNED = (f"0030100000000{number:02d}AAA" for number in (1, 2, 3, 4))
CASE, ROLE = "500010000000001AAA", "00K010000000001EAA"
PARTNER = "{urn:partner.soap.sforce.com}"


def contact(org: OrgStore) -> SObject:
    found = org.schema.get("Contact")
    assert found is not None
    return found


def stored(org: OrgStore, sobject: str, record_id: str) -> dict[str, Any]:
    found = org.stored(sobject, record_id)
    assert found is not None
    return found


def soap(emulator: Running, body: str) -> ElementTree.Element:
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><e:Header>'
        f"<SessionHeader><sessionId>{emulator.credentials['token']}</sessionId></SessionHeader></e:Header>"
        f"<e:Body>{body}</e:Body></e:Envelope>"
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    answer = emulator.request("POST", f"/services/Soap/u/{VERSION}", data=envelope, headers=headers)
    return ElementTree.fromstring(answer.content)  # noqa: S314 - our own emulator's answer


# --- Merging ---


def test_trap_6_the_loser_of_a_merge_lies_in_the_bin_and_names_the_row_that_took_over(org: OrgStore) -> None:
    moved = merge(org, contact(org), BO, {"Title": "Buyer"}, [ANN, CASED])
    assert {CASE, ROLE} <= set(moved)
    assert [stored(org, "Contact", one)["MasterRecordId"] for one in (ANN, CASED)] == [BO, BO]
    assert [stored(org, "Contact", one)["IsDeleted"] for one in (ANN, CASED, BO)] == [True, True, False]
    assert stored(org, "Contact", BO)["Title"] == "Buyer"
    assert stored(org, "Case", CASE)["ContactId"] == stored(org, "OpportunityContactRole", ROLE)["ContactId"] == BO


def test_the_bin_forgets_the_loser_of_a_merge_after_fifteen_days_and_not_before(org: OrgStore) -> None:
    merge(org, contact(org), BO, {}, [ANN])
    org.set_clock(org.now() + timedelta(days=14, hours=23))
    assert ANN in {row["Id"] for row in org.state()["objects"]["Contact"]}
    org.set_clock(org.now() + timedelta(hours=1))
    assert ANN not in {row["Id"] for row in org.state()["objects"]["Contact"]}


@pytest.mark.parametrize(("keeps", "created"), [(False, "2021-11-22T23:30"), (True, "2020-05-01T09:30")])
def test_trap_6_whether_a_merge_keeps_the_oldest_creation_is_a_switch(org: OrgStore, keeps: bool, created: str) -> None:
    org.set_switches({"merge_keeps_oldest_creation": keeps})
    merge(org, contact(org), CASED, {}, [ANN])
    assert stored(org, "Contact", CASED)["CreatedDate"][:16] == created


@pytest.mark.parametrize(
    ("losers", "code"),
    [
        ([], "INVALID_NUMBER_FIELD"),
        ([BO], "INVALID_NUMBER_FIELD"),
        ([ANN, CASED, BINNED], "INVALID_NUMBER_FIELD"),
        ([ANN, BINNED], "ENTITY_IS_DELETED"),
    ],
)
def test_a_merge_that_cannot_be_done_changes_nothing(org: OrgStore, losers: list[str], code: str) -> None:
    before = org.state()
    with pytest.raises(ApiError) as caught:
        merge(org, contact(org), BO, {"Title": "Buyer"}, losers)
    assert caught.value.code == code
    assert org.state() == before


def test_a_merge_by_soap_tells_what_was_merged_and_what_moved(emulator: Running, sf: Salesforce) -> None:
    master, loser = (sf.Contact.create({"LastName": name})["id"] for name in ("Stays", "Goes"))
    case = sf.Case.create({"Subject": "Question", "ContactId": loser})["id"]
    request = (
        '<merge><request><masterRecord xmlns:s="urn:sobject.partner.soap.sforce.com"><s:type>Contact</s:type>'
        f"<s:Id>{master}</s:Id><s:Title>Buyer</s:Title></masterRecord><recordToMergeIds>{loser}</recordToMergeIds>"
        "</request></merge>"
    )
    (result,) = soap(emulator, request).iter(f"{PARTNER}result")
    told = {name: result.findtext(f"{PARTNER}{name}") for name in ("id", "success", "mergedRecordIds")}
    assert told == {"id": master, "success": "true", "mergedRecordIds": loser}
    assert case in [one.text for one in result.findall(f"{PARTNER}updatedRelatedIds")]
    (again,) = soap(emulator, request).iter(f"{PARTNER}result")
    assert again.findtext(f"{PARTNER}errors/{PARTNER}statusCode") == "ENTITY_IS_DELETED"
    query = f"SELECT IsDeleted, MasterRecordId FROM Contact WHERE Id = '{loser}'"
    (seen,) = sf.query(query, include_deleted=True)["records"]
    assert (seen["IsDeleted"], seen["MasterRecordId"]) == (True, master)
    assert sf.query(query)["totalSize"] == 0


# --- Upsert in sets ---


def test_an_upsert_in_sets_changes_what_its_key_finds_and_creates_the_rest(emulator: Running, sf: Salesforce) -> None:
    known = sf.Contact.create({"LastName": "Known", "Email": "known@example.com"})["id"]
    for _ in range(2):
        sf.Contact.create({"LastName": "Twin", "Email": "twins@example.com"})
    records = [
        {"attributes": {"type": "Contact"}, "LastName": "Given", "Email": email}
        for email in ("KNOWN@example.com", "new@example.com", "twins@example.com", None)
    ]
    answer = call(emulator, "PATCH", "composite/sobjects/Contact/Email", json={"records": records})
    told = [(one["success"], one["created"], [e["statusCode"] for e in one["errors"]]) for one in answer.json()]
    assert told == [
        (True, False, []),
        (True, True, []),
        (False, False, ["DUPLICATE_EXTERNAL_ID"]),
        (False, False, ["MISSING_ARGUMENT"]),
    ]
    assert answer.json()[0]["id"] == known
    assert sf.Contact.get(known)["LastName"] == "Given"
    assert call(emulator, "PATCH", "composite/sobjects/Contact/Title", json={"records": records}).status_code == 404


# --- Consent ---


def test_trap_6_the_most_restrictive_consent_of_all_rows_of_a_person_wins(emulator: Running, sf: Salesforce) -> None:
    individual = sf.Individual.create({"LastName": "Example", "HasOptedOutProcessing": True})["id"]
    known = {"LastName": "Example", "Email": "twice@example.com"}
    person = sf.Contact.create({**known, "IndividualId": individual})["id"]

    def may(action: str, who: str) -> str:
        told = call(emulator, "GET", f"consent/action/{action}", params={"ids": who}).json()[who]
        assert told["result"] == told["proceed"][f"{action}Result"] == "Success"
        return str(told["proceed"][action])

    assert [may("email", person), may("process", person), may("track", person)] == ["true", "false", "true"]
    sf.Lead.create({**known, "Company": "Example Ltd", "HasOptedOutOfEmail": True})
    assert [may("email", "twice@example.com"), may("email", person)] == ["false", "true"]
    consent = {"Name": "Mail", "PartyId": individual, "ContactPointType": "Email", "PrivacyConsentStatus": "OptOut"}
    sf.ContactPointTypeConsent.create({**consent, "EffectiveTo": "2026-01-01T00:00:00Z"})
    assert may("email", person) == "true"
    sf.ContactPointTypeConsent.create(consent)
    assert may("email", person) == "false"
    assert may("email", "nobody@example.com") == "false"


def test_consent_is_told_to_nobody_without_the_permission(emulator: Running) -> None:
    emulator.control("POST", "switches", privacy_permission=False)
    refused = call(emulator, "GET", "consent/action/email", params={"ids": "somebody@example.com"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
    emulator.control("POST", "switches", privacy_permission=True)
    assert call(emulator, "GET", "consent/action/tea", params={"ids": "somebody@example.com"}).status_code == 400
    assert call(emulator, "GET", "consent/action/email").status_code == 400


# --- Dates and flags ---


def test_trap_6_a_creation_may_be_back_dated_on_insert_with_the_permission_and_never_afterwards(
    emulator: Running, sf: Salesforce
) -> None:
    given = {"LastName": "Example", "CreatedDate": "2019-03-01T08:00:00Z"}
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Contact.create(given)
    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    emulator.control("POST", "switches", set_audit_fields=True)
    made = sf.Contact.create(given)["id"]
    assert sf.Contact.get(made)["CreatedDate"] == "2019-03-01T08:00:00.000+0000"
    with pytest.raises(SalesforceMalformedRequest):
        sf.Contact.update(made, {"CreatedDate": "2018-01-01T00:00:00Z"})


def test_trap_6_any_write_moves_the_stamps_and_not_the_creation(org: OrgStore) -> None:
    before = dict(stored(org, "Contact", BO))
    org.update(contact(org), BO, {"Title": "Buyer"})
    after = stored(org, "Contact", BO)
    assert after["CreatedDate"] == before["CreatedDate"]
    assert after["LastModifiedDate"] == after["SystemModstamp"] == "2026-11-23T12:00:00.000+0000"
    assert before["SystemModstamp"] == "2021-01-01T00:00:00.000+0000"


def test_trap_6_an_individual_that_should_be_forgotten_is_only_marked_and_outlives_its_contact(sf: Salesforce) -> None:
    individual = sf.Individual.create({"LastName": "Example", "ShouldForget": True})["id"]
    person = sf.Contact.create({"LastName": "Example", "IndividualId": individual})["id"]
    assert sf.Contact.get(person)["IsDeleted"] is False
    sf.Contact.delete(person)
    kept = sf.Individual.get(individual)
    assert (kept["LastName"], kept["IsDeleted"], kept["ShouldForget"]) == ("Example", False, True)


def test_trap_6_the_same_address_may_stand_on_several_people(sf: Salesforce) -> None:
    known = {"LastName": "Example", "Email": "shared@example.com"}
    sf.Contact.create(known)
    sf.Contact.create(known)
    sf.Lead.create({**known, "Company": "Example Ltd"})
    count = [sf.query(f"SELECT Id FROM {name} WHERE Email = 'shared@example.com'")["totalSize"] for name in PEOPLE]
    assert count == [2, 1]
