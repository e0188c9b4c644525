"""How does the auditor get the log? `audit export DIR` and `audit public-key FILE`, for the stand-alone verifier."""

from __future__ import annotations

from pathlib import Path

import click

from retention.cli.answers import as_json_option, tell
from retention.cli.surroundings import Unusable, ledger, signing_key
from retention.store import audit_log
from retention.store.database import transaction


@click.group("audit")
def command() -> None:
    """The audit log, as files that are checked without our code (tools/verify_audit.py)."""


@command.command("export")
@click.argument("directory", type=click.Path(path_type=Path))
@as_json_option
def export(directory: Path, as_json: bool) -> None:
    """Write the log up to its newest signed checkpoint into an empty DIRECTORY."""
    try:
        with transaction(ledger()) as db:
            written = audit_log.export(db, directory)
    except FileExistsError as error:
        raise Unusable(str(error)) from error
    tell({"entries": written, "directory": str(directory)}, as_json, f"wrote {written} entries to {directory}")


@command.command("public-key")
@click.argument("file", type=click.Path(path_type=Path))
@as_json_option
def public_key(file: Path, as_json: bool) -> None:
    """Write the key that checks the checkpoints to FILE."""
    file.write_text(signing_key().verify_key.text + "\n", encoding="utf-8")
    tell({"file": str(file)}, as_json, f"wrote {file}")
