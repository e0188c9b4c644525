"""Does the ledger itself keep duties apart, grow only, and stand up to two starting at once?"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from retention import audit
from retention.store import audit_log, database
from retention.store.audit_log import LedgerOutdated
from retention.store.database import LedgerUnreachable, MigrationError
from sandbox.stack.postgres import Server
from tests.conftest import MIGRATIONS
from tests.sweeping import desk_for


@pytest.fixture
def empty(postgres: Server) -> str:
    name = f"empty_{secrets.token_hex(6)}"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    return postgres.url(name)


def test_two_workers_that_start_at_once_apply_each_migration_once(empty: str) -> None:
    applied: list[str] = []
    errors: list[Exception] = []

    def start() -> None:
        try:
            applied.extend(database.migrate(database.connect(empty), MIGRATIONS))
        except (MigrationError, psycopg.Error) as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert sorted(applied) == sorted(file.name for file in MIGRATIONS.glob("*.sql"))


def test_a_migration_changed_after_it_was_applied_is_refused(empty: str, tmp_path: Path) -> None:
    file = tmp_path / "0001_first.sql"
    file.write_text("CREATE TABLE first (one int)")
    engine = database.connect(empty)
    database.migrate(engine, tmp_path)
    file.write_text("CREATE TABLE first (two int)")

    with pytest.raises(MigrationError, match=r"0001_first.sql was changed"):
        database.migrate(engine, tmp_path)


def test_a_migration_that_fails_leaves_nothing_half_done(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (one int); SELECT 1/0")
    engine = database.connect(empty)

    with pytest.raises(psycopg.errors.DivisionByZero):
        database.migrate(engine, tmp_path)
    with database.transaction(engine) as db:
        assert database.one(db, "SELECT to_regclass('first') AS there").there is None


def test_an_unreachable_ledger_is_named_without_its_password() -> None:
    engine = database.connect("postgresql://someone:top-secret@127.0.0.1:1/ledger")
    with pytest.raises(LedgerUnreachable) as caught, database.transaction(engine):
        raise AssertionError("not reached")
    assert "127.0.0.1:1/ledger" in str(caught.value)
    assert "top-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("retention_executor", "INSERT INTO approvals VALUES ('a', 's', 'd', 'dpo', now(), now())"),
        ("retention_executor", "UPDATE switches SET value = 'live' WHERE name = 'mode'"),
        ("retention_executor", "UPDATE holds SET released_at = now()"),
        ("retention_executor", "UPDATE audit_entries SET body = ''"),
        ("retention_executor", "DELETE FROM audit_entries"),
        ("retention_approver", "UPDATE steps SET state = 'planned'"),
        ("retention_approver", "INSERT INTO findings (sweep_id) VALUES ('s')"),
        ("retention_auditor", "INSERT INTO audit_checkpoints (size, note) VALUES (1, '')"),
        ("retention_auditor", "UPDATE approvals SET digest = ''"),
    ],
)
def test_each_role_can_only_do_its_own_duty(ledger: Engine, role: str, statement: str) -> None:
    with ledger.connect() as db:
        database.run(db, f"SET LOCAL ROLE {role}")
        with pytest.raises(Exception, match="permission denied"):
            database.run(db, statement)


@pytest.mark.parametrize("table", ["audit_entries", "audit_checkpoints", "approvals"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_even_the_owner_cannot_change_what_only_grows(ledger: Engine, table: str, verb: str) -> None:
    column = {"audit_entries": "seq", "audit_checkpoints": "size", "approvals": "digest"}[table]
    with pytest.raises(Exception, match="the audit log only grows"), ledger.begin() as db:
        database.run(db, verb.format(table, column, column))


def signed(ledger: Engine, folder: Path, key: audit.SigningKey, entries: int, run: str = "sweep-0000") -> None:
    desk = desk_for(ledger, "crm")
    with desk.transaction() as db:
        audit_log.append(db, [desk.entry(audit.Event.SWEEP_OPENED, run=run) for _ in range(entries)])
        audit_log.write_outside(folder, audit_log.seal(db, key))


@pytest.fixture
def key() -> audit.SigningKey:
    return audit.SigningKey("retention.example/audit", secrets.token_bytes(32))


def test_a_ledger_restored_from_an_older_copy_refuses_to_run(
    ledger: Engine, tmp_path: Path, key: audit.SigningKey, postgres: Server, migrated: str
) -> None:
    signed(ledger, tmp_path, key, 3)
    with ledger.begin() as db:
        audit_log.refuse_if_outdated(db, tmp_path, key.verify_key)

    older = f"older_{secrets.token_hex(6)}"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {older} TEMPLATE {migrated}")
    restored = database.connect(postgres.url(older))
    with restored.begin() as db, pytest.raises(LedgerOutdated, match="restored from"):
        audit_log.refuse_if_outdated(db, tmp_path, key.verify_key)

    signed(restored, tmp_path / "elsewhere", key, 5, run="sweep-0001")
    with restored.begin() as db, pytest.raises(LedgerOutdated, match="not the one signed outside"):
        audit_log.refuse_if_outdated(db, tmp_path, key.verify_key)
    restored.dispose()


def test_a_checkpoint_that_vanished_or_is_forged_stops_everything(
    ledger: Engine, tmp_path: Path, key: audit.SigningKey
) -> None:
    signed(ledger, tmp_path, key, 1)
    other = audit.SigningKey(key.name, secrets.token_bytes(32))
    with ledger.begin() as db, pytest.raises(LedgerOutdated, match="cannot be believed"):
        audit_log.refuse_if_outdated(db, tmp_path, other.verify_key)
    with ledger.begin() as db, pytest.raises(LedgerOutdated, match="no outside checkpoint"):
        audit_log.refuse_if_outdated(db, tmp_path / "gone", key.verify_key)
