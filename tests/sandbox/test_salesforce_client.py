"""Does the vendor's Python client find in the emulator what it finds in the service: access, queries, limits?"""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_soql

from tests.sandbox.conftest import Running
from tests.sandbox.salesforce_calls import DATA, NO_SUCH, call, make


def test_a_token_is_refused_in_the_words_of_oauth(emulator: Running) -> None:
    def ask(**given: str) -> tuple[int, str]:
        answer = emulator.request("POST", "/services/oauth2/token", data=given)
        return answer.status_code, answer.json()["error"]

    known = emulator.credentials
    assert ask(grant_type="client_credentials", client_id=known["client_id"], client_secret="wrong") == (
        400,
        "invalid_client",
    )
    assert ask(grant_type="client_credentials", client_id="x", client_secret="y") == (400, "invalid_client_id")
    assert ask(grant_type="password", username="u", password="p") == (400, "invalid_grant")
    assert ask(grant_type="tea") == (400, "unsupported_grant_type")


def test_a_signed_assertion_of_the_approved_user_gets_a_token(emulator: Running) -> None:
    def ask(**changed: Any) -> requests.Response:
        known = emulator.credentials
        claims = {"iss": known["client_id"], "sub": known["username"], "aud": "https://login.salesforce.com"}
        parts = [{"alg": "RS256"}, {**claims, "exp": str(int(time.time()) + 60), **changed}]
        packed = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        given = {"grant_type": grant, "assertion": ".".join([*packed, "c2lnbmF0dXJl"])}
        found: requests.Response = emulator.request("POST", "/services/oauth2/token", data=given)
        return found

    headers = {"Authorization": f"Bearer {ask().json()['access_token']}"}
    assert emulator.request("GET", f"{DATA}/limits", headers=headers).status_code == 200
    assert ask(sub="somebody@example.com").json()["error"] == "invalid_grant"
    assert ask(iss="another app").json()["error"] == "invalid_client_id"
    assert ask(exp=1).status_code == 400


def test_a_call_without_a_valid_token_gets_a_list_with_invalid_session_id(emulator: Running) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        answer = emulator.request("GET", f"{DATA}/limits", headers=headers)
        assert answer.status_code == 401
        assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_an_unused_token_expires_when_the_org_says_so(emulator: Running, sf: Salesforce) -> None:
    emulator.control("POST", "switches", session_seconds=7200)
    sf.limits()
    emulator.control("POST", "clock", now="2026-11-23T15:00:00Z")
    with pytest.raises(SalesforceExpiredSession):
        sf.bulk2.Contact._client.get_job("750000000000001AAA", is_query=False)


def test_versions_are_listed_without_a_token_and_unknown_ones_do_not_exist(emulator: Running) -> None:
    listed = emulator.request("GET", "/services/data").json()
    assert listed[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    headers = {"Authorization": f"Bearer {emulator.credentials['token']}"}
    assert emulator.request("GET", "/services/data/v99.0/limits", headers=headers).status_code == 404


# --- queries


def test_a_query_pages_past_two_thousand_rows(emulator: Running, sf: Salesforce) -> None:
    made = make(sf, 2100)
    first = sf.query("SELECT Id FROM Contact WHERE LastName LIKE 'Made%' ORDER BY Id")
    assert (first["totalSize"], first["done"], len(first["records"])) == (2100, False, 2000)
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert (second["totalSize"], second["done"], len(second["records"])) == (2100, True, 100)
    assert [row["Id"] for row in first["records"] + second["records"]] == sorted(made)
    smaller = sf.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})
    assert len(smaller["records"]) == 200
    emulator.control("POST", "switches", page_rows=7)
    assert len(sf.query("SELECT Id FROM Contact")["records"]) == 7
    assert len(list(sf.query_all_iter("SELECT Id FROM Contact WHERE LastName LIKE 'Made0000%'"))) == 10


def test_a_page_nobody_promised_is_refused(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.query_more("0r8000000000001AAA-2000")
    assert caught.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_query_all_shows_soft_deleted_rows_and_query_does_not(sf: Salesforce) -> None:
    made = sf.Contact.create({"LastName": "O'Example", "Email": "o'example@example.com"})["id"]
    statement = format_soql("SELECT Id, IsDeleted FROM Contact WHERE Email = {}", "o'example@example.com")
    assert sf.Contact.delete(made) == 204
    assert sf.query(statement)["totalSize"] == 0
    (row,) = sf.query(statement, include_deleted=True)["records"]
    assert (row["Id"], row["IsDeleted"]) == (made, True)
    with pytest.raises(SalesforceResourceNotFound) as caught:
        sf.Contact.get(made)
    assert caught.value.content[0]["errorCode"] == "NOT_FOUND"
    with pytest.raises(SalesforceResourceNotFound) as again:
        sf.Contact.delete(made)
    assert again.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"
    listed = sf.Contact.deleted(*window())["deletedRecords"]
    assert made in [one["id"] for one in listed]


def window() -> tuple[datetime, datetime]:
    return datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)


def test_a_wrong_statement_raises_with_the_place_of_the_error(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.query("SELECT Id, Nope FROM Contact")
    (error,) = caught.value.content
    assert error["errorCode"] == "INVALID_FIELD"
    assert "ERROR at Row:1:Column:12\nNo such column 'Nope' on entity 'Contact'" in error["message"]


def test_an_address_over_sixteen_kilobytes_is_refused(emulator: Running) -> None:
    statement = f"SELECT Id FROM Contact WHERE Id IN ({','.join([repr(NO_SUCH)] * 800)})"
    assert call(emulator, "GET", "query", params={"q": statement}).status_code == 414
    body = {"compositeRequest": [{"method": "GET", "url": f"{DATA}/query?q={statement}", "referenceId": "a"}]}
    answer = call(emulator, "POST", "composite", json=body).json()["compositeResponse"][0]
    assert (answer["httpStatusCode"], answer["body"]["totalSize"]) == (200, 0)


# --- limits


def test_usage_is_told_with_each_answer_and_the_daily_allowance_ends(emulator: Running, sf: Salesforce) -> None:
    sf.limits()
    assert sf.api_usage["api-usage"].used == 1
    emulator.control("POST", "switches", daily_api_requests=2)
    assert sf.limits()["DailyApiRequests"] == {"Max": 2, "Remaining": 0}
    with pytest.raises(SalesforceRefusedRequest) as caught:
        sf.limits()
    assert caught.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    emulator.control("POST", "clock", now="2026-11-24T12:30:00Z")
    assert sf.limits()["DailyApiRequests"]["Remaining"] == 1


def test_row_counts_are_blind_to_sharing(emulator: Running, sf: Salesforce) -> None:
    emulator.control("POST", "switches", unshared_objects=["Contact"])
    counted = sf.restful("limits/recordCount", params={"sObjects": "Contact"})["sObjects"]
    assert counted[0]["name"] == "Contact"
    assert counted[0]["count"] > 0
    assert sf.query("SELECT Id FROM Contact", include_deleted=True)["totalSize"] == 0
