"""Which addresses does a contact have? The primary one and the additional ones, which are a list in one text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.hubspot.preferences import folded


def listed(text: str | None) -> list[str]:
    """The parts of a list in one text."""
    return [one.strip() for one in (text or "").split(";") if one.strip()]


def addresses(row: Mapping[str, Any]) -> set[str]:
    """All addresses of a contact, in lower case."""
    properties = row["properties"]
    known = (properties.get("email") or "", *listed(properties.get("hs_additional_emails")))
    return {folded(one) for one in known if one}
