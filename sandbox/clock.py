"""What time is it inside an emulator? A clock that starts where it is told, runs on, and can be set."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta


class Clock:
    """UTC time that starts at noon of `as_of`, runs at the machine's speed, and can be set forward or back."""

    def __init__(self, as_of: date) -> None:
        self._start = datetime(as_of.year, as_of.month, as_of.day, 12, tzinfo=UTC)
        self.reset()

    def reset(self) -> None:
        self.set(self._start)

    def set(self, now: datetime) -> None:
        self._base = now.astimezone(UTC)
        self._set_at = time.monotonic()

    def now(self) -> datetime:
        return self._base + timedelta(seconds=time.monotonic() - self._set_at)
