"""Who may act at all? `mode` says how far the pipeline goes, `live` lets it reach real systems, `stop` ends it."""

from __future__ import annotations

import click

from retention import audit, brake
from retention.cli.answers import as_json_option, tell
from retention.cli.surroundings import Unusable, desk, who_may_approve
from retention.live import missing
from retention.store import audit_log, sweeps
from retention.store.sweeps import Mode


@click.command("mode")
@click.argument("mode", required=False, type=click.Choice([Mode.DRY.value, Mode.REHEARSAL.value]))
@click.option("--by", "who", default="", help="Who switches it; recorded in the audit log.")
@as_json_option
def mode(mode: str | None, who: str, as_json: bool) -> None:
    """Show the mode, or set it to dry (plans only) or rehearsal (acts on loopback systems only); see also `live`."""
    here = desk()
    with here.transaction() as db:
        if mode is None:
            set_to = sweeps.mode(db).value
            tell({"mode": set_to}, as_json, set_to)
            return
        if not who:
            raise Unusable("say who switches: --by USER")
        sweeps.set_switch(db, "mode", mode, who)
        audit_log.append(db, [here.entry(audit.Event.LIVE_SWITCHED, actor=who)])
    tell({"mode": mode}, as_json, f"mode is {mode}")


@click.command("live")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--system", default="", help="The permission of one system; without it: the mode of the pipeline.")
@click.option("--by", "who", required=True, help="Who switches it: one of the policy's approvers.")
@as_json_option
def live(state: str, system: str, who: str, as_json: bool) -> None:
    """Let the pipeline act on real systems, or end that. A system acts only if both are on: the mode and its own."""
    here = desk()
    if system:
        here.policy.refuse_unknown(system)
    with here.transaction() as db:
        if state == "on":
            who_may_approve(here, who)
            if lacking := missing(here, db, system):
                raise Unusable("live mode stays off: " + "; ".join(lacking))
        mode_of_all = Mode.LIVE if state == "on" else Mode.DRY
        sweeps.set_switch(db, f"live:{system}" if system else "mode", state if system else mode_of_all.value, who)
        audit_log.append(db, [here.entry(audit.Event.LIVE_SWITCHED, system=system, actor=who)])
    tell({"live": state, "system": system or None}, as_json, f"live is {state} for {system or 'the pipeline'}")


@click.command("stop")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--system", default="", help="One system only; default: all.")
@click.option("--by", "who", required=True, help="Who throws it; recorded in the audit log.")
@as_json_option
def stop(state: str, system: str, who: str, as_json: bool) -> None:
    """Throw or reset the kill switch: the call in flight ends, none follows."""
    (brake.throw if state == "on" else brake.lift)(desk(), who, system)
    tell({"stop": state, "system": system or None}, as_json, f"stop is {state} for {system or 'all systems'}")
