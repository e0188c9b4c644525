"""May a batch in a connector's hands still be acted on? The ledger's side of the contract's `Warrant`.

Before each request it gives way to whoever is placing a legal hold, and looks again: `store/hold_lock.py` says why that
is enough. A hold on any step of the batch ends the leave for the whole rest of it; the next claim sorts the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retention.contract import Stopped
from retention.store import hold_lock, kill_switch, steps, value_proofs
from retention.store.desk import Desk
from retention.store.hold_lock import SharedLock
from retention.store.steps import Claimed
from retention.store.sweeps import Mode
from retention.vocabulary import Action, Handle


class BatchWarrant:
    """Leave to act on the claimed steps of one batch. Once ended it stays ended, whatever the switch says later."""

    def __init__(self, desk: Desk, system: str, mode: Mode, claims: Sequence[Claimed], lock: SharedLock) -> None:
        self._desk = desk
        self._system = system
        self._mode = mode
        self._claims = claims
        self._lock = lock
        self.ended: Stopped | None = None
        self.met_hold = False  # ended by a hold: the rest of the batch is claimed anew, without what is held

    def note(self, handle: Handle) -> None:
        with self._desk.transaction() as db:
            if handle.action is Action.RECTIFY:
                value_proofs.note_before(db, self._desk.keyring, handle, self._claims)
                handle = replace(handle, previous=())
            steps.note(db, self._desk.keyring, handle, self._claims)

    def check(self) -> None:
        if self.ended is None:
            why = self._reason_to_stop()
            if why is None:
                return
            self.met_hold = why == hold_lock.HOLD_PLACED
            self.ended = Stopped(f"{self._system}: {why}: the call in flight ended, none followed")
        raise self.ended

    def _reason_to_stop(self) -> str | None:
        engine = self._desk.engine
        held = hold_lock.reason_to_stop(engine, self._lock, [c.step.step_id for c in self._claims])
        return held or kill_switch.reason_to_stop(engine, self._system, self._mode)
