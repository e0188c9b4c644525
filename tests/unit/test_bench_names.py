"""Does docs/performance.md list every figure that `make bench` can produce, and no other?"""

from __future__ import annotations

import re
from pathlib import Path

from tests.bench.__main__ import AREAS
from tests.bench.figures import FIGURES, figure

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "performance.md"


def rows() -> dict[str, list[str]]:
    """The lines of the document's table of figures: name → its other cells."""
    found: dict[str, list[str]] = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if match := re.fullmatch(r"`([a-z0-9_]+(?:\.[a-z0-9_]+)+)`", cells[0]):
            assert match.group(1) not in found, f"{match.group(1)} is listed twice"
            found[match.group(1)] = cells[1:]
    return found


def test_every_figure_is_listed_in_the_document_and_no_other() -> None:
    assert set(rows()) == set(FIGURES)


def test_the_document_names_the_bar_that_is_asked_of_each_figure() -> None:
    stated = {name: re.findall(r"\d[\d,.]*\d|\d", cells[2].split("(")[0]) for name, cells in rows().items()}
    asked = {name: [] if spec.bar is None else [f"{spec.bar:,g}"] for name, spec in FIGURES.items()}
    assert stated == asked


def test_every_figure_belongs_to_an_area_that_measures() -> None:
    assert {name.partition(".")[0] for name in FIGURES} == set(AREAS)


def test_a_ratio_at_its_bar_holds_and_one_beyond_does_not() -> None:
    assert figure("salesforce.night.calls", 11, 10).holds is True
    assert figure("salesforce.night.calls", 12, 10).holds is False


def test_a_rate_must_reach_its_bar() -> None:
    assert figure("documents.list.files_per_s", 60, 100).holds is True
    assert figure("documents.list.files_per_s", 40, 100).holds is False


def test_a_bar_on_the_value_needs_no_reference() -> None:
    assert figure("documents.night.reads", 0, 0).holds is True
    assert figure("documents.night.reads", 1, 0).holds is False


def test_a_figure_without_a_bar_neither_holds_nor_fails() -> None:
    measured = figure("ledger.findings", 9, 3)
    assert (measured.ratio, measured.bar, measured.holds) == (3, None, None)
