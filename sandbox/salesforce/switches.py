"""On which points may the org behave one way or another? Permissions, settings, and what no public source confirms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.switching import changed


@dataclass(frozen=True)
class Switches:
    """Set by `POST /_sandbox/switches`; a reset puts all of them back."""

    # What the calling user may see and do.
    hidden_fields: list[str] = field(default_factory=list)
    """`Contact.HasOptedOutOfEmail`: absent from describe, INVALID_FIELD when named."""
    hidden_objects: list[str] = field(default_factory=list)
    """No right to the object at all: INVALID_TYPE in queries, 404 elsewhere."""
    unshared_objects: list[str] = field(default_factory=list)
    """The object is known, but no row of it is shared with the user."""
    hard_delete_permission: bool = True
    delete_permission: bool = True
    privacy_permission: bool = True
    """"Allow User Access to Privacy Data": what the consent resource asks for."""
    empty_bin_permission: bool = True
    history_deletable: bool = False
    """"Delete From Field History", for SOAP: whether REST deletes such rows too is not known, so it does not here."""
    set_audit_fields: bool = False
    """"Set Audit Fields upon Record Creation": CreatedDate may be given on insert, never on update."""
    edit_converted_leads: bool = False

    # What is switched on in the org.
    person_accounts: bool = False
    field_history: bool = False
    """Whether changes of names, addresses and numbers of people are tracked."""
    custom_fields: list[str] = field(default_factory=list)
    """`Contact.Nickname__c`: text fields somebody added."""
    registrations_on_delete: str = "clear"
    """What deleting a contact does to its rows of the custom object: clear, restrict or cascade."""

    delete_refused_by_trigger: list[str] = field(default_factory=list)
    """Objects whose rows a trigger or flow of the org lets nobody delete."""

    app_certificate: str | None = None
    """PEM of the certificate uploaded to the external client app; None: signatures of assertions are not checked."""

    # What goes wrong with the next rows and jobs.
    locked_rows: int = 0
    """The next N rows written or deleted answer UNABLE_TO_LOCK_ROW."""
    job_breaks_after: int | None = None
    """The next bulk job does so many rows, then ends; the others stay unprocessed."""
    job_breaks_as: str = "Failed"
    """How such a job ends: Failed by the service, or Aborted by somebody else."""

    # How large or slow the org is.
    daily_api_requests: int = 100_000
    page_rows: int = 2_000
    """Most rows of a query page; the service lowers it for wide rows."""
    polls_before_complete: int = 0
    """How many looks at a bulk job find it unfinished."""
    session_seconds: int | None = None
    """After how long a token expires; None: not while it is used."""
    time_zone: str = "Europe/London"
    """The calling user's; named spans of days in SOQL follow it."""

    # What no public source confirms.
    deleted_again_status: int = 404
    hard_delete_of_binned: bool = True
    """Whether a row in the Recycle Bin can be named in a hardDelete job; else ENTITY_IS_DELETED."""
    hard_delete_refusal: str = "FeatureNotEnabled"
    second_upload_refused: bool = True
    collections_count_as_queries: bool = True
    """Whether collections use up the five queries of a composite call."""
    composite_url_limit: int | None = None
    """Longest address of a composite part, in bytes."""
    bulk_results_in_order: bool = True
    merge_keeps_oldest_creation: bool = False
    """Whether the row that survives a merge takes the oldest CreatedDate, as one vendor tells."""

    def changed(self, given: Mapping[str, Any]) -> Switches:
        """These, with some set."""
        found = changed(self, given)
        if found.job_breaks_as not in ("Failed", "Aborted"):
            raise ValueError("job_breaks_as takes Failed or Aborted")
        return found

    def plain(self) -> dict[str, Any]:
        return asdict(self)
