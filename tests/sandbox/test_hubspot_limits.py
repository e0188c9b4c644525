"""Who is let in, how often, and what do the headers, refusals and faults look like?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.hubspot.allowance import Allowance
from sandbox.hubspot.switches import Switches
from tests.sandbox.hubspot_calls import ANN, CONTACTS, PREFERENCES, Hub, is_filter

INFO = "/oauth/v2/private-apps/get/access-token-info"
SEARCH = f"{CONTACTS}/search"


@pytest.fixture
def hub() -> Hub:
    hub = Hub()
    hub.switch(enforce_limits=True)
    return hub


# --- The token ---


@pytest.mark.parametrize("token", ["", "pat-eu1-another", "bearer"])
def test_nobody_is_let_in_without_the_token(hub: Hub, token: str) -> None:
    answer = hub.call("GET", CONTACTS, token=token)
    assert answer.status_code == 401
    error = answer.json()
    assert (error["status"], error["category"]) == ("error", "INVALID_AUTHENTICATION")
    assert error["message"].startswith("Authentication credentials not found.")
    assert error["correlationId"] == answer.headers["x-hubspot-correlation-id"]
    assert "x-hubspot-ratelimit-daily" not in answer.headers


def test_a_token_says_whose_it_is_and_what_it_may_do(hub: Hub) -> None:
    info = hub.post(INFO, {"tokenKey": hub.token})
    assert hub.token.startswith("pat-")
    assert set(info) == {"userId", "hubId", "appId", "scopes"}
    assert {"crm.objects.contacts.read", "crm.objects.contacts.write"} <= set(info["scopes"])
    assert hub.call("POST", INFO, {"tokenKey": hub.token}, token="").status_code == 200
    assert hub.call("POST", INFO, {"tokenKey": "pat-other"}).status_code == 404


SCOPED: dict[str, tuple[str, str, Any, list[str]]] = {
    "reading": ("GET", CONTACTS, None, ["crm.objects.contacts.read"]),
    "searching": ("POST", SEARCH, {}, ["crm.objects.contacts.read"]),
    "changing": ("PATCH", f"{CONTACTS}/{ANN}", {}, ["crm.objects.contacts.write"]),
    "purging": ("POST", f"{CONTACTS}/gdpr-delete", {"objectId": ANN}, ["crm.objects.contacts.write"]),
    "reading deals": ("GET", "/crm/v3/objects/deals", None, ["crm.objects.deals.read"]),
    "opting out": (
        "POST",
        f"{PREFERENCES}/ann@example.com/unsubscribe-all",
        None,
        ["communication_preferences.read_write", "communication_preferences.write"],
    ),
}


@pytest.mark.parametrize("what", SCOPED)
def test_what_a_token_may_not_do_is_refused_and_the_scope_is_named(hub: Hub, what: str) -> None:
    method, path, body, scopes = SCOPED[what]
    hub.switch(scopes=["oauth"])
    before = hub.control("GET", "state")["objects"]
    answer = hub.call(method, path, body)
    assert answer.status_code == 403
    error = answer.json()
    assert error["category"] == "MISSING_SCOPES"
    assert error["errors"][0]["context"]["requiredGranularScopes"] == scopes
    assert "scopes" in error["links"]
    assert hub.control("GET", "state")["objects"] == before


def test_the_properties_api_does_not_name_the_scope(hub: Hub) -> None:
    hub.switch(scopes=["oauth"])
    answer = hub.call("GET", "/crm/v3/properties/contacts")
    assert answer.status_code == 403
    assert set(answer.json()) == {"status", "message", "correlationId"}


def test_a_token_that_may_see_nobody_reads_everybody_as_absent(hub: Hub) -> None:
    hub.switch(hidden=True)
    assert hub.get(CONTACTS)["results"] == []
    assert hub.found() == hub.there(ANN) == []
    assert hub.call("GET", f"{CONTACTS}/{ANN}").status_code == 404
    assert hub.get("/crm/v3/properties/contacts")["results"]
    hub.opt_out("ann@example.com")
    hub.switch(hidden=False)
    shown = hub.properties(ANN, "hs_email_optout", "num_associated_deals")
    assert (shown["hs_email_optout"], shown["num_associated_deals"]) == ("true", "2")


# --- Allowances ---


def test_headers_tell_what_is_left(hub: Hub) -> None:
    hub.get(CONTACTS)
    headers = hub.call("GET", CONTACTS).headers
    told = {name: headers[f"x-hubspot-ratelimit-{name}"] for name in ("daily", "daily-remaining", "max", "remaining")}
    assert told == {"daily": "650000", "daily-remaining": "649998", "max": "190", "remaining": "188"}
    assert headers["x-hubspot-ratelimit-interval-milliseconds"] == "10000"
    assert headers["x-hubspot-ratelimit-secondly"] == "19"


def test_answers_to_searches_tell_of_the_day_only(hub: Hub) -> None:
    headers = hub.call("POST", SEARCH, {}).headers
    assert {name for name in headers if "ratelimit" in name} == {
        *("x-hubspot-ratelimit-daily", "x-hubspot-ratelimit-daily-remaining")
    }


def test_a_hundred_and_ninety_calls_fit_into_ten_seconds(hub: Hub) -> None:
    for _ in range(190):
        assert hub.call("GET", "/account-info/v3/details").status_code == 200
    answer = hub.call("GET", "/account-info/v3/details")
    assert answer.status_code == 429
    error = answer.json()
    assert (error["errorType"], error["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert error["message"] == "You have reached your ten_secondly_rolling limit."
    assert answer.headers["x-hubspot-ratelimit-remaining"] == "0"
    assert "retry-after" not in answer.headers
    assert hub.call("POST", SEARCH, {}).status_code == 200
    hub.control("POST", "clock", now="2026-11-23T12:01:00Z")
    assert hub.call("GET", "/account-info/v3/details").status_code == 200


def test_a_call_counts_for_as_long_as_the_interval_is_switched() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for switches, seconds in (
        (Switches(per_ten_seconds=2), 10),
        (Switches(per_ten_seconds=2, interval_seconds=4.0), 4),
    ):
        allowance = Allowance()
        taken = [
            allowance.take(switches, noon + timedelta(seconds=after), searching=False)
            for after in (0, 1, seconds - 0.5, seconds, seconds + 0.5, seconds + 1)
        ]
        refused = "TEN_SECONDLY_ROLLING"
        assert [one and one[0] for one in taken] == [None, None, refused, None, refused, None]


def test_the_headers_tell_the_interval_that_is_switched(hub: Hub) -> None:
    hub.switch(per_ten_seconds=19, interval_seconds=0.5)
    headers = hub.call("GET", CONTACTS).headers
    names = ("interval-milliseconds", "max", "secondly")
    assert [headers[f"x-hubspot-ratelimit-{name}"] for name in names] == ["500", "19", "38"]


@pytest.mark.parametrize(
    ("limit", "method", "path"), [("per_ten_seconds", "GET", CONTACTS), ("searches_per_second", "POST", SEARCH)]
)
def test_an_allowance_of_nothing_refuses_every_call(hub: Hub, limit: str, method: str, path: str) -> None:
    hub.switch(retry_after=True, **{limit: 0})
    answers = [hub.call(method, path, {}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert int(answers[0].headers["retry-after"]) >= 1


def test_five_searches_fit_into_a_second(hub: Hub) -> None:
    answers = [hub.call("POST", SEARCH, {}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    error = answers[-1].json()
    assert (error["policyName"], error["message"]) == ("SECONDLY", "You have reached your secondly limit.")
    assert hub.call("GET", CONTACTS).status_code == 200


def test_the_day_ends_at_the_accounts_midnight(hub: Hub) -> None:
    hub.control("POST", "clock", now="2026-07-01T22:00:00Z")
    hub.switch(used_today=649_999, retry_after=True)
    hub.get(CONTACTS)
    answer = hub.call("GET", CONTACTS)
    assert (answer.status_code, answer.json()["policyName"]) == (429, "DAILY")
    assert 3_590 < int(answer.headers["retry-after"]) <= 3_600
    hub.switch(used_today=0)
    (usage,) = hub.get("/account-info/v3/api-usage/daily/private-apps")["results"]
    assert (usage["usageLimit"], usage["currentUsage"]) == (650_000, 2)
    assert usage["resetsAt"] == "2026-07-01T23:00:00.000Z"
    hub.control("POST", "clock", now="2026-07-01T23:00:01Z")
    (usage,) = hub.get("/account-info/v3/api-usage/daily")["results"]
    assert usage["currentUsage"] == 1


def test_limits_are_not_enforced_where_switched_off(hub: Hub) -> None:
    hub.switch(enforce_limits=False, per_ten_seconds=1, searches_per_second=1)
    assert {hub.call("POST", SEARCH, {}).status_code for _ in range(7)} == {200}
    assert {hub.call("GET", CONTACTS).status_code for _ in range(7)} == {200}


# --- Faults and the control surface ---


@pytest.mark.parametrize(
    ("status", "kind"), [(423, "json"), (477, "json"), (429, "json"), (500, "json"), (503, "json"), (502, "html")]
)
def test_injected_refusals_look_like_the_vendors(hub: Hub, status: int, kind: str) -> None:
    hub.control("POST", "faults", fault="status", status=status, path="*/gdpr-delete", retry_after=2)
    answer = hub.call("POST", f"{CONTACTS}/gdpr-delete", {"objectId": ANN})
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "2")
    assert kind in answer.headers["content-type"]
    assert hub.there(ANN) == [ANN]


def test_the_log_names_templates_and_the_records_read_by_name(hub: Hub) -> None:
    hub.get(f"{CONTACTS}/{ANN}")
    hub.found(is_filter("city", "HAS_PROPERTY"))
    log = hub.control("GET", "calls")
    assert log["counts"] == {
        "GET /crm/v3/objects/{object_type}/{key}": 1,
        "POST /crm/v3/objects/{object_type}/search": 1,
    }
    assert [(call["ids"], call["effect"]) for call in log["calls"]] == [([ANN], False), ([], False)]


def test_a_reset_puts_back_people_switches_clock_and_definitions(hub: Hub) -> None:
    fresh = Hub()
    fresh.control("POST", "reset")
    hub.switch(enterprise=True, per_day=1)
    hub.control("POST", "clock", now="2027-11-23T12:00:00Z")
    hub.opt_out("ann@example.com")
    hub.call("DELETE", "/crm/v3/properties/contacts/interests")
    hub.control("POST", "reset")
    assert hub.control("GET", "state") == fresh.control("GET", "state")
    assert hub.calls() == []


@pytest.mark.parametrize(
    "wrong", [{"unheard_of": True}, {"per_day": "many"}, {"enterprise": 1}, {"interval_seconds": 0}]
)
def test_a_switch_must_be_known_and_fit(hub: Hub, wrong: dict[str, Any]) -> None:
    answer = hub.send("POST", "/_sandbox/switches", json=wrong)
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["error"]
