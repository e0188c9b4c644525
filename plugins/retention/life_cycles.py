"""Which states can things be in, and what moves them? Each life cycle is one table.

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
    "claimed": {
        "claim": "claimed",  # anew, by another worker, once the lease has run out
        "intend": "intended",
        "hold": "held",
        "drop": "dropped",
        "supersede": "dropped",
        "lapse": "planned",
    },
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

HOLD: Table = {
    "in_force": {"review": "in_force", "release": "released"},
    "released": {},  # the end: what comes up again is a new hold, what was protected is decided afresh
}

RESTRICTION: Table = {
    "in_force": {"notice_sent": "told"},
    "told": {"lift": "lifted"},  # Art. 18(3): the subject is told first; there is no other way to a lift
    "lifted": {},
}

APPROVAL: Table = {
    "asked": {"approved": "given", "rejected": "rejected", "unanswered": "superseded"},
    "given": {"lapse": "expired"},
    "rejected": {},
    "superseded": {},
    "expired": {},
}
"""The question put about a sweep. Its moves are the sweep's own, under the same names; `lapse` is the clock's."""

STANDING_APPROVAL: Table = {
    "given": {"revoke": "revoked", "lapse": "ended"},
    "revoked": {},
    "ended": {},
}

REQUEST: Table = {
    "received": {
        "identity_asked": "identity_pending",
        "identity_settled": "in_progress",
        "identity_not_needed": "in_progress",  # a marketing objection: absolute, and met at once
        "join": "joined",
        "refusal_notice_sent": "refusal_told",
        "withdraw": "withdrawn",
    },
    "identity_pending": {
        "identity_asked": "identity_pending",
        "identity_settled": "in_progress",
        "join": "joined",
        "refusal_notice_sent": "refusal_told",
        "withdraw": "withdrawn",
    },
    "in_progress": {
        "pause": "paused",
        "extension_notice_sent": "extension_told",
        "refusal_notice_sent": "refusal_told",
        "outcome_notice_sent": "answered",
        "withdraw": "withdrawn",
    },
    "paused": {"resume": "in_progress", "refusal_notice_sent": "refusal_told", "withdraw": "withdrawn"},
    "extension_told": {"extend": "extended"},
    "extended": {
        "pause": "extended_paused",
        "refusal_notice_sent": "refusal_told",
        "outcome_notice_sent": "answered",
        "withdraw": "withdrawn",
    },
    "extended_paused": {"resume": "extended", "refusal_notice_sent": "refusal_told", "withdraw": "withdrawn"},
    "refusal_told": {"refuse": "refused"},
    "refused": {"defer": "deferred", "close": "closed"},
    "answered": {"settle": "settling", "defer": "deferred", "close": "closed"},
    "settling": {"defer": "deferred", "close": "closed"},
    "deferred": {"reopen": "in_progress", "withdraw": "withdrawn"},
    "withdrawn": {"close": "closed"},
    "joined": {"part": "received", "close": "closed"},  # parted: the request it had joined was withdrawn
    "closed": {},
}
"""A subject's request. Refused, extended and answered are reached through the notice that says so, and by no other way
(Art. 12(3), 12(4)); the ledger refuses such a state without the notice on record."""

REQUEST_ACTS_IN = ("in_progress", "extended")
"""In which states a request may cause a step: elsewhere it waits for its subject, was taken back or is over."""

COMPLAINT: Table = {
    "received": {"acknowledgement_sent": "acknowledged", "withdraw": "withdrawn"},
    "acknowledged": {"progress_sent": "acknowledged", "answer_sent": "answered", "withdraw": "withdrawn"},
    "answered": {"close": "closed"},
    "withdrawn": {"close": "closed"},
    "closed": {},
}
"""A subject's complaint (UK: DPA 2018 s.164A). A hold over its people stands in every state but the last."""

LIFE_CYCLES: Mapping[str, Table] = {
    "sweep": SWEEP,
    "plan": PLAN,
    "step": STEP,
    "legal hold": HOLD,
    "restriction": RESTRICTION,
    "approval": APPROVAL,
    "standing approval": STANDING_APPROVAL,
    "request": REQUEST,
    "complaint": COMPLAINT,
}
"""Every life cycle by name. The first state of each table is the one it begins in."""

OPEN_STEP_STATES = ("planned", "claimed", "intended", "accepted", "unknown")


class IllegalMove(Exception):
    """A move the life cycle does not have. Nothing was changed."""


def after(table: Table, state: str, event: str) -> str:
    """The state that `event` leads to."""
    try:
        return table[state][event]
    except KeyError:
        raise IllegalMove(f"no move {event!r} from state {state!r}") from None


def states_with(table: Table, event: str) -> list[str]:
    """In which states an event can happen: what a statement over many rows may move."""
    return [state for state, moves in table.items() if event in moves]


def drawn(table: Table) -> str:
    """The life cycle as a Mermaid state diagram; moves between the same states share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, moves in table.items():
        for event, new in moves.items():
            arrows.setdefault((state, new), []).append(event)
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(table))}"]
    lines += [f"    {state} --> {new}: {', '.join(events)}" for (state, new), events in arrows.items()]
    lines += [f"    {state} --> [*]" for state, moves in table.items() if not moves]
    return "\n".join(lines)
