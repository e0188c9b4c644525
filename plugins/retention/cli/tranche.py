"""To which part of a first-time backlog is a system narrowed? `tranche set|clear|list`."""

from __future__ import annotations

from datetime import datetime

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, desk, who_may_approve
from retention.store import audit_log, tranches
from retention.tranche import EVERYTHING, Tranche
from retention.vocabulary import DataClass

COLUMNS = ("system", "kinds", "data_classes", "collected_before")


@click.group("tranche")
def command() -> None:
    """A backlog is worked in narrower selections, each with a plan, digest and approval of its own."""


@command.command("set")
@click.argument("system")
@click.option("--kind", "kinds", multiple=True, help="Only records of this kind; may be repeated.")
@click.option(
    "--data-class",
    "data_classes",
    multiple=True,
    type=click.Choice([one.value for one in DataClass]),
    help="Only records that hold nothing else; may be repeated.",
)
@click.option("--collected-before", type=click.DateTime(["%Y-%m-%d"]), help="Only records wholly older than this day.")
@click.option("--by", "who", required=True, help="Who narrows it: one of the policy's approvers.")
@as_json_option
def narrow(
    system: str,
    kinds: tuple[str, ...],
    data_classes: tuple[str, ...],
    collected_before: datetime | None,
    who: str,
    as_json: bool,
) -> None:
    """Plan only this part of what is due in a SYSTEM, from the next sweep on; stopping marketing is not narrowed."""
    here = desk()
    here.policy.refuse_unknown(system)
    who_may_approve(here, who)
    before = collected_before.date() if collected_before else None
    tranche = Tranche(frozenset(kinds), frozenset(data_classes), before)
    if tranche == EVERYTHING:
        raise Unusable("say what to narrow to: --kind, --data-class or --collected-before")
    with here.transaction() as db:
        tranches.narrow(db, system, tranche, who)
        entry = here.entry(
            audit.Event.TRANCHE_SET,
            system=system,
            data_classes=tuple(DataClass(one) for one in sorted(data_classes)),
            actor=who,
            role=audit.Role.DPO,
        )
        audit_log.append(db, [entry])
    tell({"system": system, **_shown(tranche)}, as_json, f"{system} is narrowed, from the next sweep on")


@command.command("clear")
@click.argument("system")
@click.option("--by", "who", required=True, help="Who widens it: one of the policy's approvers.")
@as_json_option
def clear(system: str, who: str, as_json: bool) -> None:
    """Plan everything that is due in a SYSTEM again."""
    here = desk()
    who_may_approve(here, who)
    with here.transaction() as db:
        if not tranches.widen(db, system):
            raise Unusable("that system is not narrowed: see `tranche list`")
        audit_log.append(db, [here.entry(audit.Event.TRANCHE_CLEARED, system=system, actor=who, role=audit.Role.DPO)])
    tell({"system": system}, as_json, f"everything due in {system} is planned again")


@command.command("list")
@as_json_option
def list_tranches(as_json: bool) -> None:
    """The systems that are narrowed."""
    with desk().transaction() as db:
        found = [{"system": system, **_shown(one)} for system, one in tranches.every(db).items()]
    tell_rows(found, COLUMNS, as_json, "no system is narrowed")


def _shown(tranche: Tranche) -> dict[str, object]:
    return {
        "kinds": sorted(tranche.kinds),
        "data_classes": sorted(tranche.data_classes),
        "collected_before": tranche.collected_before,
    }
