"""By when must a request be answered, and when do alarms say so?"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.cli.due import COLUMNS, command
from retention.clocks import (
    Asked,
    Due,
    DueStatus,
    RequestEvents,
    Right,
    acknowledgement_due,
    alarm_days,
    response_due,
)
from retention.item import Regime
from retention.working_days import WorkingDays

CASES = list(csv.DictReader((Path(__file__).parent / "cases" / "deadlines.csv").open(encoding="utf-8"), strict=True))
VECTORS = Path(__file__).parents[3] / "shared" / "reference" / "deadline-vectors.csv"
USUAL = {
    "id": "1",
    "kind": "response",
    "regime": "UK",
    "right": "erasure",
    "holidays": "GB-ENG",
    "tz": "Europe/London",
    "pause_count": "inclusive",
}
ENGLAND = WorkingDays("GB-ENG")
REGIONS = [WorkingDays(region) for region in ("GB-ENG", "GB-WLS", "GB-SCT", "GB-NIR", "IE", "DE-BE", "FR", "NL")]
days = st.dates(date(2020, 1, 1), date(2045, 12, 31))
some = settings(max_examples=200, deadline=None)


def answers(events: str) -> list[dict[str, str]]:
    result = CliRunner().invoke(command, ["-"], input=events)
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.output)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_our_own_cases(case: dict[str, str]) -> None:
    given_events = dict(event.strip().split("=") for event in case["events"].split(";"))
    row = USUAL | given_events | {"pauses": given_events.get("pauses", "").replace(" & ", ";")}
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, restval="")
    writer.writeheader()
    writer.writerow(row)

    (answer,) = answers(table.getvalue())

    assert {column: answer[column] for column in ("clock_start", "due", "status")} == {
        column: case[column] for column in ("clock_start", "due", "status")
    }


@pytest.mark.skipif(not VECTORS.exists(), reason="the published deadline vectors are not beside this checkout")
def test_every_published_deadline_is_met() -> None:
    expected = list(csv.DictReader(VECTORS.open(encoding="utf-8")))

    wrong = [
        (row["id"], answer)
        for row, answer in zip(expected, answers(VECTORS.read_text(encoding="utf-8")), strict=True)
        if answer
        != {
            "id": row["id"],
            "clock_start": row["expected_clock_start"],
            "due": row["expected_due"],
            "status": row["expected_status"],
            "eligible_utc": row["expected_eligible_utc"],
        }
    ]

    assert expected
    assert wrong == []


# --- Due dates ---


@some
@given(days, days, st.sampled_from(REGIONS), st.sampled_from(Regime), st.booleans())
def test_who_asks_later_is_answered_no_earlier(
    one: date, other: date, region: WorkingDays, regime: Regime, extended: bool
) -> None:
    due = [
        response_due(
            RequestEvents(regime, Right.ERASURE, start, extension_notified_on=start if extended else None), region
        ).due
        for start in sorted((one, other))
    ]

    assert due[0] is not None
    assert due[1] is not None
    assert due[0] <= due[1]


@some
@given(days, st.sampled_from(REGIONS), st.integers(0, 40), st.integers(0, 60), st.sampled_from(list(Right)))
def test_a_due_date_is_a_working_day_and_never_before_the_plain_month(
    start: date, region: WorkingDays, asked_after: int, answered_after: int, right: Right
) -> None:
    asked = start + timedelta(days=asked_after)
    pause = Asked(asked, asked + timedelta(days=answered_after))
    plain = response_due(RequestEvents(Regime.UK, right, start), region).due
    paused = response_due(RequestEvents(Regime.UK, right, start, clarifications=(pause,)), region).due

    assert plain is not None
    assert paused is not None
    assert region.is_working(plain)
    assert region.is_working(paused)
    assert plain <= paused
    assert right is Right.ACCESS or plain == paused


@some
@given(days, st.sampled_from(REGIONS))
def test_the_cautious_count_is_never_the_later_one(start: date, region: WorkingDays) -> None:
    pause = (Asked(start + timedelta(days=2), start + timedelta(days=9)),)
    due = {
        regime: response_due(RequestEvents(regime, Right.ACCESS, start, clarifications=pause), region).due
        for regime in Regime
    }

    assert due[Regime.EU] is not None
    assert due[Regime.UK] is not None
    assert due[Regime.EU] <= due[Regime.UK]


@some
@given(days, st.sampled_from(REGIONS))
def test_an_acknowledgement_has_thirty_days_and_ends_on_a_working_day(received: date, region: WorkingDays) -> None:
    answer = acknowledgement_due(received, region)

    assert answer.due is not None
    assert answer.status is DueStatus.DUE
    assert region.is_working(answer.due)
    assert timedelta(30) <= answer.due - received <= timedelta(40)


@pytest.mark.parametrize(("answered", "days"), [(date(2027, 5, 4), 1), (date(2027, 5, 6), 3)])
def test_the_day_of_receipt_is_never_a_day_of_pause(answered: date, days: int) -> None:
    received = date(2027, 5, 3)
    pause = (Asked(received, answered),)

    due = response_due(RequestEvents(Regime.UK, Right.ACCESS, received, clarifications=pause), ENGLAND).due

    assert due == ENGLAND.roll(date(2027, 6, 3) + timedelta(days=days))


def test_days_of_pause_before_a_restarted_clock_are_not_added_to_it() -> None:
    shown = date(2027, 5, 20)
    events = RequestEvents(
        Regime.UK,
        Right.ACCESS,
        date(2027, 5, 3),
        identity=Asked(date(2027, 5, 4), shown),
        clarifications=(Asked(date(2027, 5, 5), date(2027, 5, 12)),),
    )

    assert response_due(events, ENGLAND) == Due(DueStatus.DUE, shown, ENGLAND.roll(date(2027, 6, 20)))


# --- Alarms ---


def test_an_unanswered_request_raises_alarms_at_parts_of_its_period_and_three_working_days_before_the_end() -> None:
    due = Due(DueStatus.DUE, date(2027, 5, 5), date(2027, 6, 7))  # 33 days; the 7th of June is a Monday

    assert alarm_days(due, ENGLAND) == (
        date(2027, 5, 21),  # half of 33 days, and no half day waited for
        date(2027, 5, 29),
        date(2027, 6, 2),  # three working days before the end
        date(2027, 6, 3),  # nine tenths
    )


def test_of_a_hundred_days_alarms_come_on_the_50th_the_75th_and_the_90th() -> None:
    due = Due(DueStatus.EXTENDED, date(2027, 1, 1), date(2027, 1, 1) + timedelta(days=100))

    assert alarm_days(due, ENGLAND) == (date(2027, 2, 20), date(2027, 3, 17), date(2027, 4, 1), date(2027, 4, 7))


def test_alarms_of_the_same_day_are_one() -> None:
    due = Due(DueStatus.DUE, date(2027, 6, 7), date(2027, 6, 11))

    assert alarm_days(due, ENGLAND) == (date(2027, 6, 8), date(2027, 6, 9), date(2027, 6, 10))


def test_a_holiday_is_no_working_day_before_the_end_either() -> None:
    after_easter = Due(DueStatus.DUE, date(2027, 3, 1), date(2027, 3, 31))

    # Good Friday and Easter Monday lie between: only the 30th, the 25th and the 24th are working days before.
    assert ENGLAND.before(date(2027, 3, 31), 3) == date(2027, 3, 24)
    assert date(2027, 3, 24) in alarm_days(after_easter, ENGLAND)


@pytest.mark.parametrize(
    "due", [Due(DueStatus.WAITING_ID, None), Due(DueStatus.WAITING_CLARIFICATION, date(2027, 5, 5))]
)
def test_no_alarm_runs_while_no_due_date_does(due: Due) -> None:
    assert alarm_days(due, ENGLAND) == ()


@some
@given(days, st.sampled_from(REGIONS), st.sampled_from(Regime), st.booleans())
def test_alarms_lie_inside_the_period_and_the_last_leaves_time(
    start: date, region: WorkingDays, regime: Regime, extended: bool
) -> None:
    notified = start if extended else None
    due = response_due(RequestEvents(regime, Right.ERASURE, start, extension_notified_on=notified), region)
    alarms = alarm_days(due, region)

    assert due.due is not None
    assert list(alarms) == sorted(set(alarms))
    assert start < alarms[0]
    assert alarms[-1] < due.due


def test_an_answer_before_its_question_is_refused() -> None:
    with pytest.raises(ValueError, match="before it was asked"):
        Asked(date(2027, 5, 12), date(2027, 5, 11))
