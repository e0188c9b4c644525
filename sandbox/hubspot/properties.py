"""Which properties does the account have, of which type, and which of them can nobody write?"""

from __future__ import annotations

from typing import Any, NamedTuple


class Property(NamedTuple):
    """One property definition."""

    name: str
    type: str
    read_only: bool = False
    custom: bool = False


CONTACT = (
    Property("email", "string"),
    Property("firstname", "string"),
    Property("lastname", "string"),
    Property("phone", "string"),
    Property("mobilephone", "string"),
    Property("jobtitle", "string"),
    Property("company", "string"),
    Property("city", "string"),
    Property("country", "string"),
    Property("website", "string"),
    Property("message", "string"),
    Property("lifecyclestage", "enumeration"),
    Property("hs_legal_basis", "enumeration"),
    Property("hs_object_id", "number", read_only=True),
    Property("createdate", "datetime", read_only=True),
    Property("lastmodifieddate", "datetime", read_only=True),
    Property("hs_additional_emails", "enumeration", read_only=True),
    Property("hs_email_optout", "bool", read_only=True),
    Property("hs_email_bad_address", "bool", read_only=True),
    Property("hs_email_quarantined", "bool", read_only=True),
    Property("hs_marketable_status", "enumeration", read_only=True),
    Property("num_associated_deals", "number", read_only=True),
    Property("recent_conversion_date", "datetime", read_only=True),
    Property("collected_on", "date", custom=True),
    Property("migrated", "bool", custom=True),
    Property("marketing_consent_on", "date", custom=True),
    Property("opted_out_on", "date", custom=True),
    Property("interests", "string", custom=True),
    Property("lead_score", "number", custom=True),
    Property("processing_restricted", "bool", custom=True),
)
DEAL = (
    Property("dealname", "string"),
    Property("amount", "number"),
    Property("dealstage", "enumeration"),
    Property("pipeline", "enumeration"),
    Property("closedate", "datetime"),
    Property("createdate", "datetime"),
    Property("hs_lastmodifieddate", "datetime", read_only=True),
    Property("hs_object_id", "number", read_only=True),
    Property("hs_is_closed", "bool", read_only=True),
    Property("hs_is_closed_won", "bool", read_only=True),
)
OBJECTS = {"contacts": CONTACT, "deals": DEAL}
DEFAULTS = {
    "contacts": ("createdate", "email", "firstname", "lastname", "hs_object_id", "lastmodifieddate"),
    "deals": ("amount", "closedate", "createdate", "dealname", "dealstage", "hs_object_id", "pipeline"),
}
"""What is answered when no properties are asked for."""


def definition(prop: Property) -> dict[str, Any]:
    """A property as the properties API shows it."""
    return {
        "name": prop.name,
        "label": prop.name.replace("_", " ").capitalize(),
        "type": prop.type,
        "fieldType": {"bool": "booleancheckbox", "date": "date", "datetime": "date", "number": "number"}.get(
            prop.type, "text"
        ),
        "description": "",
        "groupName": "contactinformation",
        "options": [],
        "displayOrder": -1,
        "calculated": prop.read_only,
        "externalOptions": False,
        "archived": False,
        "hasUniqueValue": prop.name in ("email", "hs_object_id"),
        "hidden": False,
        "hubspotDefined": not prop.custom,
        "modificationMetadata": {
            "archivable": prop.custom,
            "readOnlyDefinition": not prop.custom,
            "readOnlyValue": prop.read_only,
        },
        "formField": not prop.read_only,
        "dataSensitivity": "non_sensitive",
    }
