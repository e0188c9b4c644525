"""Do the papers of a period have the ledger's own figures, and nobody's name?"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from retention import audit
from retention.clocks import Right
from retention.papers import month, period, register
from retention.requests import answers
from retention.requests.answers import RefusalReason
from retention.requests.notices import ByPost
from retention.seal import seal
from retention.store import audit_log
from retention.store.desk import Desk
from tests.requesting import KEY, as_duty, asked, identified
from tests.store.test_overview import a_night

ZONE = ZoneInfo("Europe/London")
NOVEMBER = period.month("2026-11", ZONE)
YEAR = period.Period(date(2026, 1, 1), date(2026, 12, 31), ZONE)


def put(desk: Desk, statement: str, **values: object) -> None:
    with desk.transaction() as db:
        db.execute(text(statement), values)


@pytest.fixture
def night(ledger: Engine, tmp_path: Path) -> Desk:
    """A sealed night of November in which three records were erased."""
    tonight = a_night(ledger)
    tonight.run()
    seal(tonight.desk, tonight.sweep, KEY, tmp_path)
    put(tonight.desk, "UPDATE sweeps SET opened_at = '2026-11-10T02:00:00Z'")
    return tonight.desk


def test_a_month_stands_beside_the_month_before(night: Desk) -> None:
    november, december = month.report(night, NOVEMBER), month.report(night, period.month("2026-12", ZONE))

    assert november.sweeps["schedule"] == (1, 0)
    assert november.systems["crm"]["erased"] == (3, 0)
    assert december.sweeps["schedule"] == (0, 1)
    assert december.systems["crm"]["erased"] == (0, 3)


def test_a_system_that_was_not_read_in_a_month_is_there_with_nothing(night: Desk) -> None:
    told = month.report(night, period.month("2026-09", ZONE))

    assert set(told.systems) >= set(night.policy.systems)
    assert {both for figures in told.systems.values() for both in figures.values()} == {(0, 0)}


def test_a_month_begins_at_midnight_of_the_controllers_place(ledger: Engine) -> None:
    desk = a_night(ledger).desk
    for at in ("2026-06-30T22:59:59Z", "2026-06-30T23:00:00Z", "2026-07-31T22:59:59Z", "2026-07-31T23:00:00Z"):
        asked(desk, f"ann{at[8:10]}{at[11:13]}{at[17:19]}@home.example", received_at=datetime.fromisoformat(at))

    told = month.report(desk, period.month("2026-07", ZONE))
    assert told.counted["requests_received"] == (2, 1)


def test_what_only_the_audit_log_keeps_is_counted_in_its_part_of_the_log(ledger: Engine) -> None:
    desk = a_night(ledger).desk
    days = [datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)]
    days.append(datetime(2026, 12, 1, tzinfo=UTC))
    with desk.transaction() as db:
        before = audit_log.head(db).size
        db.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        db.execute(text("TRUNCATE audit_entries, audit_head"))
        audit_log.append(db, [audit.Entry(at, audit.Event.KILL_SWITCH) for at in days])
    assert before > 0

    told = month.report(desk, NOVEMBER)
    assert told.events["kill switch thrown or released"] == (2, 1)
    assert told.events["limits overridden"] == (0, 0)


def test_the_register_has_a_line_for_each_request_of_the_period_and_nobody_in_it(ledger: Engine) -> None:
    desk = a_night(ledger).desk
    first = identified(desk, "ann@home.example", received_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    second = asked(desk, "bob@home.example", asks_for=Right.ACCESS, received_at=datetime(2026, 11, 3, 9, tzinfo=UTC))
    asked(desk, "eve@home.example", received_at=datetime(2025, 11, 3, 9, tzinfo=UTC))

    lines = register.register(desk, YEAR)

    assert [line["request"] for line in lines] == [first, second.request_id]
    assert (lines[0]["right"], lines[0]["received"], lines[0]["due"]) == ("erasure", "2026-11-02", "2026-12-02")
    assert (lines[1]["right"], lines[1]["answered"], lines[1]["late"]) == ("access", "", "no")
    assert all(tuple(line) == register.COLUMNS for line in lines)
    assert "home.example" not in json.dumps(lines)


def test_a_refusal_is_in_the_register_with_its_reason_and_the_day_of_its_notice(ledger: Engine) -> None:
    desk = a_night(ledger).desk
    request_id = identified(desk, "ann@home.example", received_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    answers.refuse(desk, None, request_id, [RefusalReason.NO_GROUND], "dpo", ByPost("OPS-1", desk.today))

    (line,) = register.register(desk, YEAR)
    assert (line["state"], line["answered"]) == ("refused", desk.today.isoformat())
    assert line["refused_because"] == "no-ground"


@pytest.mark.parametrize(
    ("due", "answered", "today", "late"),
    [
        (date(2026, 11, 2), date(2026, 11, 2), date(2026, 12, 1), False),
        (date(2026, 11, 2), date(2026, 11, 3), date(2026, 12, 1), True),
        (date(2026, 11, 2), None, date(2026, 11, 2), False),
        (date(2026, 11, 2), None, date(2026, 11, 3), True),
        (None, None, date(2026, 11, 3), False),
    ],
)
def test_late_is_an_answer_after_its_due_date_or_none_by_then(
    due: date | None, answered: date | None, today: date, late: bool
) -> None:
    assert register.is_late(due, answered, today) is late


def test_a_request_over_its_due_date_is_counted_in_each_month_it_stays_unanswered(ledger: Engine) -> None:
    desk = a_night(ledger).desk
    identified(desk, "ann@home.example", received_at=datetime(2026, 8, 3, 9, tzinfo=UTC))

    assert month.report(desk, period.month("2026-10", ZONE)).late == (1, 1)
    assert month.report(desk, period.month("2026-08", ZONE)).late == (0, 0)


@pytest.mark.parametrize("text", ["2026-13", "2026", "November", "0000-01", ""])
def test_what_is_no_month_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(period.NoPeriod, match="2026-10"):
        period.month(text, ZONE)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(period.NoPeriod, match="before it begins"):
        period.Period(date(2026, 2, 1), date(2026, 1, 1), ZONE)


def test_an_auditor_may_draw_the_papers(ledger: Engine, ledger_url: str) -> None:
    desk = a_night(ledger).desk
    identified(desk, "ann@home.example", received_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    auditor = as_duty(desk, ledger_url, "auditor")

    assert len(register.register(auditor, YEAR)) == 1
    assert month.report(auditor, NOVEMBER).counted["requests_received"] == (1, 0)
