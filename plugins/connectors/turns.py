"""Where do the workers of one account draw their turns? The protocol, and the turns of a single process.

The ledger's database keeps them for all workers on all machines (`retention.store.turns.SharedTurns`).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol


class Turns(Protocol):
    """Where the workers of one account draw their turns."""

    def draw(self, allowance: str, apart: float, slack: float) -> float:
        """Take the next turn; gives the seconds until it. `slack`: how far behind the present it may lie."""
        ...

    def hold(self, allowance: str, seconds: float) -> None:
        """Let no turn begin earlier than in so many seconds."""
        ...


class ExclusiveTurns(Turns, Protocol):
    """Turns of accounts that take only so much at once."""

    def alone(self, allowances: Collection[str]) -> AbstractContextManager[None]:
        """Be the only worker that calls these; waits until nobody else does."""
        ...


@dataclass
class OwnTurns:
    """The turns of one process."""

    clock: Callable[[], float] = time.monotonic
    _next: dict[str, float] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def draw(self, allowance: str, apart: float, slack: float) -> float:
        now = self.clock()
        turn = max(self._next.get(allowance, now), now - slack)
        self._next[allowance] = turn + apart
        return max(0.0, turn - now)

    def hold(self, allowance: str, seconds: float) -> None:
        until = self.clock() + seconds
        self._next[allowance] = max(self._next.get(allowance, until), until)

    @contextmanager
    def alone(self, allowances: Collection[str]) -> Iterator[None]:
        with ExitStack() as held:
            for allowance in sorted(allowances):  # in one order for all, so that no two wait for each other
                held.enter_context(self._locks[allowance])
            yield
