"""Does a hold keep its promise while others destroy? Real PostgreSQL, real processes, holds at many moments.

Three workers carry out one approved plan, call by call in batches. Meanwhile holds are placed: on records that are at
the vendor at that moment, and on records whose turn is still to come. Every time is the database's own.
"""

from __future__ import annotations

import multiprocessing
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from retention.holds import HoldReason, Scope
from retention.keyring import Keyring
from retention.place_hold import Acknowledgement, place_hold
from retention.store.database import one, rows, run
from retention.store.desk import Desk
from tests.holding import address
from tests.memory_connector import MemoryConnector
from tests.store.racing import CALLS, Race, address_of, work
from tests.sweeping import Night, rehearse

pytestmark = pytest.mark.slow

RECORDS = 120
WORKERS = 3
HOLDS = 45


@dataclass(frozen=True)
class Placed:
    """One hold as whoever placed it saw it."""

    record: str
    placed: datetime
    acknowledged: datetime
    answer: Acknowledgement


def database_time(desk: Desk) -> datetime:
    with desk.transaction() as db:
        now: datetime = one(db, "SELECT clock_timestamp() AS now").now
    return now


def place(desk: Desk, number: int) -> Placed:
    answer = place_hold(
        desk,
        Scope((address(address_of(number)),)),
        matter="matter-1",
        reason=HoldReason.LITIGATION,
        owner="dpo",
        placed_by="dpo",
        review_on=desk.today,
    )
    acknowledged = database_time(desk)
    with desk.transaction() as db:
        placed = one(db, "SELECT placed_at FROM holds WHERE hold_id = :h", h=answer.hold_id).placed_at
    return Placed(f"record-{number}", placed, acknowledged, answer)


def next_number(desk: Desk, chosen: set[int], dice: random.Random) -> int | None:
    """By turns: a record that is at the vendor now, one whose call is about to go, one that is still to come."""
    with desk.transaction() as db:
        found = rows(
            db,
            "SELECT s.locator, s.state, c.step_id IS NOT NULL AND c.ended IS NULL AS is_out, c.step_id IS NULL AS waits"
            " FROM steps s LEFT JOIN vendor_calls c USING (step_id)",
        )
    free = [(int(desk.keyring.open(r.locator).removeprefix("record-")), r) for r in found]
    free = [(number, r) for number, r in free if number not in chosen]
    if all(r.state == "planned" for r in found):
        return None  # nobody has begun yet
    turns = (
        [number for number, r in free if r.is_out],
        [number for number, r in free if r.waits and r.state == "intended"],
        [number for number, r in free if r.waits and r.state == "planned"],
    )
    for turn in range(len(chosen), len(chosen) + len(turns)):
        if wanted := turns[turn % len(turns)]:
            return dice.choice(wanted)
    return None


@pytest.fixture
def race(ledger: Engine, ledger_url: str) -> Race:
    keys = Keyring.generate("k1").to_json()
    draft = Race(ledger_url, keys, "", RECORDS, batch=5, seconds_a_call=0.02)
    desk = draft.desk()
    rehearse(desk)
    with desk.transaction() as db:
        run(db, CALLS)
    night = Night(desk, [MemoryConnector(draft.system())])
    night.plan()
    night.approve()
    return Race(ledger_url, keys, night.sweep.sweep_id, RECORDS, batch=5, seconds_a_call=0.02)


def test_no_call_starts_after_a_hold_is_acknowledged_and_every_call_in_flight_is_named(race: Race) -> None:
    desk, dice = race.desk(), random.Random(7)
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=work, args=(race,)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    placed: list[Placed] = []
    chosen: set[int] = set()
    while any(worker.is_alive() for worker in workers) and len(chosen) < HOLDS:
        number = next_number(desk, chosen, dice)
        if number is None:
            continue
        chosen.add(number)
        placed.append(place(desk, number))
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * WORKERS

    with desk.transaction() as db:
        calls = {r.record: r for r in rows(db, "SELECT * FROM vendor_calls")}
        states = {r.state: r.n for r in rows(db, "SELECT state, count(*) AS n FROM steps GROUP BY 1")}
    assert [p.record for p in placed if started_late(calls.get(p.record), p)] == []
    assert [p.record for p in placed if unnamed(calls.get(p.record), p)] == []
    assert all(p.answer.nothing_runs for p in placed)
    # The race was one: holds met calls under way, and holds came before their calls.
    assert any(p.answer.calls for p in placed)
    assert states["held"] >= 5
    assert states == {"held": states["held"], "done": RECORDS - states["held"]}
    assert sum(p.record not in calls for p in placed) == states["held"]


def started_late(call: Any, placed: Placed) -> bool:
    return call is not None and call.started > placed.acknowledged


def unnamed(call: Any, placed: Placed) -> bool:
    """Whether a call was out at some moment between the hold and its acknowledgement, which does not name it."""
    if call is None or call.ended < placed.placed or call.started > placed.acknowledged:
        return False
    return call.step_id not in {named.step_id for named in placed.answer.calls}
