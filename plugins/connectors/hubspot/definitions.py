"""Which properties does the account have, and which of them hold personal data that the policy says nothing about?

What an account adds of its own may hold anything, so every such property must stand in the policy. Of those HubSpot
defines, the ones people fill in are known by name; one that is new to us is reported as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.hubspot.answers import listed
from connectors.hubspot.facts import Types, declared
from retention.vocabulary import RecordKind

FILLED_BY_PEOPLE = frozenset({"text", "textarea", "html", "phonenumber", "file"})
"""Field types into which somebody writes freely. Choices, numbers and dates say nothing of who it is."""

GOES_WITH_THE_RECORD = frozenset(
    {
        *("annualrevenue", "company_size", "degree", "field_of_study", "followercount", "gender", "graduation_date"),
        *("hs_analytics_source", "hs_content_membership_email", "hs_content_membership_notes"),
        *("hs_email_customer_quarantined_reason", "hs_facebook_click_id", "hs_google_click_id", "hs_linkedin_url"),
        *("hs_whatsapp_phone_number", "industry", "job_function", "kloutscoregeneral", "linkedinbio"),
        *("linkedinconnections", "marital_status", "military_status", "numemployees", "owneremail", "ownername"),
        *("relationship_status", "school", "seniority", "start_date", "twitterbio", "twitterhandle"),
        *("twitterprofilephoto", "work_email", "description", "hs_email_headers", "hs_attachment_ids"),
        *("hs_call_recording_url", "hs_call_external_id", "hs_meeting_external_url", "hs_email_logged_from"),
    }
)
"""Properties of HubSpot's own that the shipped policy leaves out: rarely filled, and erased with the record."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One property."""

    type: str
    field_type: str
    is_custom: bool
    is_writable: bool
    is_hidden: bool


def definitions_in(body: Mapping[str, Any]) -> dict[str, Definition]:
    """The definitions an answer holds, by name."""
    return {
        str(row["name"]): Definition(
            type=str(row.get("type", "")),
            field_type=str(row.get("fieldType", "")),
            is_custom=row.get("hubspotDefined") is False,
            is_writable=not (row.get("modificationMetadata") or {}).get("readOnlyValue", False),
            is_hidden=bool(row.get("hidden", False)),
        )
        for row in listed(body.get("results"))
        if isinstance(row, dict) and "name" in row
    }


def types_of(definitions: Mapping[str, Definition]) -> Types:
    return {name: one.type for name, one in definitions.items()}


def without_data_class(kind: RecordKind, definitions: Mapping[str, Definition]) -> Iterator[str]:
    """Properties that may hold personal data and stand nowhere in the policy."""
    known = {*declared(kind), *GOES_WITH_THE_RECORD}
    for name, one in sorted(definitions.items()):
        if name in known:
            continue
        is_free_text = one.type == "string" and one.field_type in FILLED_BY_PEOPLE
        if one.is_custom or (is_free_text and one.is_writable and not one.is_hidden):
            yield name
