"""Does every call of the Microsoft 365 connector fit what Microsoft publishes: path, method, query, properties?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from retention.vocabulary import Action
from tests.contract.microsoft365.asking import mail, pages, planned_anew, step, tenant_with, token_of
from tests.contract.microsoft365.test_passes import attached, event
from tests.contract.microsoft365_tenant import Folder, Tenant
from tests.contract.microsoft365_world import connect
from tests.leave import Leave
from tests.microsoft365_spec import SPEC, described, operation

NOT_IN_THE_SLICE = frozenset({"/users/{}/events/{}/attachments"})
"""Published elsewhere in Microsoft's reference; the slice beside the checkout has the attachments of messages only."""

pytestmark = pytest.mark.skipif(not SPEC.is_file(), reason=f"the published description is not at {SPEC}")


def parameters(published: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = {}
    for given in published.get("parameters", ()):
        name = given["$ref"].rpartition("/")[2] if "$ref" in given else ""
        one = described()["components"]["parameters"][name] if name else given
        found[one["name"]] = one
    return found


@pytest.fixture(scope="module")
def calls() -> set[tuple[str, str]]:
    """Everything the connector sends in two nights over every kind of item, and with every verb."""
    tenant, (erased, restricted, _) = tenant_with(*mail(3))
    tenant.boxes["u1"].folders["u1-below"] = Folder("Below", parent="u1-sent")
    tenant.add("message", mail()[0], files=(attached("a.csv", b"a@example.com"),))
    tenant.add("contact", {"createdDateTime": "2019-01-01T00:00:00Z", "emailAddresses": [{"address": "a@example.com"}]})
    past = tenant.add("event", event("2020-05-05T10:00:00", type="seriesMaster"))
    tenant.add("event", {"type": "occurrence", "seriesMasterId": past})
    connector = connect(tenant)
    pages(connector, token_of(pages(connector)))
    erasing = step(tenant, erased)
    connector.act(Action.ERASE, [erasing, step(tenant, past)], Leave())
    (outcome,) = connector.act(Action.RESTRICT, [step(tenant, restricted, Action.RESTRICT)], Leave())
    releasing = planned_anew(tenant, step(tenant, restricted, Action.RELEASE), values=outcome.previous)
    connector.act(Action.RELEASE, [releasing], Leave())
    connector.read_back([erasing, releasing])
    list(connector.export([releasing.ref]))
    connector.link(releasing.ref)
    return sent(tenant)


def sent(tenant: Tenant) -> set[tuple[str, str]]:
    return {*tenant.parts, *((verb, path) for verb, path in tenant.calls if path == "/$batch")}


def in_the_slice(calls: set[tuple[str, str]]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for verb, path in sorted(calls):
        found = operation(verb, urlsplit(path).path)
        if found is not None:
            yield verb, path, *found


def test_every_path_is_published(calls: set[tuple[str, str]]) -> None:
    unknown = {path for verb, path in calls if operation(verb, urlsplit(path).path) is None}
    bare = {re.sub(r"(?<=users/)[^/]+|(?<=events/)[^/]+", "{}", urlsplit(path).path) for path in unknown}
    assert bare <= NOT_IN_THE_SLICE
    assert len(calls) > 20


def test_every_query_option_is_published_for_its_path(calls: set[tuple[str, str]]) -> None:
    wrong = {
        (verb, template, name)
        for verb, path, template, published in in_the_slice(calls)
        for name in parse_qs(urlsplit(path).query)
        if name not in parameters(published)
    }
    assert wrong == set()


def test_every_property_asked_for_is_published(calls: set[tuple[str, str]]) -> None:
    schemas = described()["components"]["schemas"]

    def names(schema: Mapping[str, Any]) -> set[str]:
        if "$ref" in schema:
            return names(schemas[schema["$ref"].rpartition("/")[2]])
        inherited = [names(one) for one in schema.get("allOf", ())]
        return set(schema.get("properties", ())).union(*inherited)

    for _, path, template, published in in_the_slice(calls):
        asked = parse_qs(urlsplit(path).query).get("$select", [""])[0].split(",")
        content = published["responses"].get("200", {}).get("content", {}).get("application/json", {})
        known = names(content.get("schema", {}))
        if "value" in known:
            known = names(content["schema"]["properties"]["value"]["items"])
        if asked != [""]:
            assert set(asked) <= known, template


def test_what_has_to_be_given_is_given(calls: set[tuple[str, str]]) -> None:
    for _, path, template, published in in_the_slice(calls):
        given = parse_qs(urlsplit(path).query)
        if {"$deltatoken", "$skiptoken"} & set(given):
            continue
        needed = {n for n, one in parameters(published).items() if one["in"] == "query" and one.get("required")}
        assert needed <= set(given), template
