"""Are the life cycles whole, and are their diagrams current?"""

from __future__ import annotations

from pathlib import Path

import pytest

from retention.life_cycles import (
    APPROVAL,
    HOLD,
    LIFE_CYCLES,
    OPEN_STEP_STATES,
    RESTRICTION,
    STEP,
    SWEEP,
    IllegalMove,
    Table,
    after,
    drawn,
    states_with,
)
from tools.draw_life_cycles import page

DRAWN = Path(__file__).parents[2] / "docs" / "life-cycles.md"


def test_the_diagrams_in_the_docs_are_those_of_the_tables() -> None:
    assert DRAWN.read_text(encoding="utf-8") == page(), "run: PYTHONPATH=plugins python tools/draw_life_cycles.py"


@pytest.mark.parametrize("name", LIFE_CYCLES)
def test_every_state_can_be_reached_and_every_move_leads_to_a_state(name: str) -> None:
    table = LIFE_CYCLES[name]
    first = next(iter(table))

    assert reached_from(table, first) == set(table)


def reached_from(table: Table, first: str) -> set[str]:
    seen, next_ones = {first}, [first]
    while next_ones:
        new = {state for state in table[next_ones.pop()].values() if state not in seen}
        seen |= new
        next_ones += new
    return seen


def test_a_move_that_is_not_in_the_table_is_an_error() -> None:
    with pytest.raises(IllegalMove, match="no move 'lift' from state 'in_force'"):
        after(RESTRICTION, "in_force", "lift")


def test_a_restriction_is_lifted_through_its_notice_only() -> None:
    assert states_with(RESTRICTION, "lift") == ["told"]
    assert states_with(RESTRICTION, "notice_sent") == ["in_force"]


def test_what_is_over_does_not_begin_again() -> None:
    assert (HOLD["released"], STEP["held"], RESTRICTION["lifted"]) == ({}, {}, {})


def test_a_held_step_is_no_open_one() -> None:
    assert "held" not in OPEN_STEP_STATES


def test_the_approval_moves_with_its_sweep() -> None:
    assert set(APPROVAL["asked"]) == set(SWEEP["guarded"]) - {"dry"}


def test_moves_between_the_same_states_share_an_arrow() -> None:
    table = {"new": {"read": "old", "seen": "old"}, "old": {}}

    assert drawn(table).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> new",
        "    new --> old: read, seen",
        "    old --> [*]",
    ]
