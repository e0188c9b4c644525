"""What does HubSpot publish about a call and its answer? Its OpenAPI descriptions, where they lie beside the checkout.

Differences between the service and its descriptions that are known and let through: empty properties are null, the
`subCategory` of an error inside a batch is text, and a label of a link may be null.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SPECS = Path(__file__).parents[2].parent / "shared" / "specs" / "hubspot"
SERVED = ("v3", "v4", "2026-09")
"""The releases whose paths the connector calls."""


@functools.cache
def described(spec: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SPECS / spec).read_text(encoding="utf-8"))
    return found


def faults(spec: str, schema: dict[str, Any], value: Any) -> list[str]:
    """What does not fit a schema of a description."""
    whole = {**schema, "components": described(spec)["components"]}
    return [f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(whole).iter_errors(value)]


def without_known_differences(value: Any) -> Any:
    if isinstance(value, list):
        return [without_known_differences(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: without_known_differences(one) for name, one in value.items() if name != "subCategory"}
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: one for name, one in kept["properties"].items() if one is not None}
    for kind in kept.get("associationTypes", ()):
        if kind["label"] is None:
            del kind["label"]
    return kept


@dataclass(frozen=True)
class Operation:
    """One operation of a description."""

    spec: str
    template: str
    described: Mapping[str, Any]

    def faults_of_call(self, query: Mapping[str, Any], body: Any) -> list[str]:
        """What of a call does not fit."""
        known = {one["name"]: one for one in self.described.get("parameters", ()) if one["in"] == "query"}
        found = [f"unknown query parameter {name}" for name in sorted(set(query) - set(known))]
        required = {name for name, one in known.items() if one.get("required")}
        found += [f"query parameter {name} is missing" for name in sorted(required - set(query))]
        if body is not None:
            schema = self.described["requestBody"]["content"]["application/json"]["schema"]
            found += faults(self.spec, schema, body)
        elif (self.described.get("requestBody") or {}).get("required"):
            found.append("the body is missing")
        return found

    def faults_of_answer(self, status: int, body: Any) -> list[str]:
        """What of an answer does not fit."""
        said = self.described["responses"].get(str(status)) or self.described["responses"].get("default")
        if said is None:
            return [f"status {status} is not described"]
        if "$ref" in said:
            said = described(self.spec)["components"]["responses"][said["$ref"].rsplit("/", 1)[1]]
        if not (content := said.get("content")):
            return [] if body is None else ["a body that is not described"]
        (media,) = content.values()
        return faults(self.spec, media["schema"], without_known_differences(body))


def operation(method: str, path: str) -> Operation | None:
    """The operation behind a path; of several the one with the fewest placeholders."""
    fitting = [one for one in _operations() if one[0] == method and one[1].fullmatch(path)]
    return min(fitting, key=lambda one: one[2].template.count("{"), default=(None, None, None))[2]


@functools.cache
def _operations() -> list[tuple[str, re.Pattern[str], Operation]]:
    return list(_described())


def _described() -> Iterator[tuple[str, re.Pattern[str], Operation]]:
    files = [*(path for release in SERVED for path in sorted((SPECS / release).glob("*.json"))), SPECS / "oauth.json"]
    for file in files:
        spec = str(file.relative_to(SPECS))
        for template, methods in described(spec)["paths"].items():
            pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))
            for method, one in methods.items():
                yield method.upper(), pattern, Operation(spec, template, one)
