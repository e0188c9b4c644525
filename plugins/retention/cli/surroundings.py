"""Where do ledger and keys come from on the command line? Environment variables, named in every error.

RETENTION_LEDGER_URL: postgresql://user:password@host:port/database, the role decides what the command may do;
RETENTION_LEDGER_URL_FILE: a file with that, where no secret may stand in the environment.
RETENTION_KEYS: a file with the pseudonym and encryption keys. RETENTION_SIGNING_KEY: a file with the signing key.
RETENTION_SMTP_URL: the mail server, for letters to subjects. RETENTION_COPIES: the folder where their copies lie.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from retention import audit
from retention.keyring import Keyring
from retention.naming import identifiers_in
from retention.policy import load
from retention.requests.mailer import SmtpMailer, mailer_of
from retention.store import database
from retention.store.desk import Desk
from retention.vocabulary import Identifier

ROOT = Path(__file__).resolve().parents[3]


class Unusable(click.ClickException):
    """The command cannot run: a clear line on standard error, exit code 2."""

    exit_code = 2


def ledger() -> database.Engine:
    """The ledger, under the role of the URL."""
    if not os.environ.get("RETENTION_LEDGER_URL") and os.environ.get("RETENTION_LEDGER_URL_FILE"):
        return database.connect(_file("RETENTION_LEDGER_URL_FILE").read_text(encoding="utf-8").strip())
    return database.connect(_variable("RETENTION_LEDGER_URL"))


def keyring() -> Keyring:
    """The keys of this deployment."""
    return Keyring.from_json(_file("RETENTION_KEYS").read_text(encoding="utf-8"))


def signing_key() -> audit.SigningKey:
    """The key that signs the audit log."""
    try:
        return audit.SigningKey.parse(_file("RETENTION_SIGNING_KEY").read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unusable(str(error)) from error


def mailer() -> SmtpMailer | None:
    """The mail server of RETENTION_SMTP_URL; None where letters go by post."""
    url = os.environ.get("RETENTION_SMTP_URL")
    return mailer_of(url) if url else None


def copies_folder() -> Path:
    """The folder of RETENTION_COPIES: that of the Airflow connection `retention_copies`."""
    folder = Path(_variable("RETENTION_COPIES"))
    if not folder.is_dir():
        raise Unusable(f"RETENTION_COPIES names {folder.name}, which is no folder here")
    return folder


def desk() -> Desk:
    """Everything a command works with."""
    return Desk(ledger(), keyring(), load(policy_folder()), today(), os.environ.get("RETENTION_VERSION", ""))


def policy_folder() -> Path:
    """Where the policy in use lies: what RETENTION_POLICY says, or as shipped."""
    return Path(os.environ.get("RETENTION_POLICY") or ROOT / "include" / "policy")


def who_may_approve(here: Desk, who: str) -> None:
    """Refuse whoever is not on the policy's list of approvers; the database role is the other half of this."""
    if who not in here.policy.schedule.approval.approvers:
        raise Unusable("--by: only an approver of the policy may do this (approval.approvers)")


def today() -> date:
    """Today, or what AS_OF says."""
    fixed = os.environ.get("AS_OF")
    try:
        return date.fromisoformat(fixed) if fixed else datetime.now(UTC).date()
    except ValueError as error:
        raise Unusable("AS_OF is no day: write it as YYYY-MM-DD, or leave it out") from error


def asked_identifier() -> Identifier:
    """The one identifier on standard input."""
    found = asked_identifiers()
    if len(found) > 1:
        raise Unusable("give one identifier on standard input, not several")
    return found[0]


def asked_identifiers() -> tuple[Identifier, ...]:
    """Identifiers of people from standard input, one a line: never arguments, where other users could read them.

    Nothing at all is refused.
    """
    return identifiers_in(sys.stdin)


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise Unusable(f"{name} is not set: see `python -m retention ledger --help`")
    return value


def _file(name: str) -> Path:
    path = Path(_variable(name))
    if not path.is_file():
        made = "" if name.endswith("_URL_FILE") else ": make it with `python -m retention keys init`"
        raise Unusable(f"{name} names {path.name}, which cannot be read{made}")
    return path
