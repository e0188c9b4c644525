"""What may be done to a whole record, given a decision for each data class (and each subject) in it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retention.verdicts import Decision, Disposition, FollowUp, PersonsReason, ReasonCode
from retention.vocabulary import Action

Part = tuple[tuple[str, ...], Decision]
"""One class of one subject in the record: the fields that hold it (none for a file or a message) and its fate."""


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """The one thing to do to the record now, if any. `fields` is what a REDACT clears, sorted."""

    action: Action | None
    fields: tuple[str, ...]
    reasons: frozenset[ReasonCode | PersonsReason]
    follow_ups: frozenset[FollowUp]
    needs_review: bool
    blocked_by_hold: bool
    held_in_part: bool = False


def of_record(
    parts: Sequence[Part], *, restricted: bool = False, held: bool = False, held_in_part: bool = False
) -> RecordVerdict:
    """Turn the decisions about a record's parts into one verb.

    The record goes only if every part of it may. Else what may go is cleared field by field, unless a part that stays
    lists the field too. A legal hold lives in the ledger, and what is held is neither cut nor marked: one over the
    whole record (`held`) stops everything, one over some parts stops every verb that would reach the whole record, and
    leaves the fields of the others to be cleared. `held_in_part` says so where the class has another reason (an Art. 18
    restriction ranks higher); `restricted`, that the system already carries the restriction.
    """
    there = [part for part in parts if part[1].disposition is not Disposition.NOOP]
    may_go = [part for part in there if part[1].disposition in (Disposition.ERASE, Disposition.ANONYMISE)]
    stays = [part for part in there if part[1].disposition not in (Disposition.ERASE, Disposition.ANONYMISE)]
    holds = [decision.reason_code is ReasonCode.HOLD_ACTIVE for _, decision in there]
    held = held or (bool(holds) and all(holds))
    in_part = not held and (held_in_part or any(holds))
    whole = bool(there) and all(decision.disposition is Disposition.ERASE for _, decision in there)
    clearable = _fields(may_go) - _fields(stays)
    # A part without fields can only go with the record. If the record stays, a person has to see to it.
    stuck = not whole and any(not fields for fields, _ in may_go)

    action: Action | None = None
    if not held:
        if whole and not in_part:
            action = Action.ERASE
        elif clearable:
            action = Action.REDACT
        elif not restricted and not in_part and _any(there, Disposition.RESTRICT):
            action = Action.RESTRICT
    return RecordVerdict(
        action=action,
        fields=tuple(sorted(clearable)) if action is Action.REDACT else (),
        reasons=frozenset(decision.reason_code for _, decision in parts),
        follow_ups=frozenset[FollowUp]().union(*(decision.follow_ups for _, decision in parts)),
        needs_review=stuck or _any(there, Disposition.REVIEW),
        blocked_by_hold=held or (in_part and action is None),
        held_in_part=in_part,
    )


def _fields(parts: Iterable[Part]) -> frozenset[str]:
    return frozenset(name for fields, _ in parts for name in fields)


def _any(parts: Iterable[Part], disposition: Disposition) -> bool:
    return any(decision.disposition is disposition for _, decision in parts)
