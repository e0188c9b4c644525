"""How are keys kept for the day the secret store is lost? Encrypted under a passphrase: scrypt, then AES-256-GCM.

The file says how it was made and holds nothing that can be read without the passphrase; changed in any byte, it opens
no more.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from retention.impediment import Impediment

FORMAT = "retention-key-backup/v1"
SHORTEST_PASSPHRASE = 12
COST = 2**16  # 64 MiB and about a third of a second for each guess
_SALT_BYTES, _NONCE_BYTES = 16, 12


class BackupUnusable(Impediment):
    """The passphrase is too short or another one, or the file is damaged or none of ours."""


def encrypt(files: Mapping[str, str], passphrase: str) -> str:
    """Files by name, as one text to be kept apart from the passphrase."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BackupUnusable(f"the passphrase is too short: give at least {SHORTEST_PASSPHRASE} characters")
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_key(passphrase, salt, COST)).encrypt(nonce, json.dumps(dict(files)).encode(), FORMAT.encode())
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    encoded = {name: base64.b64encode(value).decode() for name, value in parts.items()}
    return json.dumps({"format": FORMAT, "scrypt": {"n": COST, "r": 8, "p": 1}, **encoded}, indent=2) + "\n"


def decrypt(text: str, passphrase: str) -> dict[str, str]:
    """The opposite of `encrypt`."""
    try:
        raw = json.loads(text)
        salt, nonce, sealed = (base64.b64decode(raw[name], validate=True) for name in ("salt", "nonce", "sealed"))
        known = raw["format"] == FORMAT and raw["scrypt"] == {"n": COST, "r": 8, "p": 1}
    except (json.JSONDecodeError, KeyError, TypeError, binascii.Error) as error:
        raise BackupUnusable("this file is no backup of retention keys, or it is damaged") from error
    if not known:
        raise BackupUnusable("this backup of keys was made in another way than this version of the code knows")
    try:
        opened = AESGCM(_key(passphrase, salt, COST)).decrypt(nonce, sealed, FORMAT.encode())
    except (InvalidTag, ValueError) as error:
        raise BackupUnusable("the passphrase is another one, or the backup is damaged") from error
    files: dict[str, str] = json.loads(opened)
    return files


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())
