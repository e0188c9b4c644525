"""Which days are working days, region by region, and is what is not known an error?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import strategies as st

from retention.cli.due import OUR_CORRECTIONS
from retention.working_days import Corrections, UnknownRegion, WorkingDays, YearOutsideData, read_corrections

ENGLAND = WorkingDays("GB-ENG")
days = st.dates(date(2020, 1, 1), date(2045, 12, 31))


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
