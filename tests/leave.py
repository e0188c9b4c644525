"""What leave does a test give a connector to act? A warrant that stands, or ends after so many requests."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from retention.contract import Stopped
from retention.vocabulary import Handle


def ignore(_: Handle) -> None:
    """Note nothing: the test does not crash in between."""


@dataclass
class Leave:
    """Hands on what is noted, and counts: `requests` are allowed, all later ones are stopped."""

    on_note: Callable[[Handle], None] = ignore
    requests: float = math.inf

    def note(self, handle: Handle) -> None:
        self.on_note(handle)

    def check(self) -> None:
        if self.requests < 1:
            raise Stopped("the test ended the leave to act")
        self.requests -= 1
