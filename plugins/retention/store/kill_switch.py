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
            stop, live = f"stop:{system}", f"live:{system}"
            wanted = "SELECT name, value FROM switches WHERE name IN ('mode', 'stop', :stop, :live)"
            found = {row.name: row.value for row in rows(db, wanted, stop=stop, live=live)}
    except (Impediment, SQLAlchemyError):
        return "the kill switch cannot be read"
    if found.get("stop") != "off" or found.get(stop, "off") != "off":
        return "the kill switch is on"
    if found.get("mode") != mode.value:
        return f"the mode is no longer {mode.value}"
    if mode is Mode.LIVE and found.get(live) != "on":
        return "live mode was taken from this system"
    return None
