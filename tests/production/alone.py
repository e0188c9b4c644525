"""What does one machine make of the same night? All stages in one process, without Airflow, Celery and Redis."""

from __future__ import annotations

from orchestration import wiring
from tests.sweeping import Night


def main() -> None:
    """A night over every system of the policy, approved; the connections come from the environment."""
    night = Night(wiring.desk(), [wiring.connector(system) for system in wiring.SYSTEMS])
    night.run()
    if night.unread:
        raise SystemExit(f"not read: {sorted(night.unread)}")


if __name__ == "__main__":
    main()
