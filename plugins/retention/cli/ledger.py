"""How is the ledger brought up to date? `python -m retention ledger migrate`, as often as you like."""

from __future__ import annotations

import click

from retention.cli.surroundings import ROOT, Unusable, ledger
from retention.store.database import LedgerUnreachable, MigrationError, migrate


@click.group("ledger")
def command() -> None:
    """The ledger's tables. Needs RETENTION_LEDGER_URL with the migrator's role."""


@command.command("migrate")
def migrate_command() -> None:
    """Apply the numbered SQL files that are not applied yet."""
    try:
        applied = migrate(ledger(), ROOT / "include" / "sql" / "migrations")
    except (LedgerUnreachable, MigrationError) as error:
        raise Unusable(str(error)) from error
    click.echo(f"applied: {', '.join(applied)}" if applied else "the ledger is up to date")
