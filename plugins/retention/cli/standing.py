"""Which plans may run without asking? Standing approvals: given in advance for named reasons, systems and a number."""

from __future__ import annotations

from datetime import date, datetime

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, desk, who_may_approve
from retention.store import audit_log, standing
from retention.verdicts import ReasonCode

COLUMNS = ("name", "systems", "reasons", "max_steps", "ends_on", "given_by", "revoked_at")


@click.group("standing")
def command() -> None:
    """An answer given in advance lets quiet nights run; it is bound to the policy as it is now, and it ends."""


@command.command("give")
@click.argument("title")
@click.option("--reason", "reasons", multiple=True, required=True, help="Reason code it covers; may be repeated.")
@click.option("--system", "systems", multiple=True, required=True, help="System it covers; may be repeated.")
@click.option("--max-steps", type=click.IntRange(min=1), required=True, help="Most steps per system and sweep.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Its last day.")
@click.option("--by", "who", required=True, help="Who gives it: one of the policy's approvers.")
@as_json_option
def give(
    title: str,
    reasons: tuple[str, ...],
    systems: tuple[str, ...],
    max_steps: int,
    until: datetime,
    who: str,
    as_json: bool,
) -> None:
    """Let plans run without a question that hold only these reasons, in these systems, up to this number."""
    here = desk()
    who_may_approve(here, who)
    for system in systems:
        here.policy.refuse_unknown(system)
    if unknown := [reason for reason in reasons if reason not in set(ReasonCode)]:
        raise Unusable(f"no reason code {unknown[0]!r}: the approval text of a plan shows them")
    if not title.replace("-", "").isalnum() or title != title.lower() or not title.isascii() or len(title) > 40:
        raise Unusable("call it by at most 40 small letters, digits and hyphens")
    last_day: date = until.date()
    if last_day < here.today:
        raise Unusable("its last day is over: name a day to come")
    with here.transaction() as db:
        if not standing.give(
            db,
            name=title,
            reasons=reasons,
            systems=systems,
            max_steps=max_steps,
            policy_digest=here.policy.digest,
            given_by=who,
            ends_on=last_day,
        ):
            raise Unusable(f"{title!r} was given before: take another name, so that the log stays clear")
        entry = here.entry(
            audit.Event.STANDING_APPROVAL_GIVEN,
            actor=who,
            role=audit.Role.DPO,
            approver=f"{standing.APPROVER}{title}",
            reasons=tuple(ReasonCode(reason) for reason in reasons),
            count=max_steps,
        )
        audit_log.append(db, [entry])
    tell({"standing": title, "ends_on": last_day}, as_json, f"{title} covers up to {max_steps} steps until {last_day}")


@command.command("list")
@as_json_option
def list_given(as_json: bool) -> None:
    """All standing approvals, newest first, with those that ended or were revoked."""
    with desk().transaction() as db:
        found = [{name: getattr(one, name) for name in COLUMNS} for one in standing.every(db)]
    tell_rows(found, COLUMNS, as_json, "no standing approval was ever given")


@command.command("revoke")
@click.argument("title")
@click.option("--by", "who", required=True, help="Who revokes it.")
@as_json_option
def revoke(title: str, who: str, as_json: bool) -> None:
    """End a standing approval now; a plan it let run stops before its next batch."""
    here = desk()
    with here.transaction() as db:
        if not standing.revoke(db, title):
            raise Unusable("no standing approval of that name is in force: see `standing list`")
        entry = here.entry(
            audit.Event.STANDING_APPROVAL_REVOKED,
            actor=who,
            role=audit.Role.DPO,
            approver=f"{standing.APPROVER}{title}",
        )
        audit_log.append(db, [entry])
    tell({"revoked": title}, as_json, f"revoked {title}")
