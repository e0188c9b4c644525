"""What did a person decide where the rules ask for one, and how far does that word reach? Pure.

The order of precedence is asked first; only where it says REVIEW does the answer count. What the review question itself
stands in front of (a hold, a restriction, an open access request, a statutory keep, an exemption) outranks the answer:
the table is asked once more as if the question were settled. The answer is bound to the question it was given on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from retention.decide import decide
from retention.item import IdentityMatch, Item, Objection, Periods, RequestState, Trigger
from retention.verdicts import Decision, Disposition, FollowUp, PersonsReason, ReasonCode

RULE = "a person decided after review"
KEEP_YEARS = 1
"""How long `keep` holds where no day is given: then the question is put again."""


class Choice(StrEnum):
    """What a person may decide about a record in the queue."""

    ERASE = "erase"  # becomes a step of the next plan, with its own digest and approval
    KEEP = "keep"  # until a day; then the question is put again
    RESTRICT = "restrict"
    COLLECTED_ON = "collected-on"  # supplies the date that was missing or impossible
    NOT_THE_PERSON = "not-the-person"  # the word that was spoken does not concern this record


NO_START = frozenset({ReasonCode.RET_NO_START, ReasonCode.RET_BAD_START})
IN_DOUBT = frozenset({ReasonCode.ID_AMBIGUOUS, ReasonCode.ID_SHARED})
ERASABLE = (
    NO_START
    | IN_DOUBT
    | {
        ReasonCode.RET_CONTRACT_LIVE,
        ReasonCode.BASIS_INVALID,
        ReasonCode.SPECIAL_CATEGORY,
        ReasonCode.REQ_EXCESSIVE,
    }
)
"""Questions that erasing can answer. Parts of a record about several people are taken out by hand, never the whole."""

ANSWERS: Mapping[Choice, frozenset[str] | None] = {
    Choice.ERASE: ERASABLE,
    Choice.KEEP: None,
    Choice.RESTRICT: None,
    Choice.COLLECTED_ON: NO_START,
    Choice.NOT_THE_PERSON: IN_DOUBT,
}
"""Which questions a choice can answer; None: any."""


def can_answer(choice: Choice, reasons: frozenset[str]) -> bool:
    """Whether a choice answers every question a record is in the queue for."""
    possible = ANSWERS[choice]
    return possible is None or reasons <= possible


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's decision on one record, with the question it was given on."""

    choice: Choice
    reasons: frozenset[str]
    version: str
    round: int
    until: date | None = None
    collected_on: date | None = None

    def fits(self, asked: frozenset[str], version: str, today: date) -> bool:
        """Whether it still answers all that is asked; erasing also needs the record to be as it was looked at."""
        if not asked or not asked <= self.reasons or (self.until is not None and today > self.until):
            return False
        return self.choice is not Choice.ERASE or version == self.version


SETTLED: Mapping[str, Any] = {
    "trigger": Trigger.NIGHTLY,
    "identity_match": IdentityMatch.EXACT,
    "special_category": False,
    "flag_excessive": False,
    "other_subjects": False,
}
"""The facts of an item as if the question before the person were settled; what protects it is left as it is."""

NEVER_SPOKEN: Mapping[str, Any] = {
    "trigger": Trigger.NIGHTLY,
    "identity_match": IdentityMatch.EXACT,
    "unsubscribed_on": None,
    "erasure_duty": False,
}


def heed(answer: Answer, item: Item, asked: Decision, periods: Periods, today: date) -> Decision:
    """What becomes of an item that the rules put before a person, now that the person has answered."""
    if answer.choice is Choice.COLLECTED_ON:
        dated = _with(item, collected_on=answer.collected_on)
        return decide(dated, periods, today) if asked.reason_code in NO_START else asked
    if answer.choice is Choice.NOT_THE_PERSON:
        return decide(_unspoken(item), periods, today) if asked.reason_code in IN_DOUBT else asked
    if answer.choice is Choice.ERASE:
        outranks = _if_it_had_to_go(item, periods, today)
        if outranks.disposition is not Disposition.ERASE:
            return _instead(asked, outranks)
        return _word(asked, Disposition.ERASE, PersonsReason.PERSON_ERASES, FollowUp.NOTIFY_RECIPIENTS)
    outranks = decide(_with(item, **SETTLED), periods, today)
    if outranks.disposition is Disposition.RESTRICT:
        return _instead(asked, outranks)
    if answer.choice is Choice.RESTRICT:
        return _word(asked, Disposition.RESTRICT, PersonsReason.PERSON_RESTRICTS, FollowUp.BLOCK_OTHER_USE)
    return _word(asked, Disposition.KEEP, PersonsReason.PERSON_KEEPS)


def _if_it_had_to_go(item: Item, periods: Periods, today: date) -> Decision:
    """What the table says if there were a ground to erase that nobody has to prove: it came back after an erasure."""
    collected = min(item.collected_on or today, today)
    return decide(_with(item, **SETTLED, collected_on=collected, erased_on=today), periods, today)


def _unspoken(item: Item) -> Item:
    """The item as if the person had not spoken; an open access request and an objection being weighed still protect."""
    request = item.request_state if item.request_state is RequestState.ACCESS_PENDING else RequestState.NONE
    weighed = item.objection in (Objection.PENDING, Objection.OVERRIDDEN)
    return _with(item, **NEVER_SPOKEN, request_state=request, objection=item.objection if weighed else Objection.NONE)


def _with(item: Item, **changes: Any) -> Item:
    return Item(**{name: getattr(item, name) for name in Item.__annotations__} | changes)


def _instead(asked: Decision, outranks: Decision) -> Decision:
    """What outranks the answer, with the duties of the facts as they are, not as they were supposed to be."""
    block = {FollowUp.BLOCK_OTHER_USE} if outranks.disposition is Disposition.RESTRICT else set()
    return replace(outranks, follow_ups=(asked.follow_ups - {FollowUp.REVIEW_QUEUE}) | block)


def _word(asked: Decision, disposition: Disposition, reason: PersonsReason, *more: FollowUp) -> Decision:
    return replace(
        asked,
        disposition=disposition,
        reason_code=reason,
        rule=RULE,
        follow_ups=(asked.follow_ups - {FollowUp.REVIEW_QUEUE}) | set(more),
    )
