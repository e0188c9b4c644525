"""Is whoever comes back told apart: restored, brought in again with old dates, or collected anew?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.knowledge import Consent, Known
from retention.seen_again import Earlier, incidents
from retention.store.incidents import Kind
from retention.vocabulary import ClassFacts, DataClass, Dated, Facts, LawfulBasis

GONE = date(2026, 6, 1)
LONDON = ZoneInfo("Europe/London")
NOBODY = Earlier({}, {}, ())


def met(
    collected: date | datetime | None,
    *,
    erased: date | None = None,
    consented_on: date | None = None,
    consent: Consent | None = None,
) -> Known:
    dated = None if collected is None else Dated(collected, "collected_on")
    facts = Facts(
        (ClassFacts(DataClass.MARKETING_PROFILE, LawfulBasis.CONSENT, ("interests",), dated),),
        consented_on=consented_on,
    )
    return Known(
        record_key=b"r",
        kind="person",
        version="1",
        facts=facts,
        shared=False,
        subjects=(b"s",),
        folded=(b"f",),
        consent={} if consent is None else {b"s": consent},
        weak_opt_out=False,
        held=False,
        restricted_by_us=False,
        erased={} if erased is None else {DataClass.MARKETING_PROFILE: erased},
    )


def kinds(known: Known, earlier: Earlier = NOBODY, reasons: tuple[str, ...] = ()) -> list[Kind]:
    return list(incidents(known, reasons, earlier, LONDON))


def person_gone(*, suppressed: bool = False, met_before: bool = False) -> Earlier:
    when = {b"r": GONE}
    return Earlier({} if suppressed else when, when if suppressed else {}, {b"r"} if met_before else ())


def test_a_record_as_old_as_its_own_erasure_is_restored_whatever_else_kept_it() -> None:
    assert kinds(met(GONE, erased=GONE), reasons=("HOLD_ACTIVE",)) == [Kind.RESTORED]
    assert kinds(met(GONE + timedelta(days=1), erased=GONE)) == []


def test_the_day_is_the_controllers_day_and_not_the_servers() -> None:
    just_after_midnight = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    assert kinds(met(just_after_midnight, erased=GONE)) == []
    assert kinds(met(just_after_midnight - timedelta(minutes=31), erased=GONE)) == [Kind.RESTORED]


@pytest.mark.parametrize("suppressed", [False, True], ids=["erased", "suppressed"])
def test_another_record_of_the_person_is_told_apart_by_its_dates(suppressed: bool) -> None:
    earlier = person_gone(suppressed=suppressed)
    assert kinds(met(GONE), earlier) == [Kind.RE_IMPORTED]
    assert kinds(met(GONE + timedelta(days=1)), earlier) == [Kind.NEWLY_COLLECTED]


def test_a_record_that_was_there_all_along_is_no_incident() -> None:
    assert kinds(met(GONE), person_gone(met_before=True)) == []


def test_a_record_without_any_date_is_left_to_the_rules() -> None:
    assert kinds(met(None), person_gone()) == []


@pytest.mark.parametrize("days", [-1, 0])
def test_only_a_strictly_newer_consent_makes_a_return_nobodys_incident(days: int) -> None:
    after = GONE + timedelta(days=1)
    assert kinds(met(GONE, consented_on=GONE + timedelta(days=days)), person_gone()) == [Kind.RE_IMPORTED]
    assert kinds(met(GONE, consented_on=after), person_gone()) == []
    assert kinds(met(GONE, consent=Consent(consented_on=after)), person_gone()) == []


def test_special_categories_are_reported_beside_all_else() -> None:
    assert kinds(met(GONE, erased=GONE), reasons=("SPECIAL_CATEGORY",)) == [Kind.SPECIAL_CATEGORY, Kind.RESTORED]


@given(st.dates(date(2015, 1, 1), date(2030, 1, 1)), st.booleans(), st.booleans())
def test_who_was_never_gone_is_never_an_incident_and_nobody_is_two_kinds_at_once(
    collected: date, suppressed: bool, erased_itself: bool
) -> None:
    assert kinds(met(collected)) == []
    known = met(collected, erased=GONE if erased_itself else None)
    assert len(kinds(known, person_gone(suppressed=suppressed))) <= 1
