"""What is erased, restricted, kept or put before a person, and what follows: our own cases, and the published ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from retention.cli.decide import item_of
from retention.cli.sheet import rows_of
from retention.decide import PRECEDENCE, PROMISED, Table, conclude, decide
from retention.duties import DUTIES, Duty
from retention.item import Item, Periods, Regime
from retention.situation import situation
from retention.verdicts import Decision, Disposition, FollowUp, ReasonCode
from retention.vocabulary import DataClass, LawfulBasis
from tests.unit.decision_cases import Case, read_cases

CASES = read_cases(Path(__file__).parent / "cases" / "decisions.csv")
VECTORS = Path(__file__).parents[3] / "shared" / "reference" / "decision-vectors.csv"

NEVER_BOTH = {
    ("NOT_PERSONAL", "AUDIT_KEEP"): "two data classes",
    ("AUDIT_KEEP", "BACKUP_BEYOND_USE"): "two data classes",
    ("BACKUP_BEYOND_USE", "SUPPRESSION_KEEP"): "two data classes",
    ("R18_ACCURACY", "R18_UNLAWFUL"): "one ground is recorded at a time",
    ("R18_UNLAWFUL", "R18_CLAIMS"): "one ground is recorded at a time",
    ("HOLD_ACTIVE", "ACCESS_PENDING"): "step 5 has no ground to erase, or step 3 had won; step 6 begins with one",
    ("ACCESS_PENDING", "OBJ_MARKETING"): "a marketing objection is a ground, so the row above had won",
    ("ID_PENDING", "ID_AMBIGUOUS"): "identity is one of the two",
    ("ID_AMBIGUOUS", "ID_SHARED"): "identity is one of the two",
    ("UNSUB_TXN_KEPT", "EX_CLAIMS"): "claims need a ground, and with one STAT_KEEP had won",
    ("EX_CLAIMS", "EX_EXPRESSION"): "one exemption is recorded at a time",
    ("EX_EXPRESSION", "EX_ARCHIVE"): "one exemption is recorded at a time",
    ("EX_ARCHIVE", "EX_PUBLIC_HEALTH"): "one exemption is recorded at a time",
    ("CONSENT_WITHDRAWN", "RET_CONTRACT_LIVE"): "consent carries nothing alone while a contract runs",
    ("RET_NO_START", "RET_BAD_START"): "no date, or a wrong one",
    ("OBJ_OVERRIDDEN", "CONSENT_OTHER_BASIS"): "one trigger at a time",
}
"""Neighbours in the table that can never both hold, so that their order means nothing, and why."""


def outcome(decision: Decision) -> tuple[Disposition, ReasonCode, frozenset[FollowUp]]:
    return decision.disposition, decision.reason_code, decision.follow_ups


def a_case_changes(table: Table = PRECEDENCE, duties: Sequence[Duty] = DUTIES) -> bool:
    """Whether any of our cases comes out otherwise under altered tables."""
    return any(_changes(case, table, duties) for case in CASES)


def _changes(case: Case, table: Table, duties: Sequence[Duty]) -> bool:
    try:
        decision = conclude(situation(case.item, PROMISED, case.today), table, duties)
    except LookupError:  # no row applies any more
        return True
    return outcome(decision) != (case.disposition, case.reason, case.follow_ups)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.story)
def test_our_own_cases(case: Case) -> None:
    decision = decide(case.item, PROMISED, case.today)

    assert outcome(decision) == (case.disposition, case.reason, case.follow_ups)


def published() -> Iterator[tuple[dict[str, str], Item]]:
    if not VECTORS.exists():
        return
    columns = tuple(next(csv.reader(VECTORS.open(encoding="utf-8"))))
    with VECTORS.open("rb") as stream:
        for row in rows_of(stream, columns):
            yield {column: row.text(column) for column in columns}, item_of(row)


@pytest.mark.skipif(not VECTORS.exists(), reason="the published decision vectors are not beside this checkout")
def test_every_published_decision_is_met() -> None:
    rows = list(published())

    wrong = {
        row["id"]: (decision.disposition, decision.reason_code, sorted(decision.follow_ups))
        for row, item in rows
        for decision in [decide(item, PROMISED, date.fromisoformat(row["as_of"]))]
        if outcome(decision)
        != (row["decision"], row["reason_code"], frozenset(filter(None, row["follow_ups"].split(";"))))
    }

    assert rows
    assert wrong == {}


# --- The periods ---


def test_a_class_can_have_a_period_of_its_own() -> None:
    item = Item(DataClass.WEB_TECHNICAL, LawfulBasis.CONSENT, collected_on=date(2027, 3, 1))
    shorter = Periods(years_by_class={DataClass.WEB_TECHNICAL: 2})

    assert decide(item, shorter, date(2029, 3, 1)).disposition is Disposition.KEEP
    assert decide(item, shorter, date(2029, 3, 2)).reason_code is ReasonCode.RET_EXPIRED
    assert decide(item, PROMISED, date(2029, 3, 2)).disposition is Disposition.KEEP


@pytest.mark.parametrize("years", [{"years": 0}, {"years_by_class": {DataClass.DOCUMENT: 0}}])
def test_a_period_of_no_years_is_refused(years: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least one year"):
        Periods(**years)


def test_a_period_of_one_year_is_a_period() -> None:
    item = Item(DataClass.WEB_TECHNICAL, LawfulBasis.CONSENT, collected_on=date(2027, 3, 1))

    for periods in (Periods(years=1), Periods(years_by_class={DataClass.WEB_TECHNICAL: 1})):
        assert decide(item, periods, date(2028, 3, 1)).reason_code is ReasonCode.RET_NOT_DUE
        assert decide(item, periods, date(2028, 3, 2)).reason_code is ReasonCode.RET_EXPIRED


def test_a_class_in_two_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="one group only"):
        Periods(business=frozenset({DataClass.MARKETING_PROFILE}))


# --- The table itself ---


def test_our_cases_cover_every_row_of_the_table() -> None:
    cited = {
        (decision.rule, decision.reason_code)
        for case in CASES
        for decision in [decide(case.item, PROMISED, case.today)]
    }

    assert cited == {(f"{row.step}. {row.says}", row.reason) for row in PRECEDENCE}


def test_every_reason_and_every_follow_up_has_its_row() -> None:
    assert {row.reason for row in PRECEDENCE} == set(ReasonCode)
    assert {duty.follow_up for duty in DUTIES} == set(FollowUp)


def test_the_order_is_the_one_the_adviser_reads() -> None:
    steps: dict[int, list[str]] = {row.step: [] for row in PRECEDENCE}
    for row in PRECEDENCE:
        steps[row.step].append(row.reason.value)

    assert steps == {
        1: [
            "NOT_PERSONAL",
            "AUDIT_KEEP",
            "BACKUP_BEYOND_USE",
            "SUPPRESSION_KEEP",
            "OUT_OF_SCOPE_STAFF",
            "SPECIAL_CATEGORY",
        ],
        2: ["ALREADY_ERASED"],
        3: ["HOLD_ACTIVE"],
        4: ["R18_ACCURACY", "R18_UNLAWFUL", "R18_CLAIMS", "R18_LIFT_NOTICE", "R18_OBJECTION"],
        5: ["HOLD_ACTIVE"],
        6: ["ACCESS_PENDING", "ACCESS_PENDING"],
        7: ["OBJ_MARKETING", "ID_PENDING", "ID_AMBIGUOUS", "ID_SHARED"],
        8: ["REQ_EXCESSIVE"],
        9: ["STAT_KEEP", "UNSUB_TXN_KEPT"],
        10: ["EX_CLAIMS", "EX_EXPRESSION", "EX_ARCHIVE", "EX_PUBLIC_HEALTH"],
        11: ["RESTORED_AFTER_ERASURE"],
        12: ["MIXED_SUBJECTS", "ID_EVIDENCE_DONE"],
        13: [
            "ERQ_LEGAL_DUTY",
            "R18_SUBJECT_ERASES",
            "ERQ_UNLAWFUL",
            "ERQ_CHILD_ISS",
            "OBJ_MARKETING",
            "OBJ_UPHELD",
            "DEFERRED_REQUEST",
            "UNSUB_MARKETING",
            "CONSENT_WITHDRAWN",
        ],
        14: ["RET_CONTRACT_LIVE", "STAT_KEEP_ENDED", "ANON_OK", "RET_EXPIRED"],
        15: ["BASIS_INVALID", "RET_NO_START", "RET_BAD_START"],
        16: [
            "R18_LIFTED",
            "OBJ_OVERRIDDEN",
            "CONSENT_OTHER_BASIS",
            "ERQ_NO_GROUND",
            "NEW_AFTER_ERASURE",
            "RESUBSCRIBED",
            "SIGNUP_LIVE",
            "SOFT_OPT_IN",
            "RET_NOT_DUE",
        ],
    }
    assert list(steps) == sorted(steps)


def test_a_decision_cites_its_row_and_the_law_behind_it_and_its_duties() -> None:
    unsubscribed = Item(DataClass.AD_AUDIENCE, LawfulBasis.CONSENT, unsubscribed_on=date(2029, 2, 1))

    decision = decide(unsubscribed, PROMISED, date(2029, 3, 1))
    abroad = decide(unsubscribed._replace(regime=Regime.EU), PROMISED, date(2029, 3, 1))

    assert decision.rule == "13. unsubscribed, and no newer consent"
    assert decision.articles == ("7(3)", "17(1)(b)", "21(3)", "PECR-22", "19")
    assert abroad.articles == ("7(3)", "17(1)(b)", "21(3)", "19")


@pytest.mark.parametrize("number", range(len(PRECEDENCE)), ids=lambda number: PRECEDENCE[number].says)
def test_deleting_a_row_of_the_order_of_precedence_changes_a_case(number: int) -> None:
    assert a_case_changes(PRECEDENCE[:number] + PRECEDENCE[number + 1 :])


@pytest.mark.parametrize("number", range(len(DUTIES)), ids=lambda number: DUTIES[number].says)
def test_deleting_a_row_of_the_duties_changes_a_case(number: int) -> None:
    assert a_case_changes(duties=DUTIES[:number] + DUTIES[number + 1 :])


@pytest.mark.parametrize("number", range(len(PRECEDENCE) - 1), ids=lambda number: PRECEDENCE[number].says)
def test_the_order_of_neighbouring_rows_matters_or_they_exclude_each_other(number: int) -> None:
    above, below = PRECEDENCE[number], PRECEDENCE[number + 1]
    swapped = (*PRECEDENCE[:number], below, above, *PRECEDENCE[number + 2 :])

    assert a_case_changes(swapped) != ((above.reason, below.reason) in NEVER_BOTH)


DESTROYS = tuple(row for row in PRECEDENCE if row.disposition in (Disposition.ERASE, Disposition.ANONYMISE))
PROTECTS = [
    number
    for number, row in enumerate(PRECEDENCE)
    if row.step <= 12
    and row not in DESTROYS
    and (row.step, row.reason, row.disposition) not in {(5, "HOLD_ACTIVE", "KEEP"), (6, "ACCESS_PENDING", "KEEP")}
    and row.reason is not ReasonCode.UNSUB_TXN_KEPT
]
"""Rows that keep what others would destroy. The three left out hold only where nothing would be destroyed."""


@pytest.mark.parametrize("number", PROTECTS, ids=lambda number: PRECEDENCE[number].says)
def test_putting_erasure_above_a_protecting_row_changes_a_case(number: int) -> None:
    before = tuple(other for other in PRECEDENCE[:number] if other not in DESTROYS)
    after = tuple(other for other in PRECEDENCE[number:] if other not in DESTROYS)

    assert a_case_changes(before + DESTROYS + after)


ERASING = [number for number, row in enumerate(PRECEDENCE) if row in DESTROYS]


@pytest.mark.parametrize("number", ERASING, ids=lambda number: PRECEDENCE[number].says)
def test_moving_an_erasing_row_above_any_row_that_would_not_destroy_changes_a_case(number: int) -> None:
    erasing, others = PRECEDENCE[number], PRECEDENCE[:number] + PRECEDENCE[number + 1 :]
    keeping = [place for place, row in enumerate(PRECEDENCE[:number]) if row not in DESTROYS]

    unnoticed = [
        PRECEDENCE[place].says for place in keeping if not a_case_changes((*others[:place], erasing, *others[place:]))
    ]

    assert unnoticed == []
