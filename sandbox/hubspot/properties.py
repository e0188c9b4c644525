"""Which properties does the account have, of which type, and which of them can nobody write?"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.hubspot.errors import Refused
from sandbox.hubspot.object_types import TYPES
from sandbox.hubspot.subscription_types import SUBSCRIPTION_TYPES

OPTOUT = "hs_email_optout_"
BOOLEANS = ({"label": "True", "value": "true"}, {"label": "False", "value": "false"})


@dataclass(frozen=True)
class Property:
    """One property definition."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    read_only: bool = False
    calculated: bool = False
    hidden: bool = False
    external: bool = False
    custom: bool = False
    unique: bool = False
    description: str = ""
    form_field: bool = True
    options: tuple[Mapping[str, Any], ...] = field(default=())
    created_at: str | None = None

    def takes(self, value: str) -> bool:
        """Whether an enumeration knows this value."""
        return self.external or value in {option["value"] for option in self.options}

    def definition(self) -> dict[str, Any]:
        """As the properties API shows it."""
        dated = {"createdAt": self.created_at, "updatedAt": self.created_at} if self.created_at else {}
        return dated | {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [
                {"displayOrder": number, "hidden": False, **option} for number, option in enumerate(self.options)
            ],
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.external,
            "archived": False,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": not self.custom,
            "modificationMetadata": {
                "archivable": True,
                "readOnlyDefinition": not self.custom,
                "readOnlyValue": self.read_only,
            },
            "formField": self.form_field and not self.read_only,
            "dataSensitivity": "non_sensitive",
        }


def known_properties() -> dict[str, dict[str, Property]]:
    """The definitions a fresh account has, by object type and name."""
    found: dict[str, dict[str, Property]] = {kind: {} for kind in TYPES}
    path = Path(__file__).with_name("properties.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            traits: dict[str, Any] = dict.fromkeys(line["traits"].split(), True)
            values = [value for value in line["options"].split("|") if value]
            options = tuple({"label": value, "value": value} for value in values)
            if line["type"] == "bool":
                options = tuple(BOOLEANS)
            found[line["object"]][line["name"]] = Property(
                line["name"], line["label"], line["type"], line["field_type"], line["group"], options=options, **traits
            )
    for one in SUBSCRIPTION_TYPES:
        name = f"{OPTOUT}{one.id}"
        found["contacts"][name] = Property(
            name,
            f"Opted out of email: {one.name}",
            "enumeration",
            "booleancheckbox",
            "emailinformation",
            read_only=True,
            options=({"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}),
        )
    return found


FIELD_TYPES = {
    "string": {"text", "textarea", "phonenumber", "html", "file", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "bool": {"booleancheckbox", "calculation_equation"},
    "enumeration": {"checkbox", "radio", "select", "booleancheckbox", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "phone_number": {"phonenumber"},
}


def custom(given: Mapping[str, Any], created_at: str) -> Property:
    """The custom property somebody asks for."""
    missing = [name for name in ("groupName", "label", "name", "type", "fieldType") if not given.get(name)]
    if missing:
        details = [{"message": f"{name} is required", "in": name} for name in missing]
        raise Refused(400, f"Invalid input JSON: required fields were missing: {missing}", errors=details)
    name, kind, field_type = (str(given[one]) for one in ("name", "type", "fieldType"))
    if not name.isidentifier() or name != name.lower() or not name.isascii():
        raise Refused(400, "Property names must be lower case and hold letters, digits and underscores only")
    if kind not in FIELD_TYPES or field_type not in FIELD_TYPES[kind]:
        raise Refused(400, f"The field type {field_type} does not fit the type {kind}")
    options = tuple(dict(one) for one in given.get("options") or ())
    return Property(
        name,
        str(given["label"]),
        kind,
        field_type,
        str(given["groupName"]),
        hidden=bool(given.get("hidden", False)),
        external=bool(given.get("externalOptions", False)),
        custom=True,
        unique=bool(given.get("hasUniqueValue", False)),
        description=str(given.get("description") or ""),
        form_field=bool(given.get("formField", False)),
        options=tuple(BOOLEANS) if kind == "bool" and not options else options,
        created_at=created_at,
    )


def changed(prop: Property, given: Mapping[str, Any]) -> Property:
    """A custom property with another label, group, description or options."""
    named = {"label": "label", "groupName": "group", "description": "description", "hidden": "hidden"}
    values: dict[str, Any] = {ours: given[theirs] for theirs, ours in named.items() if theirs in given}
    if "options" in given:
        values["options"] = tuple(dict(one) for one in given["options"] or ())
    return replace(prop, **values)
