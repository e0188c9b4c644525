"""Who and what may never be deleted? The never-delete list: staff, test sentinels, objects of our own."""

from __future__ import annotations

import sys

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, asked_identifier, desk, who_may_approve
from retention.store import audit_log, protected
from retention.vocabulary import RecordRef

COLUMNS = ("entry_id", "what", "system", "added_by", "added_at", "removed_at")


@click.group("protected")
def command() -> None:
    """A plan that touches anything on this list is invalid as a whole. Only keyed pseudonyms are stored."""


@command.command("add")
@click.option("--system", default="", help="For one record: the system it lies in.")
@click.option("--kind", default="", help="For one record: its kind there.")
@click.option("--by", "who", required=True, help="Who protects it: one of the policy's approvers.")
@as_json_option
def add(system: str, kind: str, who: str, as_json: bool) -> None:
    """Protect the person whose address, or (with --system and --kind) the record whose id is on standard input."""
    here = desk()
    who_may_approve(here, who)
    if bool(system) != bool(kind):
        raise Unusable("a record is named by --system and --kind together, and its id on standard input")
    if system:
        here.policy.refuse_unknown(system)
    with here.transaction() as db:
        if system:
            entry_id = protected.add_record(db, here.keyring, RecordRef(system, kind, _asked_record()), who)
        else:
            entry_id = protected.add_person(db, here.keyring, asked_identifier(), who)
        entry = here.entry(audit.Event.PROTECTED, system=system, reference=entry_id, actor=who, role=audit.Role.DPO)
        audit_log.append(db, [entry])
    tell({"protected": entry_id}, as_json, f"protected {entry_id}")


@command.command("list")
@as_json_option
def list_entries(as_json: bool) -> None:
    """All entries, newest first; whom they are about cannot be read from them."""
    with desk().transaction() as db:
        found = [{name: getattr(one, name) for name in COLUMNS} for one in protected.entries(db)]
    tell_rows(found, COLUMNS, as_json, "nothing is protected")


@command.command("remove")
@click.argument("entry_id")
@click.option("--by", "who", required=True, help="Who removes it: one of the policy's approvers.")
@as_json_option
def remove(entry_id: str, who: str, as_json: bool) -> None:
    """Take an entry off the list."""
    here = desk()
    who_may_approve(here, who)
    with here.transaction() as db:
        if not protected.remove(db, entry_id, who):
            raise Unusable("no entry of that id is on the list: see `protected list`")
        entry = here.entry(audit.Event.UNPROTECTED, reference=entry_id, actor=who, role=audit.Role.DPO)
        audit_log.append(db, [entry])
    tell({"removed": entry_id}, as_json, f"removed {entry_id}")


def _asked_record() -> str:
    key = sys.stdin.readline().strip()
    if not key:
        raise Unusable("give the record's id on standard input")
    return key
