"""Does Airflow show a form for each kind of system, and does its Test give the doctor's answer?"""

from __future__ import annotations

import importlib
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from retention.contract import Check
from retention.policy.systems import SystemPolicy
from tests.conftest import ROOT

PROVIDER = ROOT / "provider"


@pytest.fixture(autouse=True)
def _provider(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(PROVIDER))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))


def forms() -> list[dict[str, Any]]:
    told = importlib.import_module("retention_provider.forms").provider_info()
    found: list[dict[str, Any]] = told["connection-types"]
    return found


def test_what_the_entry_point_names_is_valid_by_airflows_own_schema() -> None:
    project = tomllib.loads((PROVIDER / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"]["apache_airflow_provider"]["provider_info"].partition(":")
    told = getattr(importlib.import_module(module), name)()
    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(told, schema)
    assert told["package-name"] == project["name"]
    assert told["versions"] == [project["version"]]


def test_every_kind_of_system_that_is_reached_by_a_login_has_a_form() -> None:
    kinds = set(_kinds(SystemPolicy.model_fields["kind"].annotation))
    assert {form["connection-type"].removeprefix("retention_") for form in forms()} == kinds - {"local"}


def test_the_hook_of_every_form_exists_and_tests_that_kind() -> None:
    for form in forms():
        module, _, name = form["hook-class-name"].rpartition(".")
        hook = getattr(importlib.import_module(module), name)
        assert f"retention_{hook.kind}" == form["connection-type"]


def test_secrets_are_typed_into_fields_that_hide_them() -> None:
    for form in forms():
        for name, field in form["conn-fields"].items():
            assert (field["schema"].get("format") == "password") == (name == "private_key"), name


@pytest.mark.parametrize(
    ("checks", "passes", "says"),
    [
        ([Check("log in"), Check("read")], True, "ok       log in; ok       read"),
        ([Check("log in"), Check("read", "a permission")], False, "MISSING  read: a permission"),
    ],
)
def test_pressing_test_gives_the_doctors_answer(
    monkeypatch: pytest.MonkeyPatch, checks: list[Check], passes: bool, says: str
) -> None:
    from orchestration import doctor

    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(doctor, "examine_as", lambda kind, through: asked.append((kind, through)) or checks)
    hook = importlib.import_module("retention_provider.hooks").HubspotHook(conn_id="tried")

    passed, message = hook.test_connection()

    assert (passed, asked) == (passes, [("hubspot", "tried")])
    assert says in message


def _kinds(annotation: Any) -> list[str]:
    parts = get_args(annotation)
    return [kind for part in parts for kind in ([part] if isinstance(part, str) else _kinds(part))]
