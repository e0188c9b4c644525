"""Does the emulated org describe itself as real ones do? Compared with published describe responses where present."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.salesforce.describe import describe, global_describe
from sandbox.salesforce.schema import PREFIXES, Schema

PUBLISHED = Path(__file__).parents[3] / "shared" / "specs" / "salesforce" / "describe"
ATTRIBUTES = (
    "type", "label", "length", "nillable", "createable", "updateable", "filterable", "sortable", "groupable",
    "referenceTo", "relationshipName", "compoundFieldName", "soapType", "nameField", "idLookup",
)  # fmt: skip
BASE = "/services/data/v62.0"


def described(name: str) -> dict[str, Any]:
    sobject = Schema().get(name)
    assert sobject is not None
    return describe(sobject, BASE)


def published(name: str) -> dict[str, Any]:
    path = PUBLISHED / f"{name}.json"
    if not path.is_file():
        pytest.skip("the published describe responses are not beside this checkout")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", ["Contact", "Lead", "Case", "Opportunity", "OpportunityContactRole"])
def test_every_field_both_know_has_the_published_attributes(name: str) -> None:
    real = {field["name"]: field for field in published(name)["fields"]}
    ours = {field["name"]: field for field in described(name)["fields"]}
    shared = real.keys() & ours.keys()
    assert len(shared) >= len(real) - 1
    for field in sorted(shared):
        assert {key: ours[field][key] for key in ATTRIBUTES} == {key: real[field][key] for key in ATTRIBUTES}


@pytest.mark.parametrize("name", ["Contact", "Lead"])
def test_what_a_delete_does_to_each_child_is_as_published(name: str) -> None:
    def effects(body: dict[str, Any]) -> set[tuple[Any, ...]]:
        return {
            (one["childSObject"], one["field"], one["relationshipName"], one["cascadeDelete"], one["restrictedDelete"])
            for one in body["childRelationships"]
            if "__" not in one["childSObject"] + one["field"]
        }

    assert effects(described(name)) == effects(published(name))


def test_the_global_list_has_the_published_shape() -> None:
    ours, real = global_describe(Schema(), BASE), published("_global")
    assert set(ours) == set(real)
    assert set(real["sobjects"][0]) - {"urls"} <= set(ours["sobjects"][0])
    prefixes = {one["name"]: one["keyPrefix"] for one in real["sobjects"] if one["keyPrefix"]}
    assert {name: PREFIXES[name] for name in prefixes.keys() & PREFIXES.keys()} == {
        name: prefixes[name] for name in prefixes.keys() & PREFIXES.keys()
    }


def test_opt_outs_are_described_where_the_caller_may_see_them_and_not_otherwise() -> None:
    names = {field["name"] for field in described("Contact")["fields"]}
    assert {"HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall", "Collected_On__c"} <= names
    seen = Schema(["contact.hasoptedoutofemail"]).get("Contact")
    assert seen is not None
    assert "HasOptedOutOfEmail" not in {field["name"] for field in describe(seen, BASE)["fields"]}
    assert "DoNotCall" in {field["name"] for field in describe(seen, BASE)["fields"]}
