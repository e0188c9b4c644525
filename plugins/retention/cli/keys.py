"""Where do the keys come from? `python -m retention keys init FOLDER` makes a fresh set, for your secret store."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from retention import audit
from retention.cli.surroundings import Unusable
from retention.keyring import Keyring


@click.group("keys")
def command() -> None:
    """Pseudonym, encryption and signing keys. Whoever loses them cannot read the ledger again."""


@command.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--key-id", default="k1", show_default=True, help="Names this generation of keys.")
@click.option("--origin", default="retention.example/audit", show_default=True, help="Names the audit log.")
def init(folder: Path, key_id: str, origin: str) -> None:
    """Write keys.json and signing.key into FOLDER; refuses to overwrite."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signing = audit.SigningKey(origin, secrets.token_bytes(32))
    for name, text in (
        ("keys.json", Keyring.generate(key_id).to_json()),
        ("signing.key", signing.text + "\n"),
        ("public.key", signing.verify_key.text + "\n"),
    ):
        try:
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise Unusable(f"{folder / name} exists already; keys are never overwritten") from None
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
    click.echo(f"wrote keys.json, signing.key and public.key to {folder}: move them to your secret store")
