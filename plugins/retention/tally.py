"""How many steps ended in which state? All that a task may say of its work."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts by state."""

    states: dict[str, int] = field(default_factory=dict)

    def add(self, state: str, n: int = 1) -> None:
        """Count."""
        self.states[state] = self.states.get(state, 0) + n
