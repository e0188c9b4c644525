"""What may stand in one entry of the audit log? A closed list of typed fields, none of which takes free text.

Every text is held against a pattern that fits identifiers we make ourselves and nothing that people write: no spaces,
no `@`, no bare digits long enough for a telephone number. What does not fit is refused, and the refusal names the
field, never the value. Codes are members of enums (written by programmers) or words of the closed list below; a name
that comes with the data is in neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import attrgetter, contains
from types import NoneType, SimpleNamespace
from typing import Any

from retention.audit.pseudonym import record_pseudonym
from retention.verdicts import Disposition, PersonsReason, ReasonCode
from retention.vocabulary import Action, DataClass, GapCode, OutcomeStatus, Presence, Reason


class Event(StrEnum):
    """What happened. A new kind is a new line here."""

    SWEEP_OPENED = "sweep_opened"
    SYSTEM_READ = "system_read"
    PLAN_MADE = "plan_made"
    GUARD_STOPPED = "guard_stopped"
    GUARD_OVERRIDDEN = "guard_overridden"
    GUARD_OVERRIDE_REVOKED = "guard_override_revoked"
    ACCOUNT_ACCEPTED = "account_accepted"
    PROTECTED = "protected"
    UNPROTECTED = "unprotected"
    TRANCHE_SET = "tranche_set"
    TRANCHE_CLEARED = "tranche_cleared"
    APPROVAL_RECORDED = "approval_recorded"
    APPROVAL_REFUSED = "approval_refused"
    STANDING_APPROVAL_GIVEN = "standing_approval_given"
    STANDING_APPROVAL_REVOKED = "standing_approval_revoked"
    DECIDED = "decided"
    INTENT = "intent"
    OUTCOME = "outcome"
    SETTLED = "settled"
    DROPPED = "dropped"
    VERIFIED = "verified"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    SUPPRESSION_COUNTED = "suppression_counted"
    GAP = "gap"
    NOT_COVERED = "not_covered"
    SWEEP_SEALED = "sweep_sealed"
    HOLD_PLACED = "hold_placed"
    HOLD_RELEASED = "hold_released"
    HOLD_REVIEWED = "hold_reviewed"
    RESTRICTION_PLACED = "restriction_placed"
    RESTRICTION_LIFTED = "restriction_lifted"
    REVIEW_DECIDED = "review_decided"
    REVIEW_REVEALED = "review_revealed"
    IDENTITY_SHOWN = "identity_shown"  # `reference` is a keyed digest of the reason that was typed
    TASK_OPENED = "task_opened"
    TASK_DONE = "task_done"
    TASK_DROPPED = "task_dropped"
    LIVE_SWITCHED = "live_switched"
    KILL_SWITCH = "kill_switch"
    POLICY_APPROVED = "policy_approved"
    POLICY_WITHDRAWN = "policy_withdrawn"
    STORE_TIDIED = "store_tidied"
    REQUEST_OPENED = "request_opened"
    REQUEST_MOVED = "request_moved"
    IDENTITY_CONFIRMED = "identity_confirmed"
    IDENTITY_REFUSED = "identity_refused"
    REQUEST_EXTENDED = "request_extended"
    REQUEST_JUDGED = "request_judged"
    REQUEST_REFUSED = "request_refused"
    NOTICE_SENT = "notice_sent"
    REQUEST_CLOSED = "request_closed"
    CERTIFICATE_ISSUED = "certificate_issued"
    COPY_MADE = "copy_made"
    COPY_FETCHED = "copy_fetched"
    COPY_REFUSED = "copy_refused"
    COPY_DESTROYED = "copy_destroyed"
    COPY_KEY_TOLD = "copy_key_told"
    CORRECTED_FROM = "corrected_from"  # `reference` is a keyed digest of what stood there
    CORRECTED_TO = "corrected_to"  # and of what was read there afterwards
    COMPLAINT_OPENED = "complaint_opened"
    COMPLAINT_MOVED = "complaint_moved"
    COMPLAINT_CLOSED = "complaint_closed"
    SEEN_AGAIN = "seen_again"
    INCIDENT = "incident"
    INCIDENT_CLOSED = "incident_closed"
    KEY_CREATED = "key_created"
    KEY_DESTROYED = "key_destroyed"


class Role(StrEnum):
    """In which duty somebody acted (separate by rule: who approves does not run)."""

    REQUESTER = "requester"
    DPO = "dpo"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    EXECUTOR = "executor"  # the pipeline itself


class Clock(StrEnum):
    """Whose clock the time was read from."""

    LEDGER = "ledger"  # the database server's
    WORKER = "worker"
    AIRFLOW = "airflow"
    VENDOR = "vendor"


BY_A_PERSON = frozenset({"collected-on", "not-the-person"})
"""What a person may decide in a review beside the words of the rules."""

DECISIONS = frozenset({"", "keep", "review", "held", "task", *BY_A_PERSON, *Disposition, *Action})
REASON_CODES = frozenset({*ReasonCode, *PersonsReason, *Reason, *GapCode})
"""Why something was decided, ended so or was not read. Other modules' codes (guards) come as members of their enums."""

WITHHELD = "withheld"
"""Stands in for a vendor's request id that is not plainly an opaque id."""

ID_WORDS = (
    "approval|case|certificate|complaint|copy|hold|incident|key|notice|plan|policy|replay|request|restore|review|"
    "standing|step|"
    "restriction|suppression|sweep|switch|task"
)
"""With which words the ids begin that we make; what comes from a record begins with none of them."""

_DIGEST = "(?:sha256:)?[0-9a-f]{64}"
_PSEUDONYM = "[0-9a-f]{32}(?:[0-9a-f]{32})?"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID_PART = rf"[-:.](?:{ID_WORDS}|\d{{1,8}}(?:T\d{{6}}Z)?|[0-9a-f]{{4,64}})"
_ID = rf"(?:(?:{ID_WORDS})(?:{_ID_PART})+|{_UUID}|{_PSEUDONYM})(?::\d{{1,9}})?"
# A user id of the identity provider, or `standing:<name>`. Where user ids are addresses, a pseudonym is given instead.
_ACTOR = rf"standing:[a-z0-9-]{{1,48}}|[A-Za-z][A-Za-z0-9._-]{{0,63}}|\d{{1,6}}|{_UUID}|{_PSEUDONYM}"
_CODE = r"[A-Za-z][A-Za-z0-9_.-]{0,47}"
_ARTICLE = (
    r"(?:(?:PECR|DPA|DUAA|ePrivacy|SI)-|Rec)?(?:s|Sch)?\d{1,3}[A-Z]?(?:-\d{1,3})?(?:\((?:\d{1,2}[A-Z]?|[a-z]{1,2})\))*"
)
_VERSION = (
    r"(?:[0-9a-f]{40}|git-[0-9a-f]{7,40})(?:-dirty)?"
    r"|v?\d{1,4}(?:\.\d{1,4}){1,2}(?:[.+-]?(?:a|b|rc|post|dev)\d{0,4})?(?:\+g?[0-9a-f]{7,40})?"
)
# Letters and digits both: neither a word nor a number that somebody could be called by.
_REQUEST_ID = r"(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9_-]{2,63}|" + WITHHELD

_PATTERNS = {
    "run": _ID,
    "reference": _ID,
    "plan_digest": _DIGEST,
    "item": _ID,
    "case_key": r"(?:sweep|request|complaint|case)-[0-9a-f]{4,64}|[0-9a-f]{16}|k\d{1,6}"
    r"|\d{4}(?:-\d{2}){1,2}(?:-[0-9a-f]{1,8})?",
    "system": "[a-z][a-z0-9_-]{0,39}",
    "record": _PSEUDONYM,
    "decision": _CODE,
    "policy_digest": _DIGEST,
    "code_version": _VERSION,
    "actor": _ACTOR,
    "approver": _ACTOR,
}
_LIST_PATTERNS = {"reasons": _CODE, "articles": _ARTICLE, "request_ids": _REQUEST_ID}
_ELEMENT, _FIELD = "\x1f", "\n"

# One match over all texts at once, so that a million entries are checked in seconds. No pattern fits a separator.
_TEXTS = re.compile(
    _FIELD.join(
        [f"(?:{pattern})?" for pattern in _PATTERNS.values()]
        + [f"(?:{_ELEMENT}(?:{one}))*" for one in _LIST_PATTERNS.values()]
    ),
    re.ASCII,
)
_OPAQUE = re.compile(_REQUEST_ID, re.ASCII)
_USER = re.compile(_ACTOR, re.ASCII)
_TYPES: dict[str, frozenset[type]] = {
    "at": frozenset({datetime}),
    "event": frozenset({Event}),
    "clock": frozenset({Clock}),
    "role": frozenset({Role, NoneType}),
    "before": frozenset({Presence, NoneType}),
    "after": frozenset({Presence, NoneType}),
    "outcome": frozenset({OutcomeStatus, NoneType}),
    "outcome_reason": frozenset({Reason, NoneType}),
    "count": frozenset({int, NoneType}),
    **dict.fromkeys(("data_classes", *_LIST_PATTERNS), frozenset({tuple})),
}
_LARGEST_COUNT = 999_999_999  # less than any telephone number
_UTC_OFFSET = timedelta(0)

_texts_of: Callable[[Any], tuple[str, ...]] = attrgetter(*_PATTERNS)
_lists_of: Callable[[Any], tuple[tuple[str, ...], ...]] = attrgetter(*_LIST_PATTERNS)
_typed_of: Callable[[Any], tuple[object, ...]] = attrgetter(*_TYPES)
_allowed_types = tuple(_TYPES.values())
_data_class_only = frozenset({DataClass})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, without its place in the log (`chain` gives that).

    Empty means "does not apply". What an entry says about a person it says by pseudonyms under `case_key`.
    """

    at: datetime  # UTC
    event: Event
    clock: Clock = Clock.LEDGER
    run: str = ""  # the sweep or request
    reference: str = ""  # the hold, approval, notice, certificate it is about
    plan_digest: str = ""
    item: str = ""  # the line of the plan
    case_key: str = ""  # id of the key behind the pseudonyms
    system: str = ""
    record: str = ""
    data_classes: tuple[DataClass, ...] = ()
    decision: str = ""
    reasons: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    policy_digest: str = ""
    code_version: str = ""
    actor: str = ""
    role: Role | None = None
    approver: str = ""
    request_ids: tuple[str, ...] = ()  # the vendor's, see `fit_request_ids`
    before: Presence | None = None
    after: Presence | None = None
    outcome: OutcomeStatus | None = None
    outcome_reason: Reason | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        if not _fits(self):
            raise ValueError(f"audit entry: what was given for {_first_unfit(self)!r} may not stand in the log")


def fit_request_ids(values: Iterable[str]) -> tuple[str, ...]:
    """Request ids as an entry may hold them: what is not plainly opaque becomes `withheld`, empty ones fall away."""
    return tuple(value if _OPAQUE.fullmatch(value) else WITHHELD for value in values if value)


def fit_actor(user: str, key: bytes) -> str:
    """A user id as an entry may hold it: one that is an address or the like becomes its pseudonym under the key."""
    return user if not user or _USER.fullmatch(user) else record_pseudonym(key, "actor", user)


def _fits(entry: Any) -> bool:
    if not all(map(contains, _allowed_types, map(type, _typed_of(entry)))):
        return False
    lists = _lists_of(entry)
    try:
        texts = _FIELD.join((*_texts_of(entry), *[_ELEMENT.join(("", *elements)) for elements in lists]))
    except TypeError:
        return False
    count: int | None = entry.count
    return (
        _TEXTS.fullmatch(texts) is not None
        and texts.count(_ELEMENT) == sum(map(len, lists))
        and entry.at.utcoffset() == _UTC_OFFSET
        and entry.decision in DECISIONS
        and (REASON_CODES.issuperset(entry.reasons) or all(_is_code(reason) for reason in entry.reasons))
        and _data_class_only.issuperset(map(type, entry.data_classes))
        and (count is None or 0 <= count <= _LARGEST_COUNT)
    )


def _is_code(reason: str) -> bool:
    return reason in REASON_CODES or isinstance(reason, StrEnum)


def _first_unfit(entry: Entry) -> str:
    """Which field it is: each is tried alone among blameless others."""
    blameless = {field.name: field.default for field in fields(Entry) if field.default is not MISSING}
    blameless |= {"at": datetime(2000, 1, 1, tzinfo=UTC), "event": Event.INTENT}
    return next(name for name in blameless if not _fits(SimpleNamespace(**blameless | {name: getattr(entry, name)})))
