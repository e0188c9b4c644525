"""On which points may the account behave one way or another? Edition, permissions, and what nobody has confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.switching import changed

SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "tickets",
    "crm.schemas.deals.read",
    "communication_preferences.read",
    "communication_preferences.write",
    "communication_preferences.read_write",
)
BATCH_SCOPES = ("communication_preferences.statuses.batch.read", "communication_preferences.statuses.batch.write")


@dataclass(frozen=True)
class Switches:
    """Set by `POST /_sandbox/switches`; a reset puts all of them back. The defaults are a Professional account's."""

    # What the token may do.
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    enterprise: bool = False
    """Marketing Hub Enterprise: the batch forms of the preference calls, and their scopes."""
    hidden: bool = False
    """The token's user may see no record: everything reads as absent, and definitions stay readable."""

    # Allowances.
    enforce_limits: bool = True
    per_ten_seconds: int = 190
    """Calls in one interval, which the vendor makes ten seconds long."""
    interval_seconds: float = 10.0
    """How long the interval is here: a shorter one lets a patient caller be tested without waiting."""
    per_day: int = 650_000
    searches_per_second: int = 5
    used_today: int = 0
    """Calls other apps of the account made today."""
    retry_after: bool = False
    """Whether a 429 says how long to wait."""
    time_zone: str = "Europe/London"
    """The account's; the daily allowance starts again at its midnight."""

    # What happens late.
    search_lag_seconds: float = 0.0
    """How much later than reading a search sees a change."""
    purge_lag_seconds: float = 0.0
    """How long a purged contact stays readable."""

    activities_purged_after_days: int = 30
    """How long after its contact was purged an activity that is about nobody else goes."""

    # What no public source confirms, or where two disagree.
    not_found_page: bool = True
    """Whether the 404 of a read is a page (as recorded) or JSON."""
    repeated_purge: int = 204
    """The answer to a gdpr-delete of an id purged before: 204 or 404."""
    purge_of_unknown: int = 404
    """The answer to a gdpr-delete of an id that never was: 404 or 204."""
    archive_of_absent: int = 204
    blocked_for_api: bool = False
    """Whether the address of a purged contact is refused when a contact is created by API."""
    preferences_survive_purge: bool = True
    merged_id_leads_to_winner: bool = True
    merge_keeps_oldest_createdate: bool = True
    search_finds_additional_emails: bool = True
    in_values_must_be_lower_case: bool = True
    """Whether IN and NOT_IN on text compare their values as given with lower-cased stored ones."""
    negative_filters_find_empty: bool = False
    """Whether NEQ, NOT_IN and NOT_CONTAINS_TOKEN find records without a value."""
    already_unsubscribed: int = 400
    """The v3 answer to unsubscribing twice: 400 or 200."""
    batch_update_of_absent: int = 207
    """The answer to a batch update that names absent ids: 207 with errors, or 404 with nothing written."""
    lean_batch_errors: bool = False
    """Whether errors inside a 207 come without the `errors` and `links` that the published schema requires."""
    association_ids_as_text: bool = False
    """Whether v4 associations give `toObjectId` as text (published schema) or as a number (observed)."""

    def changed(self, given: Mapping[str, Any]) -> Switches:
        """These, with some set."""
        found = changed(self, given)
        if found.interval_seconds <= 0:
            raise ValueError("interval_seconds is above zero")
        return found

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    def granted(self) -> list[str]:
        """The scopes the token has."""
        return [*self.scopes, *(scope for scope in BATCH_SCOPES if self.enterprise and scope not in self.scopes)]
