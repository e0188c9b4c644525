"""Are contacts and deals listed, read, created and changed as HubSpot does it?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.hubspot_calls import ANN, BO, CONTACTS, CY, DI, NOBODY, OPEN, WON, Hub, many

DEALS = "/crm/v3/objects/deals"


@pytest.fixture
def hub() -> Hub:
    return Hub()


# --- Lists ---


def test_a_list_goes_through_everybody_by_id_and_is_not_stopped_at_ten_thousand() -> None:
    hub = Hub(many(250))
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 100}
    while True:
        page = hub.get(CONTACTS, **query)
        seen += [row["id"] for row in page["results"]]
        if "paging" not in page:
            break
        query["after"] = page["paging"]["next"]["after"]
        assert query["after"] == str(int(seen[-1]) + 1)
        assert page["paging"]["next"]["link"] == f"http://api.example{CONTACTS}?limit=100&after={query['after']}"
    assert seen == [str(1000 + number) for number in range(250)]


def test_a_list_shows_ten_unless_asked_and_at_most_a_hundred_or_fifty_with_history() -> None:
    hub = Hub(many(120))
    assert len(hub.get(CONTACTS)["results"]) == 10
    assert len(hub.get(CONTACTS, limit=100)["results"]) == 100
    assert hub.call("GET", CONTACTS, limit=101).status_code == 400
    assert len(hub.get(CONTACTS, limit=50, propertiesWithHistory="email")["results"]) == 50
    assert hub.call("GET", CONTACTS, limit=51, propertiesWithHistory="email").status_code == 400


def test_a_list_shows_live_or_archived_contacts_never_both(hub: Hub) -> None:
    hub.call("DELETE", f"{CONTACTS}/{BO}")
    assert [row["id"] for row in hub.get(CONTACTS)["results"]] == [ANN, CY, DI]
    (row,) = hub.get(CONTACTS, archived="true")["results"]
    assert (row["id"], row["archived"], row["archivedAt"]) == (BO, True, row["updatedAt"])


def test_without_properties_the_usual_ones_are_shown(hub: Hub) -> None:
    contact, deal = hub.get(CONTACTS, limit=1)["results"][0], hub.get(DEALS, limit=1)["results"][0]
    assert sorted(contact["properties"]) == [
        *("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
    ]
    assert contact["properties"]["lastname"] is None
    assert sorted(deal["properties"]) == [
        *("amount", "closedate", "createdate", "dealname", "dealstage"),
        *("hs_lastmodifieddate", "hs_object_id", "pipeline"),
    ]


def test_links_are_shown_where_there_are_any(hub: Hub) -> None:
    ann, bo, *_ = hub.get(CONTACTS, associations="deals")["results"]
    deals = [{"id": WON, "type": "contact_to_deal"}, {"id": OPEN, "type": "contact_to_deal"}]
    assert ann["associations"] == {"deals": {"results": deals}}
    assert "associations" not in bo


# --- One record ---


def test_a_contact_is_read_by_id_or_by_any_of_its_addresses(hub: Hub) -> None:
    assert hub.get(f"{CONTACTS}/{BO}")["id"] == BO
    assert hub.get(f"{CONTACTS}/bo@example.org", idProperty="email")["id"] == BO
    assert hub.get(f"{CONTACTS}/BO.Second@example.org", idProperty="email")["id"] == BO
    assert hub.get(f"/crm/v3/objects/0-1/{BO}")["id"] == BO
    assert hub.get(f"{CONTACTS}/di%2Bnews@example.com", idProperty="email")["id"] == DI


@pytest.mark.parametrize("key", [NOBODY, "nobody@example.com", BO], ids=["unknown", "unknown address", "archived"])
def test_what_is_not_there_is_answered_with_a_page(hub: Hub, key: str) -> None:
    hub.call("DELETE", f"{CONTACTS}/{BO}")
    answer = hub.call("GET", f"{CONTACTS}/{key}", **({"idProperty": "email"} if "@" in key else {}))
    assert answer.status_code == 404
    assert answer.headers["x-hubspot-notfound"] == "true"
    assert answer.headers["content-type"].startswith("text/html")
    assert "<html>" in answer.text


def test_the_page_can_be_switched_to_json(hub: Hub) -> None:
    hub.switch(not_found_page=False)
    assert hub.call("GET", f"{CONTACTS}/{NOBODY}").json()["category"] == "OBJECT_NOT_FOUND"


def test_an_unknown_object_type_is_refused(hub: Hub) -> None:
    answer = hub.call("GET", "/crm/v3/objects/spaceships")
    assert (answer.status_code, answer.json()["message"]) == (400, "Unable to infer object type from: spaceships")


def test_a_new_contact_has_a_new_id_lower_case_address_and_dates(hub: Hub) -> None:
    made = hub.post(CONTACTS, {"properties": {"email": " New@Example.COM ", "lead_score": 3}}, status=201)
    assert int(made["id"]) > 30_000_000
    assert made["properties"]["email"] == "new@example.com"
    assert made["properties"]["lead_score"] == "3"
    assert made["createdAt"] == made["updatedAt"] == made["properties"]["createdate"]
    assert made["createdAt"].startswith("2026-11-23T12:")
    assert hub.there(made["id"]) == [made["id"]]


@pytest.mark.parametrize("address", ["ann@example.com", "ANN@EXAMPLE.COM", "bo.second@example.org"])
def test_an_address_belongs_to_one_contact_and_the_refusal_names_it(hub: Hub, address: str) -> None:
    error = hub.post(CONTACTS, {"properties": {"email": address}}, status=409)
    owner = BO if address.startswith("bo") else ANN
    assert (error["category"], error["message"]) == ("CONFLICT", f"Contact already exists. Existing ID: {owner}")
    assert hub.call("PATCH", f"{CONTACTS}/{CY}", {"properties": {"email": address}}).status_code == 409


def test_a_change_moves_the_modification_time_and_shows_only_some_properties(hub: Hub) -> None:
    before = hub.get(f"{CONTACTS}/{ANN}")
    answer = hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"city": "Hull"}}).json()
    assert answer["properties"]["city"] == "Hull"
    assert "email" not in answer["properties"]
    assert answer["updatedAt"] > before["updatedAt"]
    assert answer["properties"]["lastmodifieddate"] == answer["updatedAt"]
    again = hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"city": "Hull"}}).json()
    assert again["updatedAt"] > answer["updatedAt"]


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_value_clears_but_the_history_keeps_what_was_there(hub: Hub, empty: str | None) -> None:
    hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"interests": "Tulips"}})
    hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"interests": empty}})
    assert hub.properties(ANN, "interests")["interests"] is None
    row = hub.get(f"{CONTACTS}/{ANN}", propertiesWithHistory="interests,phone")
    versions = row["propertiesWithHistory"]["interests"]
    assert [(one["value"], one["sourceType"]) for one in versions] == [
        ("", "INTEGRATION"),
        ("Tulips", "INTEGRATION"),
        ("Roses", "FORM"),
    ]
    assert versions[2]["timestamp"] == row["createdAt"]
    assert row["propertiesWithHistory"]["phone"] == []


INVALID = {
    "an unknown property": ({"nickname": "Annie"}, "PROPERTY_DOESNT_EXIST"),
    "the opt-out": ({"hs_email_optout": "true"}, "READ_ONLY_VALUE"),
    "the opt-out of one kind": ({"hs_email_optout_448994476": "true"}, "READ_ONLY_VALUE"),
    "the creation date": ({"createdate": "2020-01-01"}, "READ_ONLY_VALUE"),
    "the number of deals": ({"num_associated_deals": "0"}, "READ_ONLY_VALUE"),
    "second addresses": ({"hs_additional_emails": ""}, "READ_ONLY_VALUE"),
    "an address that is none": ({"email": "ann at example"}, "INVALID_EMAIL"),
    "a number that is none": ({"lead_score": "lots"}, "INVALID_DOUBLE"),
    "a day that is none": ({"collected_on": "2023-02-30"}, "INVALID_DATE"),
    "a day with a time": ({"collected_on": "1719741600000"}, "INVALID_DATE"),
    "neither true nor false": ({"processing_restricted": "yes"}, "INVALID_OPTION"),
    "a value that is not offered": ({"lifecyclestage": "friend"}, "INVALID_OPTION"),
}


@pytest.mark.parametrize("what", INVALID)
def test_a_write_refuses_and_changes_nothing(hub: Hub, what: str) -> None:
    values, code = INVALID[what]
    before = hub.control("GET", "state")
    answer = hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"city": "Hull", **values}})
    assert answer.status_code == 400
    error = answer.json()
    assert error["category"] == "VALIDATION_ERROR"
    assert error["errors"][0]["code"] == code
    assert error["errors"][0]["context"] == {"propertyName": list(values)}
    prefix, _, listed = error["message"].partition(": ")
    assert prefix == "Property values were not valid"
    assert [(one["name"], one["error"], one["isValid"]) for one in json.loads(listed)] == [(*values, code, False)]
    assert hub.control("GET", "state") == before


def test_days_are_stored_as_days_however_they_are_sent(hub: Hub) -> None:
    for sent in ("2024-06-30", "1719705600000", 1719705600000):
        hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"collected_on": sent}})
        assert hub.properties(ANN, "collected_on")["collected_on"] == "2024-06-30"


def test_a_body_must_be_json_and_say_so(hub: Hub) -> None:
    headers = {"Authorization": f"Bearer {hub.token}"}
    for body, kind, status in ((b"{", "application/json", 400), (b"[]", "application/json", 400), (b"a=b", "", 415)):
        answer = hub.send("POST", CONTACTS, content=body, headers=headers | {"Content-Type": kind})
        assert (answer.status_code, answer.json()["status"]) == (status, "error")


def test_a_method_that_a_path_does_not_know_is_refused(hub: Hub) -> None:
    answer = hub.call("PUT", f"{CONTACTS}/{ANN}", {})
    assert (answer.status_code, answer.json()["status"]) == (405, "error")


# --- Links ---


def test_a_batch_of_links_says_who_has_none(hub: Hub) -> None:
    path = "/crm/v4/associations/contacts/deals/batch/read"
    batch = hub.post(path, {"inputs": [{"id": ANN}, {"id": BO}]}, status=207)
    (ann,) = batch["results"]
    assert ann["from"] == {"id": ANN}
    kinds = [{"category": "HUBSPOT_DEFINED", "typeId": 4, "label": None}]
    assert ann["to"] == [{"toObjectId": int(key), "associationTypes": kinds} for key in (WON, OPEN)]
    (error,) = batch["errors"]
    assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert error["message"] == f"No deal is associated with contact {BO}."
    assert error["context"] == {"fromObjectId": [BO], "fromObjectType": ["contact"], "toObjectType": ["deal"]}
    assert len(hub.post(path, {"inputs": [{"id": ANN}] * 1_000})["results"]) == 1_000
    hub.post(path, {"inputs": [{"id": ANN}] * 1_001}, status=400)


def test_links_are_paged(hub: Hub) -> None:
    path = f"/crm/v4/objects/contacts/{ANN}/associations/deals"
    first = hub.get(path, limit=1)
    assert [one["toObjectId"] for one in first["results"]] == [int(WON)]
    rest = hub.get(path, limit=1, after=first["paging"]["next"]["after"])
    assert [one["toObjectId"] for one in rest["results"]] == [int(OPEN)]
    assert "paging" not in rest
    assert hub.get(f"/crm/v4/objects/deal/{WON}/associations/contact")["results"][0]["toObjectId"] == int(ANN)


def test_linking_and_unlinking_count_the_deals_and_move_the_modification_time(hub: Hub) -> None:
    before = hub.properties(BO, "lastmodifieddate")["lastmodifieddate"]
    answer = hub.call("PUT", f"/crm/v4/objects/contacts/{BO}/associations/default/deals/{WON}")
    assert answer.json()["results"][0]["associationSpec"]["associationTypeId"] == 4
    shown = hub.properties(BO, "num_associated_deals", "lastmodifieddate")
    assert shown["num_associated_deals"] == "1"
    assert shown["lastmodifieddate"] > before
    assert hub.call("DELETE", f"/crm/v4/objects/contacts/{BO}/associations/deals/{WON}").status_code == 204
    assert hub.properties(BO, "num_associated_deals")["num_associated_deals"] is None


def test_an_archived_deal_is_no_link_any_more(hub: Hub) -> None:
    hub.call("DELETE", f"{DEALS}/{WON}")
    results = hub.get(f"/crm/v4/objects/contacts/{ANN}/associations/deals")["results"]
    assert [one["toObjectId"] for one in results] == [int(OPEN)]
    assert hub.properties(ANN, "num_associated_deals")["num_associated_deals"] == "1"


# --- Definitions ---


def test_a_custom_property_is_made_once_written_and_archived(hub: Hub) -> None:
    path = "/crm/v3/properties/contacts"
    asked = {"name": "restricted_on", "label": "Restricted on", "type": "date", "fieldType": "date", "groupName": "own"}
    made = hub.post(path, asked, status=201)
    assert (made["name"], made["hubspotDefined"], made["modificationMetadata"]["readOnlyValue"]) == (
        *("restricted_on", False, False),
    )
    error = hub.post(path, asked, status=409)
    assert (error["category"], error["status"]) == ("OBJECT_ALREADY_EXISTS", "error")
    hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"restricted_on": "2026-11-23"}})
    assert hub.properties(ANN, "restricted_on")["restricted_on"] == "2026-11-23"
    assert hub.call("DELETE", f"{path}/restricted_on").status_code == 204
    assert "restricted_on" not in hub.properties(ANN, "restricted_on")
    assert hub.call("GET", f"{path}/restricted_on").status_code == 404


def test_definitions_say_what_cannot_be_written(hub: Hub) -> None:
    known = {one["name"]: one for one in hub.get("/crm/v3/properties/contacts")["results"]}
    read_only = {name for name, one in known.items() if one["modificationMetadata"]["readOnlyValue"]}
    assert {"hs_email_optout", "createdate", "lastmodifieddate", "num_associated_deals"} <= read_only
    assert not {"email", "collected_on", "processing_restricted", "hs_legal_basis"} & read_only
    assert known["processing_restricted"]["type"] == "bool"
    assert hub.call("DELETE", "/crm/v3/properties/contacts/email").status_code == 400


@pytest.mark.parametrize("lacking", ["name", "label", "type", "fieldType", "groupName"])
def test_a_property_needs_name_label_type_field_type_and_group(hub: Hub, lacking: str) -> None:
    asked = {"name": "x", "label": "X", "type": "string", "fieldType": "text", "groupName": "own"}
    del asked[lacking]
    hub.post("/crm/v3/properties/contacts", asked, status=400)
