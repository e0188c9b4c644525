"""Who must not be contacted? Check, add, take over and export the suppression list; addresses by standard input only.

Nothing here takes anybody off the list: only a newer consent does, which a sweep finds in a system and records.
"""

from __future__ import annotations

import csv
import sys
from datetime import date, datetime
from pathlib import Path

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, desk
from retention.store import audit_log, generations, suppression, suppression_count
from retention.store.desk import Desk
from retention.store.suppression import Ground, OptOut
from retention.vocabulary import Identifier, IdentifierKind

DAY = click.DateTime(["%Y-%m-%d"])
by_option = click.option("--by", "who", required=True, help="Who does it; recorded in the audit log.")
on_option = click.option("--on", "day", type=DAY, required=True, help="Day of the opt-out, YYYY-MM-DD.")


@click.group("suppression")
def command() -> None:
    """The list of who must not be contacted: keyed pseudonyms, no addresses."""


@command.command("check")
@as_json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Say yes or no for each address on standard input, one a line; exit code 1 if any may not be contacted."""
    people = _addresses()
    here = desk()
    with here.transaction() as db:
        generations.refuse_unless_complete(db, here.keyring)
        answers = suppression.listed(db, here.keyring, people)
    tell({"suppressed": answers}, as_json, "\n".join("yes" if listed else "no" for listed in answers))
    ctx.exit(1 if any(answers) else 0)


@command.command("add")
@click.option("--reason", type=click.Choice([ground.value for ground in Ground]), required=True, help="Why.")
@on_option
@by_option
@as_json_option
def add(reason: str, day: datetime, who: str, as_json: bool) -> None:
    """Put the addresses on standard input, one a line, on the list."""
    _put_on_list(Ground(reason), day.date(), who, as_json)


@command.command("import")
@on_option
@by_option
@as_json_option
def take_over(day: datetime, who: str, as_json: bool) -> None:
    """Take over a list kept before: addresses on standard input, one a line. It can only add."""
    _put_on_list(Ground.PRIOR_LIST, day.date(), who, as_json)


@command.command("stats")
@as_json_option
def stats(as_json: bool) -> None:
    """How many entries there are, by generation of keys and ground, and how many of them stand."""
    with desk().transaction() as db:
        totals = suppression_count.totals(db)
    rows = [{"key_id": t.key_id, "reason": t.reason, "entries": t.entries, "live": t.live} for t in totals]
    tell_rows(rows, ("key_id", "reason", "entries", "live"), as_json, "the suppression list is empty")


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@as_json_option
def export(file: Path, as_json: bool) -> None:
    """Write the standing entries to FILE as CSV: keyed pseudonyms, key id, channel, day, reason. Never overwrites."""
    with desk().transaction() as db:
        entries = suppression.entries(db)
        try:
            with file.open("x", newline="", encoding="utf-8") as out:
                lines = csv.writer(out)
                lines.writerow(("pseudonym", "key_id", "channel", "opted_out_on", "reason"))
                written = 0
                for entry in entries:
                    lines.writerow((entry.pseudonym, entry.key_id, entry.channel, entry.opted_out_on, entry.reason))
                    written += 1
        except FileExistsError as error:
            raise Unusable(f"{file} exists already: name a new one") from error
    tell({"file": str(file), "entries": written}, as_json, f"wrote {written} entries to {file}")


def _put_on_list(ground: Ground, day: date, who: str, as_json: bool) -> None:
    people = _addresses()
    here = desk()
    if day > here.today:
        raise Unusable("the day of an opt-out cannot lie in the future")
    with here.transaction() as db:
        generations.refuse_unless_complete(db, here.keyring)
        said = [OptOut(identifier, day) for identifier in people]
        changed = suppression.add(db, here.keyring, said, ground, added_by=_actor(here, who))
        entry = here.entry(audit.Event.SUPPRESSED, actor=who, role=audit.Role.DPO, count=changed)
        audit_log.append(db, [entry])
    text = f"{changed} of {len(people)} are new or newer on the list; the others were there, or consented since"
    tell({"given": len(people), "changed": changed}, as_json, text)


def _actor(here: Desk, who: str) -> str:
    return audit.fit_actor(who, here.keyring.current.audit)


def _addresses() -> list[Identifier]:
    people = []
    for number, line in enumerate(sys.stdin, 1):
        value = line.strip()
        if not value:
            continue
        local, _, domain = value.rpartition("@")
        if not local or not domain or any(c.isspace() for c in value):
            raise Unusable(f"line {number} on standard input is no e-mail address; nothing was done")
        people.append(Identifier(IdentifierKind.EMAIL, value))
    if not people:
        raise Unusable("give e-mail addresses on standard input, one a line")
    return people
