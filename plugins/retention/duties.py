"""What follows from a decision and its facts? The follow-ups as a table: every row that holds adds its duty.

Duties are worked out apart from the verdict. An opt-out stops marketing whichever rule kept the data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from retention.item import IdentityMatch, RequestState, Trigger
from retention.situation import Situation
from retention.verdicts import Disposition, FollowUp, ReasonCode, Verdict
from retention.vocabulary import DataClass

ERASE, RESTRICT, KEEP = Disposition.ERASE, Disposition.RESTRICT, Disposition.KEEP
REVIEW, NOOP = Disposition.REVIEW, Disposition.NOOP
R, F = ReasonCode, FollowUp


class Duty(NamedTuple):
    """One line: the follow-up, its condition in words, the same in code, and the law behind it."""

    follow_up: FollowUp
    says: str
    when: Callable[[Situation, Verdict], bool]
    articles: str


OURS_TO_KEEP = frozenset({R.SUPPRESSION_KEEP, R.AUDIT_KEEP, R.BACKUP_BEYOND_USE})
ASKED_ALOUD = (Trigger.ERASURE_REQUEST, Trigger.OBJECTION)
STANDING_REFUSALS = frozenset(
    {R.STAT_KEEP, R.EX_CLAIMS, R.EX_EXPRESSION, R.EX_ARCHIVE, R.EX_PUBLIC_HEALTH, R.ERQ_NO_GROUND}
)


def stays(v: Verdict) -> bool:
    """The data is still there afterwards, by decision."""
    return v.disposition in (KEEP, RESTRICT)


def stands_for_review(v: Verdict) -> bool:
    """A restriction still stands because the subject's own request has to go to a person first."""
    return v.outweighed is not None and v.outweighed.disposition is REVIEW


def stands_for_a_copy(v: Verdict) -> bool:
    """A restriction still stands while the subject waits for a copy."""
    return v.outweighed is not None and v.outweighed.reason is R.ACCESS_PENDING


def objection_to_more_than_marketing(s: Situation) -> bool:
    """An objection that can be refused."""
    return s.trigger is Trigger.OBJECTION and not s.objects_to_marketing


# fmt: off
DUTIES: tuple[Duty, ...] = (
    Duty(F.STOP_MARKETING, "the person wants no marketing, or it has no basis",
         lambda s, v: s.refuses_marketing or v.reason is R.BASIS_INVALID, "21(3);7(3);PECR-22"),
    Duty(F.ADD_SUPPRESSION, "the person wants no marketing",
         lambda s, v: s.refuses_marketing, "21(3);PECR-22"),
    Duty(F.REMOVE_SUPPRESSION, "newer consent with proof",
         lambda s, v: v.reason is R.RESUBSCRIBED, "7(1)"),

    Duty(F.NOTIFY_RECIPIENTS, "erased (papers proving identity go to nobody)",
         lambda s, v: v.disposition is ERASE and s.data_class is not DataClass.ID_EVIDENCE, "19"),
    Duty(F.NOTIFY_RECIPIENTS, "restricted because of an objection just made",
         lambda s, v: v.reason is R.R18_OBJECTION and s.trigger is Trigger.OBJECTION, "19"),
    Duty(F.NOTIFY_RECIPIENTS, "a restriction is lifted",
         lambda s, v: v.reason in (R.R18_LIFTED, R.OBJ_OVERRIDDEN), "19"),

    Duty(F.NOTIFY_SUBJECT, "what was asked for is done",
         lambda s, v: v.disposition in (ERASE, NOOP) and s.subject_trigger and s.exact, "12(3)"),
    Duty(F.NOTIFY_SUBJECT, "consent withdrawal or marketing objection met, though the data stays",
         lambda s, v: stays(v) and s.exact and v.reason is not R.ACCESS_PENDING
         and (s.trigger is Trigger.CONSENT_WITHDRAWAL
              or (s.trigger is Trigger.OBJECTION and s.objects_to_marketing)), "12(3)"),
    Duty(F.NOTIFY_SUBJECT, "an objection is being weighed",
         lambda s, v: v.reason is R.R18_OBJECTION and s.subject_trigger and s.exact, "12(3)"),
    Duty(F.NOTIFY_SUBJECT, "request answered by a store of our own that must stay",
         lambda s, v: v.reason in OURS_TO_KEEP and s.trigger in ASKED_ALOUD and s.exact, "12(3)"),

    Duty(F.NOTIFY_REFUSAL, "erasure or objection refused",
         lambda s, v: stays(v) and s.exact
         and (s.trigger is Trigger.ERASURE_REQUEST or objection_to_more_than_marketing(s))
         and v.reason not in OURS_TO_KEEP | {R.ACCESS_PENDING, R.R18_OBJECTION}
         and not stands_for_review(v) and not stands_for_a_copy(v), "12(4)"),
    Duty(F.NOTIFY_REFUSAL, "the request once put off is now refused",
         lambda s, v: s.request_state is RequestState.DEFERRED and s.exact and v.reason in STANDING_REFUSALS, "12(4)"),
    Duty(F.NOTIFY_BEFORE_LIFT, "the subject is told before a restriction is lifted",
         lambda s, v: v.reason is R.R18_LIFT_NOTICE, "18(3)"),

    Duty(F.ASK_ID, "somebody asks and it is not settled who",
         lambda s, v: s.subject_trigger and s.identity in (IdentityMatch.PENDING, IdentityMatch.AMBIGUOUS)
         and s.trigger is not Trigger.UNSUBSCRIBE and v.disposition is not NOOP
         and (not v.by_class_rule or v.reason is R.SPECIAL_CATEGORY), "12(6)"),
    Duty(F.BLOCK_OTHER_USE, "stored and not used (already so while a lift waits for its notice)",
         lambda s, v: v.disposition is RESTRICT and v.reason is not R.R18_LIFT_NOTICE, "18(2)"),
    Duty(F.BLOCK_OTHER_USE, "not used until a person has looked",
         lambda s, v: v.reason is R.SPECIAL_CATEGORY, "9(1)"),
    Duty(F.MINIMISE, "cut to the fields the statute needs, unless a claim may need the rest",
         lambda s, v: v.reason is R.STAT_KEEP and not s.claim_open, "5(1)(c)"),
    Duty(F.MINIMISE, "an archive keeps what it needs",
         lambda s, v: v.reason is R.EX_ARCHIVE, "89(1)"),
    Duty(F.EXPORT_FIRST, "the copy goes out before what was asked next is done",
         lambda s, v: v.reason is R.ACCESS_PENDING
         and s.trigger in (*ASKED_ALOUD, Trigger.CONSENT_WITHDRAWAL), "15;20(3)"),
    Duty(F.RECHECK, "looked at again when the copy is out",
         lambda s, v: s.request_state is RequestState.ACCESS_PENDING and stays(v), "15"),
    Duty(F.RECHECK, "looked at again after a lift",
         lambda s, v: v.reason in (R.R18_LIFTED, R.OBJ_OVERRIDDEN), "18(3)"),

    Duty(F.REVIEW_QUEUE, "a person decides",
         lambda s, v: v.disposition is REVIEW, "5(2)"),
    Duty(F.REVIEW_QUEUE, "an order to erase is not carried out at once",
         lambda s, v: s.erasure_duty and v.disposition not in (ERASE, NOOP), "17(1)(e)"),
    Duty(F.REVIEW_QUEUE, "somebody asks, several persons match, and another rule kept the data",
         lambda s, v: s.subject_trigger and s.identity in (IdentityMatch.AMBIGUOUS, IdentityMatch.SHARED)
         and stays(v), "5(2)"),
    Duty(F.REVIEW_QUEUE, "a restriction stands until a person has decided the request",
         lambda s, v: stands_for_review(v), "5(2)"),
    Duty(F.RAISE_INCIDENT, "its own erasure should have removed it",
         lambda s, v: s.restored and v.disposition is not NOOP and not v.by_class_rule, "32;33"),
    Duty(F.RAISE_INCIDENT, "data we promised not to collect",
         lambda s, v: v.reason is R.SPECIAL_CATEGORY, "9(1)"),
    Duty(F.REPLAY_ON_RESTORE, "if the backup is ever restored, erasures are done again",
         lambda s, v: v.reason is R.BACKUP_BEYOND_USE, "32"),
)
# fmt: on
