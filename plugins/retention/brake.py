"""How is everything brought to a stop at once, and let go again? The kill switch, and the audit entry with it."""

from __future__ import annotations

from enum import StrEnum

from retention import audit
from retention.store import audit_log, sweeps
from retention.store.desk import Desk


class Brake(StrEnum):
    """What somebody did with the kill switch, as the audit log tells it."""

    THROWN = "kill-switch-thrown"
    LIFTED = "kill-switch-lifted"


def throw(desk: Desk, who: str, system: str = "") -> None:
    """Stop a system, or all: the call in flight ends, none follows."""
    _set(desk, Brake.THROWN, who, system)


def lift(desk: Desk, who: str, system: str = "") -> None:
    """Let a system, or all, be worked on again."""
    _set(desk, Brake.LIFTED, who, system)


def _set(desk: Desk, done: Brake, who: str, system: str) -> None:
    if system:
        desk.policy.refuse_unknown(system)
    with desk.transaction() as db:
        state = "on" if done is Brake.THROWN else "off"
        sweeps.set_switch(db, f"stop:{system}" if system else "stop", state, who)
        audit_log.append(db, [desk.entry(audit.Event.KILL_SWITCH, system=system, reasons=(done,), actor=who)])
