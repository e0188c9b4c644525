"""What do subjects' requests ask of a record, or of one person's part in it? Pure; the join itself is the store's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from retention.clocks import Right
from retention.item import Objection, RequestState, Trigger

TRIGGERS: Mapping[Right, Trigger] = {
    Right.ERASURE: Trigger.ERASURE_REQUEST,
    Right.OBJECTION: Trigger.OBJECTION,
    Right.CONSENT_WITHDRAWAL: Trigger.CONSENT_WITHDRAWAL,
}
"""Which rights say whether data stays. A restriction speaks through its matter, a correction through its step."""

COPIES = frozenset({Right.ACCESS, Right.PORTABILITY})


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request says of one person."""

    asks_for: Right
    to_marketing: bool = False
    upheld: bool = False
    is_excessive: bool = False
    put_off: bool = False  # refused for a time, and reopened
    acts: bool = True  # worked on in this very run; others only protect
    surely: bool = True  # by the exact form of an identifier that leads to the person by strong edges only
    proven: bool = True  # the person showed who they are


@dataclass(frozen=True, slots=True)
class Asking:
    """What all requests together ask."""

    trigger: Trigger | None = None
    request_state: RequestState = RequestState.NONE
    objection: Objection | None = None
    is_excessive: bool = False
    surely: bool = True


NOTHING = Asking()


def asking(said: Iterable[Asked]) -> Asking:
    """Take requests together: a copy that is owed comes first, erasure before objection before withdrawal."""
    every = list(said)
    copy_owed = any(one.asks_for in COPIES for one in every)
    acting = [one for one in every if one.acts and one.asks_for in TRIGGERS]
    lead = next((one for right in TRIGGERS for one in acting if one.asks_for is right), None)
    if lead is None:
        return Asking(request_state=RequestState.ACCESS_PENDING) if copy_owed else NOTHING
    return Asking(
        trigger=Trigger.HOLD_RELEASED if lead.put_off else TRIGGERS[lead.asks_for],
        request_state=RequestState.ACCESS_PENDING if copy_owed else _state(lead),
        objection=_objection(acting),
        is_excessive=any(one.is_excessive for one in acting),
        surely=any(one.surely for one in acting),
    )


def _state(lead: Asked) -> RequestState:
    if not lead.proven:
        return RequestState.ID_PENDING
    return RequestState.DEFERRED if lead.put_off else RequestState.OPEN


def _objection(acting: Iterable[Asked]) -> Objection | None:
    objections = [one for one in acting if one.asks_for is Right.OBJECTION]
    if any(one.to_marketing for one in objections):
        return Objection.MARKETING
    return Objection.UPHELD if any(one.upheld for one in objections) else None
