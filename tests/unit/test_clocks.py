"""By when must a request be answered, how long is data kept, and which days are working days?"""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.cli.due import COLUMNS, OUR_CORRECTIONS, command
from retention.clocks import (
    Asked,
    Due,
    DueStatus,
    RequestEvents,
    Right,
    accounting_period_end,
    acknowledgement_due,
    alarm_days,
    collected_before,
    eligible_at,
    last_kept_day,
    local_day,
    response_due,
    start_of_day,
    tax_keep_until,
    zone_named,
)
from retention.item import Regime
from retention.working_days import Corrections, UnknownRegion, WorkingDays, YearOutsideData, read_corrections

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
LONDON = ZoneInfo("Europe/London")
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


# --- How long data is kept ---


def test_data_is_kept_through_its_fifth_anniversary() -> None:
    assert last_kept_day(date(2022, 6, 15), 5) == date(2027, 6, 15)
    assert eligible_at(date(2022, 1, 15), 5, LONDON) == datetime(2027, 1, 16, tzinfo=UTC)


def test_in_summer_the_local_day_begins_an_hour_earlier_in_utc() -> None:
    assert eligible_at(date(2022, 6, 15), 5, LONDON) == datetime(2027, 6, 15, 23, tzinfo=UTC)


def test_the_anniversary_of_a_leap_day_is_the_28th() -> None:
    assert last_kept_day(date(2024, 2, 29), 5) == date(2029, 2, 28)
    assert last_kept_day(date(2024, 2, 29), 4) == date(2028, 2, 29)


def test_a_calendar_day_is_never_pushed_through_a_zone() -> None:
    assert local_day(date(2022, 6, 15), ZoneInfo("Pacific/Auckland")) == date(2022, 6, 15)


def test_an_instant_has_the_day_it_has_at_the_controllers_place() -> None:
    instant = datetime(2022, 6, 15, 23, 30, tzinfo=UTC)

    assert local_day(instant, LONDON) == date(2022, 6, 16)
    assert local_day(instant, ZoneInfo("America/New_York")) == date(2022, 6, 15)


def test_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        local_day(datetime(2022, 6, 15, 23, 30), LONDON)  # noqa: DTZ001


def test_where_midnight_is_skipped_the_day_begins_with_the_change() -> None:
    # Cairo put its clocks from 24:00 to 01:00 on 26 April 2024.
    assert start_of_day(date(2024, 4, 26), ZoneInfo("Africa/Cairo")) == datetime(2024, 4, 25, 22, tzinfo=UTC)


def test_where_midnight_comes_twice_the_day_begins_with_the_first() -> None:
    # Havana put its clocks from 01:00 back to 00:00 on 3 November 2024.
    assert start_of_day(date(2024, 11, 3), ZoneInfo("America/Havana")) == datetime(2024, 11, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "London", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        zone_named(name)


@pytest.mark.parametrize(
    ("today", "first_kept"),
    [
        (date(2029, 2, 28), date(2024, 2, 28)),
        (date(2029, 3, 1), date(2024, 3, 1)),
        (date(2028, 2, 28), date(2023, 2, 28)),
        (date(2028, 2, 29), date(2023, 3, 1)),
        (date(2027, 6, 15), date(2022, 6, 15)),
    ],
)
def test_what_to_search_for_is_what_was_collected_before(today: date, first_kept: date) -> None:
    assert collected_before(today, 5) == first_kept


@some
@given(days, st.integers(1, 12), st.integers(-3, 3))
def test_searching_by_day_finds_exactly_what_is_past_its_period(today: date, years: int, near: int) -> None:
    collected = collected_before(today, years) + timedelta(days=near)

    assert (collected < collected_before(today, years)) == (today > last_kept_day(collected, years))


def test_searching_by_day_is_right_on_every_day_around_two_leap_days() -> None:
    around = [date(2024, 1, 15) + timedelta(days=number) for number in range(100)]
    todays = [date(2028, 1, 20) + timedelta(days=number) for number in range(460)]

    wrong = [
        (collected, today)
        for today in todays
        for collected in around
        if (collected < collected_before(today, 5)) != (today > last_kept_day(collected, 5))
    ]

    assert wrong == []


@some
@given(days, days, st.integers(1, 12), st.sampled_from(["Europe/London", "Europe/Berlin", "America/New_York"]))
def test_what_was_collected_later_is_eligible_no_earlier(one: date, other: date, years: int, zone: str) -> None:
    earlier, later = sorted((one, other))

    assert eligible_at(earlier, years, zone_named(zone)) <= eligible_at(later, years, zone_named(zone))


@some
@given(days, st.integers(1, 12))
def test_eligibility_begins_the_morning_after_and_never_rolls(collected: date, years: int) -> None:
    local = eligible_at(collected, years, LONDON).astimezone(LONDON)

    assert local.date() == last_kept_day(collected, years) + timedelta(days=1)
    assert (local.hour, local.minute) == (0, 0)


# --- Tax ---


@pytest.mark.parametrize(
    ("on", "year_end", "kept_until"),
    [
        (date(2024, 4, 1), "03-31", date(2031, 3, 31)),
        (date(2024, 3, 31), "03-31", date(2030, 3, 31)),
        (date(2024, 2, 29), "02-END", date(2030, 2, 28)),
        (date(2023, 3, 1), "02-END", date(2030, 2, 28)),
        (date(2023, 3, 1), "02-29", date(2030, 2, 28)),
        (date(2024, 7, 1), "12-31", date(2030, 12, 31)),
        (date(2024, 7, 1), "06-END", date(2031, 6, 30)),
        (date(2024, 7, 1), "12-END", date(2030, 12, 31)),
        (date(2024, 2, 29), "02-28", date(2031, 2, 28)),
    ],
)
def test_tax_law_asks_for_six_years_after_the_accounting_period(on: date, year_end: str, kept_until: date) -> None:
    assert tax_keep_until(on, year_end) == kept_until


@pytest.mark.parametrize("year_end", ["", "3-31", "13-01", "02-30", "04-31", "00-10", "03-00", "END", "03-31 "])
def test_a_year_end_that_is_no_day_is_refused(year_end: str) -> None:
    with pytest.raises(ValueError, match=r"year end|day of that month"):
        tax_keep_until(date(2024, 4, 1), year_end)


@some
@given(days, st.sampled_from(["03-31", "02-END", "12-31", "04-05", "02-29"]))
def test_an_accounting_period_holds_its_day_and_lasts_a_year_at_most(on: date, year_end: str) -> None:
    end = accounting_period_end(on, year_end)

    assert on <= end < last_kept_day(on, 1) + timedelta(days=2)
    assert accounting_period_end(end, year_end) == end
    assert accounting_period_end(end + timedelta(days=1), year_end) > end


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


# --- Working days ---


@pytest.mark.parametrize("region", ["GB", "DE", "ES"])
def test_a_country_whose_regions_differ_needs_the_region(region: str) -> None:
    with pytest.raises(UnknownRegion, match=f"as in {region}-"):
        WorkingDays(region)


@pytest.mark.parametrize("region", ["", "NONE", "XX", "GB-XX", "UK", "GBR", "gb-eng", "GB-England", "IE-X"])
def test_an_unknown_region_is_an_error_and_not_a_place_without_holidays(region: str) -> None:
    with pytest.raises(UnknownRegion):
        WorkingDays(region)


@pytest.mark.filterwarnings("ignore:This subdivision is deprecated:DeprecationWarning")
def test_the_whole_kingdom_by_its_old_name_is_refused_too() -> None:
    with pytest.raises(UnknownRegion):
        WorkingDays("GB-UK")


@pytest.mark.parametrize("year", [1800, 1871, 2101, 3000])
def test_a_year_outside_the_data_is_an_error(year: int) -> None:
    with pytest.raises(YearOutsideData, match="GB-ENG"):
        ENGLAND.is_working(date(year, 6, 2))


def test_the_first_and_the_last_year_of_the_data_are_known() -> None:
    assert ENGLAND.is_working(date(1872, 6, 4))
    assert ENGLAND.is_working(date(2100, 6, 2))


def test_days_that_only_one_part_of_the_kingdom_keeps() -> None:
    patrick, battle, andrew = date(2026, 3, 17), date(2026, 7, 13), date(2026, 11, 30)

    assert not WorkingDays("GB-NIR").is_working(patrick)
    assert not WorkingDays("GB-NIR").is_working(battle)
    assert not WorkingDays("GB-SCT").is_working(andrew)
    assert all(ENGLAND.is_working(day) for day in (patrick, battle, andrew))


def test_the_coronation_is_known() -> None:
    assert not ENGLAND.is_working(date(2023, 5, 8))


def test_a_proclaimed_day_is_no_working_day_where_it_was_proclaimed() -> None:
    proclaimed = date(2027, 6, 11)
    corrected = WorkingDays("GB-ENG", Corrections(added={"GB-ENG": frozenset({proclaimed})}))

    assert ENGLAND.is_working(proclaimed)
    assert corrected.roll(proclaimed) == date(2027, 6, 14)
    assert WorkingDays("GB-SCT", Corrections(added={"GB-ENG": frozenset({proclaimed})})).is_working(proclaimed)


def test_a_cancelled_holiday_is_a_working_day_but_a_sunday_stays_one() -> None:
    boxing_day, sunday = date(2029, 12, 26), date(2029, 12, 30)
    corrected = WorkingDays("GB-ENG", Corrections(removed={"GB-ENG": frozenset({boxing_day, sunday})}))

    assert corrected.is_working(boxing_day)
    assert not corrected.is_working(sunday)


def test_the_version_of_the_data_tells_corrections_apart() -> None:
    corrected = WorkingDays("GB-ENG", Corrections(added={"GB-ENG": frozenset({date(2027, 6, 11)})}))

    assert ENGLAND.data_version.endswith(" GB-ENG")
    assert corrected.data_version == f"{ENGLAND.data_version}, 1 added, 0 removed"


def test_the_corrections_we_ship_can_be_read() -> None:
    assert read_corrections(OUR_CORRECTIONS) == Corrections(added={}, removed={})


def test_corrections_are_read_with_their_reasons(tmp_path: Path) -> None:
    file = tmp_path / "holidays.yaml"
    file.write_text("added:\n  GB-ENG:\n    2027-06-11: proclaimed on 1 May\n", encoding="utf-8")

    assert read_corrections(file).added == {"GB-ENG": frozenset({date(2027, 6, 11)})}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("extra: {}", "only the keys"),
        ("- added", "only the keys"),
        ("added: {GB-ENG: {2027-06-11: }}", "YYYY-MM-DD: reason"),
        ("added: {GB-ENG: {11 June: proclaimed}}", "YYYY-MM-DD: reason"),
        ("removed: {GB-ENG: [2027-06-11]}", "YYYY-MM-DD: reason"),
        ("added: {GB: {2027-06-11: proclaimed}}", "GB-"),
        ("added: [GB-ENG]", "YYYY-MM-DD: reason"),
        ("added: {", "not readable"),
    ],
)
def test_corrections_that_are_not_understood_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "holidays.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=complaint):
        read_corrections(file)
