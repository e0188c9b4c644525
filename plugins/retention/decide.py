"""What happens to an item, and why? The order of precedence, as a table a lawyer can read: the first row to hold wins.

What follows from the same facts beside the verdict is the second table, `retention.duties`. No clock, no input or
output, no state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from retention.duties import DUTIES, Duty
from retention.item import (
    PROMISED,
    AnonymousProfile,
    Exemption,
    IdentityMatch,
    Item,
    Objection,
    Periods,
    Regime,
    RequestState,
    Restriction,
    SoftOptIn,
    Trigger,
)
from retention.record_verdict import RecordVerdict, of_record
from retention.situation import Collection, Situation, StatutoryKeep, situation
from retention.verdicts import Decision, Disposition, FollowUp, ReasonCode, Verdict
from retention.vocabulary import DataClass, LawfulBasis

__all__ = [
    "PRECEDENCE",
    "PROMISED",
    "Decision",
    "Disposition",
    "FollowUp",
    "Item",
    "Periods",
    "ReasonCode",
    "RecordVerdict",
    "decide",
    "of_record",
]

ERASE, RESTRICT, KEEP = Disposition.ERASE, Disposition.RESTRICT, Disposition.KEEP
REVIEW, ANONYMISE, NOOP = Disposition.REVIEW, Disposition.ANONYMISE, Disposition.NOOP
R = ReasonCode

Condition = Callable[[Situation], bool]


class Row(NamedTuple):
    """One line of the order of precedence: the condition in words, the same in code, and the law behind it."""

    step: int
    reason: ReasonCode
    disposition: Disposition
    says: str
    when: Condition
    articles: str


Table = tuple[Row, ...]


RESTRICTION = 4
THEIR_WORD = 13
GROUNDS = range(11, 15)
"""Steps that can find a ground to erase; the ones above keep what these would take."""


def told_by_them(condition: Condition) -> Condition:
    """A person's word destroys only what is surely theirs."""
    return lambda s: s.exact and condition(s)


# fmt: off
PRECEDENCE: Table = (
    # 1. Classes that have a rule of their own
    Row(1, R.NOT_PERSONAL, KEEP, "counts only, nobody is in them",
        lambda s: s.data_class is DataClass.AGGREGATE, "Rec26;4(1)"),
    Row(1, R.AUDIT_KEEP, KEEP, "evidence under pseudonyms, with a period of its own",
        lambda s: s.data_class is DataClass.AUDIT_EVENT, "5(2);17(3)(b);17(3)(e)"),
    Row(1, R.BACKUP_BEYOND_USE, KEEP, "a backup: ends by rotation, untouched until then",
        lambda s: s.data_class is DataClass.BACKUP_COPY, "17(1);32;5(2)"),
    Row(1, R.SUPPRESSION_KEEP, KEEP, "the entry that stops marketing must outlive the data",
        lambda s: s.data_class is DataClass.SUPPRESSION_ENTRY, "21(3);17(3)(b);PECR-22"),
    Row(1, R.OUT_OF_SCOPE_STAFF, KEEP, "a user of the system: the staff schedule applies",
        lambda s: s.is_staff, "5(1)(b)"),
    Row(1, R.SPECIAL_CATEGORY, REVIEW, "special category or criminal data, of which we promised to collect none",
        lambda s: s.special_category, "9(1);10;5(1)(c)"),

    # 2. Nothing there
    Row(2, R.ALREADY_ERASED, NOOP, "nothing is held",
        lambda s: not s.present, "17(1);5(2)"),

    # 3. A legal hold beats everything that would destroy
    Row(3, R.HOLD_ACTIVE, RESTRICT, "a legal hold stands, and there is a ground to erase",
        lambda s: s.hold and s.erase_ground, "17(3)(e);18(2);DPA-Sch2-5"),

    # 4. The subject's restriction; their own erasure request ends it, unless that request comes to nothing
    Row(4, R.R18_ACCURACY, RESTRICT, "accuracy is contested",
        lambda s: s.restriction is Restriction.ACCURACY and s.restriction_stands, "18(1)(a);18(2)"),
    Row(4, R.R18_UNLAWFUL, RESTRICT, "unlawful, and the subject chose restriction over erasure",
        lambda s: s.restriction is Restriction.UNLAWFUL and s.restriction_stands, "18(1)(b);18(2)"),
    Row(4, R.R18_CLAIMS, RESTRICT, "the subject needs it for a claim",
        lambda s: s.restriction is Restriction.CLAIMS and s.restriction_stands, "18(1)(c);18(2)"),
    Row(4, R.R18_LIFT_NOTICE, RESTRICT, "the restriction is over but the subject has not been told",
        lambda s: s.lift_untold and s.restriction_stands, "18(3)"),
    Row(4, R.R18_OBJECTION, RESTRICT, "an objection is being weighed",
        lambda s: s.objection is Objection.PENDING and s.restriction_stands, "18(1)(d);21(1)"),

    # 5. A legal hold with nothing to erase
    Row(5, R.HOLD_ACTIVE, KEEP, "a legal hold stands, nothing is to be erased: lawful use goes on",
        lambda s: s.hold, "17(3)(e)"),

    # 6. A copy is owed: what the subject asked to see is not destroyed first
    Row(6, R.ACCESS_PENDING, RESTRICT, "a copy is owed, and there is a ground to erase",
        lambda s: s.request_state is RequestState.ACCESS_PENDING and s.erase_ground, "15;20(3);DPA-173"),
    Row(6, R.ACCESS_PENDING, KEEP, "a copy is owed",
        lambda s: s.request_state is RequestState.ACCESS_PENDING, "15;20(3)"),

    # 7. Somebody's word, and it is not settled whose record this is
    Row(7, R.OBJ_MARKETING, KEEP, "marketing objection, identity awaited: marketing stops, erasure waits",
        lambda s: s.identity_in_doubt and s.identity is IdentityMatch.PENDING
        and s.marketing and s.objects_to_marketing, "21(3);12(2);12(6);PECR-22"),
    Row(7, R.ID_PENDING, KEEP, "identity awaited",
        lambda s: s.identity_in_doubt and s.identity is IdentityMatch.PENDING, "12(6)"),
    Row(7, R.ID_AMBIGUOUS, REVIEW, "several persons match",
        lambda s: s.identity_in_doubt and s.identity is IdentityMatch.AMBIGUOUS, "12(6);32"),
    Row(7, R.ID_SHARED, REVIEW, "the address is shared by several persons",
        lambda s: s.identity_in_doubt and s.identity is IdentityMatch.SHARED, "12(6);15(4);32"),

    # 8. Only a person may call a request excessive
    Row(8, R.REQ_EXCESSIVE, REVIEW, "flagged as excessive",
        lambda s: s.subject_trigger and s.flag_excessive, "12(5)"),

    # 9. A statute asks for business data
    Row(9, R.STAT_KEEP, RESTRICT, "a statute still asks for it, and for nothing but keeping it",
        lambda s: s.statutory_keep is StatutoryKeep.RUNNING and s.erase_ground, "6(1)(c);17(3)(b);5(1)(c)"),
    Row(9, R.UNSUB_TXN_KEPT, KEEP, "an opt-out does not reach a transaction",
        lambda s: s.statutory_keep is StatutoryKeep.RUNNING and not s.past_period and s.only_marketing_is_refused,
        "6(1)(b);6(1)(c);21(3)"),

    # 10. The other exemptions of Art. 17(3)
    Row(10, R.EX_CLAIMS, RESTRICT, "a complaint or claim is open, and there is a ground to erase",
        lambda s: s.claim_open and s.erase_ground, "17(3)(e);DPA-Sch2-5"),
    Row(10, R.EX_EXPRESSION, KEEP, "freedom of expression and information",
        lambda s: s.exemption is Exemption.EXPRESSION and s.erasure_at_issue, "17(3)(a);85"),
    Row(10, R.EX_ARCHIVE, KEEP, "archive in the public interest, with safeguards",
        lambda s: s.exemption is Exemption.ARCHIVING and s.erasure_at_issue, "17(3)(d);89(1)"),
    Row(10, R.EX_PUBLIC_HEALTH, KEEP, "public health duty",
        lambda s: s.exemption is Exemption.PUBLIC_HEALTH and s.erasure_at_issue, "17(3)(c)"),

    # 11. What its own erasure should have removed
    Row(11, R.RESTORED_AFTER_ERASURE, ERASE, "older than its recorded erasure: it came back",
        lambda s: s.restored, "17(1);5(2);32"),

    # 12. Other people in the item; papers that have served
    Row(12, R.MIXED_SUBJECTS, REVIEW, "other people's data in it, and its period is not over",
        lambda s: s.subject_trigger and s.other_subjects and not s.past_period, "17;15(4)"),
    Row(12, R.ID_EVIDENCE_DONE, ERASE, "proof of identity goes once the check is recorded",
        lambda s: s.data_class is DataClass.ID_EVIDENCE and s.verified, "5(1)(c);5(1)(e)"),

    # 13. Grounds of Art. 17(1), on the word of a person whose record this surely is
    Row(13, R.ERQ_LEGAL_DUTY, ERASE, "a court or regulator orders erasure",
        told_by_them(lambda s: s.erasure_duty), "17(1)(e)"),
    Row(13, R.R18_SUBJECT_ERASES, ERASE, "who asked for restriction now asks for erasure",
        told_by_them(lambda s: s.trigger is Trigger.ERASURE_REQUEST
                     and (s.restriction in (Restriction.UNLAWFUL, Restriction.CLAIMS)
                          or (s.restricted and (s.lawful_basis is LawfulBasis.NONE or s.carried_by_consent_alone)))),
        "17(1);18(2)"),
    Row(13, R.ERQ_UNLAWFUL, ERASE, "erasure request, and no lawful basis",
        told_by_them(lambda s: s.trigger is Trigger.ERASURE_REQUEST and s.lawful_basis is LawfulBasis.NONE),
        "17(1)(d)"),
    Row(13, R.ERQ_CHILD_ISS, ERASE, "erasure request, collected from a child online",
        told_by_them(lambda s: s.trigger is Trigger.ERASURE_REQUEST and s.child_iss), "17(1)(f);8(1)"),
    Row(13, R.OBJ_MARKETING, ERASE, "marketing objection; an erasure request where no consent is held is read as one",
        told_by_them(lambda s: s.marketing
                     and (s.objects_to_marketing
                          or (s.trigger is Trigger.ERASURE_REQUEST and s.lawful_basis is not LawfulBasis.CONSENT))),
        "21(2);21(3);17(1)(c)"),
    Row(13, R.OBJ_UPHELD, ERASE, "objection upheld",
        told_by_them(lambda s: s.objection is Objection.UPHELD), "21(1);17(1)(c)"),
    Row(13, R.DEFERRED_REQUEST, ERASE, "the request once put off is reopened and still has a ground",
        told_by_them(lambda s: s.request_state is RequestState.DEFERRED
                     and (s.lawful_basis is LawfulBasis.NONE or s.child_iss or s.marketing
                          or s.carried_by_consent_alone)),
        "17(1)"),
    Row(13, R.UNSUB_MARKETING, ERASE, "unsubscribed, and no newer consent",
        told_by_them(lambda s: s.marketing and s.opted_out), "7(3);17(1)(b);21(3);PECR-22"),
    Row(13, R.CONSENT_WITHDRAWN, ERASE, "consent is gone and nothing else carries the data",
        told_by_them(lambda s: (s.marketing and s.trigger is Trigger.CONSENT_WITHDRAWAL)
                     or (s.carried_by_consent_alone and s.consent_is_gone)),
        "17(1)(b);7(3)"),

    # 14. The period is over
    Row(14, R.RET_CONTRACT_LIVE, REVIEW, "past its period while the contract runs",
        lambda s: s.past_period and s.contract_live, "6(1)(b);5(1)(e)"),
    Row(14, R.STAT_KEEP_ENDED, ERASE, "the statute asks no longer for the transaction",
        lambda s: s.data_class is DataClass.TRANSACTION_RECORD and s.statutory_keep is StatutoryKeep.ENDED
        and s.collection is Collection.DATED and (s.past_period or s.asked_to_erase), "5(1)(e);17(1)(a)"),
    Row(14, R.ANON_OK, ANONYMISE, "past its period, and an approved profile leaves nobody in it",
        lambda s: s.past_period and s.anon_profile is AnonymousProfile.APPROVED, "5(1)(e);Rec26"),
    Row(14, R.RET_EXPIRED, ERASE, "past its period",
        lambda s: s.past_period, "5(1)(e);17(1)(a)"),

    # 15. Facts that cannot be right: a person looks, nothing is guessed
    Row(15, R.BASIS_INVALID, REVIEW, "no lawful basis, or one that cannot exist here",
        lambda s: s.basis_cannot_exist, "6(1);5(1)(a)"),
    Row(15, R.RET_NO_START, REVIEW, "no collection date",
        lambda s: s.collection is Collection.MISSING and not s.never_by_time, "5(1)(e);5(2)"),
    Row(15, R.RET_BAD_START, REVIEW, "collection date in the future",
        lambda s: s.collection is Collection.IN_FUTURE and not s.never_by_time, "5(1)(d);5(2)"),

    # 16. Otherwise it stays, and this is why
    Row(16, R.R18_LIFTED, KEEP, "the restriction is lifted, the subject was told",
        lambda s: s.trigger is Trigger.RESTRICTION_LIFT and s.restriction is Restriction.ENDED_TOLD, "18(3)"),
    Row(16, R.OBJ_OVERRIDDEN, KEEP, "compelling grounds outweigh the objection, the subject was told",
        lambda s: s.objection is Objection.OVERRIDDEN
        and s.trigger in (Trigger.OBJECTION, Trigger.RESTRICTION_LIFT), "21(1);18(3)"),
    Row(16, R.CONSENT_OTHER_BASIS, KEEP, "consent is withdrawn, another basis carries the data",
        lambda s: s.trigger is Trigger.CONSENT_WITHDRAWAL, "17(1)(b);7(3)"),
    Row(16, R.ERQ_NO_GROUND, KEEP, "erasure asked for without a ground",
        lambda s: s.asked_to_erase, "17(1)"),
    Row(16, R.NEW_AFTER_ERASURE, KEEP, "collected anew after an erasure",
        lambda s: s.new_since_erasure, "6(1)"),
    Row(16, R.RESUBSCRIBED, KEEP, "opted out once, consented again since",
        lambda s: s.marketing and s.resubscribed, "6(1)(a);7"),
    Row(16, R.SIGNUP_LIVE, KEEP, "signed up and never unsubscribed: kept until then",
        lambda s: s.never_by_time, "6(1)(a);PECR-22"),
    Row(16, R.SOFT_OPT_IN, KEEP, "soft opt-in, never opted out",
        lambda s: s.marketing and s.soft_opt_in is not SoftOptIn.NONE, "6(1)(f);PECR-22"),
    Row(16, R.RET_NOT_DUE, KEEP, "within its period",
        lambda s: True, "5(1)(e)"),
)
# fmt: on


def decide(item: Item, schedule: Periods, today: date) -> Decision:
    """Say what happens to an item on a day. The same facts always get the same answer."""
    return _decision(situation(item, schedule, today))


def judge(s: Situation, table: Table = PRECEDENCE) -> tuple[Situation, Verdict]:
    """Find the row that wins. The situation comes back with what had to be worked out on the way."""
    as_exact = s._replace(identity=IdentityMatch.EXACT)
    grounds = tuple(row for row in table if row.step in GROUNDS and row.reason is not R.MIXED_SUBJECTS)
    by_record = tuple(row for row in grounds if row.step != THEIR_WORD)
    ground = _destroys(as_exact, grounds)
    s = s._replace(
        erase_ground=ground or s.kept_for_one_purpose,
        only_ground_is_a_word=ground and not _destroys(as_exact, by_record),
    )
    request_comes_to = None
    if s.own_request and s.restricted:
        request_comes_to = _first(s, tuple(row for row in table if row.step > RESTRICTION))
        s = s._replace(restriction_stands=request_comes_to.disposition not in (ERASE, RESTRICT))
    row = _first(s, table)
    outweighed = _verdict(request_comes_to) if request_comes_to is not None and row.step == RESTRICTION else None
    return s, _verdict(row, outweighed)


def _verdict(row: Row, outweighed: Verdict | None = None) -> Verdict:
    return Verdict(row.step, row.reason, row.disposition, row.says, row.articles, outweighed)


def _first(s: Situation, table: Table) -> Row:
    for row in table:
        if row.when(s):
            return row
    raise LookupError("no row of the table applies")


def _destroys(s: Situation, grounds: Table) -> bool:
    return next((row.disposition in (ERASE, ANONYMISE) for row in grounds if row.when(s)), False)


@lru_cache(maxsize=16_384)
def _decision(s: Situation) -> Decision:
    """Conclude from a situation once; a million records are in a few hundred situations."""
    return conclude(s)


def conclude(s: Situation, table: Table = PRECEDENCE, duties: Sequence[Duty] = DUTIES) -> Decision:
    """Read both tables over a situation. They are passed in so that a test can show what each row is there for."""
    s, verdict = judge(s, table)
    due = tuple(duty for duty in duties if duty.when(s, verdict))
    cited = dict.fromkeys(";".join((verdict.articles, *(duty.articles for duty in due))).split(";"))
    return Decision(
        disposition=verdict.disposition,
        reason_code=verdict.reason,
        rule=f"{verdict.step}. {verdict.says}",
        articles=tuple(article for article in cited if s.regime is Regime.UK or not _only_uk(article)),
        follow_ups=frozenset(duty.follow_up for duty in due),
    )


def _only_uk(article: str) -> bool:
    return article.startswith(("PECR", "DPA"))
