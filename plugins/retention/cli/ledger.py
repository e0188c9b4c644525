"""How is the ledger kept? `migrate` brings its tables up to date, `tidy` forgets what is past its period."""

from __future__ import annotations

import click

from retention import upkeep
from retention.cli.answers import as_json_option, tell
from retention.cli.surroundings import ROOT, desk, ledger
from retention.store.database import migrate


@click.group("ledger")
def command() -> None:
    """The ledger's tables. Needs RETENTION_LEDGER_URL: `migrate` with the owner's role, `tidy` with the executor's."""


@command.command("migrate")
@as_json_option
def migrate_command(as_json: bool) -> None:
    """Apply the numbered SQL files that are not applied yet."""
    applied = migrate(ledger(), ROOT / "include" / "sql" / "migrations")
    tell({"applied": applied}, as_json, f"applied: {', '.join(applied)}" if applied else "the ledger is up to date")


@command.command("tidy")
@as_json_option
def tidy_command(as_json: bool) -> None:
    """Delete or wipe what is past the period of its store in the policy; the nightly seal does it too."""
    told = {store.value: n for store, n in upkeep.tidy(desk()).items()}
    tell({"tidied": told}, as_json, "\n".join(f"{store}: {n}" for store, n in told.items()))
