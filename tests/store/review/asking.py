"""How do these tests play a night, look at the queue and answer it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from click.testing import Result

from retention.store import review
from retention.store.database import rows
from retention.store.desk import Desk
from retention.store.review import Wanted
from tests.memory_connector import MemoryConnector, MemorySystem
from tests.sweeping import NOW, TODAY, Night

Ask = Callable[..., Result]
OPEN = Wanted(states=("waiting", "decided"))


def later(desk: Desk, days: int) -> Desk:
    moment = NOW + timedelta(days=days)
    return replace(desk, today=TODAY + timedelta(days=days), now=lambda: moment)


def night(desk: Desk, crm: MemorySystem) -> Night:
    made = Night(desk, [MemoryConnector(crm)])
    made.plan()
    return made


def queue(desk: Desk, wanted: Wanted = OPEN) -> list[review.Item]:
    with desk.transaction() as db:
        return review.items(db, wanted)


def closed(desk: Desk) -> list[tuple[str, bool]]:
    with desk.transaction() as db:
        found = rows(db, "SELECT state, locator IS NULL AS wiped FROM review_items WHERE state <> 'waiting'")
    return [(row.state, row.wiped) for row in found]


def decide(ask: Ask, decision: str, *more: str) -> Result:
    return ask("review", "decide", "--reason", "RET_NO_START", "--decision", decision, "--by", "dpo", *more)
