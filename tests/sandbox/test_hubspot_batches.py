"""Does one call change or read up to a hundred contacts as HubSpot does it, whole or in part?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.hubspot_calls import ANN, BO, CONTACTS, CY, NOBODY, WON, Hub, many

ABSENT = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_a_batch_names_what_is_not_there_inside_a_207(hub: Hub) -> None:
    body = {"inputs": [{"id": ANN}, {"id": NOBODY}, {"id": "998"}], "properties": ["city"], "propertiesWithHistory": []}
    answer = hub.call("POST", f"{CONTACTS}/batch/read", body)
    assert answer.status_code == 207
    batch = answer.json()
    assert [row["properties"]["city"] for row in batch["results"]] == ["Leeds"]
    assert (batch["status"], batch["numErrors"]) == ("COMPLETE", 1)
    assert batch["errors"] == [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": ABSENT,
            "context": {"ids": [NOBODY, "998"]},
            "errors": [],
            "links": {},
        }
    ]
    hub.switch(lean_batch_errors=True)
    assert set(hub.call("POST", f"{CONTACTS}/batch/read", body).json()["errors"][0]) == {
        *("status", "category", "message", "context")
    }


def test_a_batch_is_read_by_address_as_well(hub: Hub) -> None:
    body = {"inputs": [{"id": "bo.second@example.org"}], "idProperty": "email", "properties": ["email"]}
    assert hub.post(f"{CONTACTS}/batch/read", body)["results"][0]["id"] == BO


def test_a_hundred_fit_into_a_batch_and_fifty_with_history() -> None:
    hub = Hub(many(101))
    keys = [{"id": str(1000 + number)} for number in range(101)]
    assert len(hub.post(f"{CONTACTS}/batch/read", {"inputs": keys[:100]})["results"]) == 100
    for path in ("read", "update", "archive", "upsert"):
        error = hub.post(f"{CONTACTS}/batch/{path}", {"inputs": keys}, status=400)
        assert error["message"] == "The maximum number of inputs supported in a batch request is 100"
    history = {"propertiesWithHistory": ["email"]}
    assert len(hub.post(f"{CONTACTS}/batch/read", {"inputs": keys[:50], **history})["results"]) == 50
    hub.post(f"{CONTACTS}/batch/read", {"inputs": keys[:51], **history}, status=400)


def test_one_value_that_does_not_fit_keeps_a_whole_batch_from_being_written(hub: Hub) -> None:
    inputs = [
        {"id": ANN, "properties": {"city": "Hull"}},
        {"id": BO, "properties": {"city": "Hull", "lead_score": "lots"}},
    ]
    before = hub.control("GET", "state")
    hub.post(f"{CONTACTS}/batch/update", {"inputs": inputs}, status=400)
    assert hub.control("GET", "state") == before


def test_an_absent_id_does_not_keep_the_others_of_a_batch_from_being_written(hub: Hub) -> None:
    inputs = [{"id": key, "properties": {"city": "Hull"}} for key in (ANN, NOBODY)]
    batch = hub.post(f"{CONTACTS}/batch/update", {"inputs": inputs}, status=207)
    assert [row["id"] for row in batch["results"]] == [ANN]
    assert batch["errors"][0]["context"] == {"ids": [NOBODY]}
    assert hub.properties(ANN, "city")["city"] == "Hull"
    hub.switch(batch_update_of_absent=404)
    hub.post(f"{CONTACTS}/batch/update", {"inputs": [*inputs, {"id": BO, "properties": {"city": "Hull"}}]}, status=404)
    assert hub.properties(BO, "city")["city"] == "york"


DEAL = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 4}


def test_many_are_created_or_none(hub: Hub) -> None:
    new = {"properties": {"email": "new@example.com"}, "associations": [{"to": {"id": WON}, "types": [DEAL]}]}
    taken = {"properties": {"email": "ann@example.com"}}
    hub.post(f"{CONTACTS}/batch/create", {"inputs": [new, taken]}, status=409)
    assert len(hub.get(CONTACTS)["results"]) == 4
    (made,) = hub.post(f"{CONTACTS}/batch/create", {"inputs": [new]}, status=201)["results"]
    assert hub.properties(made["id"], "num_associated_deals")["num_associated_deals"] == "1"


def test_an_upsert_says_which_are_new(hub: Hub) -> None:
    inputs = [
        {"id": address, "idProperty": "email", "properties": {"city": "Hull"}}
        for address in ("ann@example.com", "new@example.com")
    ]
    results = hub.post(f"{CONTACTS}/batch/upsert", {"inputs": inputs})["results"]
    assert [one["new"] for one in results] == [False, True]
    assert results[0]["id"] == ANN
    assert hub.properties(results[1]["id"], "email", "city")["email"] == "new@example.com"


REPEATED: dict[str, tuple[str, list[dict[str, Any]], str]] = {
    "a change": (
        "update",
        [{"id": ANN, "properties": {"city": city}} for city in ("Hull", "Hove")],
        f"Duplicate IDs found in batch input: [{ANN}]. IDs must be unique",
    ),
    "a new address in two cases": (
        "upsert",
        [{"id": key, "idProperty": "email", "properties": {}} for key in ("new@example.com", "New@Example.com")],
        "Duplicate IDs found in batch input: [new@example.com]. IDs must be unique",
    ),
    "one address for two contacts": (
        "update",
        [{"id": key, "properties": {"email": "new@example.com"}} for key in (ANN, CY)],
        "Duplicate email addresses found in the inputs of this batch",
    ),
    "one address for two contacts found by another": (
        "upsert",
        [
            {"id": key, "idProperty": "email", "properties": {"email": "new@example.com"}}
            for key in ("ann@example.com", "bo@example.org")
        ],
        "Duplicate email addresses found in the inputs of this batch",
    ),
    "a record's number as a property": (
        "update",
        [{"id": ANN, "idProperty": "hs_object_id", "properties": {"city": "Hull"}}],
        "Unable to perform update/upsert by non-unique property hs_object_id",
    ),
}


@pytest.mark.parametrize("what", REPEATED)
def test_a_batch_that_names_records_twice_or_wrongly_writes_nothing(hub: Hub, what: str) -> None:
    path, inputs, message = REPEATED[what]
    before = hub.control("GET", "state")
    error = hub.post(f"{CONTACTS}/batch/{path}", {"inputs": inputs}, status=400)
    assert (error["category"], error["message"]) == ("VALIDATION_ERROR", message)
    assert hub.control("GET", "state") == before
