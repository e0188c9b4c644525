"""How much may one application still ask of one mailbox? Requests in ten minutes, four at once, and bytes sent up."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime, timedelta
from math import ceil

from sandbox.microsoft365.errors import Refused
from sandbox.microsoft365.switches import Switches


class Limits:
    """What every mailbox was asked so far. Refused requests count as well."""

    def __init__(self) -> None:
        self._requests: dict[int, deque[datetime]] = defaultdict(deque)
        self._uploads: dict[int, deque[tuple[datetime, int]]] = defaultdict(deque)
        self._under_way: dict[int, int] = defaultdict(int)
        self.refused = 0

    def take(self, switches: Switches, box: int, now: datetime, uploaded: int) -> None:
        """Count one request; refused where the window is full."""
        if not switches.enforce_limits:
            return
        window = timedelta(seconds=switches.window_seconds)
        times = self._requests[box]
        while times and times[0] <= now - window:
            times.popleft()
        times.append(now)
        if len(times) > switches.requests_per_window:
            # The window opens when enough of what it holds is past, throttled requests among them.
            opens = times[len(times) - switches.requests_per_window - 1] + window
            self._refuse("TooManyRequests", "Too many requests.", (opens - now).total_seconds())
        if uploaded:
            self._upload(switches, box, now, uploaded)

    def enter(self, switches: Switches, box: int, requests: int) -> int:
        """So many more requests of a mailbox begin, four at a time; how many then are under way, none if refused."""
        at_once = min(requests, switches.concurrent)
        if switches.enforce_limits and self._under_way[box] + at_once > switches.concurrent:
            self.refused += requests
            return 0
        self._under_way[box] += at_once
        return at_once

    def leave(self, box: int, at_once: int) -> None:
        self._under_way[box] -= at_once

    def _upload(self, switches: Switches, box: int, now: datetime, uploaded: int) -> None:
        half = timedelta(seconds=switches.window_seconds / 2)
        sent = self._uploads[box]
        while sent and sent[0][0] <= now - half:
            sent.popleft()
        sent.append((now, uploaded))
        if sum(size for _, size in sent) > switches.uploaded_bytes:
            self._refuse("TooManyRequests", "Too much was uploaded.", (sent[0][0] + half - now).total_seconds())

    def _refuse(self, code: str, message: str, seconds: float) -> None:
        self.refused += 1
        raise Refused(429, code, message, headers={"Retry-After": str(max(1, ceil(seconds)))})
