"""What does a legal hold cover, and what becomes of a record under one? Scopes, and verdicts with and without."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.holds import WHOLE, Reach, Scope, first_review, part
from retention.judge import Bench, Verdict, is_held, judge, parts_of
from retention.knowledge import Consent, Known
from retention.restriction import Ground, Restricting
from retention.vocabulary import Action, ClassFacts, DataClass, Dated, Facts, LawfulBasis
from tests.holding import address
from tests.sweeping import TODAY, policy_for

POLICY = policy_for("crm")
BENCH = Bench(POLICY.schedule, POLICY.systems["crm"], TODAY, consent_unread=False)
LONDON = ZoneInfo("Europe/London")
OLD, NEW = date(2020, 3, 1), date(2026, 3, 1)
IDENTITY, PROFILE = DataClass.CONTACT_IDENTITY, DataClass.MARKETING_PROFILE


def record(identity: date | None = OLD, profile: date | None = OLD, **changes: object) -> Known:
    """A contact of two classes, each with a field of its own and one they share."""

    def dated(day: date | None) -> Dated | None:
        return Dated(day, "collected_on") if day else None

    facts = Facts(
        (
            ClassFacts(IDENTITY, LawfulBasis.CONSENT, ("email", "name"), dated(identity)),
            ClassFacts(PROFILE, LawfulBasis.CONSENT, ("email", "interests"), dated(profile)),
        )
    )
    known = Known(b"k" * 16, "person", "1", facts, False, (), (), {}, False, False, False, {})
    return replace(known, **changes)  # type: ignore[arg-type]


def held(known: Known, *reaches: Reach) -> Known:
    return replace(known, held=True, reaches=reaches)


# --- scopes ---


@pytest.mark.parametrize(
    ("reach", "day", "covers"),
    [
        (WHOLE, OLD, True),
        (Reach(frozenset({PROFILE})), OLD, False),
        (Reach(frozenset({IDENTITY})), None, True),
        (Reach(collected_from=OLD, collected_to=OLD), OLD, True),
        (Reach(collected_from=date(2020, 3, 2)), OLD, False),
        (Reach(collected_to=date(2020, 2, 29)), OLD, False),
        (Reach(collected_from=NEW), None, True),
        (Reach(frozenset({PROFILE}), collected_from=NEW), None, False),
    ],
    ids=["all", "another class", "its class", "its day", "a day later", "a day before", "no day proven", "class first"],
)
def test_a_hold_covers_a_class_collected_on_a_day(reach: Reach, day: date | None, covers: bool) -> None:
    assert reach.covers(IDENTITY, day) is covers
    assert reach.covers_any([part(IDENTITY, day)]) is covers


def test_a_step_that_does_not_say_what_it_touches_is_under_every_hold() -> None:
    assert Reach(frozenset({PROFILE}), NEW, NEW).covers_any(())


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "over named people, or explicitly over everyone"),
        ({"everyone": True}, "names the systems or the data classes"),
        (
            {"everyone": True, "subjects": (address("ann@example.com"),), "systems": frozenset({"crm"})},
            "one of the two",
        ),
        ({"subjects": (address("ann@example.com"),), "reach": Reach((), NEW, OLD)}, "on or after its first day"),
    ],
    ids=["nobody", "everything there is", "both", "backwards"],
)
def test_a_scope_that_cannot_be_meant_is_refused(given_: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Scope(**given_)  # type: ignore[arg-type]


def test_a_hold_is_looked_at_after_six_months() -> None:
    assert first_review(date(2026, 8, 31)) == date(2027, 2, 28)


# --- verdicts ---


def test_a_hold_on_one_class_lets_only_the_fields_of_the_other_go() -> None:
    verdict = judge(held(record(), Reach(frozenset({IDENTITY}))), BENCH)

    assert (verdict.action, verdict.fields) == (Action.REDACT, ("interests",))  # the address belongs to both
    assert verdict.data_classes == ()  # so the profile has not gone wholly, and is not registered as erased
    assert verdict.touches == (PROFILE,)


def test_a_hold_on_the_days_of_one_class_covers_that_class_only() -> None:
    known = held(record(identity=OLD, profile=date(2020, 9, 1)), Reach(collected_to=date(2020, 6, 1)))

    assert judge(known, BENCH).fields == ("interests",)


def test_what_a_step_touches_is_what_a_hold_finds_it_by() -> None:
    known = record(identity=OLD, profile=None)
    assert parts_of(known, LONDON) == ("contact_identity=2020-03-01", "marketing_profile=")
    assert parts_of(known, LONDON, (PROFILE,)) == ("marketing_profile=",)


def test_a_hold_keeps_a_record_from_being_restricted_or_released() -> None:
    asked = record(NEW, NEW, restricting=(Restricting(Ground.ACCURACY, lifted=False, surely=True),))
    ours = replace(record(NEW, NEW), restricted_by_us=True)
    ours = replace(ours, facts=replace(ours.facts, restricted=True))
    assert (judge(asked, BENCH).action, judge(ours, BENCH).action) == (Action.RESTRICT, Action.RELEASE)

    for known in (asked, ours):
        assert judge(held(known, Reach(frozenset({IDENTITY}))), BENCH).action is None
        assert judge(held(known, WHOLE), BENCH).action is None


days = st.sampled_from([None, OLD, date(2020, 9, 1), NEW])
reaches = st.builds(
    Reach,
    st.frozensets(st.sampled_from([IDENTITY, PROFILE, DataClass.DOCUMENT]), max_size=2),
    st.sampled_from([None, date(2020, 6, 1)]),
    st.sampled_from([None, date(2026, 1, 1)]),
)
consents = st.builds(Consent, st.booleans(), st.sampled_from([None, date(2026, 1, 5)]), st.just(None))
matters = st.lists(st.builds(Restricting, st.sampled_from(Ground), st.booleans(), st.booleans()), max_size=2)


@st.composite
def records(draw: st.DrawFn) -> Known:
    known = record(draw(days), draw(days), restricting=tuple(draw(matters)), shared=draw(st.booleans()))
    several = draw(st.booleans())
    people = (b"a" * 16, b"b" * 16) if several else (b"a" * 16,)
    classes = known.facts.classes[:1] if several else known.facts.classes
    facts = replace(known.facts, classes=classes, several_people=several, restricted=draw(st.booleans()))
    return replace(
        known,
        facts=facts,
        subjects=people,
        consent={key: draw(consents) for key in people},
        restricted_by_us=draw(st.booleans()),
        weak_opt_out=draw(st.booleans()),
    )


def lost(known: Known, verdict: Verdict) -> set[DataClass]:
    """The classes of which the verdict takes something away, or which it moves or marks."""
    if verdict.action in (None, Action.SUPPRESS):
        return set()
    if verdict.action is Action.REDACT:
        return {c.data_class for c in known.facts.classes if set(c.fields) & set(verdict.fields)}
    return {c.data_class for c in known.facts.classes}


@settings(max_examples=300, deadline=None)
@given(records(), st.lists(reaches, min_size=1, max_size=3))
def test_what_a_hold_covers_is_never_touched(known: Known, holds: list[Reach]) -> None:
    under_hold = held(known, *holds)
    covered = {c.data_class for c in known.facts.classes if is_held(under_hold, c, LONDON)}

    verdict = judge(under_hold, BENCH)

    assert lost(known, verdict) & covered == set()


@settings(max_examples=200, deadline=None)
@given(records(), st.lists(reaches, min_size=1, max_size=3))
def test_a_hold_takes_no_more_than_was_taken_without_it(known: Known, holds: list[Reach]) -> None:
    assert lost(known, judge(held(known, *holds), BENCH)) <= lost(known, judge(known, BENCH))


@settings(max_examples=200, deadline=None)
@given(records(), reaches)
def test_a_hold_that_covers_nothing_of_a_record_changes_nothing_but_its_release(known: Known, reach: Reach) -> None:
    under_hold = held(known, reach)
    without = judge(known, BENCH)
    if not any(is_held(under_hold, c, LONDON) for c in known.facts.classes) and without.action is not Action.RELEASE:
        assert judge(under_hold, BENCH) == without


@settings(max_examples=200, deadline=None)
@given(records())
def test_once_the_last_hold_is_released_the_verdict_is_as_it_was(known: Known) -> None:
    released = replace(held(known, WHOLE), held=False, reaches=())

    assert judge(released, BENCH) == judge(known, BENCH)
