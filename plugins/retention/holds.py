"""What does a legal hold cover? Its scope as values: whom, where, which data, collected when. Pure.

In doubt it covers: a part whose collection day nobody can prove lies within every range of days.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from retention.clocks import add_months
from retention.vocabulary import DataClass, Identifier

REVIEW_AFTER_MONTHS = 6


class HoldReason(StrEnum):
    """Why data must be kept though the policy would end it; no free text."""

    LITIGATION = "litigation"
    COMPLAINT = "complaint"
    INVESTIGATION = "investigation"  # by a regulator or the police
    PRESERVATION_ORDER = "preservation-order"


class Weak(StrEnum):
    """Why a record may be about somebody by whom it is not known to us: enough to protect, never to erase."""

    UNREAD = "unread"  # its content could not be read: it may name anybody
    SHARED = "shared"  # it names a role or a telephone besides, which nothing is keyed by


@dataclass(frozen=True, slots=True)
class Reach:
    """Which parts of a record a hold covers, once it finds the record. Empty: all of them."""

    data_classes: frozenset[DataClass] = frozenset()
    collected_from: date | None = None
    collected_to: date | None = None  # this day included

    def covers(self, data_class: DataClass, collected_on: date | None) -> bool:
        """Whether one class of a record, collected on a day, is under the hold."""
        if self.data_classes and data_class not in self.data_classes:
            return False
        if collected_on is None:
            return True
        after_start = self.collected_from is None or collected_on >= self.collected_from
        return after_start and (self.collected_to is None or collected_on <= self.collected_to)

    def covers_any(self, parts: Iterable[str]) -> bool:
        """Whether any part of a step is under the hold; a step that does not say what it touches is."""
        told = [_part(written) for written in parts]
        return not told or any(self.covers(data_class, day) for data_class, day in told)


WHOLE = Reach()
"""All of a record."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom and what a hold is over."""

    subjects: tuple[Identifier, ...] = ()
    everyone: bool = False  # whole systems or data classes, whoever the data is about
    systems: frozenset[str] = frozenset()  # empty: all
    reach: Reach = WHOLE

    def __post_init__(self) -> None:
        """Refuse a scope that says nothing, and one that says everything."""
        if self.everyone == bool(self.subjects):
            raise ValueError("a hold is over named people, or explicitly over everyone: one of the two")
        if self.everyone and not self.systems and not self.reach.data_classes:
            raise ValueError("a hold over everyone names the systems or the data classes it is about")
        first, last = self.reach.collected_from, self.reach.collected_to
        if first and last and first > last:
            raise ValueError("a range of days ends on or after its first day")


def first_review(placed_on: date) -> date:
    """When somebody has to ask whether the hold is still needed, where no day is given."""
    return add_months(placed_on, REVIEW_AFTER_MONTHS)


def part(data_class: DataClass, collected_on: date | None) -> str:
    """A class of a record with its collection day, as a step carries it."""
    return f"{data_class.value}={collected_on.isoformat() if collected_on else ''}"


def _part(written: str) -> tuple[DataClass, date | None]:
    data_class, _, day = written.partition("=")
    return DataClass(data_class), date.fromisoformat(day) if day else None
