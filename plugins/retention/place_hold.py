"""How is a legal hold placed and released, and what may be said when it is? First it counts, then it is acknowledged.

`store/hold_lock.py` has the protocol and why it holds. The acknowledgement names every step under the hold that was at
a vendor when it was placed: what those did cannot be taken back, but may be stopped or recovered there by a person.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from retention import audit
from retention.holds import HoldReason, Scope
from retention.impediment import Impediment
from retention.store import audit_log, hold_lock, holds
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.findings import is_shared
from retention.store.holds import Call

PATIENCE_SECONDS = 30.0
"""How long the acknowledgement waits for requests under way; most answer within a second."""
LOOK_AGAIN_SECONDS = 0.5
MATTER = re.compile(r"[A-Za-z]{1,12}-[0-9]{1,4}(?:-[0-9]{1,6})?")
"""A matter like case-2026-17: no place for a name, an address or a telephone number."""


class NotThisHold(Impediment):
    """The id a hold was to be placed under is another one's; nothing was placed."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A hold that counts. With `nothing_runs` no call on what it covers starts after this; else only those named."""

    hold_id: str
    calls: tuple[Call, ...]
    nothing_runs: bool  # every request sent before the hold has ended


def place_hold(
    desk: Desk,
    scope: Scope,
    *,
    matter: str,
    reason: HoldReason,
    owner: str,
    placed_by: str,
    review_on: date,
    patience: float = PATIENCE_SECONDS,
    hold_id: str = "",
) -> Acknowledgement:
    """Place a hold and acknowledge it; what is under way when it is placed is named, the rest never starts.

    Placed again under the `hold_id` it was given, it is only acknowledged again: a form may be sent twice.
    """
    with desk.transaction() as db:
        hold_id = write_down(
            db,
            desk,
            scope,
            matter=matter,
            reason=reason,
            owner=owner,
            placed_by=placed_by,
            review_on=review_on,
            hold_id=hold_id,
        )
    return acknowledge(desk, hold_id, patience)


def write_down(
    db: Connection,
    desk: Desk,
    scope: Scope,
    *,
    matter: str,
    reason: HoldReason,
    owner: str,
    placed_by: str,
    review_on: date,
    hold_id: str = "",
) -> str:
    """Write a hold and its audit entry, to count once the transaction is committed; `acknowledge` it after that."""
    roles = desk.policy.schedule.shared_mailboxes
    hold_id = hold_id or holds.new_id()
    written = holds.place(
        db,
        desk.keyring,
        hold_id,
        scope,
        matter=matter,
        reason=reason,
        owner=owner,
        placed_by=placed_by,
        review_on=review_on,
        is_role=lambda identifier: is_shared(identifier, roles),
    )
    if not written:
        if not holds.is_placed_by(db, hold_id, matter, placed_by):
            raise NotThisHold(f"{hold_id} is another hold, placed before: open the form again")
        return hold_id
    entry = desk.entry(
        audit.Event.HOLD_PLACED,
        reference=hold_id,
        reasons=(reason,),
        data_classes=tuple(sorted(scope.reach.data_classes)),
        actor=placed_by,
        role=audit.Role.DPO,
        count=len(scope.subjects),
    )
    audit_log.append(db, [entry])
    return hold_id


def acknowledge(desk: Desk, hold_id: str, patience: float = PATIENCE_SECONDS) -> Acknowledgement:
    """Wait until nothing on what a committed hold covers can start any more; names what was begun before it."""
    nothing_runs = hold_lock.calls_have_ended(desk.engine, patience)
    with desk.transaction() as db:
        return Acknowledgement(hold_id, tuple(holds.calls_met(db, hold_id)), nothing_runs)


def release_hold(desk: Desk, hold_id: str, who: str) -> bool:
    """End a hold; whether one of this id was in force. What no other hold protects is decided afresh by a sweep."""
    with desk.transaction() as db:
        if not holds.release(db, hold_id, who):
            return False
        entry = desk.entry(audit.Event.HOLD_RELEASED, reference=hold_id, actor=who, role=audit.Role.DPO)
        audit_log.append(db, [entry])
    return True


def how_they_ended(
    desk: Desk, acknowledged: Acknowledgement, seconds: float, pause: Callable[[float], None] = time.sleep
) -> tuple[Call, ...]:
    """The calls an acknowledgement named, as they stand once all have ended, or after so many seconds."""
    named = {call.step_id for call in acknowledged.calls}
    waited = 0.0
    while True:
        with desk.transaction() as db:
            now = tuple(call for call in holds.calls_named(db, sorted(named)))
        if waited >= seconds or not any(call.is_out for call in now):
            return now
        pause(LOOK_AGAIN_SECONDS)
        waited += LOOK_AGAIN_SECONDS
