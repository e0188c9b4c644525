"""Who may act at all? `mode` says how far the pipeline goes, `stop` is the kill switch."""

from __future__ import annotations

import click

from retention import audit
from retention.cli.answers import as_json_option, tell
from retention.cli.surroundings import Unusable, desk
from retention.store import audit_log, sweeps
from retention.store.sweeps import Mode


@click.command("mode")
@click.argument("mode", required=False, type=click.Choice([m.value for m in Mode]))
@click.option("--by", "who", default="", help="Who switches it; recorded in the audit log.")
@as_json_option
def mode(mode: str | None, who: str, as_json: bool) -> None:
    """Show or set the mode: dry (plans only), rehearsal (acts on loopback systems only), live."""
    here = desk()
    with here.transaction() as db:
        if mode is None:
            set_to = sweeps.mode(db).value
            tell({"mode": set_to}, as_json, set_to)
            return
        if not who:
            raise Unusable("say who switches: --by USER")
        if mode == Mode.LIVE and sweeps.on_embedded_server(db):
            raise Unusable("live mode is refused on the embedded server: connect a PostgreSQL of your own")
        sweeps.set_switch(db, "mode", mode, who)
        audit_log.append(db, [here.entry(audit.Event.LIVE_SWITCHED, actor=who)])
    tell({"mode": mode}, as_json, f"mode is {mode}")


@click.command("stop")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--system", default="", help="One system only; default: all.")
@click.option("--by", "who", required=True, help="Who throws it; recorded in the audit log.")
@as_json_option
def stop(state: str, system: str, who: str, as_json: bool) -> None:
    """Throw or reset the kill switch: the call in flight ends, none follows."""
    here = desk()
    if system and system not in here.policy.systems:
        raise Unusable(f"no system {system!r} in the policy; known: {', '.join(here.policy.systems)}")
    with here.transaction() as db:
        sweeps.set_switch(db, f"stop:{system}" if system else "stop", state, who)
        audit_log.append(db, [here.entry(audit.Event.KILL_SWITCH, system=system, actor=who)])
    tell({"stop": state, "system": system or None}, as_json, f"stop is {state} for {system or 'all systems'}")
