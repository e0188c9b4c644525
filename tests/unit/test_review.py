"""How far does a person's decision reach? Only where the rules ask for one, and never against what outranks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.decide import PROMISED, decide
from retention.item import Exemption, IdentityMatch, Item, LegalHold, Objection, RequestState, Restriction, Trigger
from retention.judge import Bench, judge
from retention.knowledge import Consent, Known
from retention.review import Answer, Choice, can_answer, heed
from retention.verdicts import Decision, Disposition, FollowUp, PersonsReason, ReasonCode
from retention.vocabulary import Action, ClassFacts, DataClass, Dated, Facts, LawfulBasis, Transaction
from tests.sweeping import policy_for
from tests.unit.test_decide_properties import OURS, TODAY, items, many

UNDATED = Item(DataClass.CONTACT_IDENTITY, LawfulBasis.CONSENT)
CONTRACT = Item(DataClass.CONTACT_IDENTITY, LawfulBasis.CONTRACT, collected_on=date(2020, 1, 1), contract_live=True)


def changed(item: Item, **changes: object) -> Item:
    return Item(**{name: getattr(item, name) for name in Item.__annotations__} | changes)  # type: ignore[arg-type]


SPOKEN = (Trigger.UNSUBSCRIBE, Trigger.ERASURE_REQUEST, Trigger.OBJECTION, Trigger.CONSENT_WITHDRAWAL)
PLAIN = {"is_staff": False, "special_category": False, "present": True, "restriction": Restriction.NONE}
special = st.just({"is_staff": False, "special_category": True})
in_doubt = st.fixed_dictionaries(
    {name: st.just(value) for name, value in PLAIN.items()}
    | {
        "identity_match": st.sampled_from([IdentityMatch.AMBIGUOUS, IdentityMatch.SHARED]),
        "trigger": st.sampled_from(SPOKEN),
        "objection": st.sampled_from([Objection.NONE, Objection.MARKETING, Objection.UPHELD]),
        "request_state": st.sampled_from([RequestState.NONE, RequestState.OPEN, RequestState.DEFERRED]),
    }
)
excessive = st.just(PLAIN | {"flag_excessive": True, "trigger": Trigger.ERASURE_REQUEST})
undated = st.just(PLAIN | {"collected_on": None, "trigger": Trigger.NIGHTLY, "unsubscribed_on": None})
classes = st.sampled_from(sorted(set(DataClass) - OURS))


def asking(*questions: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[Item]:
    """Items with any facts, among them those that make a person be asked."""
    made = st.builds(
        lambda item, kind, facts: changed(item, data_class=kind, **facts), items, classes, st.one_of(questions)
    )
    return made.filter(lambda item: decide(item, PROMISED, TODAY).disposition is Disposition.REVIEW)


DESTROYED = {Disposition.ERASE, Disposition.ANONYMISE}
answers = st.builds(
    Answer,
    choice=st.sampled_from(Choice),
    reasons=st.just(frozenset()),
    version=st.just("1"),
    round=st.just(1),
    until=st.none(),
    collected_on=st.dates(date(2015, 1, 1), TODAY),
)


def word(choice: Choice, **values: object) -> Answer:
    given_on = {"reasons": frozenset({"RET_NO_START"}), "version": "1", "round": 1}
    return Answer(choice, **given_on | values)  # type: ignore[arg-type]


def heeded(item: Item, answer: Answer) -> Decision:
    return heed(answer, item, decide(item, PROMISED, TODAY), PROMISED, TODAY)


# --- what outranks a person ---


PROTECTED = (
    {"legal_hold": LegalHold.ACTIVE},
    {"restriction": Restriction.ACCURACY},
    {"restriction": Restriction.CLAIMS},
    {"restriction": Restriction.ENDED_UNTOLD},
    {"request_state": RequestState.ACCESS_PENDING},
    {"exemption": Exemption.CLAIMS},
)


@many
@given(asking(special, in_doubt, excessive), answers, st.sampled_from(PROTECTED))
def test_no_answer_destroys_what_a_hold_a_restriction_an_access_request_or_a_claim_protects(
    item: Item, answer: Answer, protected: dict[str, object]
) -> None:
    item = changed(item, **protected)
    asked = decide(item, PROMISED, TODAY)
    if asked.disposition is Disposition.REVIEW:  # else the rules settle it without asking anybody
        assert heed(answer, item, asked, PROMISED, TODAY).disposition not in DESTROYED


@many
@given(asking(special, in_doubt, excessive, undated), answers, st.dates(TODAY, date(2035, 1, 1)))
def test_no_answer_destroys_what_a_statute_still_asks_for(item: Item, answer: Answer, keep_until: date) -> None:
    item = changed(item, transaction_keep_until=keep_until, data_class=DataClass.TRANSACTION_RECORD)
    asked = decide(item, PROMISED, TODAY)
    if asked.disposition is Disposition.REVIEW:
        assert heed(answer, item, asked, PROMISED, TODAY).disposition not in DESTROYED


@pytest.mark.parametrize("protected", PROTECTED, ids=lambda p: "-".join(map(str, p.values())))
def test_special_categories_ranked_first_are_still_protected_from_a_person(protected: dict[str, object]) -> None:
    """The table puts special categories before a person ahead of holds: the answer must not jump the queue."""
    item = changed(UNDATED, special_category=True, **protected)
    assert decide(item, PROMISED, TODAY).reason_code is ReasonCode.SPECIAL_CATEGORY

    assert heeded(item, word(Choice.ERASE)).disposition in {Disposition.RESTRICT, Disposition.KEEP}


@pytest.mark.parametrize("choice", [Choice.KEEP, Choice.RESTRICT])
def test_an_answer_does_not_lift_the_subjects_restriction(choice: Choice) -> None:
    decision = heeded(changed(UNDATED, special_category=True, restriction=Restriction.ACCURACY), word(choice))
    assert (decision.disposition, decision.reason_code) == (Disposition.RESTRICT, ReasonCode.R18_ACCURACY)
    assert FollowUp.BLOCK_OTHER_USE in decision.follow_ups


@many
@given(asking(special, in_doubt, excessive, undated), st.sampled_from([Choice.KEEP, Choice.RESTRICT]))
def test_an_answer_that_keeps_or_restricts_never_destroys(item: Item, choice: Choice) -> None:
    assert heeded(item, word(choice)).disposition in {Disposition.KEEP, Disposition.RESTRICT}


@many
@given(asking(in_doubt))
def test_a_record_that_is_not_the_persons_is_never_erased_on_that_persons_word(item: Item) -> None:
    assert heeded(item, word(Choice.NOT_THE_PERSON)).reason_code not in {
        ReasonCode.UNSUB_MARKETING,
        ReasonCode.CONSENT_WITHDRAWN,
        ReasonCode.OBJ_MARKETING,
        ReasonCode.OBJ_UPHELD,
        ReasonCode.DEFERRED_REQUEST,
        ReasonCode.ERQ_LEGAL_DUTY,
        ReasonCode.ERQ_UNLAWFUL,
        ReasonCode.ERQ_CHILD_ISS,
    }


@many
@given(asking(special, in_doubt, excessive, undated), st.sampled_from([Choice.ERASE, Choice.KEEP, Choice.RESTRICT]))
def test_what_a_person_has_answered_is_not_asked_again(item: Item, choice: Choice) -> None:
    decision = heeded(item, word(choice))
    assert decision.disposition is not Disposition.REVIEW
    assert FollowUp.REVIEW_QUEUE not in decision.follow_ups
    assert (FollowUp.RAISE_INCIDENT in decision.follow_ups) == (
        FollowUp.RAISE_INCIDENT in decide(item, PROMISED, TODAY).follow_ups
    )


# --- what each answer comes to ---


def test_a_persons_erasure_of_an_undated_record_is_an_erasure_with_its_duties() -> None:
    decision = heeded(UNDATED, word(Choice.ERASE))
    assert (decision.disposition, decision.reason_code) == (Disposition.ERASE, PersonsReason.PERSON_ERASES)
    assert FollowUp.NOTIFY_RECIPIENTS in decision.follow_ups
    assert FollowUp.REVIEW_QUEUE not in decision.follow_ups


@pytest.mark.parametrize(
    ("collected_on", "reason"),
    [(date(2024, 2, 28), ReasonCode.RET_EXPIRED), (date(2024, 3, 1), ReasonCode.RET_NOT_DUE)],
)
def test_a_date_supplied_by_a_person_is_judged_like_any_other(collected_on: date, reason: ReasonCode) -> None:
    assert heeded(UNDATED, word(Choice.COLLECTED_ON, collected_on=collected_on)).reason_code is reason


def test_a_date_answers_nothing_but_a_missing_date() -> None:
    asked = decide(CONTRACT, PROMISED, TODAY)
    assert heeded(CONTRACT, word(Choice.COLLECTED_ON, collected_on=date(2028, 1, 1))) == asked


def test_a_running_contract_past_its_period_may_be_kept_restricted_or_erased() -> None:
    outcome = {c: heeded(CONTRACT, word(c)).reason_code for c in (Choice.KEEP, Choice.RESTRICT, Choice.ERASE)}
    assert outcome == {
        Choice.KEEP: PersonsReason.PERSON_KEEPS,
        Choice.RESTRICT: PersonsReason.PERSON_RESTRICTS,
        Choice.ERASE: PersonsReason.PERSON_ERASES,
    }


def test_only_answers_that_fit_the_question_are_taken() -> None:
    asked = {
        reason: {choice.value for choice in Choice if can_answer(choice, frozenset({reason}))}
        for reason in ("RET_NO_START", "ID_SHARED", "RET_CONTRACT_LIVE", "MIXED_SUBJECTS")
    }
    assert asked == {
        "RET_NO_START": {"erase", "keep", "restrict", "collected-on"},
        "ID_SHARED": {"erase", "keep", "restrict", "not-the-person"},
        "RET_CONTRACT_LIVE": {"erase", "keep", "restrict"},
        "MIXED_SUBJECTS": {"keep", "restrict"},
    }


# --- how long an answer counts ---


def test_an_answer_fits_the_same_question_only() -> None:
    answer = word(Choice.KEEP, until=TODAY)
    same = frozenset({"RET_NO_START"})
    assert answer.fits(same, "2", TODAY)
    assert not answer.fits(same, "2", date(2029, 3, 2))  # its day is over
    assert not answer.fits(same | {"BASIS_INVALID"}, "1", TODAY)
    assert not answer.fits(frozenset(), "1", TODAY)


def test_a_record_that_changed_since_it_was_looked_at_is_not_erased() -> None:
    same = frozenset({"RET_NO_START"})
    assert word(Choice.ERASE).fits(same, "1", TODAY)
    assert not word(Choice.ERASE).fits(same, "2", TODAY)


# --- records ---


BENCH = Bench(policy_for("crm").schedule, policy_for("crm").systems["crm"], TODAY, consent_unread=False)
DATED = Dated(date(2028, 1, 1), "collected_on")
RECORD = Known(
    record_key=b"k" * 16,
    kind="person",
    version="1",
    facts=Facts(
        classes=(
            ClassFacts(DataClass.CONTACT_IDENTITY, LawfulBasis.CONSENT, ("email",), None),
            ClassFacts(DataClass.MARKETING_PROFILE, LawfulBasis.CONSENT, ("interests",), DATED),
        )
    ),
    shared=False,
    subjects=(),
    folded=(),
    consent={},
    weak_opt_out=False,
    held=False,
    restricted_by_us=False,
    erased={},
)


def test_a_record_says_what_a_person_is_asked_about() -> None:
    verdict = judge(RECORD, BENCH)
    assert (verdict.name, verdict.asks, verdict.asks_about) == ("review", {"RET_NO_START"}, ("contact_identity",))
    assert not verdict.answered


def test_only_the_part_in_question_goes_on_a_persons_word() -> None:
    verdict = judge(replace(RECORD, answer=word(Choice.ERASE)), BENCH)
    assert (verdict.action, verdict.fields, verdict.reasons) == (Action.REDACT, ("email",), ("PERSON_ERASES",))
    assert verdict.answered
    assert verdict.asks == {"RET_NO_START"}  # the queue keeps it until it is really gone


def test_an_answer_that_leads_to_another_question_lapses_and_both_are_asked() -> None:
    """A date from before the period, and a contract that still runs: the date alone settles nothing."""
    live = Transaction("contract", date(2020, 1, 1), live=True)
    record = replace(RECORD, facts=replace(RECORD.facts, transactions=(live,)))
    dated = word(Choice.COLLECTED_ON, collected_on=date(2019, 1, 1))
    verdict = judge(replace(record, answer=dated), BENCH)
    assert (verdict.name, verdict.answered) == ("review", False)
    assert verdict.asks == {"RET_NO_START", "RET_CONTRACT_LIVE"}

    kept = judge(replace(record, answer=word(Choice.KEEP, reasons=verdict.asks)), BENCH)
    assert (kept.name, kept.answered, kept.asks) == ("keep", True, {"RET_NO_START"})


def test_an_answer_to_another_question_is_not_heeded() -> None:
    answer = word(Choice.ERASE, reasons=frozenset({"ID_SHARED"}))
    verdict = judge(replace(RECORD, answer=answer), BENCH)
    assert (verdict.name, verdict.answered) == ("review", False)


def test_a_held_record_stays_held_whatever_a_person_decided() -> None:
    verdict = judge(replace(RECORD, held=True, answer=word(Choice.ERASE)), BENCH)
    assert verdict.action is None
    assert verdict.name == "held"


def test_what_is_restricted_in_the_system_is_not_erased_by_an_answer() -> None:
    restricted = replace(RECORD, facts=replace(RECORD.facts, restricted=True), answer=word(Choice.ERASE))
    assert judge(restricted, BENCH).action is None


def test_a_record_about_several_people_is_kept_or_restricted_but_not_erased_for_one_of_them() -> None:
    ann, bob = b"a" * 16, b"b" * 16
    old = Dated(date(2028, 1, 1), "mtime")
    file = replace(
        RECORD,
        facts=Facts((ClassFacts(DataClass.MARKETING_PROFILE, LawfulBasis.CONSENT, (), old),), several_people=True),
        subjects=(ann, bob),
        consent={ann: Consent(opted_out=True, opted_out_on=date(2029, 1, 1))},
    )
    question = judge(file, BENCH)
    assert question.name == "review"
    assert "MIXED_SUBJECTS" in question.asks

    def answered(choice: Choice) -> tuple[str, Action | None]:
        verdict = judge(replace(file, answer=word(choice, reasons=question.asks)), BENCH)
        return verdict.name, verdict.action

    assert answered(Choice.KEEP) == ("keep", None)
    assert answered(Choice.RESTRICT) == ("restrict", Action.RESTRICT)
    assert answered(Choice.ERASE) == ("review", None)


def test_a_contract_that_runs_is_kept_by_an_answer_and_marketing_ends_all_the_same() -> None:
    live = Transaction("contract", date(2020, 1, 1), live=True)
    old = Dated(date(2020, 1, 1), "collected_on")
    classes = tuple(replace(c, collected=old, lawful_basis=LawfulBasis.CONTRACT) for c in RECORD.facts.classes)
    record = replace(RECORD, facts=replace(RECORD.facts, classes=classes, transactions=(live,)))
    question = judge(record, BENCH)
    assert question.action is Action.REDACT  # the marketing part goes tonight, the question is put all the same
    assert question.asks == {"RET_CONTRACT_LIVE"}
