"""Do workers stay under the allowance of a mailbox, in whatever window it is counted? Time here is made up."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.microsoft365.pace import Pace
from connectors.turns import OwnTurns

MOST, WINDOW = 100, 60.0


class Timeline:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def pace(self, turns: OwnTurns | None = None) -> Pace:
        return Pace(turns or OwnTurns(self.clock), clock=self.clock, pause=self.pause, requests=MOST, window=WINDOW)


@given(st.lists(st.tuples(st.integers(1, 20), st.floats(0, 30)), max_size=60))
def test_no_window_ever_sees_more_than_the_allowance(calls: list[tuple[int, float]]) -> None:
    time = Timeline()
    pace = time.pace()
    arrived: deque[float] = deque()
    for parts, idle in calls:
        time.now += idle
        pace.wait({"u1": parts})
        arrived.extend([time.now] * parts)
        while arrived[0] <= time.now - WINDOW:
            arrived.popleft()
        assert len(arrived) <= MOST


def test_a_burst_after_a_quiet_time_waits_for_nothing() -> None:
    time = Timeline()
    pace = time.pace()
    pace.wait({"u1": 30})
    assert time.now == 1000.0


def test_work_without_end_uses_most_of_the_allowance() -> None:
    time = Timeline()
    pace = time.pace()
    for _ in range(1000):
        pace.wait({"u1": 1})
    assert (time.now - 1000.0) < 1000 / MOST * WINDOW * 1.6


def test_one_mailbox_does_not_wait_for_another_and_a_batch_waits_for_the_slowest() -> None:
    time = Timeline()
    pace = time.pace()
    for _ in range(100):
        pace.wait({"u1": 1})
    busy = time.now
    pace.wait({"u2": 20})
    assert time.now == busy
    pace.wait({"u1": 1, "u2": 1})
    assert time.now > busy


def test_workers_share_their_turns() -> None:
    turns, time = OwnTurns(lambda: time.now), Timeline()
    first, second = time.pace(turns), time.pace(turns)
    for _ in range(60):
        first.wait({"u1": 1})
    before = time.now
    second.wait({"u1": 1})
    assert time.now > before


def test_a_refusal_holds_everybody_for_as_long_as_was_asked() -> None:
    turns, time = OwnTurns(lambda: time.now), Timeline()
    time.pace(turns).hold("u1", 17.0)
    before = time.now
    time.pace(turns).wait({"u1": 1})
    assert time.now - before == pytest.approx(17.0, abs=1.0)


def test_what_names_no_mailbox_draws_no_turn() -> None:
    time = Timeline()
    pace = time.pace()
    for _ in range(10 * MOST):
        pace.wait({"": 1})
    assert time.now == 1000.0


def test_the_name_of_a_mailbox_is_in_no_turn() -> None:
    turns, time = OwnTurns(lambda: time.now), Timeline()
    time.pace(turns).wait({"sales@ours.example": 1})
    assert not any("sales" in name for name in turns._next)
