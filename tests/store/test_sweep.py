"""Does a whole night on a real ledger do what the policy promises, and nothing else?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retention.audit import SigningKey
from retention.seal import seal
from retention.store import catalogue, plans
from retention.store.database import rows
from retention.sweep import Refused, RunInfo, open_sweep
from retention.vocabulary import (
    Action,
    ClassFacts,
    Criteria,
    Cursor,
    DataClass,
    Facts,
    LawfulBasis,
    Page,
    Token,
    Transaction,
)
from tests.holding import hold_on
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, night, rehearse


def test_a_record_past_five_years_is_erased_and_read_back(ledger: Engine, crm: MemorySystem) -> None:
    old = crm.add(person("old@example.com", date(2021, 11, 21)))
    short = crm.add(person("short@example.com", date(2021, 11, 22)))

    assert night(ledger, crm).run() == {"crm": {"done": 1, "verified": 1}}

    assert old.key not in crm.records
    assert short.key in crm.records


def test_a_second_night_acts_on_nothing_and_says_so(ledger: Engine, crm: MemorySystem, shop: MemorySystem) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    crm.add(person("ann@example.com", opted_out=True))
    shop.add(person("ann@example.com", transactions=(Transaction("order", date(2026, 5, 1), live=True),)))
    first = night(ledger, crm, shop)
    first.run()

    second = Night(first.desk, list(first.connectors.values()))

    assert second.plan() is None
    assert second.sweep.state == "sealed"


def test_half_an_answer_erases_nothing_in_that_system(ledger: Engine, crm: MemorySystem, shop: MemorySystem) -> None:
    for n in range(5):
        crm.add(person(f"old{n}@example.com", date(2020, 1, 1)))
        shop.add(person(f"old{n}@example.com", date(2020, 1, 1)))
    crm.breaks_off = True

    broken = night(ledger, crm, shop)

    assert broken.run() == {"shop": {"done": 5, "verified": 5}}
    assert len(crm.records) == 5


def test_a_record_under_hold_is_left_exactly_as_it_is(ledger: Engine, crm: MemorySystem) -> None:
    held = crm.add(person("held@example.com", date(2019, 1, 1), opted_out=True))
    before = dict(crm.records[held.key].values)
    one_night = night(ledger, crm)
    hold_on(one_night.desk, "HELD@example.com")

    assert one_night.run() == {}
    assert crm.records[held.key].values == before


def test_a_record_that_changed_after_planning_is_refused(ledger: Engine, crm: MemorySystem) -> None:
    old = crm.add(person("old@example.com", date(2020, 1, 1)))
    one_night = night(ledger, crm)
    one_night.plan()
    one_night.approve()
    crm.records[old.key].revision += 100

    assert one_night.carry_out("crm") == {"refused": 1}
    assert old.key in crm.records


def test_what_the_system_will_not_delete_is_emptied(ledger: Engine, crm: MemorySystem) -> None:
    class Anchored(MemoryConnector):
        def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
            for page in super().find(criteria, after):
                found = tuple(replace(f, facts=replace(f.facts, undeletable=True)) for f in page.findings)
                yield replace(page, findings=found)

    old = crm.add(person("old@example.com", date(2020, 1, 1)))
    desk = desk_for(ledger, "crm")
    rehearse(desk)

    assert Night(desk, [Anchored(crm)]).run() == {"crm": {"done": 1, "verified": 1}}

    assert not any(crm.records[old.key].values[name] for name in ("email", "name", "interests", "lead_score"))
    assert Night(desk, [Anchored(crm)]).plan() is None


def test_what_a_statute_keeps_is_restricted_in_the_same_step_that_clears_the_rest(
    ledger: Engine, crm: MemorySystem
) -> None:
    paid = Transaction("order", date(2023, 1, 1), live=False)
    ref = crm.add(person("customer@example.com", date(2020, 1, 1), transactions=(paid,)))
    first = night(ledger, crm)

    assert first.run() == {"crm": {"done": 1, "verified": 1}}

    kept = crm.records[ref.key]
    assert kept.restricted
    assert kept.values["email"] == "customer@example.com"
    assert not kept.values["interests"]
    assert Night(first.desk, list(first.connectors.values())).plan() is None


def test_one_persons_rows_taken_out_of_a_list_do_not_make_the_list_an_erased_record(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    class Lists(MemoryConnector):
        """Every record is a table that names two people."""

        def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
            for page in super().find(criteria, after):
                found = []
                for f in page.findings:
                    table = ClassFacts(
                        DataClass.MARKETING_PROFILE, LawfulBasis.CONSENT, ("row",), f.facts.classes[0].collected
                    )
                    found.append(replace(f, facts=Facts((table,), several_people=True)))
                yield replace(page, findings=tuple(found))

    crm.add(person("ann@example.com", opted_out=True))
    both = person("ann@example.com")
    both.values["other_email"] = "ben@example.com"
    ref = shop.add(both)
    desk = desk_for(ledger, "crm", "shop")
    rehearse(desk)

    Night(desk, [MemoryConnector(crm), Lists(shop)]).run()

    assert shop.records[ref.key].values["email"] is None
    assert shop.records[ref.key].values["other_email"] == "ben@example.com"
    assert Night(desk, [MemoryConnector(crm), Lists(shop)]).plan() is None


def test_a_file_put_back_from_a_backup_is_found_again(ledger: Engine, shop: MemorySystem) -> None:
    old = shop.add(person("old@example.com", date(2020, 1, 1)))
    backup = shop.records[old.key]
    desk = desk_for(ledger, "shop")
    rehearse(desk)
    Night(desk, [MemoryConnector(shop, catalogued=True)]).run()
    assert not shop.records
    shop.gone.clear()
    shop.records[old.key] = backup  # same place, same version: the token says that nothing changed

    assert Night(desk, [MemoryConnector(shop, catalogued=True)]).run() == {"shop": {"done": 1, "verified": 1}}
    assert not shop.records


def test_what_a_connector_cannot_do_goes_to_a_person(ledger: Engine, crm: MemorySystem) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    one_night = Night(desk, [MemoryConnector(crm, supports={Action.REDACT})])

    assert one_night.plan() is None
    with desk.transaction() as db:
        assert [r.verdict for r in rows(db, "SELECT verdict FROM findings")] == ["task"]


def test_an_unanswered_plan_is_superseded_by_the_next_night(ledger: Engine, crm: MemorySystem) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    first = night(ledger, crm)
    first.plan()

    second = Night(first.desk, list(first.connectors.values()))

    assert second.run() == {"crm": {"done": 1, "verified": 1}}
    assert first.plan_of("crm").state == "superseded"


def test_a_backfill_is_refused(ledger: Engine) -> None:
    with pytest.raises(Refused, match="backfill"):
        open_sweep(desk_for(ledger, "crm"), RunInfo("d", "r", "backfill", "admin"))


def test_the_ledger_forgets_where_everybody_lies_once_the_sweep_is_sealed(
    ledger: Engine, crm: MemorySystem, tmp_path: Path
) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    one_night = night(ledger, crm)
    one_night.run()

    report = seal(one_night.desk, one_night.sweep, SigningKey("retention.example/audit", b"k" * 32), tmp_path)

    with one_night.desk.transaction() as db:
        assert not rows(db, "SELECT 1 FROM findings WHERE locator IS NOT NULL OR addresses IS NOT NULL")
        assert not rows(db, "SELECT 1 FROM steps WHERE locator IS NOT NULL OR subjects IS NOT NULL")
        register = rows(db, "SELECT data_class FROM erasures ORDER BY 1")
    assert [r.data_class for r in register] == ["contact_identity", "marketing_profile"]
    assert report.systems["crm"]["erased"] == 1
    assert [p.name for p in tmp_path.glob("*.txt")] == [f"{report.audit_entries}.txt"]


def test_a_catalogued_system_is_read_only_where_it_changed_and_searched_in_the_ledger(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    old = shop.add(person("old@example.com", date(2020, 1, 1)))
    same = shop.add(person("ann@example.com"))
    shop.add(person("ben@example.com"))
    crm.add(person("ann@example.com", opted_out=True))
    desk = desk_for(ledger, "crm", "shop")
    rehearse(desk)
    shelf = MemoryConnector(shop, catalogued=True)

    Night(desk, [MemoryConnector(crm), shelf]).run()
    assert {old.key, same.key}.isdisjoint(shop.records)

    class NeverReadsAgain(MemoryConnector):
        def changes(self, since: Token | None) -> Iterator[Page]:
            assert since is not None
            for page in super().changes(since):
                assert page.findings == ()
                yield page

    assert Night(desk, [MemoryConnector(crm), NeverReadsAgain(shop, catalogued=True)]).plan() is None
    with desk.transaction() as db:
        assert catalogue.size(db, "shop") == 1


def test_a_system_that_comes_after_another_can_see_what_is_still_to_do_there(
    ledger: Engine, crm: MemorySystem, shop: MemorySystem
) -> None:
    for system in (crm, shop):
        system.add(person("old@example.com", date(2021, 11, 21)))
    tonight = night(ledger, crm, shop)
    tonight.plan()
    tonight.approve()

    def undone() -> dict[str, int]:
        with tonight.desk.transaction() as db:
            return plans.undone(db, tonight.sweep.sweep_id, ["crm", "elsewhere"])

    assert undone() == {"crm": 1}
    tonight.carry_out("shop")
    assert undone() == {"crm": 1}
    tonight.carry_out("crm")
    assert undone() == {}
