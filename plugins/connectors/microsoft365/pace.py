"""When may the next call to a mailbox go out? Workers stay together under 10,000 requests per 10 minutes a mailbox.

Each part of a batch counts by itself, so a batch draws as many turns as it has parts, at once. A third of what the
window holds may go out in a burst; the rest lies evenly apart, so that no window of the service's ever sees more than
its allowance, wherever it begins. A mailbox takes four requests at once, and Graph works on a batch's parts four at a
time: so one batch is all that may be under way for a mailbox, whoever sends it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager

from connectors.turns import ExclusiveTurns, OwnTurns

REQUESTS = 10_000
WINDOW = 600.0
SHARE = 0.95
"""Part of the allowance that is planned with: another client of the same app may ask for the mailbox meanwhile."""


class Pace:
    """The turns of every mailbox, by the leaky bucket that allows a burst (GCRA)."""

    def __init__(
        self,
        turns: ExclusiveTurns | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        requests: int = REQUESTS,
        window: float = WINDOW,
    ) -> None:
        self.pause = pause
        self._turns: ExclusiveTurns = turns if turns is not None else OwnTurns(clock)
        self._burst = window / 2
        self._apart = (window + self._burst) / (requests * SHARE)

    def wait(self, parts: Mapping[str, int]) -> None:
        """Wait until so many requests to each of these mailboxes are allowed."""
        draws = [
            self._turns.draw(_name(mailbox), self._apart * count, 0.0) + self._apart * count - self._burst
            for mailbox, count in parts.items()
            if mailbox
        ]
        if (delay := max(draws, default=0.0)) > 0:
            self.pause(delay)

    def alone(self, mailboxes: Iterable[str]) -> AbstractContextManager[None]:
        """Let nobody else call these mailboxes meanwhile."""
        return self._turns.alone({_name(one) for one in mailboxes if one})

    def hold(self, mailbox: str, seconds: float) -> None:
        """Let no worker ask for a mailbox that refused, for so long."""
        if mailbox:
            self._turns.hold(_name(mailbox), seconds + self._burst)


def _name(mailbox: str) -> str:
    """A name for the ledger's table of turns that tells nobody whose mailbox it is."""
    return f"mailbox-{hashlib.sha256(mailbox.encode()).hexdigest()[:16]}"
