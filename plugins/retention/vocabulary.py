"""Which values does every module speak? Frozen dataclasses and closed sets, nothing that acts.

Values that hold personal data (identifiers, record keys, previous values) hide it from `repr`, so that a log line
or a traceback shows what kind of thing was there and never the thing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

from retention.listings import Listing

Cursor = NewType("Cursor", str)
"""Where a `find` stopped: opaque to the core, valid within one sweep, free of personal data."""

Token = NewType("Token", bytes)
"""Up to where a catalogued system was read: opaque to the core, kept in the ledger (encrypted)."""

Scalar = str | int | float | bool | None


class Action(StrEnum):
    """What a connector can be asked to do to a record."""

    ERASE = "erase"  # removed, bins and versions under our control included (Art. 17)
    REDACT = "redact"  # named fields, or one subject's parts, cleared; the record stays
    RESTRICT = "restrict"  # stored, no other use (Art. 18); previous state remembered
    RELEASE = "release"  # exactly the previous state put back
    RECTIFY = "rectify"  # named fields set to corrected values (Art. 16)
    SUPPRESS = "suppress"  # marketing stopped at the system (Art. 21(3), PECR reg. 22)


class DataClass(StrEnum):
    """What kind of personal data a part of a record is; every field maps to at least one."""

    MARKETING_SIGNUP = "marketing_signup"
    MARKETING_PROFILE = "marketing_profile"
    AD_AUDIENCE = "ad_audience"
    CONTACT_IDENTITY = "contact_identity"
    CONTACT_NOTES = "contact_notes"
    TRANSACTION_RECORD = "transaction_record"
    EMAIL_MESSAGE = "email_message"
    DOCUMENT = "document"
    USAGE_DATA = "usage_data"
    WEB_TECHNICAL = "web_technical"
    ID_EVIDENCE = "id_evidence"
    SUPPRESSION_ENTRY = "suppression_entry"
    AUDIT_EVENT = "audit_event"
    BACKUP_COPY = "backup_copy"
    AGGREGATE = "aggregate"


class LawfulBasis(StrEnum):
    """Why the data may be held (GDPR Art. 6(1))."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    LEGITIMATE_INTEREST = "legitimate_interest"
    NONE = "none"


class IdentifierKind(StrEnum):
    """How a person is known to a system. Names are no identifiers: a name alone never erases."""

    EMAIL = "email"
    PHONE = "phone"  # E.164
    CUSTOMER_NUMBER = "customer_number"

    __hash__ = str.__hash__  # equal to its text, so of its hash; that of enumerations takes several times as long


@dataclass(frozen=True, slots=True)
class Identifier:
    """One way to reach a data subject, as the system stores it. Lives in memory only; stored keyed or encrypted."""

    kind: IdentifierKind
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordRef:
    """One item in one system. `key` is the vendor's id or path; `version` changes whenever the record does."""

    system: str
    kind: str
    key: str = field(repr=False)
    version: str = ""


# --- What a connector is told about the records it serves (from include/policy/systems.yaml) ---


@dataclass(frozen=True, slots=True)
class FieldSet:
    """Fields of one data class inside a record, and where their collection date lies.

    `collected_from` names fields in order of preference; the first that is filled decides. A field may stand in two
    sets: it is then cleared only when both let it go. `present_if` names a field that must be filled for the set to
    exist at all (sign-up details exist only where somebody signed up).
    """

    data_class: DataClass
    fields: tuple[str, ...]
    collected_from: tuple[str, ...]
    lawful_basis: LawfulBasis
    present_if: str = ""


@dataclass(frozen=True, slots=True)
class RecordKind:
    """What the policy says about one kind of record of one system. Field names are the vendor's."""

    name: str
    field_sets: tuple[FieldSet, ...]
    identifiers: tuple[tuple[str, IdentifierKind], ...]
    opt_out: str = ""  # field that says "opted out"
    opt_out_on: str = ""  # field with the day of it, where one exists
    consent_on: str = ""  # field with the day of the newest consent given with proof
    undated_if: str = ""  # true here: the record's creation date is an import date, not a collection date
    restricted: str = ""  # field our RESTRICT sets
    not_personal: tuple[str, ...] = ()  # custom fields that say nothing about anybody


# --- What a connector reports ---


@dataclass(frozen=True, slots=True)
class Dated:
    """A date with where it was read. A `date` is a calendar day; a `datetime` is an aware UTC instant."""

    value: date | datetime
    provenance: str


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """What policy may know of one data class inside a record. `fields` names the filled ones, never their content.

    A class that is no longer there (all its fields empty) is left out by the connector.
    """

    data_class: DataClass
    lawful_basis: LawfulBasis
    fields: tuple[str, ...] = ()
    collected: Dated | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction linked to the record: an order, a won deal, an activated contract."""

    kind: str
    on: date
    live: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What policy may know of a record: dates with provenance, bases, consent, links. Never payloads.

    `several_people` says that each address found names a person of its own (a file, a thread); otherwise all
    identifiers are ways to the one person the record is about. `undeletable` says that the system refuses to delete
    the record while something else hangs on it, or that deleting it would take evidence of a transaction along: it
    can only be emptied.
    """

    classes: tuple[ClassFacts, ...]
    opted_out: bool = False
    opted_out_on: date | None = None
    consented_on: date | None = None
    transactions: tuple[Transaction, ...] = ()
    open_complaint: bool = False
    restricted: bool = False
    several_people: bool = False
    undeletable: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A record met by a search: where it is, what policy may know, and how its subjects are known (in memory only).

    `group` names what it lies in where the system speaks of that as a whole (a folder): see `Page.whole_groups`.
    `mark` tells a connector that walks its system whether the record is still as it was read: see `Known`.
    """

    ref: RecordRef
    facts: Facts
    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)
    group: str = field(default="", repr=False)
    mark: bytes = field(default=b"", repr=False)


class GapCode(StrEnum):
    """Why something could not be read. A gap is reported, never counted as "nothing found"."""

    FIELD_HIDDEN = "field_hidden"
    KIND_HIDDEN = "kind_hidden"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    UNKNOWN_FORMAT = "unknown_format"
    TRUNCATED = "truncated"
    COUNT_MISMATCH = "count_mismatch"
    LINK_NOT_FOLLOWED = "link_not_followed"
    NOT_REACHABLE = "not_reachable"
    UNCLASSIFIED = "unclassified"  # a field the policy has no data class for (invariant I13)
    NO_DELETE_API = "no_delete_api"  # data the system offers no way to delete: a person's task


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not read. `what` is a field or kind name or empty; `ref` names the item where there is one."""

    code: GapCode
    kind: str
    what: str = ""
    ref: RecordRef | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """What to look for. The parts are alternatives: a record that meets any of them is a finding.

    `collected_before` is an absolute UTC instant: records collected strictly before it (or, for date-only fields,
    on a day before the local day `collected_before_day`). `undated` asks for records without a provable
    collection date.
    """

    collected_before: datetime | None = None
    collected_before_day: date | None = None
    opted_out: bool = False
    undated: bool = False
    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer. `read` counts what the system showed; `next` resumes after this page.

    From `changes`: `unchanged` names what was seen and is as before, `gone` what the system says is deleted, and
    `whole` on the last page says that everything there is was named, so that what was not is gone. `whole_groups`, on
    the last page too, says so of single groups: each was read from its beginning in this pass, or is itself no more.

    From `walk`: every record lies in a group, `listings` says how each group of the page was listed, `whole_groups`
    which of them are named to their end, and `whole` on the last page that nothing of the part was left out.
    """

    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    read: int = 0
    next: Cursor | Token | None = None
    unchanged: tuple[RecordRef, ...] = ()
    gone: tuple[RecordRef, ...] = ()
    whole: bool = False
    whole_groups: tuple[str, ...] = field(default=(), repr=False)
    listings: Mapping[str, Listing] = field(default_factory=lambda: MappingProxyType({}), repr=False)


# --- What a connector is asked to do, and what came of it ---


@dataclass(frozen=True, slots=True)
class Handle:
    """The vendor's name for work under way (a bulk job), or "" where each call stands alone.

    For RESTRICT, `previous` holds per record what RELEASE must put back, for RECTIFY what stood in the fields: noted
    before the effect, so that a crash between the call and its outcome does not lose it.
    """

    action: Action
    job: str
    refs: tuple[RecordRef, ...]
    previous: tuple[Mapping[str, Scalar], ...] = field(default=(), repr=False)  # in the order of `refs`


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a plan: one action to one record."""

    step_id: str
    ref: RecordRef
    action: Action
    fields: tuple[str, ...] = ()  # REDACT: what to clear; RESTRICT: what to clear with it
    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)  # REDACT in shared items; SUPPRESS: whom
    values: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}), repr=False)  # RELEASE, RECTIFY


class OutcomeStatus(StrEnum):
    """How a step ended. No answer is not success."""

    DONE = "done"
    ALREADY_DONE = "already-done"
    ACCEPTED = "accepted"  # taken; final on `settle_on`, or recoverable until then
    REFUSED = "refused"  # nothing done, for a reason that will not go away by itself
    FAILED = "failed"  # nothing done, may be tried again
    UNKNOWN = "unknown"  # no answer came; to be settled before anything is repeated


class Reason(StrEnum):
    """Why a step ended as it did: a closed set, so that no vendor text (which may echo a record) is ever stored."""

    OK = "ok"
    GONE = "gone"  # already absent
    SAME = "same"  # already as wanted
    CHANGED = "changed-since-planned"
    BLOCKED_BY_CHILD = "blocked-by-dependent-record"
    NO_PERMISSION = "no-permission"
    LOCKED = "locked"
    THROTTLED = "throttled"
    VALIDATION = "rejected-by-validation"
    PENDING = "pending-at-vendor"
    RECOVERABLE = "recoverable"
    NO_ANSWER = "no-answer"
    NOT_SENT = "not-sent"
    VENDOR_ERROR = "vendor-error"
    NOT_PROVEN = "not-proven"
    OPT_OUT_STAYS = "opt-out-stays"  # released, but e-mail stays stopped: only the subject can consent again
    MAIL_NOT_STOPPED = "mail-not-stopped"  # restricted, but e-mail could not be stopped: a person's task
    SUBJECT_NOT_FOUND = "subject-not-found"  # the item no longer names the subject


@dataclass(frozen=True, slots=True)
class Evidence:
    """Proof that does not disclose: the vendor's request or job id, its status and its own time where it gave one.

    `beyond_use` names what this service cannot reach (backups, snapshots) and for how many days each may still exist.
    """

    request_id: str = ""
    http_status: int | None = None
    vendor_time: str = ""
    beyond_use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one step. `previous` (RESTRICT) is what was noted for it, empty if already restricted."""

    ref: RecordRef
    status: OutcomeStatus
    reason: Reason = Reason.OK
    evidence: Evidence = Evidence()
    settle_on: date | None = None
    previous: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}), repr=False)


class Presence(StrEnum):
    """What a read-back saw."""

    PRESENT = "present"
    RESTRICTED = "restricted"
    RECOVERABLE = "recoverable"  # in a bin or archive, until `recoverable_until`
    ABSENT = "absent"  # in none of the views, while the control record was there
    UNREADABLE = "unreadable"  # the views could not be read, or the control record was not there either


@dataclass(frozen=True, slots=True)
class Observation:
    """What one record looked like when read back, and through which named views."""

    ref: RecordRef  # with the version seen, "" if absent
    presence: Presence
    views: tuple[str, ...]
    filled: frozenset[str] = frozenset()  # which fields of the declared field sets hold something
    opted_out: bool | None = None
    recoverable_until: date | None = None
    mentions: bool | None = None  # shared items: whether any asked-for identifier is still in there
    corrected: bool | None = None  # RECTIFY: whether the step's values stand in its fields


@dataclass(frozen=True, slots=True)
class Document:
    """One record's personal data, for access or portability."""

    ref: RecordRef
    media_type: str
    content: bytes = field(repr=False)
