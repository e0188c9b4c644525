"""Is a request done in a system? One word for each, by what the ledger counts; "done" is never said too early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from retention.store import request_results
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.request_results import Counted


class Result(StrEnum):
    """How far a request is in one system."""

    DONE = "done"
    KEPT = "kept"  # with reason codes
    NOT_FOUND = "not-found"
    BY_HAND = "by-hand"  # a person did it, with proof
    SETTLING = "settling"  # the system finishes by itself, on a known day
    UNDER_WAY = "under-way"
    IN_REVIEW = "in-review"
    WAITS_FOR_A_PERSON = "waits-for-a-person"
    FAILED = "failed"
    SET_ASIDE = "set-aside"  # something arrived between approval and call: it must be decided afresh
    NOT_COVERED = "not-covered"  # no connector, and nobody has done it by hand


UNFINISHED = frozenset(
    {
        Result.UNDER_WAY,
        Result.IN_REVIEW,
        Result.WAITS_FOR_A_PERSON,
        Result.FAILED,
        Result.SET_ASIDE,
        Result.NOT_COVERED,
    }
)
"""What keeps a request open."""


@dataclass(frozen=True, slots=True)
class OfSystem:
    """The result in one system, with its counts."""

    result: Result
    counted: Counted

    @property
    def system(self) -> str:
        """Which."""
        return self.counted.system


def of_request(db: Connection, desk: Desk, request_id: str) -> list[OfSystem]:
    """The result in every system of the policy."""
    counted = request_results.of_request(db, request_id, desk.policy.systems)
    return [OfSystem(result_of(one), one) for one in counted]


def unfinished(found: Sequence[OfSystem]) -> list[OfSystem]:
    """The systems that keep a request open."""
    return [one for one in found if one.result in UNFINISHED]


def result_of(counted: Counted) -> Result:
    """What is not finished outweighs what is; a system that was not read is never one where nothing was found."""
    if counted.tasks_open:
        return Result.NOT_COVERED if not counted.reading else Result.WAITS_FOR_A_PERSON
    if not counted.reading:
        return Result.BY_HAND if counted.proofs else Result.NOT_COVERED
    if counted.reading != "whole" or counted.failed:
        return Result.FAILED
    for number, result in (
        (counted.under_way, Result.UNDER_WAY),
        (counted.set_aside, Result.SET_ASIDE),
        (counted.review, Result.IN_REVIEW),
        (counted.settling, Result.SETTLING),
        (counted.done.total(), Result.DONE),
        (len(counted.proofs), Result.BY_HAND),
        (counted.kept.total(), Result.KEPT),
    ):
        if number:
            return result
    return Result.NOT_FOUND
