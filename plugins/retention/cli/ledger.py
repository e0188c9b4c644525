"""How is the ledger brought up to date? `python -m retention ledger migrate`, as often as you like."""

from __future__ import annotations

import click

from retention.cli.answers import as_json_option, tell
from retention.cli.surroundings import ROOT, ledger
from retention.store.database import migrate


@click.group("ledger")
def command() -> None:
    """The ledger's tables. Needs RETENTION_LEDGER_URL with the role that owns them."""


@command.command("migrate")
@as_json_option
def migrate_command(as_json: bool) -> None:
    """Apply the numbered SQL files that are not applied yet."""
    applied = migrate(ledger(), ROOT / "include" / "sql" / "migrations")
    tell({"applied": applied}, as_json, f"applied: {', '.join(applied)}" if applied else "the ledger is up to date")
