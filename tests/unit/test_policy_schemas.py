"""Do the published JSON Schemas say what the models say, and do the shipped files keep to them?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from retention.policy import published
from tests.conftest import ROOT

SHIPPED = ROOT / "include" / "policy"
FILES = {"schedule.yaml": "schedule.schema.json", "systems.yaml": "systems.schema.json"}


def validator(name: str) -> Any:
    schema = json.loads((SHIPPED / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_schemas_are_those_of_the_models() -> None:
    assert published.outdated(SHIPPED) == [], "run: python -m retention policy schema --write"


def test_a_schema_that_was_edited_or_is_missing_is_out_of_date(tmp_path: Path) -> None:
    published.write(tmp_path)
    assert published.outdated(tmp_path) == []
    (tmp_path / "schedule.schema.json").write_text("{}")
    (tmp_path / "systems.schema.json").unlink()
    assert published.outdated(tmp_path) == ["schedule.schema.json", "systems.schema.json"]


@pytest.mark.parametrize(("file", "schema"), FILES.items())
def test_the_shipped_files_keep_to_the_schemas_and_name_them_for_editors(file: str, schema: str) -> None:
    text = (SHIPPED / file).read_text()

    assert text.startswith(f"# yaml-language-server: $schema={schema}\n")
    assert list(validator(schema).iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize(
    ("file", "place", "value"),
    [
        ("schedule.yaml", ("version",), 2),
        ("schedule.yaml", ("surprise",), 1),
        ("schedule.yaml", ("approval", "approvers"), ["*"]),
        ("systems.yaml", ("systems", "hubspot", "kind"), "hubpsot"),
        ("systems.yaml", ("systems", "hubspot", "records", "contact", "opt_out"), "%"),
        ("systems.yaml", ("stores", "findings", "period"), "for ever"),
    ],
)
def test_an_editor_marks_a_mistake_as_it_is_typed(file: str, place: tuple[str, ...], value: object) -> None:
    data = yaml.safe_load((SHIPPED / file).read_text())
    part = data
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value

    assert list(validator(FILES[file]).iter_errors(data))
