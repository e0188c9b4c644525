"""How is a decision expressed? The closed sets of dispositions, reasons and follow-ups, and the decision itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Disposition(StrEnum):
    """What is ordered for one data class of one record."""

    ERASE = "ERASE"
    RESTRICT = "RESTRICT"  # storage only: by Art. 18, or as a block of our own
    KEEP = "KEEP"
    REVIEW = "REVIEW"  # a person decides; nothing is destroyed meanwhile
    ANONYMISE = "ANONYMISE"  # by an approved irreversible profile only
    NOOP = "NOOP"  # nothing is held


class ReasonCode(StrEnum):
    """Why. The letters are stable: they stand in the audit log for years."""

    NOT_PERSONAL = "NOT_PERSONAL"
    AUDIT_KEEP = "AUDIT_KEEP"
    BACKUP_BEYOND_USE = "BACKUP_BEYOND_USE"
    SUPPRESSION_KEEP = "SUPPRESSION_KEEP"
    OUT_OF_SCOPE_STAFF = "OUT_OF_SCOPE_STAFF"
    SPECIAL_CATEGORY = "SPECIAL_CATEGORY"
    ALREADY_ERASED = "ALREADY_ERASED"
    HOLD_ACTIVE = "HOLD_ACTIVE"
    R18_ACCURACY = "R18_ACCURACY"
    R18_UNLAWFUL = "R18_UNLAWFUL"
    R18_CLAIMS = "R18_CLAIMS"
    R18_OBJECTION = "R18_OBJECTION"
    R18_LIFT_NOTICE = "R18_LIFT_NOTICE"
    R18_LIFTED = "R18_LIFTED"
    R18_SUBJECT_ERASES = "R18_SUBJECT_ERASES"
    ACCESS_PENDING = "ACCESS_PENDING"
    ID_PENDING = "ID_PENDING"
    ID_AMBIGUOUS = "ID_AMBIGUOUS"
    ID_SHARED = "ID_SHARED"
    REQ_EXCESSIVE = "REQ_EXCESSIVE"
    STAT_KEEP = "STAT_KEEP"
    STAT_KEEP_ENDED = "STAT_KEEP_ENDED"
    UNSUB_TXN_KEPT = "UNSUB_TXN_KEPT"
    EX_CLAIMS = "EX_CLAIMS"
    EX_EXPRESSION = "EX_EXPRESSION"
    EX_ARCHIVE = "EX_ARCHIVE"
    EX_PUBLIC_HEALTH = "EX_PUBLIC_HEALTH"
    RESTORED_AFTER_ERASURE = "RESTORED_AFTER_ERASURE"
    NEW_AFTER_ERASURE = "NEW_AFTER_ERASURE"
    MIXED_SUBJECTS = "MIXED_SUBJECTS"
    ID_EVIDENCE_DONE = "ID_EVIDENCE_DONE"
    ERQ_LEGAL_DUTY = "ERQ_LEGAL_DUTY"
    ERQ_UNLAWFUL = "ERQ_UNLAWFUL"
    ERQ_CHILD_ISS = "ERQ_CHILD_ISS"
    ERQ_NO_GROUND = "ERQ_NO_GROUND"
    OBJ_MARKETING = "OBJ_MARKETING"
    OBJ_UPHELD = "OBJ_UPHELD"
    OBJ_OVERRIDDEN = "OBJ_OVERRIDDEN"
    DEFERRED_REQUEST = "DEFERRED_REQUEST"
    UNSUB_MARKETING = "UNSUB_MARKETING"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_OTHER_BASIS = "CONSENT_OTHER_BASIS"
    RET_CONTRACT_LIVE = "RET_CONTRACT_LIVE"
    RET_EXPIRED = "RET_EXPIRED"
    RET_NOT_DUE = "RET_NOT_DUE"
    RET_NO_START = "RET_NO_START"
    RET_BAD_START = "RET_BAD_START"
    ANON_OK = "ANON_OK"
    BASIS_INVALID = "BASIS_INVALID"
    RESUBSCRIBED = "RESUBSCRIBED"
    SIGNUP_LIVE = "SIGNUP_LIVE"
    SOFT_OPT_IN = "SOFT_OPT_IN"


ON_THEIR_WORD = frozenset({ReasonCode.UNSUB_MARKETING, ReasonCode.CONSENT_WITHDRAWN, ReasonCode.OBJ_MARKETING})
"""Erased because somebody wants no marketing: never without an entry on the suppression list."""


class PersonsReason(StrEnum):
    """Why, where a person decided: ours on what the table put before them, or the subject; no row has these."""

    PERSON_ERASES = "PERSON_ERASES"
    PERSON_KEEPS = "PERSON_KEEPS"
    PERSON_RESTRICTS = "PERSON_RESTRICTS"
    SUBJECT_CORRECTS = "SUBJECT_CORRECTS"  # Art. 16


class FollowUp(StrEnum):
    """What else has to be done because of the same facts."""

    STOP_MARKETING = "STOP_MARKETING"
    ADD_SUPPRESSION = "ADD_SUPPRESSION"
    REMOVE_SUPPRESSION = "REMOVE_SUPPRESSION"
    NOTIFY_RECIPIENTS = "NOTIFY_RECIPIENTS"
    NOTIFY_SUBJECT = "NOTIFY_SUBJECT"
    NOTIFY_REFUSAL = "NOTIFY_REFUSAL"
    NOTIFY_BEFORE_LIFT = "NOTIFY_BEFORE_LIFT"
    ASK_ID = "ASK_ID"
    BLOCK_OTHER_USE = "BLOCK_OTHER_USE"
    MINIMISE = "MINIMISE"
    EXPORT_FIRST = "EXPORT_FIRST"
    RECHECK = "RECHECK"
    REVIEW_QUEUE = "REVIEW_QUEUE"
    RAISE_INCIDENT = "RAISE_INCIDENT"
    REPLAY_ON_RESTORE = "REPLAY_ON_RESTORE"


class Verdict(NamedTuple):
    """The row of the order of precedence that won, before its follow-ups are worked out.

    `outweighed` is what the subject's own erasure request would have come to, where a restriction still stands.
    """

    step: int
    reason: ReasonCode
    disposition: Disposition
    says: str
    articles: str
    outweighed: Verdict | None = None

    @property
    def by_class_rule(self) -> bool:
        """The class itself settled it, whatever else is true."""
        return self.step == 1


@dataclass(frozen=True, slots=True)
class Decision:
    """What is ordered, why, by which row of the table in words, by which articles, and what follows from it."""

    disposition: Disposition
    reason_code: ReasonCode | PersonsReason
    rule: str
    articles: tuple[str, ...]
    follow_ups: frozenset[FollowUp]
