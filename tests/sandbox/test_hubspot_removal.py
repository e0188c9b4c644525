"""What is left of a contact that was archived, purged or merged?"""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.sandbox.hubspot_calls import ANN, BO, CONTACTS, CY, DI, NOBODY, OPEN, WON, Hub, many

PURGE = f"{CONTACTS}/gdpr-delete"


@pytest.fixture
def hub() -> Hub:
    return Hub()


def purge(hub: Hub, key: str, status: int = 204, **more: str) -> None:
    answer = hub.call("POST", PURGE, {"objectId": key, **more})
    assert (answer.status_code, answer.content) == (status, answer.content if status != 204 else b"")


def create(hub: Hub, address: str, status: int = 201) -> str | None:
    made = hub.post(CONTACTS, {"properties": {"email": address}}, status=status)
    return made.get("id") if made else None


# --- Archiving ---


def test_an_archived_contact_is_only_seen_by_those_who_ask_for_archived_ones(hub: Hub) -> None:
    assert hub.call("DELETE", f"{CONTACTS}/{ANN}").status_code == 204
    assert hub.there(ANN) == []
    assert hub.there(ANN, archived=True) == [ANN]
    row = hub.get(f"{CONTACTS}/{ANN}", archived="true", properties="city")
    assert (row["archived"], row["properties"]["city"]) == (True, "Leeds")
    assert hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"city": "Hull"}}).status_code == 404


def test_an_archived_contact_can_be_restored_for_ninety_days_and_is_gone_then(hub: Hub) -> None:
    hub.post(f"{CONTACTS}/batch/archive", {"inputs": [{"id": ANN}, {"id": int(BO)}]}, status=204)
    hub.control("POST", "clock", now="2027-02-21T11:59:00Z")
    assert hub.there(ANN, BO, archived=True) == [ANN, BO]
    hub.control("POST", "clock", now="2027-02-21T12:01:00Z")
    assert hub.there(ANN, BO, archived=True) == []
    assert hub.control("GET", "state")["blocklist"] == []


def test_the_address_of_an_archived_contact_is_free(hub: Hub) -> None:
    hub.call("DELETE", f"{CONTACTS}/{ANN}")
    assert create(hub, "ann@example.com") not in (None, ANN)


@pytest.mark.parametrize("key", [NOBODY, "not-even-a-number"])
def test_archiving_what_is_not_there_is_answered_like_archiving_what_is(hub: Hub, key: str) -> None:
    before = hub.control("GET", "state")["objects"]
    assert hub.call("DELETE", f"{CONTACTS}/{key}").status_code == 204
    assert hub.control("GET", "state")["objects"] == before
    assert hub.calls()[-1]["effect"] is False
    hub.switch(archive_of_absent=404)
    assert hub.call("DELETE", f"{CONTACTS}/{key}").status_code == 404


# --- Purging ---


def test_a_purged_contact_is_in_no_view_and_its_addresses_are_blocked(hub: Hub) -> None:
    purge(hub, BO)
    assert hub.there(BO) == hub.there(BO, archived=True) == []
    state = hub.control("GET", "state")
    assert state["blocklist"] == ["bo.second@example.org", "bo@example.org"]
    left = json.dumps(state["objects"])
    assert not any(part in left for part in ("bo@example.org", "bo.second", '"Bo"', '"12"'))


def test_a_purge_takes_the_contact_out_of_its_deals_and_leaves_the_deals(hub: Hub) -> None:
    purge(hub, ANN)
    deals = hub.control("GET", "state")["objects"]["deals"]
    assert [(deal["id"], deal["associations"]) for deal in deals] == [(WON, {"contacts": []}), (OPEN, {"contacts": []})]


def test_a_purge_takes_the_history_along(hub: Hub) -> None:
    hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"interests": ""}})
    assert "Roses" in json.dumps(hub.control("GET", "state"))
    purge(hub, ANN)
    assert "Roses" not in json.dumps(hub.control("GET", "state"))


def test_an_archived_contact_can_be_purged(hub: Hub) -> None:
    hub.call("DELETE", f"{CONTACTS}/{ANN}")
    purge(hub, ANN)
    assert hub.there(ANN, archived=True) == []
    assert hub.control("GET", "state")["blocklist"] == ["ann@example.com"]


def test_purging_again_is_answered_as_switched_and_has_no_effect(hub: Hub) -> None:
    purge(hub, ANN)
    purge(hub, ANN)
    assert [call["effect"] for call in hub.calls() if call["path"] == PURGE] == [True, False]
    hub.switch(repeated_purge=404)
    purge(hub, ANN, 404)


def test_purging_an_id_that_never_was_is_answered_as_switched(hub: Hub) -> None:
    purge(hub, NOBODY, 404)
    hub.switch(purge_of_unknown=204)
    purge(hub, NOBODY)
    assert hub.control("GET", "state")["blocklist"] == []


def test_a_contact_is_purged_by_any_of_its_addresses(hub: Hub) -> None:
    purge(hub, "Bo.Second@example.org", idProperty="email")
    assert hub.there(BO) == []
    assert hub.calls()[-2]["ids"] == [BO]


def test_an_address_that_nobody_has_is_blocked_all_the_same(hub: Hub) -> None:
    purge(hub, "Stranger@example.com", idProperty="email")
    assert hub.control("GET", "state")["blocklist"] == ["stranger@example.com"]
    assert len(hub.there(ANN, BO, CY, DI)) == 4


@pytest.mark.parametrize(
    "body", [{}, {"objectId": ""}, {"objectId": "x", "idProperty": "phone"}, {"objectId": "x", "idProperty": "email"}]
)
def test_a_purge_refuses_what_it_cannot_understand(hub: Hub, body: dict[str, str]) -> None:
    assert hub.post(PURGE, body, status=400)["category"] == "VALIDATION_ERROR"
    assert hub.control("GET", "state")["blocklist"] == []


def test_a_purged_person_comes_back_through_the_api_unless_switched_off(hub: Hub) -> None:
    purge(hub, ANN)
    assert create(hub, "ann@example.com") != ANN
    hub.switch(blocked_for_api=True)
    purge(hub, DI)
    hub.post(CONTACTS, {"properties": {"email": "DI+news@example.com"}}, status=400)


def test_an_opt_out_survives_the_purge_unless_switched_off(hub: Hub) -> None:
    purge(hub, BO)
    assert hub.is_out("bo@example.org")
    hub.opt_out("ann@example.com")
    hub.switch(preferences_survive_purge=False)
    purge(hub, ANN)
    assert not hub.is_out("ann@example.com")


def test_with_a_lag_a_purged_contact_is_seen_for_a_while(hub: Hub) -> None:
    hub.switch(purge_lag_seconds=60)
    purge(hub, ANN)
    assert hub.there(ANN) == [ANN]
    purge(hub, ANN)
    assert [call["effect"] for call in hub.calls() if call["path"] == PURGE] == [True, False]
    hub.control("POST", "clock", now="2026-11-23T12:02:00Z")
    assert hub.there(ANN) == []


def test_the_log_shows_that_each_contact_was_purged_once() -> None:
    hub = Hub(many(30))
    keys = [str(1000 + number) for number in range(30)]
    for key in keys:
        purge(hub, key)
    purge(hub, keys[0])
    log = [call for call in hub.calls() if call["path"] == PURGE]
    assert Counter(key for call in log if call["effect"] for key in call["ids"]) == Counter(keys)
    counts = hub.control("GET", "calls")["counts"]
    assert counts == {"POST /crm/v3/objects/contacts/gdpr-delete": 31}


def test_a_purge_without_effect_leaves_the_contact_and_says_so_in_the_log(hub: Hub) -> None:
    hub.control("POST", "faults", fault="success_without_effect", path="*/gdpr-delete", times=1)
    before = hub.control("GET", "state")
    purge(hub, ANN)
    assert hub.control("GET", "state") == before
    assert hub.calls()[-1]["effect"] is False
    purge(hub, ANN)
    assert hub.there(ANN) == []


# --- Merging ---


def merge(hub: Hub, winner: str, loser: str, status: int = 200) -> None:
    hub.post(f"{CONTACTS}/merge", {"primaryObjectId": winner, "objectIdToMerge": loser}, status=status)


def test_the_winner_of_a_merge_takes_addresses_deals_and_what_it_lacks(hub: Hub) -> None:
    merge(hub, BO, ANN)
    names = ("email", "hs_additional_emails", "hs_merged_object_ids", "city", "interests", "num_associated_deals")
    shown = hub.properties(BO, *names, "createdate", "hs_calculated_merged_vids")
    assert [shown[name] for name in names] == [
        *("bo@example.org", "bo.second@example.org;ann@example.com", ANN, "york", "Roses", "2")
    ]
    assert shown["hs_calculated_merged_vids"].startswith(f"{ANN}:")
    assert shown["createdate"] == "2020-03-01T09:00:00.000Z"
    assert hub.get(f"{CONTACTS}/ann@example.com", idProperty="email")["id"] == BO


def test_the_loser_of_a_merge_is_archived_and_its_id_leads_to_the_winner(hub: Hub) -> None:
    merge(hub, BO, ANN)
    assert hub.there(ANN) == [BO]
    assert hub.there(ANN, archived=True) == [ANN]
    assert hub.found() == [BO, CY, DI]
    hub.switch(merged_id_leads_to_winner=False)
    assert hub.there(ANN) == []


def test_purging_the_winner_takes_the_loser_and_all_addresses_along(hub: Hub) -> None:
    merge(hub, BO, ANN)
    purge(hub, BO)
    assert hub.there(ANN, BO) == hub.there(ANN, BO, archived=True) == []
    assert hub.control("GET", "state")["blocklist"] == ["ann@example.com", "bo.second@example.org", "bo@example.org"]
    assert hub.calls()[0]["ids"] == [BO, ANN]


def test_only_two_contacts_that_are_there_can_be_merged(hub: Hub) -> None:
    merge(hub, ANN, NOBODY, status=404)
    merge(hub, ANN, ANN, status=400)
    assert hub.found() == [ANN, BO, CY, DI]
