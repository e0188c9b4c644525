"""When may the next call go out? Keeps one worker under the account's allowances instead of bouncing off them.

The allowances of an account depend on what it pays for, so they are learnt from the answers' headers; until one came,
those of the smallest account hold. Other workers and apps draw on the same allowance: what the headers say is used
beyond our own calls is theirs, and a small reserve stays for calls that start at the same moment.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

RESERVE = 0.05


class Window:
    """How many calls ended within the last `span` seconds. Counted from their end: the service counted them earlier."""

    def __init__(self, span: float) -> None:
        self.span = span
        self._ends: deque[float] = deque()

    def add(self, now: float) -> None:
        self._ends.append(now)

    def count(self, now: float) -> int:
        while self._ends and self._ends[0] + self.span <= now:
            self._ends.popleft()
        return len(self._ends)

    def until_one_leaves(self, now: float) -> float:
        return self._ends[0] + self.span - now if self._ends else math.inf

    def correct(self, count: int, now: float) -> None:
        """Make it hold so many: what is new came no later than now, what is gone was the oldest."""
        surplus = self.count(now) - count
        for _ in range(surplus):
            self._ends.popleft()
        for _ in range(-surplus):
            self._ends.append(now)


class Pace:
    """The allowances of one account as one worker sees them. Give the same one to all clients of the worker."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        allowance: int = 100,
        interval: float = 10.0,
        searches: int = 5,
        search_interval: float = 1.0,
    ) -> None:
        self.pause = pause
        self.search_interval = search_interval
        self._clock = clock
        self._allowance = allowance
        self._searches = searches
        self._calls = Window(interval)
        self._search_calls = Window(search_interval)
        self._others = Window(interval)

    @property
    def interval(self) -> float:
        return self._calls.span

    @contextmanager
    def turn(self, *, search: bool) -> Iterator[None]:
        """Wait until a call is allowed, and count the one that is made inside."""
        while (delay := self._delay(search)) > 0:
            self.pause(delay)
        try:
            yield
        finally:
            now = self._clock()
            self._calls.add(now)
            if search:
                self._search_calls.add(now)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer says of the allowance; answers to searches mostly say nothing."""
        most = _number(headers.get("x-hubspot-ratelimit-max"))
        left = _number(headers.get("x-hubspot-ratelimit-remaining"))
        if not most or left is None:
            return
        self._allowance = most
        if milliseconds := _number(headers.get("x-hubspot-ratelimit-interval-milliseconds")):
            self._calls.span = self._others.span = milliseconds / 1000
        now = self._clock()
        self._others.correct(max(0, most - left - self._calls.count(now)), now)

    def _delay(self, search: bool) -> float:
        now = self._clock()
        delay = 0.0
        if search and self._search_calls.count(now) >= self._searches:
            delay = self._search_calls.until_one_leaves(now)
        most = max(1, self._allowance - math.ceil(self._allowance * RESERVE))
        if self._calls.count(now) + self._others.count(now) >= most:
            delay = max(delay, min(self._calls.until_one_leaves(now), self._others.until_one_leaves(now)))
        return delay


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
