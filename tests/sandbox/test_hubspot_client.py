"""Does HubSpot's own Python client work with the emulator, over TLS and without, as it does with the service?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hubspot import HubSpot
from hubspot.communication_preferences.models import PublicUpdateSubscriptionStatusRequest
from hubspot.crm.associations.v4.models import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.contacts.exceptions import ApiException, ForbiddenException, UnauthorizedException
from hubspot.crm.contacts.models import (
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    PublicGdprDeleteInput,
    PublicMergeInput,
    PublicObjectSearchRequest,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.properties.models import PropertyCreate
from urllib3 import Retry
from urllib3.exceptions import MaxRetryError

from tests.sandbox.conftest import ROOT, TODAY, Running


@pytest.fixture(scope="module")
def running(start: Callable[..., Running]) -> Running:
    return start("hubspot", "--scale", "20")


@pytest.fixture
def emulator(running: Running) -> Running:
    running.control("POST", "reset")
    return running


@pytest.fixture
def client(emulator: Running) -> HubSpot:
    return HubSpot(
        access_token=emulator.credentials["token"],
        host=emulator.base_url,
        ssl_ca_cert=emulator.ca,
    )


@pytest.fixture
def stored(emulator: Running) -> Callable[[str], dict[str, Any]]:
    """The contacts there are, by id, behind the client's back."""

    def read(kind: str = "contacts") -> dict[str, Any]:
        return {row["id"]: row for row in emulator.control("GET", "state")["objects"][kind]}

    return read


@pytest.fixture
def made(client: HubSpot) -> Iterator[Any]:
    """A contact of our own."""
    properties = {"email": "ann.client@example.com", "firstname": "Ann", "collected_on": "2020-01-10"}
    return client.crm.contacts.basic_api.create(
        SimplePublicObjectInputForCreate(associations=[], properties=properties)
    )


def test_the_client_pages_through_every_contact(client: HubSpot, stored: Callable[[str], dict[str, Any]]) -> None:
    found = client.crm.contacts.get_all(properties=["email", "collected_on"])
    seeded = stored("contacts")
    assert [contact.id for contact in found] == sorted(seeded, key=int)
    assert len(found) > 100
    for contact in found:
        assert contact.properties["email"] == seeded[contact.id]["properties"]["email"]
        assert contact.archived is False


def test_the_client_finds_who_opted_out(client: HubSpot, stored: Callable[[str], dict[str, Any]]) -> None:
    expected = {key for key, row in stored("contacts").items() if row["properties"]["hs_email_optout"] == "true"}
    group = {"filters": [{"propertyName": "hs_email_optout", "operator": "EQ", "value": "true"}]}
    asked = PublicObjectSearchRequest(
        filter_groups=[group], sorts=["hs_object_id"], limit=200, properties=["hs_email_optout"], after="0"
    )
    answer = client.crm.contacts.search_api.do_search(asked)
    assert expected
    assert {contact.id for contact in answer.results} == expected
    assert answer.total == len(expected)


def test_the_client_creates_changes_and_reads(client: HubSpot, made: Any) -> None:
    api = client.crm.contacts.basic_api
    api.update(made.id, SimplePublicObjectInput(properties={"city": "Leeds", "firstname": ""}))
    read = api.get_by_id(
        "ann.client@example.com", id_property="email", properties=["city", "firstname", "collected_on"]
    )
    assert (read.id, read.properties["city"], read.properties["firstname"]) == (made.id, "Leeds", None)
    assert read.properties["collected_on"] == "2020-01-10"
    assert read.updated_at > made.updated_at
    history = api.get_by_id(made.id, properties_with_history=["firstname"]).properties_with_history["firstname"]
    assert [version.value for version in history] == ["", "Ann"]


def test_a_refusal_reaches_the_client_with_its_body(client: HubSpot, made: Any) -> None:
    again = SimplePublicObjectInputForCreate(associations=[], properties={"email": "ann.client@example.com"})
    with pytest.raises(Exception, match="409") as caught:
        client.crm.contacts.basic_api.create(again)
    error = json.loads(caught.value.body)
    assert error["message"] == f"Contact already exists. Existing ID: {made.id}"
    assert error["correlationId"] == caught.value.headers["X-HubSpot-Correlation-Id"]
    with pytest.raises(Exception, match="404") as missing:
        client.crm.contacts.basic_api.get_by_id("999")
    assert missing.value.headers["X-HubSpot-NotFound"] == "true"


def test_a_mixed_batch_reaches_the_client_as_results_and_errors(client: HubSpot, made: Any) -> None:
    asked = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": made.id}, {"id": "999"}], properties=["email"], properties_with_history=[]
    )
    answer = client.crm.contacts.batch_api.read(asked)
    assert [contact.properties["email"] for contact in answer.results] == ["ann.client@example.com"]
    assert answer.num_errors == 1
    assert answer.errors[0].category == "OBJECT_NOT_FOUND"
    assert answer.errors[0].context == {"ids": ["999"]}


def test_the_client_changes_and_archives_in_batches(
    client: HubSpot, made: Any, stored: Callable[[str], dict[str, Any]]
) -> None:
    api = client.crm.contacts.batch_api
    inputs = [{"id": made.id, "properties": {"processing_restricted": "true"}}]
    assert api.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs)).status == "COMPLETE"
    assert stored("contacts")[made.id]["properties"]["processing_restricted"] == "true"
    api.archive(BatchInputSimplePublicObjectId(inputs=[{"id": made.id}]))
    assert stored("contacts")[made.id]["archived"] is True


def test_the_client_purges(
    client: HubSpot, emulator: Running, made: Any, stored: Callable[[str], dict[str, Any]]
) -> None:
    client.crm.contacts.basic_api.purge(PublicGdprDeleteInput(object_id=made.id))
    assert made.id not in stored("contacts")
    assert emulator.control("GET", "state")["blocklist"] == ["ann.client@example.com"]


def test_the_client_merges(client: HubSpot, made: Any) -> None:
    create = client.crm.contacts.basic_api.create
    other = create(SimplePublicObjectInputForCreate(associations=[], properties={"email": "second@example.com"}))
    merged = client.crm.contacts.basic_api.merge(
        PublicMergeInput(primary_object_id=made.id, object_id_to_merge=other.id)
    )
    assert (merged.id, merged.properties["hs_additional_emails"]) == (made.id, "second@example.com")


def test_the_client_reads_the_deals_of_a_contact(client: HubSpot, stored: Callable[[str], dict[str, Any]]) -> None:
    linked = {key: row["associations"]["deals"] for key, row in stored("contacts").items()}
    buyer = next(key for key, deals in linked.items() if deals)
    stranger = next(key for key, deals in linked.items() if not deals)
    asked = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": buyer}, {"id": stranger}])
    answer = client.crm.associations.v4.batch_api.get_page("contacts", "deals", asked)
    ((found,), (error,)) = answer.results, answer.errors
    assert [one.to_object_id for one in found.to] == linked[buyer]
    assert error.context["fromObjectId"] == [stranger]
    page = client.crm.associations.v4.basic_api.get_page("contacts", buyer, "deals")
    assert [one.to_object_id for one in page.results] == linked[buyer]
    deal = client.crm.deals.basic_api.get_by_id(linked[buyer][0], properties=["hs_is_closed_won"])
    assert deal.properties["hs_is_closed_won"] in ("true", "false")


def test_the_client_reads_and_makes_properties(client: HubSpot) -> None:
    known = {one.name: one for one in client.crm.properties.core_api.get_all("contacts").results}
    assert known["hs_email_optout"].modification_metadata.read_only_value is True
    assert known["collected_on"].type == "date"
    asked = PropertyCreate(
        name="restricted_on", label="Restricted on", type="date", field_type="date", group_name="own"
    )
    assert client.crm.properties.core_api.create("contacts", asked).name == "restricted_on"
    assert client.crm.properties.core_api.get_by_name("contacts", "restricted_on").hubspot_defined is False


def test_the_client_reads_and_sets_preferences(client: HubSpot, made: Any) -> None:
    api = client.communication_preferences
    kind = api.definition_api.get_page().subscription_definitions[0]
    asked = PublicUpdateSubscriptionStatusRequest(
        email_address="ann.client@example.com", subscription_id=kind.id, legal_basis="CONSENT_WITH_NOTICE"
    )
    assert api.status_api.subscribe(asked).status == "SUBSCRIBED"
    assert api.status_api.unsubscribe(asked).status == "NOT_SUBSCRIBED"
    (status, *_) = api.status_api.get_email_status("ann.client@example.com").subscription_statuses
    assert (status.id, status.status, status.source_of_status) == (kind.id, "NOT_SUBSCRIBED", "SUBSCRIPTION_STATUS")


def test_paths_the_client_does_not_know_go_through_its_plain_call(
    client: HubSpot, made: Any, stored: Callable[[str], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", client.config["ssl_ca_cert"])
    answer = client.api_request(
        {
            "base_url": client.config["host"],
            "method": "POST",
            "path": "/communication-preferences/v4/statuses/ann.client@example.com/unsubscribe-all",
            "qs": {"channel": "EMAIL"},
        }
    )
    assert answer.status_code == 200
    assert stored("contacts")[made.id]["properties"]["hs_email_optout"] == "true"


# --- Refusals, and without TLS ---


def test_a_client_that_does_not_trust_the_authority_sends_nothing(emulator: Running) -> None:
    stranger = HubSpot(access_token=emulator.credentials["token"], host=emulator.base_url, retry=0)
    with pytest.raises(MaxRetryError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.crm.contacts.basic_api.get_page()
    assert emulator.control("GET", "calls")["calls"] == []


def test_a_client_without_the_right_token_is_turned_away(emulator: Running) -> None:
    client = HubSpot(access_token="pat-eu1-another", host=emulator.base_url, ssl_ca_cert=emulator.ca)
    with pytest.raises(UnauthorizedException) as caught:
        client.crm.contacts.basic_api.get_page()
    assert json.loads(caught.value.body)["category"] == "INVALID_AUTHENTICATION"


def test_a_client_without_the_scope_is_forbidden(client: HubSpot, emulator: Running) -> None:
    emulator.control("POST", "switches", scopes=["oauth"])
    with pytest.raises(ForbiddenException) as caught:
        client.crm.contacts.basic_api.purge(PublicGdprDeleteInput(object_id="1"))
    (error,) = json.loads(caught.value.body)["errors"]
    assert error["context"] == {"requiredGranularScopes": ["crm.objects.contacts.write"]}


def test_a_client_that_calls_too_often_learns_which_limit_it_met(client: HubSpot, emulator: Running) -> None:
    emulator.control("POST", "switches", per_ten_seconds=2, searches_per_second=0)
    for _ in range(2):
        client.crm.contacts.basic_api.get_page(limit=1)
    with pytest.raises(ApiException) as often:
        client.crm.contacts.basic_api.get_page(limit=1)
    with pytest.raises(ApiException) as searching:
        client.crm.contacts.search_api.do_search(PublicObjectSearchRequest(limit=1))
    policies = [json.loads(one.value.body)["policyName"] for one in (often, searching)]
    assert [one.value.status for one in (often, searching)] == [429, 429]
    assert policies == ["TEN_SECONDLY_ROLLING", "SECONDLY"]


def test_a_client_that_waits_as_told_gets_through(client: HubSpot, emulator: Running) -> None:
    emulator.control("POST", "faults", fault="status", status=429, path="*/search", retry_after=0)
    patient = HubSpot(
        access_token=emulator.credentials["token"],
        host=emulator.base_url,
        ssl_ca_cert=emulator.ca,
        retry=Retry(total=1, status_forcelist=[429], allowed_methods=None),
    )
    assert patient.crm.contacts.search_api.do_search(PublicObjectSearchRequest(limit=1)).total > 100
    assert [call["status"] for call in emulator.control("GET", "calls")["calls"]] == [429, 200]


@pytest.fixture
def plain() -> Iterator[dict[str, Any]]:
    """What an emulator started without a TLS directory says of itself."""
    command = [sys.executable, "-m", "sandbox", "hubspot", "--port", "0", "--as-of", TODAY.isoformat()]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def test_without_a_tls_directory_the_client_talks_plainly(plain: dict[str, Any]) -> None:
    assert (plain["name"], plain["ca"]) == ("hubspot", None)
    assert plain["base_url"].startswith("http://127.0.0.1:")
    client = HubSpot(access_token=plain["credentials"]["token"], host=plain["base_url"])
    (first, *_) = client.crm.contacts.basic_api.get_page(limit=1).results
    client.crm.contacts.basic_api.purge(PublicGdprDeleteInput(object_id=first.id))
    state = requests.get(f"{plain['control']}/_sandbox/state", timeout=10).json()
    assert first.id not in {row["id"] for row in state["objects"]["contacts"]}
    (listed, purged) = requests.get(f"{plain['control']}/_sandbox/calls", timeout=10).json()["calls"]
    assert (listed["ids"], purged["ids"], purged["effect"]) == ([], [first.id], True)
