"""Do calls and answers fit the OpenAPI descriptions that HubSpot publishes?

Two known differences between the service and its descriptions are let through: empty properties are null, and the
`subCategory` of an error inside a batch is text.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.sandbox.hubspot_calls import ANN, BO, CY, NEWSLETTER, NOBODY, OPEN, WON, Hub, is_filter
from tests.sandbox.hubspot_specs import SPECS, described, faults, without_known_differences

pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason=f"the published descriptions are not at {SPECS}")

FILTERS = {"filterGroups": [{"filters": [is_filter("city", "EQ", "york")]}]}
SEARCH = FILTERS | {"after": "0", "limit": 1, "sorts": ["hs_object_id"], "properties": ["city", "phone"]}
READ = {"properties": ["city"], "propertiesWithHistory": ["city"]}
CHANGE = {"inputs": [{"id": ANN, "properties": {"city": "Hull"}}]}
CHOICE = {"channel": "EMAIL", "statusState": "SUBSCRIBED", "subscriptionId": NEWSLETTER}
PROPERTY = {"name": "restricted_on", "label": "On", "type": "date", "fieldType": "date", "groupName": "own"}
V3_CHOICE = {"emailAddress": "ann@example.com", "subscriptionId": str(NEWSLETTER)}
EMAIL = {"channel": "EMAIL"}
ONE = "/communication-preferences/v4/statuses/{subscriberIdString}"
MANY = "/communication-preferences/v4/statuses/batch"
LINKS = "/crm/v4/associations/{fromObjectType}/{toObjectType}/batch"
DATED = "/crm/objects/2026-09/{objectType}"
BETWEEN = {"fromObjectType": "contacts", "toObjectType": "deals"}

Call = tuple[str, str, str, dict[str, Any], dict[str, Any], Any, int]


def _objects(spec: str, path: str, key: str, one: str, absent_id: str = NOBODY) -> list[Call]:
    """The operations that contacts and deals share."""
    name = "dealname" if "deal" in key else "city"
    new = {"properties": {name: "New"}, "associations": []}
    change = {"inputs": [{"id": one, "properties": {name: "Hull"}}]}
    mixed = {"inputs": [*change["inputs"], {"id": absent_id, "properties": {name: "Hull"}}]}
    read = {"inputs": [{"id": one}], "properties": [name], "propertiesWithHistory": [name]}
    search = {"filterGroups": [{"filters": [is_filter(name, "HAS_PROPERTY")]}]}
    search |= {"after": "0", "limit": 1, "sorts": ["-createdate"], "properties": [name]}
    return [
        (spec, "GET", path, {}, {"limit": 1, "associations": "contacts,deals"}, None, 200),
        (spec, "GET", path, {}, {"limit": 2, "propertiesWithHistory": name}, None, 200),
        (spec, "POST", path, {}, {}, new, 201),
        (spec, "GET", f"{path}/{{{key}}}", {key: one}, {"properties": name, "associations": "deals"}, None, 200),
        (spec, "PATCH", f"{path}/{{{key}}}", {key: one}, {}, {"properties": {name: "Hull"}}, 200),
        (spec, "DELETE", f"{path}/{{{key}}}", {key: one}, {}, None, 204),
        (spec, "POST", f"{path}/search", {}, {}, search, 200),
        (spec, "POST", f"{path}/batch/read", {}, {}, read, 200),
        (spec, "POST", f"{path}/batch/read", {}, {}, read | {"inputs": [{"id": one}, {"id": absent_id}]}, 207),
        (spec, "POST", f"{path}/batch/create", {}, {}, {"inputs": [new, new]}, 201),
        (spec, "POST", f"{path}/batch/update", {}, {}, change, 200),
        (spec, "POST", f"{path}/batch/update", {}, {}, mixed, 207),
        (spec, "POST", f"{path}/batch/archive", {}, {}, {"inputs": [{"id": one}]}, 204),
    ]


CONTACTS = "/crm/v3/objects/contacts"
PURGE = {"objectId": ANN}
MERGE = {"primaryObjectId": ANN, "objectIdToMerge": BO}
UPSERT = {"inputs": [{"id": "x@example.com", "idProperty": "email", "properties": {"city": "Hull"}}]}
TYPES = {"objectType": "contacts"}
NAMED = TYPES | {"propertyName": "interests"}
ADDRESS = {"subscriberIdString": "ann@example.com"}
OUT = {"subscriberIdString": "bo@example.org"}
CALLS: list[Call] = [
    *_objects("v3/contacts.json", CONTACTS, "contactId", ANN),
    *_objects("v3/deals.json", "/crm/v3/objects/0-3", "dealId", WON),
    ("v3/contacts.json", "POST", f"{CONTACTS}/gdpr-delete", {}, {}, PURGE, 204),
    (
        "v3/contacts.json",
        "POST",
        f"{CONTACTS}/gdpr-delete",
        {},
        {},
        {"objectId": "x@example.com", "idProperty": "email"},
        204,
    ),
    ("v3/contacts.json", "POST", f"{CONTACTS}/merge", {}, {}, MERGE, 200),
    ("v3/contacts.json", "POST", f"{CONTACTS}/batch/upsert", {}, {}, UPSERT, 200),
    ("v3/properties.json", "GET", "/crm/v3/properties/{objectType}", TYPES, {}, None, 200),
    ("v3/properties.json", "GET", "/crm/v3/properties/{objectType}", {"objectType": "deals"}, {}, None, 200),
    ("v3/properties.json", "POST", "/crm/v3/properties/{objectType}", TYPES, {}, PROPERTY, 201),
    ("v3/properties.json", "GET", "/crm/v3/properties/{objectType}/{propertyName}", NAMED, {}, None, 200),
    (
        "v3/properties.json",
        "PATCH",
        "/crm/v3/properties/{objectType}/{propertyName}",
        NAMED,
        {},
        {"label": "Likes"},
        200,
    ),
    ("v3/properties.json", "DELETE", "/crm/v3/properties/{objectType}/{propertyName}", NAMED, {}, None, 204),
    ("v4/associations.json", "POST", f"{LINKS}/read", BETWEEN, {}, {"inputs": [{"id": ANN}]}, 200),
    ("v4/associations.json", "POST", f"{LINKS}/read", BETWEEN, {}, {"inputs": [{"id": ANN}, {"id": CY}]}, 207),
    (
        *("v4/associations.json", "POST", f"{LINKS}/associate/default", BETWEEN, {}),
        *({"inputs": [{"from": {"id": CY}, "to": {"id": OPEN}}]}, 200),
    ),
    (
        *("v4/associations.json", "POST", f"{LINKS}/archive", BETWEEN, {}),
        *({"inputs": [{"from": {"id": ANN}, "to": [{"id": OPEN}]}]}, 204),
    ),
    (
        *("v4/associations.json", "GET", "/crm/v4/objects/{objectType}/{objectId}/associations/{toObjectType}"),
        *({"objectType": "contacts", "objectId": ANN, "toObjectType": "deals"}, {"limit": 1}, None, 200),
    ),
    (
        "v4/associations.json",
        "PUT",
        "/crm/v4/objects/{fromObjectType}/{fromObjectId}/associations/default/{toObjectType}/{toObjectId}",
        BETWEEN | {"fromObjectId": BO, "toObjectId": WON},
        *({}, None, 200),
    ),
    (
        "v4/associations.json",
        "DELETE",
        "/crm/v4/objects/{objectType}/{objectId}/associations/{toObjectType}/{toObjectId}",
        {"objectType": "contacts", "objectId": ANN, "toObjectType": "deals", "toObjectId": WON},
        *({}, None, 204),
    ),
    ("v3/subscriptions.json", "GET", "/communication-preferences/v3/definitions", {}, {}, None, 200),
    (
        *("v3/subscriptions.json", "GET", "/communication-preferences/v3/status/email/{emailAddress}"),
        *({"emailAddress": "bo@example.org"}, {}, None, 200),
    ),
    ("v3/subscriptions.json", "POST", "/communication-preferences/v3/subscribe", {}, {}, V3_CHOICE, 200),
    ("v3/subscriptions.json", "POST", "/communication-preferences/v3/unsubscribe", {}, {}, V3_CHOICE, 200),
    ("v4/subscriptions.json", "GET", "/communication-preferences/v4/definitions", {}, {}, None, 200),
    ("v4/subscriptions.json", "GET", ONE, ADDRESS, EMAIL, None, 200),
    ("v4/subscriptions.json", "POST", ONE, ADDRESS, {}, CHOICE, 200),
    ("v4/subscriptions.json", "GET", f"{ONE}/unsubscribe-all", ADDRESS, EMAIL, None, 200),
    ("v4/subscriptions.json", "GET", f"{ONE}/unsubscribe-all", OUT, EMAIL | {"verbose": "true"}, None, 200),
    ("v4/subscriptions.json", "POST", f"{ONE}/unsubscribe-all", ADDRESS, EMAIL, None, 200),
    ("v4/subscriptions.json", "POST", f"{ONE}/unsubscribe-all", ADDRESS, EMAIL | {"verbose": "true"}, None, 200),
    ("v4/subscriptions.json", "POST", f"{MANY}/read", {}, EMAIL, {"inputs": ["ann@example.com"]}, 200),
    ("v4/subscriptions.json", "POST", f"{MANY}/read", {}, EMAIL, {"inputs": ["ann@example.com", "none"]}, 207),
    ("v4/subscriptions.json", "POST", f"{MANY}/unsubscribe-all/read", {}, EMAIL, {"inputs": ["bo@example.org"]}, 200),
    ("v4/subscriptions.json", "POST", f"{MANY}/unsubscribe-all", {}, EMAIL, {"inputs": ["ann@example.com"]}, 200),
    (
        *("v4/subscriptions.json", "POST", f"{MANY}/write", {}, {}),
        *({"inputs": [CHOICE | {"subscriberIdString": "ann@example.com"}]}, 200),
    ),
    (
        *("v4/subscriptions.json", "POST", "/communication-preferences/v4/links/generate", {}, EMAIL),
        *({"subscriberIdString": "ann@example.com"}, 200),
    ),
    ("2026-09/contacts.json", "POST", f"{DATED}/gdpr-delete", TYPES, {}, PURGE, 204),
    ("2026-09/contacts.json", "GET", DATED, TYPES, {"limit": 1, "properties": "city"}, None, 200),
    ("2026-09/contacts.json", "POST", f"{DATED}/search", TYPES, {}, SEARCH, 200),
    ("2026-09/contacts.json", "POST", f"{DATED}/batch/read", TYPES, {}, READ | {"inputs": [{"id": ANN}]}, 200),
    ("2026-09/contacts.json", "POST", f"{DATED}/batch/update", TYPES, {}, CHANGE, 200),
    ("2026-03/contacts.json", "POST", "/crm/objects/2026-03/contacts/gdpr-delete", {}, {}, PURGE, 204),
    ("2026-03/contacts.json", "POST", "/crm/objects/2026-03/contacts/search", {}, {}, SEARCH, 200),
    (
        *("2026-03/associations.json", "POST", LINKS.replace("v4/associations", "associations/2026-03") + "/read"),
        *(BETWEEN, {}, {"inputs": [{"id": ANN}]}, 200),
    ),
    ("2026-09/subscriptions.json", "GET", ONE.replace("v4", "2026-09"), ADDRESS, EMAIL, None, 200),
    ("v3/account_info.json", "GET", "/account-info/v3/api-usage/daily", {}, {}, None, 200),
    ("v3/account_info.json", "GET", "/account-info/v3/details", {}, {}, None, 200),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[1]} {call[2]} {call[6]}")
def test_a_call_and_its_answer_fit_the_description(call: Call) -> None:
    spec, method, template, parts, query, body, status = call
    operation = described(spec)["paths"][template][method.lower()]
    known = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
    assert set(query) <= set(known)
    assert {name for name, one in known.items() if one.get("required")} <= set(query)
    if body is not None:
        assert faults(spec, operation["requestBody"]["content"]["application/json"]["schema"], body) == []

    hub = Hub()
    hub.switch(enterprise=True, association_ids_as_text=True)
    answer = hub.call(method, re.sub(r"\{(\w+)\}", lambda match: parts[match[1]], template), body, **query)

    assert answer.status_code == status, answer.text
    described_answer = operation["responses"][str(status)]
    if not described_answer.get("content"):
        assert answer.content == b""
        return
    assert answer.headers["content-type"] == "application/json"
    schema = described_answer["content"]["application/json"]["schema"]
    assert faults(spec, schema, without_known_differences(answer.json())) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", CONTACTS, {"properties": {"email": "ann@example.com"}}),
        ("POST", CONTACTS, {"properties": {"nickname": "Annie"}}),
        ("POST", f"{CONTACTS}/search", {"limit": 1_000}),
        ("PATCH", f"{CONTACTS}/{NOBODY}", {"properties": {"city": "Hull"}}),
    ],
)
def test_a_refusal_fits_the_description_of_errors(method: str, path: str, body: Any) -> None:
    answer = Hub().call(method, path, body)
    assert answer.status_code >= 400
    assert faults("v3/contacts.json", {"$ref": "#/components/schemas/Error"}, answer.json()) == []


def test_definitions_agree_with_those_of_a_real_account() -> None:
    real = {one["name"]: one for one in json.loads((SPECS / "contact_properties.json").read_text("utf-8"))["results"]}
    ours = {one["name"]: one for one in Hub().get("/crm/v3/properties/contacts")["results"] if one["hubspotDefined"]}
    shared = set(real) & set(ours)
    assert len(shared) > 30
    for name in shared:
        for part in ("type", "fieldType", "calculated", "hubspotDefined"):
            assert (name, part, ours[name][part]) == (name, part, real[name][part])
        mine, theirs = (one[name]["modificationMetadata"]["readOnlyValue"] for one in (ours, real))
        assert (name, mine) == (name, theirs)
        assert {one["value"] for one in ours[name]["options"]} == {one["value"] for one in real[name]["options"]}


def test_a_wrong_answer_would_be_noticed() -> None:
    row = {"id": 1, "properties": {}, "createdAt": "", "updatedAt": ""}
    found = faults("v3/contacts.json", {"$ref": "#/components/schemas/SimplePublicObject"}, row)
    assert len(found) == 2
