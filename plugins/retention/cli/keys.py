"""Where do the keys come from, how are they changed, and how are they got back? Files for your secret store."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click

from retention import audit, key_backup
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable
from retention.keyring import Keyring

WHAT_FOLLOWS = """\
What must follow, in this order:
  1. make a backup of the new file: keys backup FOLDER --from {to}
  2. put the new file in your secret store in place of the old one; it holds the older keys too
  3. start the next sweep: it keys catalogue and restrictions anew, and drops plans made under the older keys
The older keys stay in the file for look-up: without them nobody put on the suppression list, under a hold or in the
erasure register before would be found."""


@click.group("keys")
def command() -> None:
    """Pseudonym, encryption and signing keys. Whoever loses them cannot read the ledger again."""


@command.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--key-id", default="k1", show_default=True, help="Names this generation of keys.")
@click.option("--origin", default="retention.example/audit", show_default=True, help="Names the audit log.")
@as_json_option
def init(folder: Path, key_id: str, origin: str, as_json: bool) -> None:
    """Write keys.json and signing.key into FOLDER; refuses to overwrite."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signing = audit.SigningKey(origin, secrets.token_bytes(32))
    _write(folder / "keys.json", Keyring.generate(key_id).to_json())
    _write(folder / "signing.key", signing.text + "\n")
    _write(folder / "public.key", signing.verify_key.text + "\n")
    said = f"wrote keys.json, signing.key and public.key to {folder}: move them to your secret store"
    tell({"folder": str(folder), "key_ids": [key_id]}, as_json, said)


@command.command("rotate")
@click.argument("to", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    envvar="RETENTION_KEYS",
    required=True,
    type=click.Path(path_type=Path),
    help=("The key file in use; default: RETENTION_KEYS."),
)
@as_json_option
def rotate(to: Path, source: Path, as_json: bool) -> None:
    """Write a new key file TO: a fresh generation to write with, and all older ones to look up with."""
    before = _keyring(source)
    newest = max(int(key_id.removeprefix("k")) for key_id in before.key_ids)
    after = before.rotated(f"k{newest + 1}")
    _write(to, after.to_json())
    said = f"wrote {to}: current {after.key_id}, older {', '.join(before.key_ids)}\n" + WHAT_FOLLOWS.format(to=to)
    tell({"file": str(to), "current": after.key_id, "older": list(before.key_ids)}, as_json, said)


@command.command("list")
@click.option(
    "--from",
    "source",
    envvar="RETENTION_KEYS",
    required=True,
    type=click.Path(path_type=Path),
    help=("The key file; default: RETENTION_KEYS."),
)
@as_json_option
def list_keys(source: Path, as_json: bool) -> None:
    """Names and fingerprints of the generations in a key file; never a key."""
    keyring = _keyring(source)
    rows = [
        {"key_id": generation.key_id, "fingerprint": generation.fingerprint, "use": use}
        for generation, use in zip(keyring.generations, ("write", *["look up"] * len(keyring.older)), strict=True)
    ]
    tell_rows(rows, ("key_id", "fingerprint", "use"), as_json, "no keys")


@command.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    envvar="RETENTION_KEYS",
    required=True,
    type=click.Path(path_type=Path),
    help=("The key file; default: RETENTION_KEYS."),
)
@click.option(
    "--signing",
    envvar="RETENTION_SIGNING_KEY",
    type=click.Path(path_type=Path),
    help=("The signing key; default: RETENTION_SIGNING_KEY."),
)
@as_json_option
def backup(folder: Path, source: Path, signing: Path | None, as_json: bool) -> None:
    """Write the keys into FOLDER, encrypted under the passphrase on standard input, and open what was written."""
    keyring = _keyring(source)
    files = {"keys.json": keyring.to_json()}
    if signing is not None:
        files["signing.key"] = _signing(signing).text + "\n"
    passphrase = _passphrase()
    path = folder / f"retention-keys-{keyring.key_id}.backup"
    encrypted = key_backup.encrypt(files, passphrase)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(path, encrypted)
    again = key_backup.decrypt(path.read_text(encoding="utf-8"), passphrase)
    if again != files or Keyring.from_json(again["keys.json"]) != keyring:
        raise Unusable(f"{path} does not open to what was put in: do not rely on it")
    fingerprints = {generation.key_id: generation.fingerprint for generation in keyring.generations}
    verified = ", ".join(f"{key_id} {fingerprint}" for key_id, fingerprint in fingerprints.items())
    said = f"wrote {path}\nread back and opened: {', '.join(files)}; generations {verified}"
    tell({"file": str(path), "verified": sorted(files), "fingerprints": fingerprints}, as_json, said)


@command.command("restore")
@click.argument("backup_file", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@as_json_option
def restore(backup_file: Path, folder: Path, as_json: bool) -> None:
    """Open BACKUP_FILE with the passphrase on standard input and write the keys into FOLDER; never overwrites."""
    files = key_backup.decrypt(backup_file.read_text(encoding="utf-8"), _passphrase())
    keyring = Keyring.from_json(files["keys.json"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("keys.json", "signing.key"):
        if name in files:
            _write(folder / name, files[name])
    said = f"wrote {', '.join(sorted(files))} to {folder}: generations {', '.join(keyring.key_ids)}"
    tell({"folder": str(folder), "files": sorted(files), "key_ids": list(keyring.key_ids)}, as_json, said)


def _keyring(path: Path) -> Keyring:
    return Keyring.from_json(_read(path))


def _signing(path: Path) -> audit.SigningKey:
    try:
        return audit.SigningKey.parse(_read(path))
    except ValueError as error:
        raise Unusable(str(error)) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{path} cannot be read: name the key file you have in use") from error


def _write(path: Path, text: str) -> None:
    """Write a secret for its owner's eyes only, and never over another one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Unusable(f"{path} exists already; keys are never overwritten") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _passphrase() -> str:
    return sys.stdin.readline().rstrip("\r\n")
