"""How is the ledger kept? `migrate` brings its tables up to date, `login` makes logins, `tidy` forgets what is past its
period."""

from __future__ import annotations

import sys

import click

from retention import upkeep
from retention.cli.answers import as_json_option, tell
from retention.cli.surroundings import ROOT, Unusable, desk, ledger
from retention.store import logins
from retention.store.database import migrate

SHORTEST_PASSWORD = 16


@click.group("ledger")
def command() -> None:
    """Tables and logins of the ledger. Needs RETENTION_LEDGER_URL: the owner's role, for `tidy` the executor's."""


@command.command("migrate")
@as_json_option
def migrate_command(as_json: bool) -> None:
    """Apply the numbered SQL files that are not applied yet."""
    applied = migrate(ledger(), ROOT / "include" / "sql" / "migrations")
    tell({"applied": applied}, as_json, f"applied: {', '.join(applied)}" if applied else "the ledger is up to date")


@command.command("login")
@click.argument("duty", type=click.Choice([duty.value for duty in logins.Duty]))
@as_json_option
def login_command(duty: str, as_json: bool) -> None:
    """Make the database login of a DUTY, or change its password, which is read from standard input."""
    password = sys.stdin.readline().strip()
    if len(password) < SHORTEST_PASSWORD:
        raise Unusable(f"give a password of {SHORTEST_PASSWORD} characters or more on standard input")
    name = logins.make(ledger(), logins.Duty(duty), password)
    tell({"login": name, "role": f"retention_{duty}"}, as_json, f"login {name} is a member of retention_{duty}")


@command.command("tidy")
@as_json_option
def tidy_command(as_json: bool) -> None:
    """Delete or wipe what is past the period of its store in the policy; the nightly seal does it too."""
    told = {store.value: n for store, n in upkeep.tidy(desk()).items()}
    tell({"tidied": told}, as_json, "\n".join(f"{store}: {n}" for store, n in told.items()))
