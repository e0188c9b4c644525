"""What waits for a person, since when, and what do they decide? `review list`, `review decide`, `review reveal`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

from retention import answer_review, audit
from retention.answer_review import Decided
from retention.cli.answers import SHOWN, as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, desk
from retention.review import Choice
from retention.store import audit_log, reports, review
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.review import Item, Wanted

F = TypeVar("F", bound=Callable[..., Any])
COLUMNS = ("item", "system", "kind", "reasons", "rules", "days", "state", "decision", "record")


@click.group("review")
def command() -> None:
    """Records that the rules put before a person. Nothing is destroyed while they wait."""


def _filters(function: F) -> F:
    for option in (
        click.option("--item", "item_id", default="", help="One item of the queue."),
        click.option("--system", default="", help="Items of this system only."),
        click.option("--rule", default="", help="Items under this rule of the schedule only."),
        click.option("--reason", default="", help="Items with this reason code only, like RET_NO_START."),
    ):
        function = option(function)
    return function


@command.command("list")
@_filters
@click.option("--decided", is_flag=True, help="Also those that are decided and not yet settled.")
@click.option("--by-rule", is_flag=True, help="Count by system, rule and reason instead of listing items.")
@as_json_option
def list_items(item_id: str, system: str, rule: str, reason: str, decided: bool, by_rule: bool, as_json: bool) -> None:
    """What waits, the oldest first, with how long everything has waited and the digest that `decide` may be held to."""
    here = desk()
    wanted = Wanted(item_id, system, reason, rule, ("waiting", "decided") if decided else ("waiting",))
    with here.transaction() as db:
        found = review.items(db, wanted)
        ages = reports.review_ages(db, here.today)
    waiting = [item for item in found if item.state == "waiting"]
    lines = _counted(found) if by_rule else [_line(here, item) for item in found]
    if as_json:
        tell({"ages": ages, "digest": review.digest(waiting), "items": lines}, as_json, "")
        return
    tell_rows(lines, ("system", "rule", "reason", "records") if by_rule else COLUMNS, as_json, "nothing waits")
    click.echo(
        f"{ages['waiting']} waiting in all: median {ages['median_days']} days, oldest {ages['oldest_days']} days,"
        f" {ages['over_30_days']} over 30 days, {ages['over_90_days']} over 90 days"
    )
    click.echo(f"digest of the {len(waiting)} listed that wait: {review.digest(waiting)}")


@command.command("decide")
@_filters
@click.option("--decision", type=click.Choice([c.value for c in Choice]), required=True, help="What is decided.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="keep: until this day.  [default: one year]")
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="collected-on: the day it was collected.")
@click.option("--by", "who", required=True, help="Who decides; recorded in the audit log.")
@click.option("--only-if", "expected", default="", help="Refuse unless this is the digest that `list` showed.")
@click.option("--yes", is_flag=True, help="Do not ask for the number of items.")
@as_json_option
def decide(
    item_id: str,
    system: str,
    rule: str,
    reason: str,
    decision: str,
    until: datetime | None,
    on: datetime | None,
    who: str,
    expected: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Decide on everything the filters name, after showing how much that is; the next sweep acts on it.

    An erasure becomes a step of the next plan, which needs its own approval. A hold, a restriction, an open access
    request and a statutory keep outrank every decision.
    """
    here = desk()
    choice, wanted = Choice(decision), Wanted(item_id, system, reason, rule)
    if not any((item_id, system, reason, rule)):
        raise Unusable("say which items: --item, --system, --rule or --reason; all of them at once is no decision")
    decided = Decided(choice, until.date() if until else None, on.date() if on else None)
    decided.on(here.today)
    listed = answer_review.listed(here, wanted, choice)
    shown = review.digest(listed)
    if expected and expected != shown:
        raise Unusable("the queue is not as it was listed: list it again; nothing was decided")
    _confirm(listed, yes, as_json)
    answer_review.decide(here, wanted, shown, decided, who)
    answer = {"decided": len(listed), "decision": choice.value, "digest": shown}
    tell(answer, as_json, f"decided {choice.value} on {len(listed)} items")


@command.command("reveal")
@click.argument("item_id")
@click.option("--by", "who", required=True, help="Who looks; recorded in the ledger and in the audit log.")
@as_json_option
def reveal(item_id: str, who: str, as_json: bool) -> None:
    """Show the vendor's id (or path) of a waiting record, to look it up in the vendor's screen; who did is noted."""
    here = desk()
    with here.transaction() as db:
        item = _open_item(db, item_id)
        vendor_id = review.reveal(db, here.keyring, item_id, who)
        if vendor_id is None:
            raise Unusable(f"where the record of {item_id} lies is no longer kept")
        audit_log.append(db, [answer_review.entry(here, audit.Event.REVIEW_REVEALED, item, who)])
    answer = {"item": item_id, "system": item.system, "kind": item.kind, "vendor_id": vendor_id}
    tell(answer, as_json, f"{item.system} {item.kind} {vendor_id}")


def _open_item(db: Connection, item_id: str) -> Item:
    found = review.items(db, Wanted(item_id, states=("waiting", "decided")))
    if not found:
        raise Unusable(f"no open item {item_id} in the queue")
    return found[0]


def _line(here: Desk, item: Item) -> dict[str, Any]:
    return {
        "item": item.item_id,
        "system": item.system,
        "kind": item.kind,
        "record": item.record_key.hex()[:SHOWN],
        "data_classes": item.data_classes,
        "reasons": item.reasons,
        "rules": item.rules,
        "first_seen": item.first_seen,
        "days": (here.today - item.first_seen).days,
        "state": item.state,
        "decision": item.decision,
        "until": item.until,
        "decided_by": item.decided_by,
    }


def _counted(found: Sequence[Item]) -> list[dict[str, Any]]:
    counts = Counter((i.system, rule, reason) for i in found for rule in i.rules for reason in i.reasons)
    return [
        {"system": system, "rule": rule, "reason": reason, "records": n}
        for (system, rule, reason), n in sorted(counts.items())
    ]


def _confirm(listed: Sequence[Item], yes: bool, as_json: bool) -> None:
    for line in _counted(listed):
        click.echo(f"{line['system']}: {line['rule']}: {line['reason']}: {line['records']}", err=True)
    if yes:
        return
    if as_json:
        raise Unusable("with --json nobody is asked: add --yes, and --only-if with the digest that `list` showed")
    typed = click.prompt(f"Type {len(listed)} to decide on all {len(listed)}", err=True, default="", show_default=False)
    if typed.strip() != str(len(listed)):
        raise Unusable("that is not their number: nothing was decided")
