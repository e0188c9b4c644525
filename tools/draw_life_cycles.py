"""What do the life cycles look like? Draws docs/life-cycles.md from the tables the code runs on.

PYTHONPATH=plugins .venv/bin/python tools/draw_life_cycles.py
"""

from __future__ import annotations

from pathlib import Path

from retention.life_cycles import LIFE_CYCLES, drawn

TARGET = Path(__file__).resolve().parents[1] / "docs" / "life-cycles.md"
INTRODUCTION = """# Life cycles

Drawn from the tables in `plugins/retention/life_cycles.py` by `tools/draw_life_cycles.py`; a test keeps it current. A
move that is not in a table is an error, and changes nothing.
"""
NOTES = {
    "step": "A step that a legal hold stopped stays `held`: when the hold ends, a fresh plan decides.",
    "restriction": "Art. 18(3): there is no way from `in_force` to `lifted` but through the notice.",
    "request": "Art. 12(3), 12(4): refused, extended and answered are reached through their notice, by no other way.",
    "complaint": "Acknowledged and answered through the letter that says so; a hold stands until `closed`.",
    "approval": "The moves are those of its sweep; `lapse` is the clock's, read again before every batch.",
}


def page() -> str:
    """The whole page."""
    sections = []
    for name, table in LIFE_CYCLES.items():
        note = f"{NOTES[name]}\n\n" if name in NOTES else ""
        sections.append(f"## {name.capitalize()}\n\n{note}```mermaid\n{drawn(table)}\n```\n")
    return "\n".join([INTRODUCTION, *sections])


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(f"drew {TARGET.name}")
