"""On which points may the tenant behave one way or another? Permissions, limits, and what nobody has confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.switching import changed

ROLES = (
    "User.Read.All",
    "Mail.ReadWrite",
    "MailboxSettings.Read",
    "MailboxItem.ReadWrite.All",
    "MailboxFolder.ReadWrite.All",
    "Contacts.ReadWrite",
    "Calendars.ReadWrite",
)


@dataclass(frozen=True)
class Switches:
    """Set by `POST /_sandbox/switches`; a reset puts all of them back."""

    # What the application may do.
    roles: list[str] = field(default_factory=lambda: list(ROLES))
    on_hold: list[str] = field(default_factory=list)
    """Mailboxes, by address, on which a hold of the service's own lies, besides those that have one from the start."""
    out_of_scope: list[str] = field(default_factory=list)
    """Mailboxes the application may not reach, besides those it may not reach from the start."""
    app_certificate: str | None = None
    """PEM of the certificate uploaded to the app registration; None: only the secret is taken."""
    token_seconds: int = 3600
    revoked_tokens: int = 0
    """Raised by one, every token handed out before is refused."""

    # Allowances of one application in one mailbox.
    enforce_limits: bool = True
    requests_per_window: int = 10_000
    window_seconds: float = 600.0
    concurrent: int = 4
    uploaded_bytes: int = 150 * 1024 * 1024
    """In half a window."""
    latency_seconds: float = 0.0
    """How long each request takes at the service: only then can several be under way at once."""

    # How large or slow the tenant is.
    largest_delta_page: int = 1000
    longest_view_days: int = 1825
    """The longest stretch of a calendar shown at once."""
    index_lag_seconds: float = 0.0
    """How much later than reading a search sees a change."""
    retained_days: int = 14
    """How long deleted items stay recoverable."""
    delta_days: int = 30
    """How long a position in a list of changes is remembered."""
    forgotten_deltas: int = 0
    """Raised by one, every position handed out before is unknown."""

    # What no public source confirms.
    deleted_goes_to: str = "recoverableitemsdeletions"
    """Where DELETE moves a message: there, or to `deleteditems`."""
    deletions_shown_to_mail: bool = True
    """Whether the mail API knows recoverableitemsdeletions as a folder."""
    item_ids_differ: bool = False
    """Whether the mailbox-item API names items by other ids than the mail API."""
    items_carry_properties: bool = True
    """Whether the mailbox-item API expands extended properties; else 400."""
    delta_rows_are_lean: bool = False
    """Whether a changed item comes with its changed properties only."""

    def changed(self, given: Mapping[str, Any]) -> Switches:
        """These, with some set."""
        return changed(self, given)

    def plain(self) -> dict[str, Any]:
        return asdict(self)
