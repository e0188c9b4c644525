"""Does the ledger itself forget what is past its period, and nothing else?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from retention import audit
from retention.policy import StoreName, StorePolicy, load
from retention.policy.stores import STARTS_OF_TIDIED, TIDY
from retention.seal import seal
from retention.store import catalogue, database, holds, upkeep
from retention.store.desk import Desk
from retention.upkeep import tidy
from retention.vocabulary import (
    Action,
    ClassFacts,
    DataClass,
    Dated,
    Facts,
    Finding,
    Identifier,
    IdentifierKind,
    LawfulBasis,
    RecordRef,
    Token,
    Transaction,
)
from tests.conftest import ROOT
from tests.holding import hold_on, release
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

SHIPPED = load(ROOT / "include" / "policy").stores
PERSON = Identifier(IdentifierKind.EMAIL, "held@example.com")
KEY = audit.SigningKey("retention.example/audit", b"k" * 32)
REAL_TIME = datetime.now(UTC)
"""Of the database server, which notes when a sweep was sealed; what is "later" counts from here."""


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    system.add(person("old@example.com", date(2019, 1, 1)))
    return system


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    made = desk_for(ledger, "crm")
    desk = replace(made, policy=made.policy.model_copy(update={"stores": SHIPPED}))
    rehearse(desk)
    return desk


def later(desk: Desk, **passed: float) -> Desk:
    return replace(desk, now=lambda: REAL_TIME + timedelta(hours=1) + timedelta(**passed))


def count(desk: Desk, table: str, where: str = "true") -> int:
    with desk.transaction() as db:
        return int(database.one(db, f"SELECT count(*) AS n FROM {table} WHERE {where}").n)


def whole_night(desk: Desk, crm: MemorySystem, tmp_path_factory: pytest.TempPathFactory) -> Night:
    night = Night(desk, [MemoryConnector(crm)])
    assert night.run() == {"crm": {"done": 1, "verified": 1}}
    seal(desk, night.sweep, KEY, tmp_path_factory.mktemp("outside"))
    return night


def test_after_a_night_nothing_is_left_to_forget(
    desk: Desk, crm: MemorySystem, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole_night(desk, crm, tmp_path_factory)

    assert set(tidy(later(desk)).values()) == {0}


@pytest.mark.parametrize(
    ("store", "table", "days"),
    [
        (StoreName.FINDINGS, "findings", 90),
        (StoreName.READINGS, "readings", 397),
        (StoreName.STEPS, "steps", 2193),
        (StoreName.ERASURE_REGISTER, "erasures", 2193),
    ],
)
def test_a_table_is_kept_to_its_period_and_not_longer(
    desk: Desk,
    crm: MemorySystem,
    tmp_path_factory: pytest.TempPathFactory,
    store: StoreName,
    table: str,
    days: int,
) -> None:
    whole_night(desk, crm, tmp_path_factory)
    there = count(desk, table)
    assert there

    tidy(later(desk, days=days - 3))
    assert count(desk, table) == there

    assert tidy(later(desk, days=days + 1))[store] == there
    assert count(desk, table) == 0


def test_a_sweep_with_a_step_under_way_keeps_all_it_knows(
    desk: Desk, crm: MemorySystem, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole_night(desk, crm, tmp_path_factory)
    with desk.transaction() as db:
        database.run(db, "UPDATE steps SET state = 'accepted'")

    went = tidy(later(desk, days=4000))

    assert (went[StoreName.FINDINGS], went[StoreName.STEPS]) == (0, 0)
    assert count(desk, "findings") == 1


def test_where_a_step_that_settled_late_lay_is_wiped(
    desk: Desk, crm: MemorySystem, tmp_path_factory: pytest.TempPathFactory
) -> None:
    crm.has_jobs = False
    night = Night(desk, [MemoryConnector(crm)])
    night.plan()
    night.approve()
    night.carry_out("crm")
    seal(desk, night.sweep, KEY, tmp_path_factory.mktemp("outside"))
    assert count(desk, "steps", "locator IS NOT NULL") == 1  # done, and not read back yet
    assert tidy(later(desk))[StoreName.RECORD_LOCATORS] == 0

    with desk.transaction() as db:
        database.run(db, "UPDATE steps SET state = 'verified'")

    assert tidy(later(desk))[StoreName.RECORD_LOCATORS] == 1
    assert count(desk, "steps", "locator IS NOT NULL OR subjects IS NOT NULL") == 0


def test_a_sweep_nobody_sealed_does_not_keep_addresses_for_ever(desk: Desk, crm: MemorySystem) -> None:
    Night(desk, [MemoryConnector(crm)]).read()

    tidy(later(desk, days=6))
    assert count(desk, "findings", "locator IS NOT NULL AND addresses IS NOT NULL") == 1

    tidy(later(desk, days=8))
    assert count(desk, "findings", "locator IS NOT NULL OR addresses IS NOT NULL") == 0


def test_the_catalogue_of_a_system_that_left_the_policy_goes(desk: Desk, crm: MemorySystem) -> None:
    facts = Facts((ClassFacts(DataClass.DOCUMENT, LawfulBasis.CONSENT, (), Dated(date(2024, 1, 1), "mtime")),))
    with desk.transaction() as db:
        for system in ("crm", "former"):
            item = Finding(RecordRef(system, "txt", "a.txt", "1"), facts)
            catalogue.save(db, desk.keyring, "sweep-1", system, [item], [], lambda moment: moment.date(), ())
            catalogue.save_token(db, desk.keyring, system, Token(b"here"))

    assert tidy(later(desk))[StoreName.CATALOGUE] == 2
    with desk.transaction() as db:
        assert (catalogue.size(db, "crm"), catalogue.size(db, "former")) == (1, 0)
        assert catalogue.token(db, desk.keyring, "former") is None
        assert catalogue.token(db, desk.keyring, "crm") == b"here"


def restricted(desk: Desk, crm: MemorySystem) -> None:
    """A record that a statute keeps: restricted by us, its previous state remembered."""
    crm.records.clear()
    record = person("buyer@example.com", date(2019, 1, 1))
    record.transactions = (Transaction("order", date(2024, 5, 1), False),)
    record.classes = tuple(replace(c, data_class=DataClass.CONTACT_IDENTITY) for c in record.classes[:1])
    crm.add(record)
    night = Night(desk, [MemoryConnector(crm)])
    night.run()
    assert count(desk, "restrictions") == 1


def test_a_previous_value_is_kept_while_its_restriction_stands(desk: Desk, crm: MemorySystem) -> None:
    restricted(desk, crm)

    assert tidy(later(desk, days=3000))[StoreName.PREVIOUS_VALUES] == 0
    assert count(desk, "steps", f"action = '{Action.RESTRICT.value}'") == 1


def test_the_previous_value_of_a_released_restriction_goes(desk: Desk, crm: MemorySystem) -> None:
    restricted(desk, crm)
    with desk.transaction() as db:
        database.run(db, "UPDATE restrictions SET released_at = now()")

    assert tidy(later(desk, days=29))[StoreName.PREVIOUS_VALUES] == 0
    assert tidy(later(desk, days=31))[StoreName.PREVIOUS_VALUES] == 1


def test_the_previous_value_of_a_record_erased_since_goes(desk: Desk, crm: MemorySystem) -> None:
    restricted(desk, crm)
    with desk.transaction() as db:
        database.run(
            db,
            "UPDATE steps SET action = 'erase', state = 'verified', verified_at = now() + interval '1 minute'",
        )

    assert tidy(later(desk, days=31))[StoreName.PREVIOUS_VALUES] == 1


def placed(desk: Desk) -> str:
    return hold_on(desk, PERSON.value)


def test_a_released_hold_goes_after_its_period_and_one_in_force_never(desk: Desk) -> None:
    placed(desk)
    hold_id = placed(desk)
    release(desk, hold_id)

    assert tidy(later(desk, days=2000))[StoreName.LEGAL_HOLDS] == 0
    assert tidy(later(desk, days=2200))[StoreName.LEGAL_HOLDS] == 1
    with desk.transaction() as db:
        assert [hold.state for hold in holds.listed(db)] == ["in_force"]


def test_not_even_the_owner_can_delete_a_hold_in_force(desk: Desk) -> None:
    hold_id = placed(desk)
    with pytest.raises(Exception, match=f"{hold_id} is in force"), desk.transaction() as db:
        database.run(db, "DELETE FROM holds")


def test_what_went_is_counted_in_the_audit_log(
    desk: Desk, crm: MemorySystem, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole_night(desk, crm, tmp_path_factory)
    tidy(later(desk, days=91))

    with desk.transaction() as db:
        bodies = [bytes(row.body) for row in database.rows(db, "SELECT body FROM audit_entries ORDER BY seq")]
    tidied = [body for body in bodies if b"store_tidied" in body]
    assert len(tidied) == 1
    assert b"findings" in tidied[0]


def test_sealing_a_sweep_forgets_what_earlier_ones_left(
    desk: Desk, crm: MemorySystem, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole_night(desk, crm, tmp_path_factory)
    much_later = later(desk, days=91)
    night = Night(much_later, [MemoryConnector(crm)])
    night.run()
    sealed = seal(much_later, night.sweep, KEY, tmp_path_factory.mktemp("outside"))

    assert count(desk, "findings") == 0
    with desk.transaction() as db:
        entries = database.one(db, "SELECT count(*) AS n FROM audit_entries").n
    assert sealed.audit_entries == entries  # the signature covers what was forgotten


def test_a_store_without_a_period_is_left_alone(
    desk: Desk, crm: MemorySystem, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole_night(desk, crm, tmp_path_factory)
    unruled = replace(desk, policy=desk.policy.model_copy(update={"stores": {}}))

    assert tidy(later(unruled, days=4000)) == {}
    assert count(desk, "findings") == 1


def test_the_executor_may_tidy_and_the_approver_may_not(
    desk: Desk, crm: MemorySystem, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole_night(desk, crm, tmp_path_factory)
    hold_id = placed(desk)
    release(desk, hold_id)
    now = REAL_TIME + timedelta(days=4000)
    with desk.transaction() as db:
        database.run(db, "SET LOCAL ROLE retention_executor")
        went = {name: forget(db, SHIPPED[name].period, now, ["crm"]) for name, forget in upkeep.FORGET.items()}
    assert (went[StoreName.STEPS], went[StoreName.LEGAL_HOLDS], went[StoreName.FINDINGS]) == (1, 1, 1)

    with desk.engine.connect() as db:
        database.run(db, "SET LOCAL ROLE retention_approver")
        with pytest.raises(Exception, match="permission denied"):
            upkeep.FORGET[StoreName.FINDINGS](db, "90 days", now, ["crm"])


def test_every_store_that_is_tidied_has_a_way_to_forget_and_no_other() -> None:
    assert set(upkeep.FORGET) == set(STARTS_OF_TIDIED)
    assert {name for name, store in SHIPPED.items() if store.ended_by == TIDY} == set(upkeep.FORGET)


def test_every_period_is_one_that_the_ledger_understands(ledger: Engine) -> None:
    def in_days(store: StorePolicy) -> int:
        with ledger.connect() as db:
            return int(database.one(db, "SELECT extract(epoch FROM CAST(:p AS interval)) AS s", p=store.period).s)

    assert all(in_days(SHIPPED[name]) >= 0 for name in upkeep.FORGET)


def test_every_table_of_the_ledger_belongs_to_a_store_with_a_period(ledger: Engine) -> None:
    with ledger.connect() as db:
        found = database.rows(
            db,
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_type = 'BASE TABLE' AND table_name <> 'schema_migrations'",
        )
    unruled = {row.table_name for row in found} - {table for tables in upkeep.TABLES.values() for table in tables}
    assert not unruled, "say in retention/store/upkeep.py to which store these belong, and in systems.yaml how it ends"
