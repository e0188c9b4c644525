"""Is the policy right, what does it affect, who approved it, and why is a record due?"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from retention import effect as effects
from retention import explain as explaining
from retention import policy_approval
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, desk, policy_folder
from retention.policy import Policy, load, published
from retention.store import policy_approvals
from retention.store.desk import Desk
from retention.vocabulary import RecordRef

folder_option = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="The policy's folder; default: the one in use."
)
EFFECT_COLUMNS = ("system", "rule", "verdict", "before", "after", "difference")


@click.group("policy")
def command() -> None:
    """The policy as data: check it, see what it affects, approve it, and have a decision explained."""


@command.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@as_json_option
def check(folder: Path | None, as_json: bool) -> None:
    """Validate the policy files of FOLDER; exit code 2 and a line per mistake (file, line, place, fix) if wrong."""
    found = _load(folder)
    rules = found.schedule.rules
    answer = {
        "digest": found.digest,
        "rules": [
            {"rule": r.rule, "applies_to": [c.value for c in r.applies_to], "keep": r.keep, "then": r.then}
            for r in rules
        ],
        "systems": list(found.systems),
        "stores": [store.value for store in found.stores],
    }
    lines = [
        f"digest {found.digest}",
        *(f"rule {r.rule}: {', '.join(r.applies_to)}: keep {r.keep}, then {r.then}" for r in rules),
        *(f"system {name}: {system.kind}, {system.regime}, {system.zone}" for name, system in found.systems.items()),
        *(f"store {name.value}: {store.period} from {store.starts_from}" for name, store in found.stores.items()),
    ]
    tell(answer, as_json, "\n".join(lines))


@command.command("stores")
@folder_option
@as_json_option
def stores(folder: Path | None, as_json: bool) -> None:
    """What we ourselves keep about people: how long, from when, who ends it, how and why."""
    rows = [{"store": name.value, **store.model_dump()} for name, store in _load(folder).stores.items()]
    tell_rows(rows, ("store", "period", "starts_from", "ended_by", "end"), as_json, "no stores are declared")


@command.command("schema")
@click.option("--write", is_flag=True, help="Write them; without it only say which are out of date.")
@folder_option
@as_json_option
def schema(write: bool, folder: Path | None, as_json: bool) -> None:
    """The JSON Schemas beside the policy files, for completion in editors; exit code 1 if one is out of date."""
    folder = folder or policy_folder()
    outdated = published.outdated(folder)
    if write:
        published.write(folder)
        tell({"written": outdated}, as_json, f"written: {', '.join(outdated)}" if outdated else "all were current")
        return
    tell({"outdated": outdated}, as_json, f"out of date: {', '.join(outdated)}" if outdated else "all are current")
    if outdated:
        sys.exit(1)


@command.command("effect")
@folder_option
@as_json_option
def effect(folder: Path | None, as_json: bool) -> None:
    """How many known records get which verdict by which rule: under the policy in use, and under that of --folder."""
    here = desk()
    candidate = _load(folder)
    found = _effect(here, candidate)
    if as_json:
        tell(found.as_json(), as_json, "")
        return
    click.echo(f"from policy {found.before}\nto policy   {found.after}")
    rows = [{"rule": line["rule"] or "(whole record)", **_besides_rule(line)} for line in found.as_json()["counts"]]
    tell_rows(rows, EFFECT_COLUMNS, as_json, "no system was read yet: run a dry sweep first")
    for system in found.unread:
        click.echo(f"{system}: was never read wholly, so nothing is known of it: run a dry sweep first")
    for system in found.anew:
        click.echo(f"{system}: more may be concerned: what was read was asked for, and classed, by the policy in use")


@command.command("approve")
@click.option("--by", "who", required=True, help="Who approves; must be on the policy's list of approvers.")
@click.option("--digest", default="", help="The digest that was read (its first 12 digits at least); else asked for.")
@folder_option
@as_json_option
def approve(who: str, digest: str, folder: Path | None, as_json: bool) -> None:
    """Let the pipeline act under this policy. Needs RETENTION_LEDGER_URL with the approver's role."""
    here = desk()
    candidate = _load(folder)
    found = _effect(here, candidate)
    given = digest or click.prompt("digest of the policy you have read", err=True)
    approval = policy_approval.approve(replace(here, policy=candidate), who, given, found.as_json())
    answer = _shown(approval)
    tell(answer, as_json, f"approved {approval.policy_digest} by {approval.approved_by} ({approval.approval_id})")


@command.command("withdraw")
@click.option("--by", "who", required=True, help="Who takes the approval back.")
@click.option("--digest", required=True, help="The whole digest of the policy.")
@as_json_option
def withdraw(who: str, digest: str, as_json: bool) -> None:
    """Take an approval back: from the next batch on nothing is done under that policy."""
    here = desk()
    policy_approval.withdraw(here, who, digest)
    tell({"withdrawn": digest, "by": who}, as_json, f"withdrawn {digest}")


@command.command("approvals")
@as_json_option
def approvals(as_json: bool) -> None:
    """Every approval of a policy ever given, newest first."""
    with desk().transaction() as db:
        rows = [_shown(approval) for approval in policy_approvals.all_approvals(db)]
    columns = ("policy_digest", "approved_by", "approved_at", "withdrawn_by", "withdrawn_at")
    tell_rows(rows, columns, as_json, "no policy was approved yet")


@command.command("explain")
@as_json_option
def explain(as_json: bool) -> None:
    """Why one record is due or not. Reads `SYSTEM KIND ID` as one line of standard input; prints no personal data.

    Exit code 1 if no sweep met the record: it was within its period and nobody had opted out, or it is not there.
    """
    here = desk()
    ref = _asked_record(here)
    found = explaining.explain(here, ref)
    if found is None:
        says = "no sweep met this record: it is within its period and nobody opted out, or there is no such record"
        tell({"verdict": None, "says": says}, as_json, says)
        sys.exit(1)
    tell(found.as_json(), as_json, "\n".join(found.lines()))


def _asked_record(here: Desk) -> RecordRef:
    system, _, rest = sys.stdin.readline().strip().partition(" ")
    kind, _, key = rest.strip().partition(" ")
    if not (system and kind and key.strip()):
        raise Unusable("give system, kind and id of one record on one line of standard input")
    if system not in here.policy.systems:
        raise Unusable(f"no such system in the policy; known: {', '.join(here.policy.systems)}")
    return RecordRef(system, kind, key.strip())


def _load(folder: Path | None) -> Policy:
    return load(folder or policy_folder())


def _effect(here: Desk, candidate: Policy) -> effects.Effect:
    with here.transaction() as db:
        return effects.effect(db, here.policy, candidate, here.today)


def _besides_rule(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "rule"}


def _shown(approval: policy_approvals.PolicyApproval) -> dict[str, Any]:
    return {
        "approval_id": approval.approval_id,
        "policy_digest": approval.policy_digest,
        "approved_by": approval.approved_by,
        "approved_at": approval.approved_at,
        "withdrawn_by": approval.withdrawn_by,
        "withdrawn_at": approval.withdrawn_at,
        "effect": approval.effect,
    }
