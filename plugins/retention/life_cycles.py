"""Which states can a sweep, a plan and a step be in, and what moves them? Each life cycle is one table.

The store writes states only through these tables; the diagrams in the docs are drawn from them.
"""

from __future__ import annotations

from collections.abc import Mapping

Table = Mapping[str, Mapping[str, str]]

SWEEP: Table = {
    "open": {"guarded": "guarded", "nothing_to_do": "sealed", "abandoned": "sealed"},
    "guarded": {"approved": "approved", "dry": "sealed", "unanswered": "superseded", "rejected": "rejected"},
    "approved": {"sealed": "sealed"},
    "superseded": {"sealed": "superseded"},
    "rejected": {"sealed": "rejected"},
    "sealed": {"sealed": "sealed"},
}

PLAN: Table = {
    "proposed": {
        "guarded": "guarded",
        "breached": "stopped",
        "at_once": "approved",
        "dry": "dry",
        "superseded": "superseded",
    },
    "guarded": {"approved": "approved", "superseded": "superseded", "rejected": "rejected"},
    "approved": {"finished": "finished", "superseded": "superseded", "contradicted": "halted"},
    "stopped": {"superseded": "superseded"},
    "dry": {"superseded": "superseded"},
    "halted": {"superseded": "superseded"},
    "finished": {},
    "superseded": {},
    "rejected": {},
}

STEP: Table = {
    "planned": {"claim": "claimed", "supersede": "dropped"},
    "claimed": {"intend": "intended", "hold": "held", "drop": "dropped", "lapse": "planned"},
    "intended": {
        "done": "done",
        "already-done": "done",
        "accepted": "accepted",
        "refused": "refused",
        "failed": "failed",
        "unknown": "unknown",
        "not-sent": "planned",
    },
    "unknown": {
        "done": "done",
        "already-done": "done",
        "accepted": "accepted",
        "refused": "refused",
        "failed": "failed",
        "unknown": "unknown",
        "not-sent": "planned",
    },
    "accepted": {
        "done": "done",
        "already-done": "done",
        "accepted": "accepted",
        "refused": "refused",
        "failed": "failed",
        "unknown": "unknown",
        "not-sent": "failed",
    },
    "done": {"verify": "verified", "contradict": "contradicted"},
    "verified": {},
    "contradicted": {},
    "held": {},
    "dropped": {},
    "refused": {},
    "failed": {},
}

OPEN_STEP_STATES = ("planned", "claimed", "intended", "accepted", "unknown")


class IllegalMove(Exception):
    """A move the life cycle does not have. Nothing was changed."""


def after(table: Table, state: str, event: str) -> str:
    """The state that `event` leads to."""
    try:
        return table[state][event]
    except KeyError:
        raise IllegalMove(f"no move {event!r} from state {state!r}") from None
