"""Whose data may not be touched? Legal holds: place, keep, release, list, due. People are named on standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import Unusable, asked_identifiers, desk
from retention.holds import HoldReason, Reach, Scope, first_review
from retention.place_hold import (
    MATTER,
    PATIENCE_SECONDS,
    Acknowledgement,
    how_they_ended,
    place_hold,
    release_hold,
)
from retention.store import audit_log, holds
from retention.store.desk import Desk
from retention.store.holds import Call, Hold
from retention.vocabulary import DataClass

COLUMNS = ("hold", "state", "matter", "reason", "owner", "people", "systems", "data_classes", "collected", "review_on")
CALL_COLUMNS = ("step", "system", "action", "since", "state", "job", "settle_on")
DAY = click.DateTime(["%Y-%m-%d"])


@click.group("holds")
def command() -> None:
    """Legal holds beat every rule. People are named on standard input, one identifier a line, never by argument."""


@command.command("place")
@click.option("--matter", required=True, help="Reference of the matter, like case-2026-17; no names.")
@click.option(
    "--reason",
    type=click.Choice([r.value for r in HoldReason]),
    default=HoldReason.LITIGATION.value,
    show_default=True,
    help="Why the data must be kept.",
)
@click.option("--owner", default="", help="Who answers for the hold and reviews it; default: who places it.")
@click.option("--system", "systems", multiple=True, help="Only these systems; default: all.")
@click.option(
    "--class",
    "classes",
    multiple=True,
    type=click.Choice([c.value for c in DataClass]),
    help="Only these data classes; default: all.",
)
@click.option("--collected-from", type=DAY, help="Only what was collected on this day or later, or nobody knows when.")
@click.option("--collected-to", type=DAY, help="Only what was collected on this day or earlier, or nobody knows when.")
@click.option(
    "--everyone", is_flag=True, help="Over whole systems or data classes, whoever it is about; reads no standard input."
)
@click.option("--review-on", type=DAY, help="When to ask whether it is still needed; default: in six months.")
@click.option("--by", "who", required=True, help="Who places it; recorded in the audit log.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0.0),
    default=PATIENCE_SECONDS,
    show_default=True,
    help="How many seconds the answer may wait for requests that are under way.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0.0),
    default=0.0,
    help="Wait so many seconds more, to say how those named ended.",
)
@as_json_option
def place(
    matter: str,
    reason: str,
    owner: str,
    systems: tuple[str, ...],
    classes: tuple[str, ...],
    collected_from: datetime | None,
    collected_to: datetime | None,
    everyone: bool,
    review_on: datetime | None,
    who: str,
    patience: float,
    wait: float,
    as_json: bool,
) -> None:
    """Place a hold. When this answers, no call on what it covers starts any more; calls that were under way are
    named, and the exit code is then 1."""
    here = desk()
    _refuse_unless_reference(matter)
    if unknown := [s for s in systems if s not in here.policy.systems]:
        raise Unusable(f"no system {unknown[0]!r} in the policy; known: {', '.join(here.policy.systems)}")
    reach = Reach(frozenset(map(DataClass, classes)), _day(collected_from), _day(collected_to))
    try:
        scope = Scope(() if everyone else asked_identifiers(), everyone, frozenset(systems), reach)
    except ValueError as error:
        raise Unusable(str(error)) from error
    acknowledged = place_hold(
        here,
        scope,
        matter=matter,
        reason=HoldReason(reason),
        owner=owner or who,
        placed_by=who,
        review_on=_day(review_on) or first_review(here.today),
        patience=patience,
    )
    calls = how_they_ended(here, acknowledged, wait) if wait and acknowledged.calls else acknowledged.calls
    answer = {
        "hold": acknowledged.hold_id,
        "nothing_runs": acknowledged.nothing_runs,
        "calls": [_call_line(c) for c in calls],
    }
    tell(answer, as_json, _acknowledged(acknowledged))
    if not as_json and calls:
        tell_rows([_call_line(c) for c in calls], CALL_COLUMNS, as_json, "")
    if calls or not acknowledged.nothing_runs:
        sys.exit(1)


@command.command("keep")
@click.argument("hold_id")
@click.option("--until", type=DAY, help="When to ask again; default: in six months.")
@click.option("--by", "who", required=True, help="Who looked at it; recorded in the audit log.")
@as_json_option
def keep(hold_id: str, until: datetime | None, who: str, as_json: bool) -> None:
    """Say after a review that a hold is still needed."""
    here = desk()
    review_on = _day(until) or first_review(here.today)
    if review_on <= here.today:
        raise Unusable("--until takes a day after today")
    with here.transaction() as db:
        if not holds.keep(db, hold_id, review_on):
            raise Unusable(f"no hold {hold_id} in force")
        audit_log.append(db, [_entry(here, audit.Event.HOLD_REVIEWED, hold_id, who)])
    tell({"hold": hold_id, "review_on": review_on}, as_json, f"{hold_id} stands; next review {review_on.isoformat()}")


@command.command("release")
@click.argument("hold_id")
@click.option("--by", "who", required=True, help="Who releases it; recorded in the audit log.")
@as_json_option
def release(hold_id: str, who: str, as_json: bool) -> None:
    """End a hold. What no other hold protects is decided afresh by the next sweep, never by an older plan."""
    here = desk()
    if not release_hold(here, hold_id, who):
        raise Unusable(f"no hold {hold_id} in force")
    tell({"hold": hold_id, "state": "released"}, as_json, f"released {hold_id}")


@command.command("list")
@as_json_option
def list_holds(as_json: bool) -> None:
    """All holds, newest first."""
    with desk().transaction() as db:
        found = holds.listed(db)
    tell_rows([_line(hold) for hold in found], COLUMNS, as_json, "no holds")


@command.command("due")
@as_json_option
def due(as_json: bool) -> None:
    """Holds in force whose review day has come; exit code 1 if there is any."""
    here = desk()
    with here.transaction() as db:
        found = holds.listed(db, due_on=here.today)
    tell_rows([_line(hold) for hold in found], COLUMNS, as_json, "no hold is due for review")
    if found:
        sys.exit(1)


def _entry(here: Desk, event: audit.Event, hold_id: str, who: str) -> audit.Entry:
    return here.entry(event, reference=hold_id, actor=who, role=audit.Role.DPO)


def _refuse_unless_reference(matter: str) -> None:
    if not MATTER.fullmatch(matter):
        raise Unusable("--matter takes a reference like case-2026-17, no free text and no names")


def _acknowledged(acknowledged: Acknowledgement) -> str:
    text = f"placed {acknowledged.hold_id}"
    if not acknowledged.nothing_runs:
        return f"{text}; a request that was let go before has not ended yet: nothing but these steps can still happen"
    calls: Sequence[Call] = acknowledged.calls
    return f"{text}; these steps were begun before it" if calls else f"{text}; no call was under way"


def _call_line(call: Call) -> dict[str, Any]:
    return {
        "step": call.step_id,
        "system": call.system,
        "action": call.action.value,
        "since": call.since,
        "state": call.state,
        "job": "at the vendor" if call.has_job else None,
        "settle_on": call.settle_on,
    }


def _line(hold: Hold) -> dict[str, Any]:
    first, last = hold.reach.collected_from, hold.reach.collected_to
    return {
        "hold": hold.hold_id,
        "state": hold.state,
        "matter": hold.matter,
        "reason": hold.reason.value,
        "owner": hold.owner,
        "people": hold.subjects or "everyone",
        "systems": hold.systems or "all",
        "data_classes": sorted(hold.reach.data_classes) or "all",
        "collected": f"{first or ''}..{last or ''}" if first or last else "any day",
        "placed_by": hold.placed_by,
        "placed_at": hold.placed_at,
        "review_on": hold.review_on,
    }


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
