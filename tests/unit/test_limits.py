"""Does every limit stop a plan exactly where it says, and only the whole of it?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.limits import OVERRIDABLE, SAYS, Breach, Guard, GuardChanges, Guards, Measured, breaches
from retention.policy import load
from tests.conftest import ROOT

SHIPPED = load(ROOT / "include" / "policy").schedule.guards
COUNTS = st.integers(0, 5000)
MEASURED = st.builds(
    Measured,
    steps=COUNTS,
    of_class=st.dictionaries(st.sampled_from(["document", "email_message"]), COUNTS),
    earlier=COUNTS,
    earlier_of_class=st.dictionaries(st.sampled_from(["document", "email_message"]), COUNTS),
    nights=st.lists(COUNTS, max_size=30),
    very_old=COUNTS,
    protected=st.integers(0, 3),
    population=st.none() | st.integers(0, 100_000),
    shown=COUNTS,
    expected=st.none() | COUNTS,
    cut_off=st.integers(0, 3),
    stopped=st.booleans(),
)


def broken(plan: Measured, guards: Guards = SHIPPED, **overrides: float) -> list[str]:
    lifted = {Guard[name.upper()]: value for name, value in overrides.items()}
    return [breach.guard.value for breach in breaches(guards, plan, lifted)]


def capped(steps: int) -> Guards:
    """The shipped limits with another cap per run."""
    return SHIPPED.model_copy(update={"run": SHIPPED.run.model_copy(update={"steps": steps})})


# --- Caps ---


@given(st.integers(1, 1500))
def test_a_cap_lets_n_pass_and_stops_n_plus_one(n: int) -> None:
    assert broken(Measured(steps=n), capped(n)) == []
    assert broken(Measured(steps=n + 1), capped(n)) == ["run-cap"]


@given(st.integers(1000, 24_999))
def test_the_fraction_counts_where_it_is_less_than_the_number(population: int) -> None:
    allowed = int(SHIPPED.run.fraction * population)
    assert "run-cap" not in broken(Measured(steps=allowed, population=population))
    assert "run-cap" in broken(Measured(steps=allowed + 1, population=population))


def test_in_a_small_system_and_in_one_of_unknown_size_a_fraction_says_nothing() -> None:
    assert broken(Measured(steps=33, population=35)) == []
    assert broken(Measured(steps=500, population=999)) == []
    assert broken(Measured(steps=500, population=None)) == []
    assert "run-cap" in broken(Measured(steps=21, population=1000))


def test_what_was_sent_in_the_last_thirty_days_counts_too() -> None:
    assert broken(Measured(steps=500, earlier=1500)) == []
    assert broken(Measured(steps=500, earlier=1501)) == ["thirty-day-cap"]


def test_a_plan_that_does_nothing_breaks_no_cap_whatever_was_sent_before() -> None:
    assert broken(Measured(steps=0, earlier=9999)) == []


def test_a_data_class_has_caps_of_its_own() -> None:
    tight = SHIPPED.model_copy(update={"class_run": SHIPPED.class_run.model_copy(update={"steps": 10})})
    plan = Measured(steps=21, of_class={"document": 10, "email_message": 11})
    (breach,) = breaches(tight, plan, {})
    assert (breach.guard, breach.data_class, breach.value, breach.allowed) == (
        Guard.CLASS_RUN_CAP,
        "email_message",
        11,
        10,
    )
    plan = Measured(steps=5, of_class={"document": 5}, earlier_of_class={"document": 1996})
    assert broken(plan) == ["class-thirty-day-cap"]


# --- Surprises ---


def test_a_rise_over_the_median_is_a_surprise_once_there_were_enough_nights() -> None:
    nights = [50] * 7
    assert broken(Measured(steps=250, nights=nights)) == []
    assert broken(Measured(steps=251, nights=nights)) == ["rise"]
    assert broken(Measured(steps=251, nights=nights[1:])) == []


def test_after_quiet_nights_a_few_steps_are_no_surprise() -> None:
    assert broken(Measured(steps=100, nights=[0] * 20)) == []
    assert broken(Measured(steps=101, nights=[0] * 20)) == ["rise"]


def test_too_many_records_older_than_anybody_can_believe_point_to_a_broken_date_field() -> None:
    assert broken(Measured(steps=100, very_old=20)) == []
    assert broken(Measured(steps=100, very_old=21)) == ["surprise-age"]
    assert broken(Measured(steps=24, very_old=24)) == []


def test_far_fewer_records_than_at_the_last_reading_were_not_read_and_are_not_gone() -> None:
    assert broken(Measured(steps=1, shown=0, expected=100)) == ["fewer-found"]
    assert broken(Measured(steps=1, shown=49, expected=100)) == ["fewer-found"]
    assert broken(Measured(steps=1, shown=50, expected=100)) == []
    assert broken(Measured(steps=1, shown=0, expected=99)) == []
    assert broken(Measured(steps=1, shown=0, expected=None)) == []


@pytest.mark.parametrize(
    ("plan", "guard"),
    [
        (Measured(steps=1, protected=1), "protected"),
        (Measured(steps=1, cut_off=1), "incomplete-find"),
        (Measured(steps=1, stopped=True), "kill-switch"),
    ],
)
def test_what_has_no_number_stops_at_once_and_cannot_be_overridden(plan: Measured, guard: str) -> None:
    assert broken(plan) == [guard]
    assert breaches(SHIPPED, plan, dict.fromkeys(Guard, 1e9)) == breaches(SHIPPED, plan, {})


# --- Overrides ---


@given(st.integers(501, 2000))
def test_an_override_lets_its_guard_go_up_to_its_value_and_no_further(up_to: int) -> None:
    assert broken(Measured(steps=up_to), run_cap=up_to) == []
    assert broken(Measured(steps=up_to + 1), run_cap=up_to)[0] == "run-cap"


def test_an_override_of_what_was_found_goes_down_to_its_value() -> None:
    assert broken(Measured(steps=1, shown=10, expected=100), fewer_found=10) == []
    assert broken(Measured(steps=1, shown=9, expected=100), fewer_found=10) == ["fewer-found"]


# --- What holds for every plan ---


@given(MEASURED)
def test_an_override_only_ever_takes_its_own_guard_away(plan: Measured) -> None:
    without = breaches(SHIPPED, plan, {})
    for guard in OVERRIDABLE:
        limit = 0.0 if guard is Guard.FEWER_FOUND else 1e9
        assert breaches(SHIPPED, plan, {guard: limit}) == [b for b in without if b.guard is not guard]


@given(MEASURED, st.integers(1, 100))
def test_more_steps_never_break_fewer_caps(plan: Measured, more: int) -> None:
    caps = {Guard.RUN_CAP, Guard.MONTH_CAP, Guard.RISE}
    before = {b.guard for b in breaches(SHIPPED, plan, {})} & caps
    after = {b.guard for b in breaches(SHIPPED, replace(plan, steps=plan.steps + more), {})} & caps
    assert before <= after


@given(MEASURED)
def test_a_breach_says_which_guard_which_number_and_which_limit(plan: Measured) -> None:
    for breach in breaches(SHIPPED, plan, {}):
        assert breach.value != breach.allowed
        assert f"stopped by guard {breach.guard.value}: " in str(breach)


def test_every_guard_has_its_words() -> None:
    assert set(SAYS) == set(Guard)
    assert str(Breach(Guard.RUN_CAP, 812, 500)) == (
        "stopped by guard run-cap: 812 steps planned, 500 allowed; split the backlog or override the guard for a time"
    )


def test_a_system_changes_only_the_limits_it_names() -> None:
    changes = GuardChanges.model_validate({"run": {"steps": 50, "fraction": 0.01}})
    own = changes.applied_to(SHIPPED)
    assert (own.run.steps, own.run.fraction) == (50, 0.01)
    assert own.model_copy(update={"run": SHIPPED.run}) == SHIPPED
    assert GuardChanges().applied_to(SHIPPED) == SHIPPED
