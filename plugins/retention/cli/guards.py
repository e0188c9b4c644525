"""Which limits were lifted, and for how long? Overrides of guards, and the account behind a system."""

from __future__ import annotations

from datetime import timedelta

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, desk, who_may_approve
from retention.limits import OVERRIDABLE, Guard
from retention.store import audit_log, guards, tenants

LONGEST = 7 * 24
COLUMNS = ("override_id", "system", "guard", "up_to", "given_by", "ends_at", "revoked_at")


@click.group("guards")
def command() -> None:
    """What stops a plan as a whole (see the policy), and how somebody who may approve lets one pass, for a time."""


@command.command("override")
@click.argument("guard", type=click.Choice([guard.value for guard in OVERRIDABLE]))
@click.option("--system", required=True, help="The system it is for.")
@click.option("--up-to", "up_to", type=click.FloatRange(min=0), required=True, help="The number that may pass.")
@click.option("--hours", type=click.IntRange(1, LONGEST), default=72, show_default=True, help="How long it lasts.")
@click.option("--by", "who", required=True, help="Who lifts it: one of the policy's approvers.")
@as_json_option
def override(guard: str, system: str, up_to: float, hours: int, who: str, as_json: bool) -> None:
    """Let the next plans of a system pass a guard up to a number, until the hours are over."""
    here = desk()
    here.policy.refuse_unknown(system)
    who_may_approve(here, who)
    ends_at = here.now() + timedelta(hours=hours)
    with here.transaction() as db:
        given = guards.give_override(db, system=system, guard=Guard(guard), up_to=up_to, given_by=who, ends_at=ends_at)
        entry = here.entry(
            audit.Event.GUARD_OVERRIDDEN,
            system=system,
            reference=given,
            reasons=(Guard(guard),),
            count=int(up_to),
            actor=who,
            role=audit.Role.DPO,
        )
        audit_log.append(db, [entry])
    answer = {"override": given, "system": system, "guard": guard, "up_to": up_to, "ends_at": ends_at}
    tell(answer, as_json, f"{system}: {guard} may go up to {up_to:g} until {ends_at:%Y-%m-%d %H:%M} UTC ({given})")


@command.command("list")
@as_json_option
def list_overrides(as_json: bool) -> None:
    """All overrides, newest first, with those that ended or were revoked."""
    with desk().transaction() as db:
        found = [{name: getattr(one, name) for name in COLUMNS} for one in guards.overrides(db)]
    tell_rows(found, COLUMNS, as_json, "no guard was ever overridden")


@command.command("revoke")
@click.argument("override_id")
@click.option("--by", "who", required=True, help="Who ends it.")
@as_json_option
def revoke(override_id: str, who: str, as_json: bool) -> None:
    """End an override now."""
    here = desk()
    with here.transaction() as db:
        if not guards.revoke_override(db, override_id, who):
            raise Unusable("no override of that id is in force: see `guards list`")
        entry = here.entry(audit.Event.GUARD_OVERRIDE_REVOKED, reference=override_id, actor=who, role=audit.Role.DPO)
        audit_log.append(db, [entry])
    tell({"revoked": override_id}, as_json, f"revoked {override_id}")


@command.command("accept")
@click.argument("system")
@click.option("--by", "who", required=True, help="Who accepts it: one of the policy's approvers.")
@as_json_option
def accept(system: str, who: str, as_json: bool) -> None:
    """Accept the other account that a SYSTEM was last seen to lead to, which stopped it."""
    here = desk()
    here.policy.refuse_unknown(system)
    who_may_approve(here, who)
    with here.transaction() as db:
        tenant = tenants.last_seen(db, system)
        if tenant is None or tenant == tenants.known(db, system):
            raise Unusable(f"{system} leads to the account already accepted: there is nothing to accept")
        tenants.accept(db, system, tenant, who)
        entry = here.entry(audit.Event.ACCOUNT_ACCEPTED, system=system, actor=who, role=audit.Role.DPO)
        audit_log.append(db, [entry])
    tell({"system": system, "tenant": tenant}, as_json, f"{system} may lead to account {tenant} from now on")
