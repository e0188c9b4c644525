"""Whose data may not be touched? Legal holds: place, list, release. The person is named on standard input."""

from __future__ import annotations

from datetime import timedelta

import click

from retention import audit
from retention.cli.surroundings import Unusable, asked_identifier, desk
from retention.store import audit_log, people
from retention.store.database import LedgerUnreachable


@click.group("holds")
def command() -> None:
    """Legal holds beat every rule. The person's address is read from standard input, never from an argument."""


@command.command("place")
@click.option("--matter", required=True, help="Reference of the matter; no names.")
@click.option("--system", "systems", multiple=True, help="Only these systems; default: all.")
@click.option("--by", "who", required=True, help="Who places it.")
def place(matter: str, systems: tuple[str, ...], who: str) -> None:
    """Place a hold; when this returns, no call on the person's records starts any more."""
    here = desk()
    if unknown := [s for s in systems if s not in here.policy.systems]:
        raise Unusable(f"no system {unknown[0]!r} in the policy; known: {', '.join(here.policy.systems)}")
    try:
        with here.transaction() as db:
            hold_id = people.place_hold(
                db,
                here.keyring,
                matter=matter,
                identifier=asked_identifier(),
                systems=systems,
                placed_by=who,
                review_on=here.today + timedelta(days=182),
            )
            audit_log.append(db, [here.entry(audit.Event.HOLD_PLACED, reference=hold_id, actor=who)])
    except LedgerUnreachable as error:
        raise Unusable(str(error)) from error
    click.echo(f"placed {hold_id}")


@command.command("release")
@click.argument("hold_id")
@click.option("--by", "who", required=True, help="Who releases it.")
def release(hold_id: str, who: str) -> None:
    """End a hold; the next sweep decides afresh."""
    here = desk()
    try:
        with here.transaction() as db:
            if not people.release_hold(db, hold_id, who):
                raise Unusable(f"no hold {hold_id} in force")
            audit_log.append(db, [here.entry(audit.Event.HOLD_RELEASED, reference=hold_id, actor=who)])
    except LedgerUnreachable as error:
        raise Unusable(str(error)) from error
    click.echo(f"released {hold_id}")


@command.command("list")
def list_holds() -> None:
    """All holds, newest first."""
    try:
        with desk().transaction() as db:
            for hold in people.holds(db):
                state = "released" if hold.released else "in force"
                scope = ",".join(hold.systems) or "all"
                click.echo(f"{hold.hold_id}  {state}  {hold.matter}  systems={scope}  review {hold.review_on}")
    except LedgerUnreachable as error:
        raise Unusable(str(error)) from error
