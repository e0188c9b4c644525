"""Does a breach stop the whole plan of its system, say so everywhere, and leave the other systems alone?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from retention import approve, guard, sweep
from retention.audit import SigningKey
from retention.carry_out import NotApproved
from retention.guard import OtherAccount
from retention.limits import Guard
from retention.seal import seal
from retention.store import guards, plans, protected, tenants
from retention.store.database import rows, run
from retention.store.desk import Desk
from retention.vocabulary import Identifier, IdentifierKind, RecordRef
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import NOW, TODAY, Night, desk_for, limited, rehearse

OLD = date(2019, 1, 1)


def crm_of(size: int, name: str = "crm", collected: date = OLD) -> MemorySystem:
    system = MemorySystem(name)
    for number in range(size):
        system.add(person(f"{name}-{number}@example.com", collected))
    return system


def rehearsing(ledger: Engine, *systems: str, **limits: object) -> Desk:
    desk = limited(desk_for(ledger, *systems), **limits)
    rehearse(desk)
    return desk


def planned(desk: Desk, *systems: MemorySystem, catalogued: bool = False) -> Night:
    night = Night(desk, [MemoryConnector(s, page_size=1000, catalogued=catalogued) for s in systems])
    night.plan()
    return night


def broken(night: Night) -> dict[str, list[str]]:
    with night.desk.transaction() as db:
        found = guards.broken_in(db, night.sweep.sweep_id)
    return {system: [breach.guard.value for breach in breaches] for system, breaches in found.items()}


def run_cap(steps: int) -> dict[str, object]:
    return {"run": {"steps": steps, "fraction": 1.0}}


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    return rehearsing(ledger, "crm")


# --- What a breach does ---


def test_a_breach_stops_the_plan_of_its_system_whole_and_no_other(ledger: Engine) -> None:
    crm, shop = crm_of(4), crm_of(3, "shop")
    night = planned(rehearsing(ledger, "crm", "shop", **run_cap(3)), crm, shop)
    assert (night.plan_of("crm").state, night.plan_of("shop").state) == ("stopped", "guarded")
    assert broken(night) == {"crm": ["run-cap"]}
    night.approve()
    with pytest.raises(NotApproved):
        night.carry_out("crm")
    assert night.carry_out("shop") == {"done": 3}
    assert len(crm.records) == 4


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 12), st.integers(1, 12))
def test_a_plan_is_carried_out_whole_or_not_at_all(ledger: Engine, desk: Desk, size: int, cap: int) -> None:
    with ledger.begin() as db:
        run(db, "TRUNCATE readings, findings, gaps, steps, attempts, plans, guard_breaches, tenants, erasures CASCADE")
    crm = crm_of(size)
    night = planned(limited(desk, **run_cap(cap)), crm)
    with night.desk.transaction() as db:
        stored = guards.step_count(db, night.plan_of("crm").plan_id)
    assert stored == size
    assert night.plan_of("crm").state == ("guarded" if size <= cap else "stopped")
    assert (night.sweep.digest is not None) == (size <= cap)


def test_the_number_of_steps_is_counted_and_not_believed(ledger: Engine) -> None:
    desk = rehearsing(ledger, "crm", **run_cap(3))
    night = Night(desk, [MemoryConnector(crm_of(4))])
    night.read()
    sweep.decide(desk, night.sweep, night.connectors["crm"])
    with desk.transaction() as db:
        run(db, "UPDATE plans SET step_count = 1")
    assert guard.guard(desk, night.sweep, ["crm"]) is None
    assert broken(night) == {"crm": ["run-cap"]}


def test_a_breach_is_told_to_whoever_approves_to_the_auditor_and_in_the_report(
    ledger: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    night = planned(rehearsing(ledger, "crm", "shop", **run_cap(3)), crm_of(4), crm_of(1, "shop"))
    says = "stopped by guard run-cap: 4 steps planned, 3 allowed"
    assert f"* crm: {says}" in approve.question(night.desk, night.sweep).body
    report = seal(night.desk, night.sweep, SigningKey("tests", bytes(32)), tmp_path_factory.mktemp("outside"))
    assert report.stopped_by["crm"][0].startswith(says)
    assert set(report.stopped_by) == {"crm"}
    with night.desk.transaction() as db:
        (entry,) = [r.body for r in rows(db, "SELECT body FROM audit_entries") if b"guard_stopped" in bytes(r.body)]
    assert b"run-cap" in bytes(entry)


# --- What is measured ---


def test_what_was_sent_within_thirty_days_counts_and_what_was_sent_before_does_not(ledger: Engine) -> None:
    month = {"thirty_days": {"steps": 5, "fraction": 1.0}}
    first = rehearsing(ledger, "crm", **month)
    Night(first, [MemoryConnector(crm_of(3))]).run()

    for days, stopped in ((29, True), (30, False)):
        later = replace(first, today=TODAY + timedelta(days=days))
        night = planned(later, crm_of(3))
        assert broken(night) == ({"crm": ["thirty-day-cap"]} if stopped else {})


def test_a_fraction_is_held_against_the_size_of_a_catalogued_system(ledger: Engine) -> None:
    wide, tenth = {"steps": 500, "fraction": 1.0}, {"steps": 500, "fraction": 0.1}
    tight = {"run": tenth, "thirty_days": wide, "class_run": wide, "class_thirty_days": wide}
    tight |= {"fraction_from_population": 40}
    crm = crm_of(4)
    for number in range(36):
        crm.add(person(f"new-{number}@example.com"))
    desk = rehearsing(ledger, "crm", **tight)
    assert broken(planned(desk, crm, catalogued=True)) == {}
    crm.add(person("one-more@example.com", OLD))
    assert broken(planned(desk, crm, catalogued=True)) == {"crm": ["run-cap"]}


def test_dates_older_than_anybody_can_believe_stop_the_plan(ledger: Engine) -> None:
    age = {"surprise_age": {"years": 15, "fraction": 0.5, "from_steps": 2}}
    crm = crm_of(2, collected=date(1970, 1, 1))
    crm.add(person("old@example.com", OLD))
    assert broken(planned(rehearsing(ledger, "crm", **age), crm)) == {"crm": ["surprise-age"]}


def test_a_system_that_suddenly_shows_far_less_is_not_believed(ledger: Engine) -> None:
    fewer = {"fewer_found": {"fraction": 0.5, "from_records": 4}, **run_cap(1)}
    desk = rehearsing(ledger, "crm", **fewer)
    planned(desk, crm_of(6))  # too many for one run, so nothing is carried out
    assert broken(planned(desk, crm_of(2))) == {"crm": ["fewer-found", "run-cap"]}


def test_what_was_carried_out_is_not_missed_the_next_night(ledger: Engine) -> None:
    desk = rehearsing(ledger, "crm", fewer_found={"fraction": 0.5, "from_records": 4})
    crm = crm_of(6)
    Night(desk, [MemoryConnector(crm)]).run()
    crm.add(person("another@example.com", OLD))
    assert broken(planned(desk, crm)) == {}


def test_a_rise_is_measured_against_the_nights_before_and_a_stopped_night_is_no_example(ledger: Engine) -> None:
    rise = {"rise": {"times": 2, "from_nights": 2, "from_steps": 2}}
    desk = rehearsing(ledger, "crm", **rise)
    for days, size, stopped in ((0, 2, False), (1, 2, False), (2, 5, True), (3, 5, True), (4, 4, False)):
        night = planned(replace(desk, today=TODAY + timedelta(days=days)), crm_of(size))
        assert broken(night) == ({"crm": ["rise"]} if stopped else {}), days


# --- Overrides ---


def test_an_override_lets_the_plan_pass_until_it_ends_or_is_revoked(ledger: Engine) -> None:
    desk = rehearsing(ledger, "crm", **run_cap(3))

    def give(up_to: float, ends_at: object) -> str:
        with desk.transaction() as db:
            return guards.give_override(
                db,
                system="crm",
                guard=Guard.RUN_CAP,
                up_to=up_to,
                given_by="dpo",
                ends_at=ends_at,  # type: ignore[arg-type]
            )

    give(9, NOW)
    assert broken(planned(desk, crm_of(4))) == {"crm": ["run-cap"]}
    override = give(4, NOW + timedelta(hours=1))
    assert broken(planned(desk, crm_of(4))) == {}
    assert broken(planned(desk, crm_of(5))) == {"crm": ["run-cap"]}
    with desk.transaction() as db:
        assert guards.revoke_override(db, override, "dpo")
        assert not guards.revoke_override(db, override, "dpo")
    assert broken(planned(desk, crm_of(4))) == {"crm": ["run-cap"]}


# --- The never-delete list ---


def test_a_plan_that_touches_a_protected_person_or_record_is_invalid_as_a_whole(ledger: Engine) -> None:
    desk = rehearsing(ledger, "crm")
    crm = crm_of(3)
    with desk.transaction() as db:
        who = Identifier(IdentifierKind.EMAIL, "CRM-1@example.com")
        entry = protected.add_person(db, desk.keyring, who, "dpo")
    assert broken(planned(desk, crm)) == {"crm": ["protected"]}
    with desk.transaction() as db:
        assert protected.remove(db, entry, "dpo")
    assert broken(planned(desk, crm)) == {}
    with desk.transaction() as db:
        protected.add_record(db, desk.keyring, RecordRef("crm", "person", next(iter(crm.records))), "dpo")
    assert broken(planned(desk, crm)) == {"crm": ["protected"]}


def test_a_person_protected_after_the_plan_was_approved_stops_it_too(ledger: Engine) -> None:
    desk = rehearsing(ledger, "crm")
    crm = crm_of(2)
    night = planned(desk, crm)
    night.approve()
    with desk.transaction() as db:
        protected.add_person(db, desk.keyring, Identifier(IdentifierKind.EMAIL, "crm-1@example.com"), "dpo")
    with pytest.raises(NotApproved, match="protected"):
        night.carry_out("crm")
    assert len(crm.records) == 2


# --- The account behind a system ---


def test_another_account_than_the_first_one_seen_is_not_even_read(ledger: Engine) -> None:
    desk = rehearsing(ledger, "crm")
    Night(desk, [MemoryConnector(crm_of(1))]).run()
    elsewhere = crm_of(2)
    elsewhere.tenant = "another-tenant"
    night = Night(desk, [MemoryConnector(elsewhere)])
    with pytest.raises(OtherAccount, match="crm: stopped by guard other-account"):
        night.read()
    with desk.transaction() as db:
        assert plans.of_sweep(db, night.sweep.sweep_id) == []
        tenants.accept(db, "crm", "another-tenant", "dpo")
    assert broken(night) == {"crm": ["other-account"]}
    assert broken(planned(desk, elsewhere)) == {}
