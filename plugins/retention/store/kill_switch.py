"""May the next call still go out? Asked before every single one, in a transaction of its own; unreadable means no."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from retention.impediment import Impediment
from retention.store.database import rows, transaction
from retention.store.sweeps import Mode


def reason_to_stop(engine: Engine, system: str, mode: Mode) -> str | None:
    """Why no call may go to a system for a sweep of this mode; None while everything stands."""
    try:
        with transaction(engine) as db:
            found = {
                row.name: row.value
                for row in rows(
                    db, "SELECT name, value FROM switches WHERE name IN ('mode', 'stop', :own)", own=f"stop:{system}"
                )
            }
    except (Impediment, SQLAlchemyError):
        return "the kill switch cannot be read"
    if found.get("stop") != "off" or found.get(f"stop:{system}", "off") != "off":
        return "the kill switch is on"
    if found.get("mode") != mode.value:
        return f"the mode is no longer {mode.value}"
    return None
