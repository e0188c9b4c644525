"""How long is data kept: through its anniversary, in the controller's zone, and as long as tax law asks?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.clocks import (
    accounting_period_end,
    collected_before,
    eligible_at,
    last_kept_day,
    local_day,
    start_of_day,
    tax_keep_until,
    zone_named,
)

LONDON = ZoneInfo("Europe/London")
days = st.dates(date(2020, 1, 1), date(2045, 12, 31))
some = settings(max_examples=200, deadline=None)


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
