"""Which types of records does the account hold, how are they named in paths, and which links are counted?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectType:
    """One type of record."""

    singular: str
    number: str
    shown: tuple[str, ...]
    """What is answered when no properties are asked for, besides its id and its dates."""
    searched: tuple[str, ...]
    """Where the `query` of a search looks."""
    created: str = "createdate"
    modified: str = "hs_lastmodifieddate"
    aliases: Mapping[str, str] | None = None
    """Properties that show another one."""
    is_activity: bool = False
    stays_in_its_tool: bool = False
    """Whether it stays, without the link, when the contact is purged, whatever else it is linked with."""
    scope: str = "crm.objects.contacts"


TYPES: Mapping[str, ObjectType] = {
    "contacts": ObjectType(
        "contact",
        "0-1",
        ("email", "firstname", "lastname"),
        ("firstname", "lastname", "email", "hs_additional_emails", "phone", "mobilephone", "fax", "company"),
        modified="lastmodifieddate",
        aliases={"hs_createdate": "createdate", "hs_lastmodifieddate": "lastmodifieddate"},
    ),
    "companies": ObjectType("company", "0-2", ("name", "domain"), ("name", "domain"), scope="crm.objects.companies"),
    "deals": ObjectType(
        "deal",
        "0-3",
        ("amount", "closedate", "dealname", "dealstage", "pipeline"),
        ("dealname", "pipeline", "dealstage", "description", "dealtype"),
        aliases={"hs_createdate": "createdate"},
        scope="crm.objects.deals",
    ),
    "tickets": ObjectType(
        "ticket",
        "0-5",
        ("content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority", "subject"),
        ("subject", "content"),
        scope="tickets",
    ),
    "notes": ObjectType("note", "0-46", (), ("hs_note_body",), created="hs_createdate", is_activity=True),
    "emails": ObjectType("email", "0-49", (), ("hs_email_subject",), created="hs_createdate", is_activity=True),
    "calls": ObjectType(
        "call",
        *("0-48", (), ("hs_call_title", "hs_call_body")),
        created="hs_createdate",
        is_activity=True,
        stays_in_its_tool=True,
    ),
    "meetings": ObjectType("meeting", "0-47", (), ("hs_meeting_title",), created="hs_createdate", is_activity=True),
    "tasks": ObjectType(
        "task",
        *("0-27", (), ("hs_task_subject", "hs_task_body")),
        created="hs_createdate",
        is_activity=True,
        stays_in_its_tool=True,
    ),
    "communications": ObjectType(
        "communication", "0-18", (), ("hs_communication_body",), created="hs_createdate", is_activity=True
    ),
}

NAMES = {name: kind for kind, one in TYPES.items() for name in (kind, one.singular, one.number)}
"""How a path may name an object type."""

COUNTED: Mapping[tuple[str, str], str] = {
    ("contacts", "deals"): "num_associated_deals",
    ("deals", "contacts"): "num_associated_contacts",
    ("companies", "deals"): "num_associated_deals",
    ("companies", "contacts"): "num_associated_contacts",
}
"""The property of the first type that counts its links to the second."""

_BOTH_WAYS = {
    ("contacts", "companies"): (279, 280),
    ("contacts", "deals"): (4, 3),
    ("contacts", "tickets"): (15, 16),
    ("contacts", "notes"): (201, 202),
    ("contacts", "emails"): (197, 198),
    ("contacts", "calls"): (193, 194),
    ("contacts", "meetings"): (199, 200),
    ("contacts", "tasks"): (203, 204),
    ("contacts", "communications"): (82, 81),
    ("companies", "deals"): (342, 341),
    ("companies", "tickets"): (340, 339),
    ("companies", "notes"): (189, 190),
    ("companies", "emails"): (185, 186),
    ("companies", "calls"): (181, 182),
    ("companies", "meetings"): (187, 188),
    ("companies", "tasks"): (191, 192),
    ("companies", "communications"): (88, 87),
    ("deals", "notes"): (213, 214),
    ("deals", "emails"): (209, 210),
    ("deals", "calls"): (205, 206),
    ("deals", "meetings"): (211, 212),
    ("deals", "tasks"): (215, 216),
    ("tickets", "notes"): (227, 228),
    ("tickets", "calls"): (219, 220),
    ("tickets", "tasks"): (229, 230),
}
LINK_TYPES: Mapping[tuple[str, str], int] = {
    pair: number
    for (one, other), (there, back) in _BOTH_WAYS.items()
    for pair, number in (((one, other), there), ((other, one), back))
}
"""HubSpot's own number of the link from one type to the other; types without one cannot be linked by default."""
