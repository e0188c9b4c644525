"""May a batch in a connector's hands still be acted on? The ledger's side of the contract's `Warrant`.

Legal holds need no second look here: placing one waits for the batch, and names it as in flight.
"""

from __future__ import annotations

from collections.abc import Sequence

from retention.contract import Stopped
from retention.store import kill_switch, steps
from retention.store.desk import Desk
from retention.store.steps import Claimed
from retention.store.sweeps import Mode
from retention.vocabulary import Handle


class BatchWarrant:
    """Leave to act on the claimed steps of one batch. Once ended it stays ended, whatever the switch says later."""

    def __init__(self, desk: Desk, system: str, mode: Mode, claims: Sequence[Claimed]) -> None:
        self._desk = desk
        self._system = system
        self._mode = mode
        self._claims = claims
        self.ended: Stopped | None = None

    def note(self, handle: Handle) -> None:
        with self._desk.transaction() as db:
            steps.note(db, self._desk.keyring, handle, self._claims)

    def check(self) -> None:
        if self.ended is None:
            why = kill_switch.reason_to_stop(self._desk.engine, self._system, self._mode)
            if why is None:
                return
            self.ended = Stopped(f"{self._system}: {why}: the call in flight ended, none followed")
        raise self.ended
