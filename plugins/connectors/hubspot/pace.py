"""When may the next call go out? Keeps all workers under the account's allowances, together.

Every call draws a turn first: the time at which it may start. Turns of one account lie evenly apart, whoever draws
them (a leaky bucket, also known as GCRA), so one wait per call is enough and nobody polls. Where turns are kept decides
who shares them: `OwnTurns` are one process's; the ledger's database keeps them for all workers on all machines.

How far apart they lie is learnt from the answers' headers, since it depends on what the account pays for; until one
came, the smallest account is assumed. The allowance of an interval is this app's alone, so nobody else is reckoned
with: who is refused all the same lets every worker wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from connectors.turns import OwnTurns, Turns

SHARE = 0.95
"""Part of an allowance that is planned with: nine tenths are promised, and calls reach the service a little later."""

SLACK = 0.03
"""Part of an interval a worker that was late may catch up."""

CALLS, SEARCHES = "calls", "searches"
DAY_ASKED_AGAIN = 900.0
"""Seconds after which a worker that saw the day's allowance used up asks once more."""


class DayIsSpent(Exception):
    """The service said that nothing is left of the day's allowance; nothing was sent."""


class Pace:
    """The allowances of one account as a worker knows them."""

    def __init__(
        self,
        turns: Turns | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        allowance: int = 100,
        interval: float = 10.0,
        searches: int = 5,
        search_interval: float = 1.0,
    ) -> None:
        self.pause = pause
        self.interval = interval
        self.search_interval = search_interval
        self._turns: Turns = turns if turns is not None else OwnTurns(clock)
        self._clock = clock
        self._allowance = allowance
        self._searches = searches
        self._spent_at: float | None = None

    @contextmanager
    def turn(self, *, search: bool) -> Iterator[None]:
        """Wait until a call is allowed."""
        if self._spent_at is not None:
            if self._clock() < self._spent_at + DAY_ASKED_AGAIN:
                raise DayIsSpent
            self._spent_at = None
        most, interval = (self._searches, self.search_interval) if search else (self._allowance, self.interval)
        delay = self._turns.draw(SEARCHES if search else CALLS, interval / (most * SHARE), interval * SLACK)
        if delay > 0:
            self.pause(delay)
        yield

    def hold(self, seconds: float, *, search: bool) -> None:
        """Let all workers wait, after the service refused a call."""
        self._turns.hold(SEARCHES if search else CALLS, seconds)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer says of the allowances; answers to searches mostly tell of the day only."""
        if _number(headers.get("x-hubspot-ratelimit-daily-remaining")) == 0:
            self._spent_at = self._clock()
        if not (most := _number(headers.get("x-hubspot-ratelimit-max"))):
            return
        self._allowance = most
        if milliseconds := _number(headers.get("x-hubspot-ratelimit-interval-milliseconds")):
            self.interval = milliseconds / 1000


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
