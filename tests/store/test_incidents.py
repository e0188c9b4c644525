"""Is whoever was erased or suppressed and comes back reported once, counted in the report, and closed by a person?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retention.audit import SigningKey
from retention.seal import seal
from retention.store import incidents
from retention.store.database import rows
from retention.store.desk import Desk
from retention.store.incidents import Kind, Note
from tests.memory_connector import MemoryConnector, MemoryRecord, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

KEY = SigningKey("retention.example/audit", b"k" * 32)


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    here = desk_for(ledger, "crm", "shop")
    rehearse(here)
    return here


def night(desk: Desk, *systems: MemorySystem) -> Night:
    return Night(desk, [MemoryConnector(s) for s in systems])


def kinds(desk: Desk) -> list[tuple[str, Kind]]:
    with desk.transaction() as db:
        return sorted((i.system, i.kind) for i in incidents.listed(db))


def at_her_own_place(crm: MemorySystem, key: str, record: MemoryRecord) -> None:
    """Put a record back where it was, as a restored backup does."""
    crm.gone.clear()
    crm.records[key] = record


def test_a_restored_record_is_reported_counted_and_erased_again(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    ref = crm.add(person("old@example.com", date(2020, 1, 1)))
    backup = crm.records[ref.key]
    night(desk, crm).run()
    at_her_own_place(crm, ref.key, backup)
    second = night(desk, crm)
    second.run()

    report = seal(desk, second.sweep, KEY, tmp_path)

    assert kinds(desk) == [("crm", Kind.RESTORED)]
    assert report.as_json()["incidents"] == {"restored": 1}
    assert not crm.records
    with desk.transaction() as db:
        counted = rows(
            db,
            "SELECT (convert_from(body, 'UTF8')::json->>'count')::int AS n FROM audit_entries"
            " WHERE convert_from(body, 'UTF8')::json->>'event' = 'incident'",
        )
    assert [row.n for row in counted] == [1]


def test_what_still_lies_there_the_next_night_is_not_reported_twice(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("old@example.com", date(2020, 1, 1)))
    backup = crm.records[ref.key]
    night(desk, crm).run()
    at_her_own_place(crm, ref.key, backup)
    night(desk, crm).plan()
    night(desk, crm).plan()
    assert kinds(desk) == [("crm", Kind.RESTORED)]


def test_an_erased_person_in_a_new_record_with_old_dates_was_imported_again(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    night(desk, crm).run()
    crm.add(person("old@example.com", date(2020, 1, 1)))
    night(desk, crm).plan()
    assert kinds(desk) == [("crm", Kind.RE_IMPORTED)]


def test_an_erased_person_in_another_system_is_no_incident_of_that_system(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    night(desk, crm, shop).run()
    shop.add(person("old@example.com", date(2020, 1, 1)))
    night(desk, crm, shop).plan()
    assert kinds(desk) == []


def test_a_suppressed_person_met_in_a_record_that_is_new_to_us_is_told_apart_by_its_dates(
    desk: Desk, crm: MemorySystem, shop: MemorySystem
) -> None:
    out = person("ann@example.com", opted_out=True)
    out.opted_out_on = date(2026, 6, 1)
    crm.add(out)
    later = person("ben@example.com", opted_out=True)
    later.opted_out_on = date(2020, 6, 1)
    crm.add(later)
    night(desk, crm, shop).run()
    shop.add(person("ann@example.com", date(2020, 1, 1)))
    shop.add(person("ben@example.com", date(2020, 8, 1)))

    night(desk, crm, shop).plan()

    assert kinds(desk) == [("shop", Kind.NEWLY_COLLECTED), ("shop", Kind.RE_IMPORTED)]


def test_who_gave_a_newer_consent_since_is_no_incident(desk: Desk, crm: MemorySystem, shop: MemorySystem) -> None:
    out = person("ann@example.com", opted_out=True)
    out.opted_out_on = date(2025, 6, 1)
    crm.add(out)
    night(desk, crm, shop).run()
    back = person("ann@example.com", date(2020, 1, 1))
    back.consented_on = date(2026, 1, 1)
    shop.add(back)
    night(desk, crm, shop).plan()
    assert kinds(desk) == []


def test_a_closed_incident_stays_closed_and_a_new_return_opens_another(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("old@example.com", date(2020, 1, 1)))
    backup = crm.records[ref.key]
    night(desk, crm).run()
    at_her_own_place(crm, ref.key, backup)
    night(desk, crm).run()
    with desk.transaction() as db:
        [first] = incidents.listed(db)
        assert incidents.close(db, first.incident_id, Note.ERASED_AGAIN, "dpo", desk.now())
        assert not incidents.close(db, first.incident_id, Note.NO_MATTER, "dpo", desk.now())
        [closed] = incidents.listed(db, closed_too=True)
    assert (closed.state, closed.note_code, closed.closed_by) == ("closed", "erased-again", "dpo")
    assert kinds(desk) == []

    at_her_own_place(crm, ref.key, replace(backup))
    tomorrow = replace(desk, today=desk.today + timedelta(days=1))
    night(tomorrow, crm).plan()
    assert kinds(desk) == [("crm", Kind.RESTORED)]
