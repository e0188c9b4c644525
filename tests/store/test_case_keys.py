"""Can a record be followed through the log while its case lives, by nobody afterwards, and does it still verify?"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retention import carry_out, verify
from retention.audit import SigningKey
from retention.seal import seal
from retention.store import audit_log, case_keys, database, trail
from retention.store.case_keys import CaseForgotten, NotYet
from retention.store.database import one, rows, run
from retention.store.desk import Desk
from retention.vocabulary import RecordRef
from tests.conftest import ROOT
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

KEY = SigningKey("retention.example/audit", b"k" * 32)
LATER = datetime(2033, 1, 1, tzinfo=UTC)


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    here = desk_for(ledger, "crm")
    rehearse(here)
    return here


def erased(desk: Desk, crm: MemorySystem, folder: Path) -> tuple[Night, RecordRef]:
    """A sealed night in which one record went."""
    ref = crm.add(person("old@example.com", date(2020, 1, 1)))
    night = Night(desk, [MemoryConnector(crm)])
    night.run()
    seal(desk, night.sweep, KEY, folder)
    return night, ref


def followed(desk: Desk, ref: RecordRef) -> list[tuple[str, str]]:
    with desk.transaction() as db:
        return [(entry["case_key"], entry["event"]) for entry in trail.of_record(db, desk.keyring, ref)]


def test_a_record_is_followed_through_every_case_it_was_in(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    first, ref = erased(desk, crm, tmp_path)
    crm.records[ref.key] = replace(person("old@example.com", date(2020, 1, 1)), number=9, revision=9)
    second = Night(desk, [MemoryConnector(crm)])
    second.run()

    cases = [first.sweep.sweep_id, second.sweep.sweep_id]
    assert followed(desk, ref) == [(case, event) for case in cases for event in ("intent", "outcome", "verified")]
    assert followed(desk, RecordRef("crm", "person", "another")) == []


def test_a_record_is_called_differently_in_each_case(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    _, ref = erased(desk, crm, tmp_path)
    crm.records[ref.key] = replace(person("old@example.com", date(2020, 1, 1)), number=9, revision=9)
    Night(desk, [MemoryConnector(crm)]).run()
    with desk.transaction() as db:
        names = {(e["case_key"], e["record"]) for e in trail.of_record(db, desk.keyring, ref)}
    assert len(names) == 2
    assert len({name for _, name in names}) == 2


def test_after_a_rotation_a_record_is_still_followed(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    _, ref = erased(desk, crm, tmp_path)
    assert len(followed(replace(desk, keyring=desk.keyring.rotated("k2")), ref)) == 3


def test_what_is_settled_tonight_is_written_under_the_key_of_its_own_night(desk: Desk, crm: MemorySystem) -> None:
    ref = crm.add(person("old@example.com", date(2020, 1, 1)))
    crm.bin_until = desk.today + timedelta(days=15)
    first = Night(desk, [MemoryConnector(crm)])
    first.run()
    crm.bin.clear()
    second = Night(desk, [MemoryConnector(crm)])

    carry_out.settle(desk, MemoryConnector(crm), accepted=True)
    verify.verify_earlier(desk, second.sweep.sweep_id, MemoryConnector(crm))

    events = ("intent", "outcome", "settled", "verified")
    assert followed(desk, ref) == [(first.sweep.sweep_id, event) for event in events]


def test_a_destroyed_key_unlinks_its_case_only_and_the_log_verifies(
    desk: Desk, crm: MemorySystem, tmp_path: Path
) -> None:
    first, ref = erased(desk, crm, tmp_path / "outside")
    with desk.transaction() as db:
        case_keys.destroy(db, first.sweep.sweep_id, LATER, "admin")
        case_keys.open_case(db, desk.keyring, first.sweep.sweep_id)  # a key once destroyed does not come back
        row = one(db, "SELECT sealed, destroyed_by FROM case_keys")
        assert (row.sealed, row.destroyed_by) == (None, "admin")

    assert followed(desk, ref) == []
    with desk.transaction() as db, pytest.raises(CaseForgotten):
        case_keys.Names(db, desk.keyring).of(first.sweep.sweep_id, desk.keyring.record_key(ref))
    with desk.transaction() as db:
        audit_log.export(db, tmp_path / "export")
    (tmp_path / "public.key").write_text(KEY.verify_key.text)
    checker = [sys.executable, "-I", str(ROOT / "tools" / "verify_audit.py"), str(tmp_path / "export")]
    [outside] = (tmp_path / "outside").glob("*.txt")
    keys = ["--public-key", str(tmp_path / "public.key"), "--checkpoint", str(outside)]
    checked = subprocess.run([*checker, *keys], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_key_is_not_destroyed_before_its_time(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    crm.add(person("old@example.com", date(2020, 1, 1)))
    crm.bin_until = desk.today + timedelta(days=15)
    night = Night(desk, [MemoryConnector(crm)])
    night.run()
    case = night.sweep.sweep_id

    def refused(now: datetime, because: str) -> None:
        with desk.transaction() as db, pytest.raises(NotYet, match=because):
            case_keys.destroy(db, case, now, "admin")

    refused(LATER, "not sealed")
    seal(desk, night.sweep, KEY, tmp_path)
    refused(LATER, "not settled")
    with desk.transaction() as db:
        run(db, "UPDATE steps SET state = 'verified'")
        run(db, "UPDATE sweeps SET sealed_at = '2026-11-22T04:00Z'")
    refused(datetime(2032, 11, 22, 3, 59, tzinfo=UTC), "not before 2032-11-22")
    with desk.transaction() as db:
        case_keys.destroy(db, case, datetime(2032, 11, 22, 4, 0, tzinfo=UTC), "admin")
    refused(LATER, "already")


@pytest.mark.parametrize(
    ("role", "statement", "may"),
    [
        ("retention_executor", "INSERT INTO case_keys (case_id, sealed, key_id) VALUES ('case-1', 'x', 'k1')", True),
        ("retention_executor", "SELECT sealed FROM case_keys", True),
        ("retention_executor", "UPDATE case_keys SET sealed = NULL, destroyed_at = now()", False),
        ("retention_executor", "DELETE FROM case_keys", False),
        ("retention_executor", "UPDATE incidents SET state = 'closed'", False),
        ("retention_executor", "UPDATE key_generations SET fingerprint = ''", False),
        ("retention_approver", "UPDATE case_keys SET sealed = NULL, destroyed_at = now()", True),
        ("retention_approver", "UPDATE case_keys SET case_id = ''", False),
        ("retention_auditor", "SELECT sealed FROM case_keys", True),
        ("retention_auditor", "UPDATE case_keys SET sealed = NULL", False),
    ],
)
def test_who_runs_may_make_keys_of_cases_and_only_who_approves_may_destroy_them(
    ledger: Engine, role: str, statement: str, may: bool
) -> None:
    with ledger.connect() as db:
        database.run(db, f"SET LOCAL ROLE {role}")
        if may:
            database.run(db, statement)
        else:
            with pytest.raises(Exception, match="permission denied"):
                database.run(db, statement)


def test_the_log_holds_no_key_of_the_ledger(desk: Desk, crm: MemorySystem, tmp_path: Path) -> None:
    _, ref = erased(desk, crm, tmp_path)
    with desk.transaction() as db:
        bodies = b"".join(bytes(row.body) for row in rows(db, "SELECT body FROM audit_entries"))
    assert desk.keyring.record_key(ref).hex().encode() not in bodies
