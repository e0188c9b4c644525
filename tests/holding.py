"""How does a test place a legal hold, and who are its made-up people?"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from retention.holds import WHOLE, HoldReason, Reach, Scope
from retention.keyring import Keyring
from retention.store import holds
from retention.store.desk import Desk
from retention.store.findings import is_shared
from retention.vocabulary import Identifier, IdentifierKind


def address(value: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, value)


def hold_on(
    desk: Desk,
    *addresses: str,
    everyone: bool = False,
    systems: frozenset[str] = frozenset(),
    reach: Reach = WHOLE,
    review_on: date = date(2027, 5, 1),
) -> str:
    """A hold written down, not waited for; its id."""
    scope = Scope(tuple(map(address, addresses)), everyone, systems, reach)
    with desk.transaction() as db:
        return write_hold(db, desk.keyring, scope, desk.policy.schedule.shared_mailboxes, review_on)


def write_hold(
    db: Connection,
    keyring: Keyring,
    scope: Scope,
    shared_mailboxes: list[str],
    review_on: date = date(2027, 5, 1),
) -> str:
    """The same in somebody's own transaction."""
    hold_id = holds.new_id()
    assert holds.place(
        db,
        keyring,
        hold_id,
        scope,
        matter="matter-1",
        reason=HoldReason.LITIGATION,
        owner="dpo",
        placed_by="dpo",
        review_on=review_on,
        is_role=lambda identifier: is_shared(identifier, shared_mailboxes),
    )
    return hold_id


def release(desk: Desk, hold_id: str) -> None:
    with desk.transaction() as db:
        assert holds.release(db, hold_id, "dpo")
