"""Does the emulated account link, keep and purge activities, tickets and companies as HubSpot does?"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.sandbox.hubspot_calls import ANN, BO, WON, Hub

PURGE = "/crm/objects/2026-09/{}/gdpr-delete"
ALONE = ["notes", "emails", "meetings", "communications"]
IN_A_TOOL = ["calls", "tasks"]


@pytest.fixture
def hub() -> Hub:
    return Hub()


def made(hub: Hub, kind: str, **linked: str) -> str:
    properties = {} if kind in ("companies", "tickets") else {"hs_timestamp": "2026-01-10T09:00:00Z"}
    key: str = hub.post(f"/crm/v3/objects/{kind}", {"properties": properties, "associations": []}, status=201)["id"]
    for target, other in linked.items():
        path = f"/crm/v4/objects/{kind}/{key}/associations/default/{target}/{other}"
        assert hub.call("PUT", path).status_code == 200
    return key


def is_there(hub: Hub, kind: str, key: str) -> bool:
    return hub.call("GET", f"/crm/v3/objects/{kind}/{key}").status_code == 200


def wait(hub: Hub, days: int) -> None:
    now = datetime.fromisoformat(hub.account.stamp()) + timedelta(days=days)
    hub.control("POST", "clock", now=now.isoformat())


def test_an_activity_is_linked_both_ways_by_hubspots_own_numbers(hub: Hub) -> None:
    note = made(hub, "notes", contacts=ANN)
    (there,) = hub.get(f"/crm/v4/objects/notes/{note}/associations/contacts")["results"]
    (back,) = hub.get(f"/crm/v4/objects/contacts/{ANN}/associations/notes")["results"]
    assert (there["toObjectId"], there["associationTypes"][0]["typeId"]) == (int(ANN), 202)
    assert (back["toObjectId"], back["associationTypes"][0]["typeId"]) == (int(note), 201)


def test_an_activity_may_be_made_with_its_links(hub: Hub) -> None:
    link = {"to": {"id": ANN}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}]}
    call = hub.post("/crm/v3/objects/calls", {"properties": {}, "associations": [link]}, status=201)["id"]
    (linked,) = hub.get(f"/crm/v4/objects/calls/{call}/associations/contacts")["results"]
    assert linked["toObjectId"] == int(ANN)


@pytest.mark.parametrize("kind", ALONE)
def test_an_activity_about_nobody_else_goes_thirty_days_after_its_contact(hub: Hub, kind: str) -> None:
    own = made(hub, kind, contacts=ANN)
    hub.post("/crm/v3/objects/contacts/gdpr-delete", {"objectId": ANN}, status=204)
    wait(hub, 29)
    assert is_there(hub, kind, own)
    wait(hub, 2)
    assert not is_there(hub, kind, own)


@pytest.mark.parametrize("kind", IN_A_TOOL)
def test_a_call_or_task_stays_without_its_link(hub: Hub, kind: str) -> None:
    own = made(hub, kind, contacts=ANN)
    hub.post("/crm/v3/objects/contacts/gdpr-delete", {"objectId": ANN}, status=204)
    wait(hub, 60)
    assert is_there(hub, kind, own)
    assert hub.get(f"/crm/v4/objects/{kind}/{own}/associations/contacts")["results"] == []


@pytest.mark.parametrize("kind", ALONE)
def test_an_activity_that_hangs_on_somebody_else_too_stays(hub: Hub, kind: str) -> None:
    shared = made(hub, kind, contacts=ANN)
    hub.call("PUT", f"/crm/v4/objects/{kind}/{shared}/associations/default/contacts/{BO}")
    hub.post("/crm/v3/objects/contacts/gdpr-delete", {"objectId": ANN}, status=204)
    wait(hub, 60)
    assert is_there(hub, kind, shared)


@pytest.mark.parametrize("kind", [*ALONE, *IN_A_TOOL, "tickets", "deals"])
def test_the_dated_path_purges_records_of_any_type(hub: Hub, kind: str) -> None:
    key = WON if kind == "deals" else made(hub, kind)
    hub.post(PURGE.format(kind), {"objectId": key}, status=204)
    assert not is_there(hub, kind, key)
    assert hub.account.blocklist == set()


def test_only_contacts_can_be_purged_by_the_path_of_v3(hub: Hub) -> None:
    note = made(hub, "notes")
    assert hub.call("POST", "/crm/v3/objects/notes/gdpr-delete", {"objectId": note}).status_code in (404, 405)
    assert is_there(hub, "notes", note)


@pytest.mark.parametrize("release", ["2025-09", "2026-03", "2026-09", "2026-09-beta"])
def test_every_dated_release_answers_like_the_numbered_one(hub: Hub, release: str) -> None:
    assert hub.get(f"/crm/objects/{release}/contacts/{ANN}") == hub.get(f"/crm/v3/objects/contacts/{ANN}")
    asked = {"inputs": [{"id": ANN}]}
    dated = hub.post(f"/crm/associations/{release}/contacts/deals/batch/read", asked)
    assert dated["results"] == hub.post("/crm/v4/associations/contacts/deals/batch/read", asked)["results"]
    path = "statuses/ann@example.com"
    assert (
        hub.get(f"/communication-preferences/{release}/{path}", channel="EMAIL")["results"]
        == hub.get(f"/communication-preferences/v4/{path}", channel="EMAIL")["results"]
    )


def test_a_release_that_never_was_is_not_found(hub: Hub) -> None:
    assert hub.call("GET", f"/crm/objects/2019-01/contacts/{ANN}").status_code == 404


def test_a_contact_shows_its_company_and_a_closed_ticket_its_day(hub: Hub) -> None:
    company = made(hub, "companies", contacts=ANN)
    assert hub.properties(ANN, "associatedcompanyid")["associatedcompanyid"] == company
    ticket = made(hub, "tickets")
    hub.call("PATCH", f"/crm/v3/objects/tickets/{ticket}", {"properties": {"hs_pipeline_stage": "4"}})
    assert hub.get(f"/crm/v3/objects/tickets/{ticket}", properties="closed_date")["properties"]["closed_date"]


def test_tickets_and_companies_have_scopes_of_their_own(hub: Hub) -> None:
    scopes = hub.account.switches.scopes
    hub.switch(scopes=[one for one in scopes if one not in ("tickets", "crm.objects.companies.read")])
    assert hub.call("GET", "/crm/v3/objects/tickets").status_code == 403
    assert hub.call("GET", "/crm/v3/objects/companies").status_code == 403
    assert hub.call("GET", "/crm/v3/objects/notes").status_code == 200
