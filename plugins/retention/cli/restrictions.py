"""Whose data is restricted under Art. 18? Place, note the notice, lift, list. People are named on standard input."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, asked_identifiers, desk
from retention.life_cycles import IllegalMove
from retention.place_hold import MATTER, PATIENCE_SECONDS
from retention.restriction import Ground
from retention.store import audit_log, hold_lock, restrictions
from retention.store.restrictions import Matter

COLUMNS = ("restriction", "state", "ground", "matter", "placed_by", "placed_on", "notice_on", "open_records")


@click.group("restrictions")
def command() -> None:
    """Restriction of processing (Art. 18): the data is stored and not used. Plans and approvals as for everything."""


@command.command("place")
@click.option("--ground", type=click.Choice([g.value for g in Ground]), required=True, help="Which of Art. 18(1).")
@click.option("--matter", required=True, help="Reference of the matter, like case-2026-17; no names.")
@click.option("--by", "who", required=True, help="Who places it; recorded in the audit log.")
@as_json_option
def place(ground: str, matter: str, who: str, as_json: bool) -> None:
    """Restrict a person's data, named on standard input by one identifier a line; planned by the next sweep.

    From now on no step of an older plan destroys it.
    """
    if not MATTER.fullmatch(matter):
        raise Unusable("--matter takes a reference like case-2026-17, no free text and no names")
    here = desk()
    subjects = asked_identifiers()
    with here.transaction() as db:
        placed = restrictions.place(
            db, here.keyring, ground=Ground(ground), matter=matter, subjects=subjects, placed_by=who
        )
        entry = here.entry(
            audit.Event.RESTRICTION_PLACED,
            reference=placed,
            reasons=(Ground(ground),),
            actor=who,
            role=audit.Role.DPO,
            count=len(subjects),
        )
        audit_log.append(db, [entry])
    nothing_runs = hold_lock.calls_have_ended(here.engine, PATIENCE_SECONDS)
    tell(
        {"restriction": placed, "state": "in_force", "nothing_runs": nothing_runs},
        as_json,
        f"placed {placed}; the next sweep plans it"
        + ("" if nothing_runs else "; a call sent before has not ended yet"),
    )
    if not nothing_runs:
        sys.exit(1)


@command.command("notice-sent")
@click.argument("restriction_id")
@click.option("--on", "sent_on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day the notice was sent.")
@click.option("--by", "who", required=True, help="Who sent it; recorded in the audit log.")
@as_json_option
def notice_sent(restriction_id: str, sent_on: datetime, who: str, as_json: bool) -> None:
    """Note that the person was told that the restriction will be lifted: Art. 18(3) wants that first."""
    here = desk()
    day = sent_on.date()
    if day > here.today:
        raise Unusable("--on takes the day on which the notice was sent: not one to come")
    try:
        with here.transaction() as db:
            state = restrictions.notice_sent(db, restriction_id, day, who)
            entry = here.entry(audit.Event.NOTICE_SENT, reference=restriction_id, actor=who, role=audit.Role.DPO)
            audit_log.append(db, [entry])
    except LookupError as error:
        raise Unusable(str(error)) from error
    except IllegalMove as error:
        raise Unusable(f"the notice of {restriction_id} is on record already") from error
    tell(
        {"restriction": restriction_id, "state": state, "notice_on": day},
        as_json,
        f"{restriction_id}: notice of {day.isoformat()} recorded; it may be lifted",
    )


@command.command("lift")
@click.argument("restriction_id")
@click.option("--by", "who", required=True, help="Who lifts it; recorded in the audit log.")
@as_json_option
def lift(restriction_id: str, who: str, as_json: bool) -> None:
    """End a restriction whose notice was sent. The next sweep plans the release of the records we restricted."""
    here = desk()
    try:
        with here.transaction() as db:
            state = restrictions.lift(db, restriction_id, who)
            entry = here.entry(audit.Event.RESTRICTION_LIFTED, reference=restriction_id, actor=who, role=audit.Role.DPO)
            audit_log.append(db, [entry])
    except LookupError as error:
        raise Unusable(str(error)) from error
    except IllegalMove as error:
        raise Unusable(
            f"{restriction_id} cannot be lifted: it is lifted already, or the person was not told (Art. 18(3)):"
            " send the notice, then `restrictions notice-sent`"
        ) from error
    tell({"restriction": restriction_id, "state": state}, as_json, f"lifted {restriction_id}")


@command.command("list")
@as_json_option
def list_restrictions(as_json: bool) -> None:
    """All restrictions, newest first, with how many records still wait for their release."""
    with desk().transaction() as db:
        found = restrictions.listed(db)
    tell_rows([_line(matter) for matter in found], COLUMNS, as_json, "no restrictions")


def _line(matter: Matter) -> dict[str, Any]:
    return {
        "restriction": matter.restriction_id,
        "state": matter.state,
        "ground": matter.ground.value,
        "matter": matter.matter,
        "placed_by": matter.placed_by,
        "placed_on": matter.placed_on,
        "notice_on": matter.notice_on,
        "open_records": matter.open_records,
    }
