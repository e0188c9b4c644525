"""Do the commands for keys, suppression, incidents and the audit log answer truly, and leave their trace?"""

from __future__ import annotations

import json
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from retention import audit
from retention.__main__ import main
from retention.audit import SigningKey
from retention.keyring import Keyring
from retention.seal import seal
from retention.store import incidents
from retention.store.database import one, rows, run
from retention.store.desk import Desk
from retention.vocabulary import RecordRef
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse

PASSPHRASE = "a long enough passphrase\n"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "keys"
    assert CliRunner().invoke(main, ["keys", "init", str(folder)]).exit_code == 0
    monkeypatch.setenv("RETENTION_KEYS", str(folder / "keys.json"))
    monkeypatch.setenv("RETENTION_SIGNING_KEY", str(folder / "signing.key"))
    return folder


@pytest.fixture
def desk(ledger: Engine, ledger_url: str, keys: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("RETENTION_LEDGER_URL", ledger_url)
    monkeypatch.setenv("AS_OF", "2026-11-22")
    here = desk_for(ledger, "crm")
    rehearse(here)
    return Desk(
        here.engine,
        Keyring.from_json((keys / "keys.json").read_text()),
        here.policy,
        here.today,
        here.code_version,
        here.now,
    )


def said(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(main, words, input=given)


def answer(*words: str, given: str = "", code: int = 0) -> Any:
    result = said(*words, "--json", given=given)
    assert (result.exit_code, result.stderr) == (code, "")
    return json.loads(result.stdout)


def events(desk: Desk, event: audit.Event) -> list[dict[str, Any]]:
    with desk.transaction() as db:
        found = rows(db, "SELECT body FROM audit_entries ORDER BY seq")
    entries = [json.loads(bytes(row.body)) for row in found]
    return [entry for entry in entries if entry["event"] == event]


def sealed_night(desk: Desk, keys: Path) -> tuple[Night, RecordRef]:
    crm = MemorySystem("crm")
    ref = crm.add(person("old@example.com", date(2020, 1, 1)))
    night = Night(desk, [MemoryConnector(crm)])
    night.run()
    seal(desk, night.sweep, SigningKey.parse((keys / "signing.key").read_text()), keys / "outside")
    return night, ref


# --- keys ---


def test_a_rotation_writes_a_new_file_says_what_must_follow_and_overwrites_nothing(keys: Path) -> None:
    before = (keys / "keys.json").read_text()
    result = said("keys", "rotate", str(keys / "keys-2.json"))
    assert result.exit_code == 0
    assert "What must follow" in result.output
    rotated = Keyring.from_json((keys / "keys-2.json").read_text())
    assert rotated.key_ids == ("k2", "k1")
    assert rotated.older[0] == Keyring.from_json(before).current
    assert stat.S_IMODE((keys / "keys-2.json").stat().st_mode) == 0o600

    for target in ("keys-2.json", "keys.json"):
        refused = said("keys", "rotate", str(keys / target))
        assert (refused.exit_code, "never overwritten" in refused.stderr) == (2, True)
    assert (keys / "keys.json").read_text() == before


def test_keys_are_listed_by_name_and_fingerprint_and_never_shown(keys: Path) -> None:
    said("keys", "rotate", str(keys / "keys-2.json"))
    listed = answer("keys", "list", "--from", str(keys / "keys-2.json"))
    assert [(row["key_id"], row["use"]) for row in listed] == [("k2", "write"), ("k1", "look up")]
    secret_values = set(Keyring.from_json((keys / "keys-2.json").read_text()).current.values.values()) - {"k2"}
    assert secret_values.isdisjoint(str(listed).split("'"))


def test_a_backup_is_opened_after_it_was_written_and_restores_the_same_keys(keys: Path, tmp_path: Path) -> None:
    done = answer("keys", "backup", str(tmp_path / "safe"), given=PASSPHRASE)
    assert done["verified"] == ["keys.json", "signing.key"]
    assert list(done["fingerprints"]) == ["k1"]

    restored = answer("keys", "restore", done["file"], str(tmp_path / "again"), given=PASSPHRASE)
    assert restored["key_ids"] == ["k1"]
    for name in ("keys.json", "signing.key"):
        assert (tmp_path / "again" / name).read_text() == (keys / name).read_text()
    assert said("keys", "restore", done["file"], str(tmp_path / "again"), given=PASSPHRASE).exit_code == 2
    wrong = said("keys", "restore", done["file"], str(tmp_path / "other"), given="another passphrase\n")
    assert (wrong.exit_code, "passphrase" in wrong.stderr) == (2, True)
    assert not (tmp_path / "other").exists()


def test_a_backup_under_a_short_passphrase_is_refused_and_leaves_no_file(keys: Path, tmp_path: Path) -> None:
    assert said("keys", "backup", str(tmp_path / "safe"), given="short\n").exit_code == 2
    assert not (tmp_path / "safe").exists()


# --- suppression ---


def test_added_people_are_found_by_checking_and_the_log_says_who_added_how_many(desk: Desk) -> None:
    given = "ann@example.com\nben@example.com\n"
    words = ("--reason", "objection", "--on", "2026-01-01", "--by", "dpo")
    assert answer("suppression", "add", *words, given=given) == {"given": 2, "changed": 2}

    checked = said("suppression", "check", given="Ann@example.com\ncat@example.com\nben+x@example.com\n")
    assert (checked.exit_code, checked.output) == (1, "yes\nno\nyes\n")
    assert answer("suppression", "check", given="cat@example.com\n") == {"suppressed": [False]}
    [entry] = events(desk, audit.Event.SUPPRESSED)
    assert (entry["actor"], entry["role"], entry["count"]) == ("dpo", "dpo", 2)
    with desk.transaction() as db:
        assert one(db, "SELECT added_by FROM suppressions LIMIT 1").added_by == "dpo"


def test_an_import_adds_and_can_take_nobody_off(desk: Desk) -> None:
    said("suppression", "add", "--reason", "opt-out", "--on", "2026-01-01", "--by", "dpo", given="ann@example.com\n")
    words = ("suppression", "import", "--on", "2024-01-01", "--by", "dpo")
    assert answer(*words, given="ann@example.com\nben@example.com\n\n") == {"given": 2, "changed": 1}
    stats = answer("suppression", "stats")
    assert [(row["reason"], row["entries"], row["live"]) for row in stats] == [("opt-out", 1, 1), ("prior-list", 1, 1)]
    assert said("suppression", "check", given="ann@example.com\n").exit_code == 1


@pytest.mark.parametrize("given", ["", "ann@example.com\nno address\n", "@example.com\n", "ann@\n"])
def test_what_is_no_address_stops_the_whole_import_and_is_not_repeated(desk: Desk, given: str) -> None:
    result = said("suppression", "import", "--on", "2024-01-01", "--by", "dpo", given=given)
    assert result.exit_code == 2
    assert "example.com" not in result.stderr
    assert answer("suppression", "stats") == []


def test_an_opt_out_of_tomorrow_is_refused(desk: Desk) -> None:
    result = said("suppression", "import", "--on", "2026-11-23", "--by", "dpo", given="ann@example.com\n")
    assert (result.exit_code, "future" in result.stderr) == (2, True)


def test_the_list_is_exported_as_pseudonyms_and_over_no_other_file(desk: Desk, tmp_path: Path) -> None:
    said("suppression", "import", "--on", "2024-01-01", "--by", "dpo", given="ann@example.com\n")
    file = tmp_path / "list.csv"
    assert answer("suppression", "export", str(file))["entries"] == 1
    header, line = file.read_text().splitlines()
    assert header == "pseudonym,key_id,channel,opted_out_on,reason"
    assert line.split(",")[1:] == ["k1", "email", "2024-01-01", "prior-list"]
    assert "ann" not in line
    assert said("suppression", "export", str(file)).exit_code == 2


def test_with_a_generation_missing_nobody_is_told_that_an_address_is_free(
    desk: Desk, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Night(desk, [MemoryConnector(MemorySystem("crm"))])
    said("keys", "init", str(keys / "other"), "--key-id", "k2")
    monkeypatch.setenv("RETENTION_KEYS", str(keys / "other" / "keys.json"))
    result = said("suppression", "check", given="ann@example.com\n")
    assert (result.exit_code, "also written with keys k1" in result.stderr, result.stdout) == (2, True, "")


# --- incidents ---


def test_an_incident_is_listed_closed_with_a_code_and_recorded(desk: Desk) -> None:
    night = Night(desk, [MemoryConnector(MemorySystem("crm"))])
    with desk.transaction() as db:
        incidents.report(db, night.sweep.sweep_id, "crm", [(incidents.Kind.RESTORED, b"r")])
    [listed] = answer("incidents", "list", code=1)
    assert (listed["kind"], listed["system"], listed["state"]) == ("restored", "crm", "open")

    words = ("incidents", "close", listed["incident"], "--note", "source-mended", "--by", "dpo")
    assert answer(*words)["state"] == "closed"
    assert answer("incidents", "list") == []
    [entry] = events(desk, audit.Event.INCIDENT_CLOSED)
    assert (entry["reference"], entry["actor"]) == (listed["incident"], "dpo")
    assert said(*words).exit_code == 2


# --- audit ---


def test_an_export_is_verified_by_the_stand_alone_checker_and_a_damaged_one_is_bad_news(
    desk: Desk, keys: Path, tmp_path: Path
) -> None:
    sealed_night(desk, keys)
    said("audit", "export", str(tmp_path / "export"))
    [outside] = (keys / "outside").glob("*.txt")
    words = ("audit", "verify", str(tmp_path / "export"), "--public-key", str(keys / "public.key"))
    assert answer(*words, "--checkpoint", str(outside))["verified"]

    entries = tmp_path / "export" / "entries.jsonl"
    entries.write_bytes(entries.read_bytes().replace(b'"event":"intent"', b'"event":"outcom"', 1))
    assert answer(*words, code=1)["said"].startswith("edited")


def test_proofs_from_the_command_line_hold_against_the_signed_root(desk: Desk, keys: Path) -> None:
    sealed_night(desk, keys)
    [outside] = (keys / "outside").glob("*.txt")
    sealed = audit.open_note(outside.read_text(), [audit.VerifyKey.parse((keys / "public.key").read_text())])

    entry = answer("audit", "proof", "entry", "3")
    nodes = [bytes.fromhex(node) for node in entry["proof"]]
    assert audit.verify_inclusion(bytes.fromhex(entry["leaf"]), 3, sealed.size, nodes, sealed.root)
    growth = answer("audit", "proof", "growth", "2")
    nodes = [bytes.fromhex(node) for node in growth["proof"]]
    assert audit.verify_consistency(2, sealed.size, bytes.fromhex(growth["first_root"]), sealed.root, nodes)
    assert said("audit", "proof", "entry", "9999").exit_code == 2
    assert said("audit", "proof", "growth", "9999").exit_code == 2


def test_a_record_is_followed_and_its_case_forgotten_only_after_its_period(
    desk: Desk, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night, ref = sealed_night(desk, keys)
    given = f"{ref.system} {ref.kind} {ref.key}\n"
    assert [entry["event"] for entry in answer("audit", "trail", given=given)] == ["intent", "outcome", "verified"]
    early = said("audit", "forget", night.sweep.sweep_id, "--by", "admin")
    assert (early.exit_code, "kept 6 years" in early.stderr) == (2, True)

    with desk.transaction() as db:
        run(db, "UPDATE sweeps SET sealed_at = :long_ago", long_ago=datetime(2015, 1, 1, tzinfo=UTC))
    assert answer("audit", "forget", night.sweep.sweep_id, "--by", "admin")["state"] == "forgotten"
    assert answer("audit", "trail", given=given) == []
    [case] = answer("audit", "cases")
    assert case["key_destroyed"] is not None
    [entry] = events(desk, audit.Event.KEY_DESTROYED)
    assert (entry["case_key"], entry["actor"], entry["role"]) == (night.sweep.sweep_id, "admin", "administrator")


def test_a_record_that_is_not_named_wholly_is_asked_for_again(desk: Desk) -> None:
    assert said("audit", "trail", given="crm person\n").exit_code == 2
