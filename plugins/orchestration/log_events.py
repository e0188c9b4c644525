"""What does a task's log say that can be searched for? Events with fields: ids, digests and counts, nothing else."""

from __future__ import annotations

import structlog

_log = structlog.get_logger("retention")


def note(event: str, **fields: int | str) -> None:
    """One event into the log of the task that calls; Airflow keeps every field by its name."""
    _log.info(event, **fields)
