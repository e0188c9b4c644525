"""Do keys come back from a backup as they were, only under their passphrase, and only undamaged?"""

from __future__ import annotations

import json

import pytest

from retention import key_backup
from retention.key_backup import BackupUnusable

FILES = {"keys.json": '{"generations": []}', "signing.key": "PRIVATE+KEY+…\n"}
PASSPHRASE = "a long enough passphrase"


@pytest.fixture(scope="module")
def backup() -> str:
    return key_backup.encrypt(FILES, PASSPHRASE)


def test_what_was_put_in_comes_out(backup: str) -> None:
    assert key_backup.decrypt(backup, PASSPHRASE) == FILES


def test_two_backups_of_the_same_keys_share_no_secret_bytes(backup: str) -> None:
    other = json.loads(key_backup.encrypt(FILES, PASSPHRASE))
    assert all(json.loads(backup)[part] != other[part] for part in ("salt", "nonce", "sealed"))


def test_nothing_of_the_keys_can_be_read_in_the_file(backup: str) -> None:
    assert "generations" not in backup
    assert "PRIVATE" not in backup


def test_another_passphrase_opens_nothing(backup: str) -> None:
    with pytest.raises(BackupUnusable, match="passphrase is another one"):
        key_backup.decrypt(backup, PASSPHRASE + " ")


@pytest.mark.parametrize("part", ["salt", "nonce", "sealed"])
def test_a_damaged_backup_opens_nothing(backup: str, part: str) -> None:
    raw = json.loads(backup)
    first = raw[part][0]
    raw[part] = ("B" if first == "A" else "A") + raw[part][1:]
    with pytest.raises(BackupUnusable, match="damaged"):
        key_backup.decrypt(json.dumps(raw), PASSPHRASE)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"salt": 1, "nonce": 2, "sealed": 3}'])
def test_what_is_no_backup_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BackupUnusable, match="no backup"):
        key_backup.decrypt(text, PASSPHRASE)


def test_a_cheaper_derivation_than_ours_is_refused(backup: str) -> None:
    raw = json.loads(backup)
    raw["scrypt"]["n"] = 2
    with pytest.raises(BackupUnusable, match="another way"):
        key_backup.decrypt(json.dumps(raw), PASSPHRASE)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(BackupUnusable, match="at least 12"):
        key_backup.encrypt(FILES, "short")
