"""What must hold for any facts: holds protect, consent taken away never frees, time alone changes nothing back."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from retention.clocks import last_kept_day
from retention.decide import PROMISED, decide
from retention.item import (
    MARKETING,
    AnonymousProfile,
    Exemption,
    IdentityMatch,
    Item,
    LegalHold,
    Objection,
    Regime,
    RequestState,
    Restriction,
    SoftOptIn,
    Trigger,
)
from retention.situation import THE_PERSON_SPEAKS
from retention.verdicts import Decision, Disposition, FollowUp, ReasonCode
from retention.vocabulary import DataClass, LawfulBasis

TODAY = date(2029, 3, 1)
DESTROYED = {Disposition.ERASE, Disposition.ANONYMISE}
OURS = {DataClass.AGGREGATE, DataClass.AUDIT_EVENT, DataClass.BACKUP_COPY, DataClass.SUPPRESSION_ENTRY}

days = st.one_of(
    st.none(),
    st.sampled_from([TODAY, date(2024, 2, 29), date(2024, 3, 1), date(2026, 2, 4), date(2028, 6, 1)]),
    st.dates(date(2015, 1, 1), date(2035, 1, 1)),
)
flags = st.booleans()
items = st.builds(
    Item,
    data_class=st.sampled_from(DataClass),
    lawful_basis=st.sampled_from(LawfulBasis),
    regime=st.sampled_from(Regime),
    trigger=st.sampled_from(Trigger),
    collected_on=days,
    unsubscribed_on=days,
    fresh_consent_on=days,
    transaction_keep_until=days,
    erased_on=days,
    legal_hold=st.sampled_from(LegalHold),
    restriction=st.sampled_from(Restriction),
    objection=st.sampled_from(Objection),
    request_state=st.sampled_from(RequestState),
    identity_match=st.sampled_from(IdentityMatch),
    exemption=st.sampled_from(Exemption),
    soft_opt_in=st.sampled_from(SoftOptIn),
    anon_profile=st.sampled_from(AnonymousProfile),
    contract_live=flags,
    erasure_duty=flags,
    child_iss=flags,
    flag_excessive=flags,
    other_subjects=flags,
    is_staff=st.sampled_from([False, False, False, True]),
    verified=flags,
    special_category=st.sampled_from([False, False, False, True]),
    present=st.sampled_from([True, True, True, False]),
    lift_notice_sent=flags,
    consent_for_marketing=flags,
)
of_somebody_unproven = st.builds(
    lambda item, match: item._replace(identity_match=match),
    items,
    st.sampled_from([match for match in IdentityMatch if match is not IdentityMatch.EXACT]),
)
under_a_ground = st.builds(
    lambda item, ground, trigger: item._replace(restriction=ground, trigger=trigger),
    items,
    st.sampled_from([Restriction.ACCURACY, Restriction.UNLAWFUL, Restriction.CLAIMS]),
    st.sampled_from([trigger for trigger in Trigger if trigger is not Trigger.ERASURE_REQUEST]),
)
many = settings(max_examples=150, deadline=None)
plenty = settings(many, max_examples=750)
"""For what is said of one decision in five: enough that many of those are met."""


def decided(item: Item, today: date = TODAY) -> Decision:
    return decide(item, PROMISED, today)


def marketing_goes_on(decision: Decision) -> bool:
    there = decision.disposition in {Disposition.KEEP, Disposition.REVIEW}
    return there and FollowUp.STOP_MARKETING not in decision.follow_ups


@many
@given(items)
def test_the_same_facts_always_get_the_same_answer(item: Item) -> None:
    first, again = decided(item), decided(item._replace())

    assert first == again
    assert first.rule
    assert all(first.articles)


@many
@given(items)
def test_a_hold_never_lets_anything_be_destroyed(item: Item) -> None:
    assert decided(item._replace(legal_hold=LegalHold.ACTIVE)).disposition not in DESTROYED


@many
@given(items)
def test_a_released_hold_is_as_no_hold(item: Item) -> None:
    assert decided(item._replace(legal_hold=LegalHold.RELEASED)) == decided(item._replace(legal_hold=LegalHold.NONE))


@plenty
@given(items)
def test_taking_consent_away_never_gives_more_marketing(item: Item) -> None:
    without = item._replace(fresh_consent_on=None)

    assert marketing_goes_on(decided(without)) <= marketing_goes_on(decided(item))


@many
@given(items)
def test_taking_the_basis_away_never_gives_more_marketing(item: Item) -> None:
    consented = decided(item._replace(lawful_basis=LawfulBasis.CONSENT))
    bare = decided(item._replace(lawful_basis=LawfulBasis.NONE))

    assert marketing_goes_on(bare) <= marketing_goes_on(consented)


@many
@given(items)
def test_an_opt_out_stops_marketing_whatever_else_is_true(item: Item) -> None:
    decision = decided(item._replace(unsubscribed_on=TODAY, fresh_consent_on=None))

    assert {FollowUp.STOP_MARKETING, FollowUp.ADD_SUPPRESSION} <= decision.follow_ups


@many
@given(items)
def test_taking_consent_away_never_frees_what_was_blocked_or_destroyed(item: Item) -> None:
    with_consent, without = decided(item), decided(item._replace(fresh_consent_on=None))

    if with_consent.disposition in {*DESTROYED, Disposition.RESTRICT}:
        assert without.disposition is not Disposition.KEEP


@many
@given(items, st.sampled_from([LawfulBasis.CONSENT, LawfulBasis.LEGITIMATE_INTEREST]))
def test_withdrawing_consent_never_gives_more_use(item: Item, basis: LawfulBasis) -> None:
    """Use is marketing, or any use of what is kept unblocked. Until it is known who spoke, nothing goes."""
    before = decided(item._replace(lawful_basis=basis, trigger=Trigger.NIGHTLY))
    after = decided(item._replace(lawful_basis=basis, trigger=Trigger.CONSENT_WITHDRAWAL))

    known = item.identity_match is IdentityMatch.EXACT and item.request_state is not RequestState.ID_PENDING
    assert not marketing_goes_on(after)
    if before.disposition in {*DESTROYED, Disposition.RESTRICT} and known:
        assert after.disposition is not Disposition.KEEP


@many
@given(st.sampled_from(sorted(MARKETING)), st.dates(date(2015, 1, 1), TODAY), days)
def test_only_newer_consent_ends_suppression(data_class: DataClass, opted_out: date, consented: date | None) -> None:
    item = Item(
        data_class,
        LawfulBasis.CONSENT,
        collected_on=TODAY,
        unsubscribed_on=opted_out,
        fresh_consent_on=consented,
    )

    came_back = consented is not None and opted_out < consented <= TODAY
    assert (FollowUp.REMOVE_SUPPRESSION in decided(item).follow_ups) == came_back
    assert (FollowUp.ADD_SUPPRESSION in decided(item).follow_ups) != came_back


@many
@given(of_somebody_unproven)
def test_weak_identity_never_destroys_on_a_persons_word(item: Item) -> None:
    silent = item._replace(
        trigger=Trigger.NIGHTLY,
        unsubscribed_on=None,
        objection=Objection.NONE,
        request_state=RequestState.NONE,
        erasure_duty=False,
    )

    if decided(item).disposition in DESTROYED:
        assert decided(silent).disposition in DESTROYED
        assert item.trigger not in THE_PERSON_SPEAKS


@many
@given(under_a_ground)
def test_a_restriction_is_ended_by_nobody_but_the_subject(item: Item) -> None:
    assert decided(item).disposition not in DESTROYED


@many
@given(items)
def test_what_is_owed_as_a_copy_is_not_destroyed_first(item: Item) -> None:
    assert decided(item._replace(request_state=RequestState.ACCESS_PENDING)).disposition not in DESTROYED


@many
@given(of_somebody_unproven)
def test_no_letter_about_the_data_goes_to_somebody_unproven(item: Item) -> None:
    assert not decided(item).follow_ups & {FollowUp.NOTIFY_SUBJECT, FollowUp.NOTIFY_REFUSAL}


@many
@given(items)
def test_signing_up_does_not_end_by_time(item: Item) -> None:
    signed_up = item._replace(data_class=DataClass.MARKETING_SIGNUP)
    reason = decided(signed_up).reason_code

    assert reason not in {ReasonCode.RET_EXPIRED, ReasonCode.RET_NO_START, ReasonCode.RET_BAD_START}


@many
@given(
    st.sampled_from(sorted(set(DataClass) - {DataClass.MARKETING_SIGNUP} - OURS)),
    st.dates(date(2015, 1, 1), date(2040, 1, 1)),
    st.integers(0, 6000),
)
def test_what_nobody_speaks_about_goes_exactly_when_its_period_is_over(
    data_class: DataClass, collected: date, age: int
) -> None:
    decision = decided(Item(data_class, LawfulBasis.CONSENT, collected_on=collected), collected + timedelta(days=age))

    over = collected + timedelta(days=age) > last_kept_day(collected, 5)
    assert decision.reason_code is (ReasonCode.RET_EXPIRED if over else ReasonCode.RET_NOT_DUE)


@plenty
@given(items)
def test_what_stays_restricted_is_not_used(item: Item) -> None:
    decision = decided(item)

    untold = decision.reason_code is ReasonCode.R18_LIFT_NOTICE
    if decision.disposition is Disposition.RESTRICT:
        assert (FollowUp.BLOCK_OTHER_USE in decision.follow_ups) != untold


@many
@given(items)
def test_every_review_reaches_somebody(item: Item) -> None:
    decision = decided(item)

    assert decision.disposition is not Disposition.REVIEW or FollowUp.REVIEW_QUEUE in decision.follow_ups


@many
@given(items)
def test_articles_of_the_united_kingdom_are_cited_there_only(item: Item) -> None:
    articles = decided(item._replace(regime=Regime.EU)).articles

    assert not [article for article in articles if article.startswith(("PECR", "DPA"))]
