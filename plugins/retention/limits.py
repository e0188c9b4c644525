"""Which limits stop a plan as a whole? The part of the policy that guards against mass deletion (law: section 5).

Pure: what a plan would do, measured, is held against the policy's limits. A plan breaks a limit or keeps it; nothing
here makes a plan smaller.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Guard(StrEnum):
    """What can stop a plan; stands in the ledger, in the audit log and in every message."""

    KILL_SWITCH = "kill-switch"
    OTHER_ACCOUNT = "other-account"  # the connection leads to another tenant than the first one seen
    INCOMPLETE_FIND = "incomplete-find"  # a page was cut off, or counts do not agree
    FEWER_FOUND = "fewer-found"  # far fewer records than at the last whole reading: less was read, not less is there
    PROTECTED = "protected"  # it touches what may never be deleted
    RUN_CAP = "run-cap"
    MONTH_CAP = "thirty-day-cap"
    CLASS_RUN_CAP = "class-run-cap"
    CLASS_MONTH_CAP = "class-thirty-day-cap"
    RISE = "rise"
    SURPRISE_AGE = "surprise-age"
    CANARY = "canary"  # what was done first is not as its outcome says


OVERRIDABLE = (
    Guard.RUN_CAP,
    Guard.MONTH_CAP,
    Guard.CLASS_RUN_CAP,
    Guard.CLASS_MONTH_CAP,
    Guard.RISE,
    Guard.SURPRISE_AGE,
    Guard.FEWER_FOUND,
)
"""Limits that somebody may raise for a time; the others are mended at their cause."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cap(_Strict):
    """At most so many steps, and at most this part of all records."""

    steps: int = Field(gt=0)
    fraction: float = Field(gt=0, le=1)


class Rise(_Strict):
    """More than `times` the median of earlier nights is a surprise, once there were enough of them."""

    times: float = Field(ge=1)
    from_nights: int = Field(ge=1)
    from_steps: int = Field(ge=0)


class SurpriseAge(_Strict):
    """Too many records whose newest date is older than anybody can believe: a sign of a broken date field."""

    years: int = Field(ge=1)
    fraction: float = Field(ge=0, le=1)
    from_steps: int = Field(ge=1)


class FewerFound(_Strict):
    """A system that shows less than this part of what was last there was not read wholly."""

    fraction: float = Field(gt=0, le=1)
    from_records: int = Field(ge=1)


class Canary(_Strict):
    """How many steps of an action go first, and how much larger the next batch may be than all that was proven."""

    first: int = Field(gt=0)
    growth: int = Field(ge=2)


class Guards(_Strict):
    """Limits that stop a plan as a whole, never "the first N of it"."""

    run: Cap
    thirty_days: Cap
    class_run: Cap
    class_thirty_days: Cap
    fraction_from_population: int = Field(ge=1)
    rise: Rise
    surprise_age: SurpriseAge
    fewer_found: FewerFound
    canary: Canary


class GuardChanges(_Strict):
    """What one system has of its own, in place of the schedule's."""

    run: Cap | None = None
    thirty_days: Cap | None = None
    class_run: Cap | None = None
    class_thirty_days: Cap | None = None
    fraction_from_population: int | None = Field(default=None, ge=1)
    rise: Rise | None = None
    surprise_age: SurpriseAge | None = None
    fewer_found: FewerFound | None = None
    canary: Canary | None = None

    def applied_to(self, guards: Guards) -> Guards:
        """The schedule's limits with these in their place."""
        own = {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}
        return guards.model_copy(update=own)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a plan would do, and what is known of its system. Steps are counted, not taken from a column."""

    steps: int
    of_class: Mapping[str, int] = field(default_factory=dict)  # steps by data class that goes wholly
    earlier: int = 0  # steps of the last thirty days that were sent, this plan not counted
    earlier_of_class: Mapping[str, int] = field(default_factory=dict)
    nights: Sequence[int] = ()  # steps planned by earlier nights of the last thirty days
    very_old: int = 0  # steps on records whose newest date lies further back than `surprise_age.years`
    protected: int = 0  # steps on what may never be deleted
    population: int | None = None  # records in the system, where that is known
    shown: int = 0  # records the system showed tonight
    expected: int | None = None  # what it showed at its last whole reading, less what was carried out since
    cut_off: int = 0  # answers that were cut off or do not add up
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that a plan breaks."""

    guard: Guard
    value: float
    allowed: float
    data_class: str = ""

    def __str__(self) -> str:
        what = SAYS[self.guard].format(value=_number(self.value), allowed=_number(self.allowed), of=self.data_class)
        return f"stopped by guard {self.guard.value}: {what}"


SAYS = {
    Guard.KILL_SWITCH: "the kill switch is on; find out why before you reset it",
    Guard.OTHER_ACCOUNT: "the connection leads to another account than before; a DPO may accept it: guards accept",
    Guard.INCOMPLETE_FIND: "{value} answers were cut off or do not add up; read the gaps, then run again",
    Guard.FEWER_FOUND: "{value} records shown, at least {allowed} expected; find out where the others are",
    Guard.PROTECTED: "{value} steps are about protected people or records; see `protected list`",
    Guard.RUN_CAP: "{value} steps planned, {allowed} allowed; split the backlog or override the guard for a time",
    Guard.MONTH_CAP: "{value} steps within thirty days, {allowed} allowed; wait, or override the guard for a time",
    Guard.CLASS_RUN_CAP: "{value} steps on {of} planned, {allowed} allowed; split the backlog or override the guard",
    Guard.CLASS_MONTH_CAP: "{value} steps on {of} within thirty days, {allowed} allowed; wait or override the guard",
    Guard.RISE: "{value} steps planned, at most {allowed} by the nights before; find out why, or override the guard",
    Guard.SURPRISE_AGE: "{value} steps rest on dates too old to believe, {allowed} allowed; look at the date fields",
    Guard.CANARY: "{value} of the records done first are not as their outcome says; look at them before anything else",
}


def breaches(guards: Guards, plan: Measured, overrides: Mapping[Guard, float]) -> list[Breach]:
    """Every limit that a plan breaks; an override lets its guard go up to its value (or, for what was found, down)."""
    return [b for b in _broken(guards, plan) if not _is_overridden(b, overrides)]


def _is_overridden(breach: Breach, overrides: Mapping[Guard, float]) -> bool:
    if breach.guard not in OVERRIDABLE or breach.guard not in overrides:
        return False
    limit = overrides[breach.guard]
    return breach.value >= limit if breach.guard is Guard.FEWER_FOUND else breach.value <= limit


def _broken(guards: Guards, plan: Measured) -> Iterator[Breach]:
    if plan.stopped:
        yield Breach(Guard.KILL_SWITCH, 1, 0)
    if plan.cut_off:
        yield Breach(Guard.INCOMPLETE_FIND, plan.cut_off, 0)
    if plan.expected is not None and plan.expected >= guards.fewer_found.from_records:
        least = guards.fewer_found.fraction * plan.expected
        if plan.shown < least:
            yield Breach(Guard.FEWER_FOUND, plan.shown, least)
    if plan.protected:
        yield Breach(Guard.PROTECTED, plan.protected, 0)
    yield from _over(Guard.RUN_CAP, plan.steps, _allowed(guards, guards.run, plan))
    month = _allowed(guards, guards.thirty_days, plan)
    if plan.steps:
        yield from _over(Guard.MONTH_CAP, plan.steps + plan.earlier, month)
    for data_class, steps in sorted(plan.of_class.items()):
        allowed = _allowed(guards, guards.class_run, plan)
        yield from _over(Guard.CLASS_RUN_CAP, steps, allowed, data_class)
        within = steps + plan.earlier_of_class.get(data_class, 0)
        allowed = _allowed(guards, guards.class_thirty_days, plan)
        yield from _over(Guard.CLASS_MONTH_CAP, within, allowed, data_class)
    if len(plan.nights) >= guards.rise.from_nights:
        usual = max(guards.rise.from_steps, guards.rise.times * statistics.median(plan.nights))
        yield from _over(Guard.RISE, plan.steps, usual)
    if plan.steps >= guards.surprise_age.from_steps:
        yield from _over(Guard.SURPRISE_AGE, plan.very_old, guards.surprise_age.fraction * plan.steps)


def _allowed(guards: Guards, cap: Cap, plan: Measured) -> float:
    if plan.population is None or plan.population < guards.fraction_from_population:
        return cap.steps
    return min(cap.steps, cap.fraction * plan.population)


def _over(guard: Guard, value: float, allowed: float, data_class: str = "") -> Iterator[Breach]:
    if value > allowed:
        yield Breach(guard, value, allowed, data_class)


def _number(value: float) -> str:
    return f"{value:g}" if value < 1_000_000 else f"{value:.0f}"
