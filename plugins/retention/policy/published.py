"""What may stand in the policy files, for editors? JSON Schemas made from the models, kept beside the files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from retention.policy.schedule import Schedule
from retention.policy.systems import Systems

SCHEMAS: Mapping[str, type[BaseModel]] = {"schedule.schema.json": Schedule, "systems.schema.json": Systems}


def schema_text(model: type[BaseModel]) -> str:
    """The JSON Schema of one file, as it is published."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def outdated(folder: Path) -> list[str]:
    """Names of the published schemas that are missing or not those of the models."""
    return [
        name
        for name, model in SCHEMAS.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != schema_text(model)
    ]


def write(folder: Path) -> None:
    """Publish the schemas of all files."""
    for name, model in SCHEMAS.items():
        (folder / name).write_text(schema_text(model), encoding="utf-8")
