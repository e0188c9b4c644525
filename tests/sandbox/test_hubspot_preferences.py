"""Do opt-outs hang on the address, show at the contact, and come back only as HubSpot lets them?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.hubspot_calls import ANN, BO, CONTACTS, NEWSLETTER, PREFERENCES, Hub

V3 = "/communication-preferences/v3"
ADDRESS = "ann@example.com"
STRANGER = "stranger@example.com"


@pytest.fixture
def hub() -> Hub:
    return Hub()


def choose(hub: Hub, state: str, status: int = 200, **more: str) -> Any:
    body = {"channel": "EMAIL", "statusState": state, "subscriptionId": NEWSLETTER, **more}
    return hub.post(f"{PREFERENCES}/{ADDRESS}", body, status=status)


def v3(hub: Hub, verb: str, status: int = 200) -> Any:
    return hub.post(f"{V3}/{verb}", {"emailAddress": ADDRESS, "subscriptionId": str(NEWSLETTER)}, status=status)


def wants(hub: Hub, address: str = ADDRESS) -> dict[str, str]:
    results = hub.get(f"{PREFERENCES}/{address}", channel="EMAIL")["results"]
    return {one["subscriptionName"]: one["status"] for one in results}


def optout(hub: Hub, key: str = ANN) -> str | None:
    shown: str | None = hub.properties(key, "hs_email_optout")["hs_email_optout"]
    return shown


# --- Out of everything ---


def test_opting_out_of_everything_shows_at_the_contact_and_moves_its_modification_time(hub: Hub) -> None:
    assert optout(hub) is None
    before = hub.get(f"{CONTACTS}/{ANN}")["updatedAt"]
    assert hub.opt_out("Ann@Example.com") == []
    assert optout(hub) == "true"
    after = hub.get(f"{CONTACTS}/{ANN}")
    assert after["updatedAt"] > before
    assert after["properties"]["lastmodifieddate"] == after["updatedAt"]
    assert set(wants(hub).values()) == {"UNSUBSCRIBED"}


def test_opting_out_says_what_happened_only_to_those_who_ask(hub: Hub) -> None:
    reasons = {one["setStatusSuccessReason"] for one in hub.opt_out(ADDRESS, verbose="true")}
    assert reasons == {"UNSUBSCRIBE_FROM_ALL_OCCURRED"}
    updated = hub.get(f"{CONTACTS}/{ANN}")["updatedAt"]
    again = hub.opt_out(ADDRESS, verbose="true")
    assert {one["setStatusSuccessReason"] for one in again} == {"NO_STATUS_CHANGE"}
    assert hub.get(f"{CONTACTS}/{ANN}")["updatedAt"] == updated
    assert [call["effect"] for call in hub.calls() if call["method"] == "POST"] == [True, False]


def test_no_results_mean_not_opted_out(hub: Hub) -> None:
    assert hub.get(f"{PREFERENCES}/{ADDRESS}/unsubscribe-all", channel="EMAIL")["results"] == []
    (wide,) = hub.get(f"{PREFERENCES}/bo@example.org/unsubscribe-all", channel="EMAIL")["results"]
    assert (wide["status"], wide["wideStatusType"]) == ("UNSUBSCRIBED", "PORTAL_WIDE")


def test_an_address_without_a_contact_can_opt_out_and_the_contact_made_later_shows_it(hub: Hub) -> None:
    hub.opt_out(STRANGER)
    made = hub.post(CONTACTS, {"properties": {"email": STRANGER}}, status=201)["id"]
    assert optout(hub, made) == "true"


def test_an_opt_out_stays_with_the_address_when_the_contact_gets_another_one(hub: Hub) -> None:
    hub.opt_out(ADDRESS)
    hub.call("PATCH", f"{CONTACTS}/{ANN}", {"properties": {"email": "ann.new@example.com"}})
    assert optout(hub) is None
    assert hub.is_out(ADDRESS)


def test_an_address_with_a_slash_a_quote_and_a_plus_is_one_address(hub: Hub) -> None:
    encoded = "o%27brien%2Bnews%2F1%40example.com"
    hub.post(f"{PREFERENCES}/{encoded}/unsubscribe-all", channel="EMAIL")
    assert hub.control("GET", "state")["preferences"]["unsubscribed_from_all"] == [
        *("bo@example.org", "o'brien+news/1@example.com")
    ]


@pytest.mark.parametrize("path", [f"{ADDRESS}/unsubscribe-all", ADDRESS])
def test_the_channel_must_be_named(hub: Hub, path: str) -> None:
    assert hub.call("GET", f"{PREFERENCES}/{path}").status_code == 400
    assert hub.call("GET", f"{PREFERENCES}/{path}", channel="SMS").status_code == 400
    assert hub.call("POST", f"{PREFERENCES}/{ADDRESS}/unsubscribe-all").status_code == 400
    assert not hub.is_out(ADDRESS)


def test_what_is_no_address_is_refused(hub: Hub) -> None:
    assert hub.call("POST", f"{PREFERENCES}/not-an-address/unsubscribe-all", channel="EMAIL").status_code == 400


# --- One kind of mail ---


def test_an_address_that_never_said_anything_is_not_specified_in_v4_and_not_subscribed_in_v3(hub: Hub) -> None:
    assert set(wants(hub).values()) == {"NOT_SPECIFIED"}
    statuses = hub.get(f"{V3}/status/email/{ADDRESS}")["subscriptionStatuses"]
    assert {(one["status"], one["sourceOfStatus"]) for one in statuses} == {("NOT_SUBSCRIBED", "SUBSCRIPTION_STATUS")}


def test_unsubscribing_from_one_kind_leaves_the_others_and_the_wide_status(hub: Hub) -> None:
    answer = v3(hub, "unsubscribe")
    assert (answer["status"], answer["name"]) == ("NOT_SUBSCRIBED", "Newsletter")
    assert wants(hub) == {
        "Marketing Information": "NOT_SPECIFIED",
        "Newsletter": "UNSUBSCRIBED",
        "One to One": "NOT_SPECIFIED",
    }
    assert optout(hub) is None
    own = f"hs_email_optout_{NEWSLETTER}"
    assert hub.properties(ANN, own)[own] == "true"
    assert not hub.is_out(ADDRESS)


def test_unsubscribing_twice_is_an_error_in_v3_and_none_in_v4(hub: Hub) -> None:
    v3(hub, "unsubscribe")
    error = v3(hub, "unsubscribe", status=400)
    assert "already unsubscribed from" in error["message"]
    (again,) = choose(hub, "UNSUBSCRIBED")["results"]
    assert again["setStatusSuccessReason"] == "NO_STATUS_CHANGE"
    hub.switch(already_unsubscribed=200)
    assert v3(hub, "unsubscribe")["status"] == "NOT_SUBSCRIBED"


def test_v3_takes_nobody_back(hub: Hub) -> None:
    assert v3(hub, "subscribe")["status"] == "SUBSCRIBED"
    v3(hub, "unsubscribe")
    v3(hub, "subscribe", status=400)
    assert wants(hub)["Newsletter"] == "UNSUBSCRIBED"


def test_v4_takes_an_address_back_for_one_kind_if_a_legal_basis_is_given(hub: Hub) -> None:
    hub.opt_out(ADDRESS)
    choose(hub, "SUBSCRIBED", status=400)
    assert hub.is_out(ADDRESS)
    (back,) = choose(hub, "SUBSCRIBED", legalBasis="CONSENT_WITH_NOTICE", legalBasisExplanation="asked at the fair")[
        "results"
    ]
    assert (back["setStatusSuccessReason"], back["status"]) == ("RESUBSCRIBE_OCCURRED", "SUBSCRIBED")
    assert not hub.is_out(ADDRESS)
    assert optout(hub) is None
    assert wants(hub) == {
        "Marketing Information": "UNSUBSCRIBED",
        "Newsletter": "SUBSCRIBED",
        "One to One": "UNSUBSCRIBED",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "SMS"},
        {"statusState": "OUT"},
        {"subscriptionId": 5},
        {"subscriptionId": str(NEWSLETTER)},
        {"legalBasis": "BECAUSE"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_choice_must_make_sense(hub: Hub, wrong: dict[str, Any]) -> None:
    body = {"channel": "EMAIL", "statusState": "SUBSCRIBED", "subscriptionId": NEWSLETTER} | wrong
    hub.post(f"{PREFERENCES}/{ADDRESS}", body, status=400)
    assert set(wants(hub).values()) == {"NOT_SPECIFIED"}


def test_both_versions_define_the_same_kinds(hub: Hub) -> None:
    old = hub.get(f"{V3}/definitions")["subscriptionDefinitions"]
    new = hub.get("/communication-preferences/v4/definitions")["results"]
    assert old == new
    assert [one["name"] for one in new] == ["Marketing Information", "Newsletter", "One to One"]


# --- Batches ---


def batch(hub: Hub, path: str, inputs: list[Any], status: int = 200, **query: str) -> Any:
    return hub.post(f"{PREFERENCES}/batch/{path}", {"inputs": inputs}, status=status, **query)


def test_batches_need_the_largest_edition(hub: Hub) -> None:
    for path in ("unsubscribe-all", "read", "unsubscribe-all/read", "write"):
        error = batch(hub, path, [ADDRESS], status=403, channel="EMAIL")
        (scope,) = error["errors"][0]["context"]["requiredGranularScopes"]
        assert scope.startswith("communication_preferences.statuses.batch.")
    assert not hub.is_out(ADDRESS)


def test_many_addresses_opt_out_at_once(hub: Hub) -> None:
    hub.switch(enterprise=True)
    results = batch(hub, "unsubscribe-all", [ADDRESS, STRANGER], channel="EMAIL")["results"]
    assert [one["subscriberIdString"] for one in results] == [ADDRESS, STRANGER]
    assert optout(hub) == "true"
    assert hub.calls()[-2]["ids"] == [ANN]
    wide = batch(hub, "unsubscribe-all/read", [ADDRESS, "cy@example.com"], channel="EMAIL")["results"]
    assert [len(one["wideStatuses"]) for one in wide] == [1, 0]


def test_an_address_that_is_none_is_an_error_of_its_own(hub: Hub) -> None:
    hub.switch(enterprise=True)
    answer = batch(hub, "unsubscribe-all", ["nonsense", ADDRESS], status=207, channel="EMAIL")
    assert [one["subscriberIdString"] for one in answer["results"]] == [ADDRESS]
    assert answer["numErrors"] == 1


def test_a_hundred_addresses_fit_into_a_batch(hub: Hub) -> None:
    hub.switch(enterprise=True)
    addresses = [f"many{number}@example.com" for number in range(101)]
    batch(hub, "unsubscribe-all", addresses, status=400, channel="EMAIL")
    assert len(batch(hub, "unsubscribe-all", addresses[:100], channel="EMAIL")["results"]) == 100


def test_choices_are_read_and_written_in_batches(hub: Hub) -> None:
    hub.switch(enterprise=True)
    choice = {"channel": "EMAIL", "statusState": "SUBSCRIBED", "subscriptionId": NEWSLETTER}
    (done,) = batch(hub, "write", [choice | {"subscriberIdString": ADDRESS}])["results"]
    assert done["setStatusSuccessReason"] == "REQUESTED_CHANGE_OCCURRED"
    (read,) = batch(hub, "read", [ADDRESS], channel="EMAIL")["results"]
    assert {one["subscriptionId"]: one["status"] for one in read["statuses"]}[NEWSLETTER] == "SUBSCRIBED"


def test_the_seeded_opt_outs_are_those_of_the_addresses(hub: Hub) -> None:
    assert hub.control("GET", "state")["preferences"] == {
        "unsubscribed_from_all": ["bo@example.org"],
        "subscriptions": {},
    }
    assert optout(hub, BO) == "true"
