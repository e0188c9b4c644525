"""Does a search find what HubSpot's would, and stop where HubSpot's does?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.hubspot_calls import ANN, BO, CONTACTS, CY, DI, OPEN, WON, Hub, is_filter, many


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture(scope="module")
def crowd() -> Hub:
    return Hub(many(10_250))


FOUND: dict[str, tuple[dict[str, Any], list[str]]] = {
    "text, whatever its case": (is_filter("city", "EQ", "YORK"), [BO, CY]),
    "what differs, not what is empty": (is_filter("city", "NEQ", "york"), [ANN]),
    "a list of lower-case values": (is_filter("city", "IN", values=["leeds", "york"]), [ANN, BO, CY]),
    "no list value in capitals": (is_filter("city", "IN", values=["Leeds"]), []),
    "what is not in a list": (is_filter("city", "NOT_IN", values=["york"]), [ANN]),
    "numbers as numbers": (is_filter("lead_score", "GT", "9"), [BO]),
    "numbers up to and with": (is_filter("lead_score", "LTE", "7"), [ANN]),
    "numbers between": (is_filter("lead_score", "BETWEEN", "7", highValue="12"), [ANN, BO]),
    "days by date": (is_filter("collected_on", "LT", "2021-11-23"), [ANN]),
    "days by milliseconds": (is_filter("collected_on", "GTE", "1719705600000"), [BO]),
    "moments by date": (is_filter("createdate", "LT", "2020-04-01"), [ANN]),
    "moments by milliseconds": (is_filter("createdate", "GTE", "1588323600000"), [CY, DI]),
    "the modification time under either name": (is_filter("hs_lastmodifieddate", "LT", "2020-04-01"), [ANN]),
    "who opted out": (is_filter("hs_email_optout", "EQ", "true"), [BO]),
    "nobody by an opt-out that was never set": (is_filter("hs_email_optout", "NEQ", "true"), []),
    "who has something": (is_filter("phone", "HAS_PROPERTY"), [CY]),
    "who lacks something": (is_filter("email", "NOT_HAS_PROPERTY"), [CY]),
    "a word": (is_filter("interests", "CONTAINS_TOKEN", "LILIES"), [CY]),
    "the beginning of a word": (is_filter("interests", "CONTAINS_TOKEN", "tul*"), [CY]),
    "no part of a word": (is_filter("interests", "CONTAINS_TOKEN", "ose"), []),
    "who has other words": (is_filter("interests", "NOT_CONTAINS_TOKEN", "lilies"), [ANN]),
    "an address": (is_filter("email", "EQ", "Ann@Example.com"), [ANN]),
    "a second address": (is_filter("email", "EQ", "bo.second@example.org"), [BO]),
    "several addresses": (is_filter("email", "IN", values=["ann@example.com", "bo.second@example.org"]), [ANN, BO]),
}


@pytest.mark.parametrize("what", FOUND)
def test_a_filter_finds(hub: Hub, what: str) -> None:
    one, expected = FOUND[what]
    assert hub.found(one) == expected


def test_what_is_unconfirmed_can_be_switched(hub: Hub) -> None:
    hub.switch(
        negative_filters_find_empty=True, in_values_must_be_lower_case=False, search_finds_additional_emails=False
    )
    assert hub.found(is_filter("city", "NEQ", "york")) == [ANN, DI]
    assert hub.found(is_filter("city", "IN", values=["Leeds"])) == [ANN]
    assert hub.found(is_filter("email", "EQ", "bo.second@example.org")) == []


def test_filters_of_a_group_must_all_hold_and_one_group_is_enough(hub: Hub) -> None:
    york, scored = is_filter("city", "EQ", "york"), is_filter("lead_score", "HAS_PROPERTY")
    assert hub.found(york, scored) == [BO]
    body = {"filterGroups": [{"filters": [york]}, {"filters": [scored]}], "sorts": ["-hs_object_id"]}
    assert [row["id"] for row in hub.post(f"{CONTACTS}/search", body)["results"]] == [CY, BO, ANN]


def test_sorts_are_names_or_objects_and_equal_values_stay_in_the_order_of_ids(hub: Hub) -> None:
    body: dict[str, Any] = {"sorts": [{"propertyName": "city", "direction": "DESCENDING"}]}
    assert [row["id"] for row in hub.post(f"{CONTACTS}/search", body)["results"]] == [BO, CY, ANN, DI]
    assert [row["id"] for row in hub.post(f"{CONTACTS}/search", {"sorts": ["city"]})["results"]] == [DI, ANN, BO, CY]


def test_a_word_is_looked_for_in_names_addresses_and_numbers(hub: Hub) -> None:
    assert hub.found(query="960003") == [CY]
    assert hub.found(query="EXAMPLE.COM") == [ANN, DI]
    assert hub.found(query="roses") == []


def test_an_archived_or_purged_contact_is_never_found(hub: Hub) -> None:
    hub.call("DELETE", f"{CONTACTS}/{ANN}")
    hub.post(f"{CONTACTS}/gdpr-delete", {"objectId": CY}, status=204)
    assert hub.found() == [BO, DI]


def test_deals_are_found_by_their_stage(hub: Hub) -> None:
    def deals(name: str) -> list[str]:
        body = {"filterGroups": [{"filters": [is_filter(name, "EQ", "true")]}]}
        return [row["id"] for row in hub.post("/crm/v3/objects/deals/search", body)["results"]]

    assert deals("hs_is_closed_won") == [WON]
    hub.call("PATCH", f"/crm/v3/objects/deals/{OPEN}", {"properties": {"dealstage": "closedlost"}})
    assert deals("hs_is_closed_won") == [WON]
    assert deals("hs_is_closed") == [WON, OPEN]


REFUSED: dict[str, dict[str, Any]] = {
    "an unknown property": {"filterGroups": [{"filters": [is_filter("nickname", "EQ", "x")]}]},
    "an unknown operator": {"filterGroups": [{"filters": [is_filter("city", "LIKE", "x")]}]},
    "an operator without its value": {"filterGroups": [{"filters": [is_filter("city", "EQ")]}]},
    "an operator with an empty value": {"filterGroups": [{"filters": [is_filter("city", "EQ", "")]}]},
    "a list operator without values": {"filterGroups": [{"filters": [is_filter("city", "IN", "x")]}]},
    "a range without an end": {"filterGroups": [{"filters": [is_filter("lead_score", "BETWEEN", "1")]}]},
    "a number that is none": {"filterGroups": [{"filters": [is_filter("lead_score", "GT", "many")]}]},
    "a day that is none": {"filterGroups": [{"filters": [is_filter("collected_on", "LT", "last year")]}]},
    "a sixth group": {"filterGroups": [{"filters": [is_filter("city", "HAS_PROPERTY")]}] * 6},
    "an eleventh filter": {"filterGroups": [{"filters": [is_filter("city", "HAS_PROPERTY")] * 11}]},
    "a twenty-sixth filter": {"filterGroups": [{"filters": [is_filter("city", "HAS_PROPERTY")] * 9}] * 3},
    "a larger page": {"limit": 201},
    "an offset that is no number": {"after": "next"},
    "a page beyond ten thousand": {"after": "10000"},
    "a page that ends beyond ten thousand": {"after": "9900", "limit": 200},
    "two sorts": {"sorts": ["city", "email"]},
    "a sort by what is unknown": {"sorts": ["nickname"]},
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_search_refuses(hub: Hub, what: str) -> None:
    error = hub.post(f"{CONTACTS}/search", REFUSED[what], status=400)
    assert (error["status"], error["category"]) == ("error", "VALIDATION_ERROR")
    assert error["message"]


def test_five_groups_and_twenty_five_filters_are_allowed(hub: Hub) -> None:
    groups = [{"filters": [is_filter("city", "HAS_PROPERTY")] * 5}] * 5
    assert hub.post(f"{CONTACTS}/search", {"filterGroups": groups})["total"] == 3


def test_a_search_shows_ten_unless_asked_and_says_where_the_next_page_begins(crowd: Hub) -> None:
    first = crowd.search()
    assert (first["total"], len(first["results"]), first["paging"]) == (10_250, 10, {"next": {"after": "10"}})
    assert [row["id"] for row in crowd.search(after="10", limit=2)["results"]] == ["1010", "1011"]


def test_ten_thousand_can_be_reached_by_offset_and_no_more(crowd: Hub) -> None:
    last = crowd.search(after="9800", limit=200)
    assert last["results"][-1]["id"] == "10999"
    assert last["paging"] == {"next": {"after": "10000"}}
    crowd.post(f"{CONTACTS}/search", {"after": "10000", "limit": 1}, status=400)


def test_everybody_can_be_reached_by_the_last_id_seen(crowd: Hub) -> None:
    seen: list[str] = []
    calls = 0
    while page := crowd.found(is_filter("hs_object_id", "GT", seen[-1] if seen else "0"), limit=200):
        seen += page
        calls += 1
    assert seen == [str(1000 + number) for number in range(10_250)]
    assert calls == 52


def test_the_total_of_a_later_page_counts_what_is_left(crowd: Hub) -> None:
    answer = crowd.search(is_filter("hs_object_id", "GT", "11200"), limit=20)
    assert (answer["total"], len(answer["results"])) == (49, 20)


def test_with_a_lag_a_search_shows_what_was(hub: Hub) -> None:
    hub.switch(search_lag_seconds=30)
    hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"city": "Hull"}})
    hub.post(f"{CONTACTS}/gdpr-delete", {"objectId": BO}, status=204)
    made = hub.post(CONTACTS, {"properties": {"email": "new@example.com", "city": "Hull"}}, status=201)["id"]
    assert hub.found() == [ANN, BO, CY, DI]
    assert hub.found(is_filter("city", "EQ", "Hull")) == []
    assert hub.properties(ANN, "city")["city"] == "Hull"
    hub.control("POST", "clock", now="2026-11-23T12:05:00Z")
    assert hub.found() == [ANN, CY, DI, made]
    assert hub.found(is_filter("city", "EQ", "Hull")) == [ANN, made]


def test_a_result_holds_the_properties_asked_for_empty_ones_as_null_and_ignores_unknown_ones(hub: Hub) -> None:
    (row,) = hub.search(is_filter("city", "EQ", "Leeds"), properties=["phone", "interests", "nickname"])["results"]
    assert row["properties"] == {
        "createdate": "2020-03-01T09:00:00.000Z",
        "hs_object_id": ANN,
        "interests": "Roses",
        "lastmodifieddate": "2020-03-01T09:00:00.000Z",
        "phone": None,
    }
    assert (row["id"], row["archived"], row["createdAt"]) == (ANN, False, "2020-03-01T09:00:00.000Z")
