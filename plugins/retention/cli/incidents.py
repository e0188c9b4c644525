"""What should not have happened and waits for a person? List incidents, and close one that was dealt with."""

from __future__ import annotations

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, desk
from retention.store import audit_log, incidents
from retention.store.incidents import Note


@click.group("incidents")
def command() -> None:
    """Restored, re-imported or newly collected people, special categories, a suppression list that shrank."""


@command.command("list")
@click.option("--all", "closed_too", is_flag=True, help="Closed ones too.")
@as_json_option
@click.pass_context
def list_incidents(ctx: click.Context, closed_too: bool, as_json: bool) -> None:
    """List incidents, newest first; exit code 1 if any is open."""
    with desk().transaction() as db:
        found = incidents.listed(db, closed_too=closed_too)
    rows = [
        {
            "incident": i.incident_id,
            "kind": i.kind.value,
            "state": i.state,
            "system": i.system,
            "sweep": i.sweep_id,
            "records": i.records,
            "record_key": i.record_key,
            "at": i.at,
            "note": i.note_code,
            "closed_by": i.closed_by,
        }
        for i in found
    ]
    columns = ("incident", "kind", "state", "system", "sweep", "records", "at", "note", "closed_by")
    tell_rows(rows, columns, as_json, "no incidents")
    ctx.exit(1 if any(i.state == "open" for i in found) else 0)


@command.command("close")
@click.argument("incident_id")
@click.option("--note", type=click.Choice([note.value for note in Note]), required=True, help="How it was dealt with.")
@click.option("--by", "who", required=True, help="Who closes it; recorded in the audit log.")
@as_json_option
def close(incident_id: str, note: str, who: str, as_json: bool) -> None:
    """Record that an incident was dealt with."""
    here = desk()
    with here.transaction() as db:
        actor = audit.fit_actor(who, here.keyring.current.audit)
        if not incidents.close(db, incident_id, Note(note), actor, here.now()):
            raise Unusable(f"no open incident {incident_id}: see `incidents list`")
        entry = here.entry(audit.Event.INCIDENT_CLOSED, reference=incident_id, actor=who, role=audit.Role.DPO)
        audit_log.append(db, [entry])
    tell({"incident": incident_id, "state": "closed", "note": note}, as_json, f"closed {incident_id}: {note}")
