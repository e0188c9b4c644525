"""What do the figures come to on this machine? `python -m tests.bench [--only PREFIX]` measures and tells."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from tests.bench.figures import FIGURES, Figure, figure

RESULTS = Path(__file__).resolve().parents[2] / ".bench" / "results.json"
AREAS = {
    "catalogue": "tests.bench.catalogue_speed",
    "decide": "tests.bench.deciding",
    "audit": "tests.bench.audit_speed",
    "ledger": "tests.bench.ledger_speed",
    "documents": "tests.bench.documents_speed",
    "reading": "tests.bench.reading_speed",
    "hubspot": "tests.bench.hubspot_calls",
    "microsoft365": "tests.bench.microsoft365_calls",
    "requests": "tests.bench.requests_load",
    "salesforce": "tests.bench.salesforce_calls",
    "stores": "tests.bench.listing_speed",
    "page": "tests.bench.page_speed",
    "scan": "tests.bench.scan_speed",
}
"""The first word of a name → the module whose `measure` yields (name, value, reference) of all that begin with it."""

COLUMNS = ("figure", "value", "unit", "reference", "ratio", "bar", "holds")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="PREFIX", help="figures whose names begin so")
    only: str = parser.parse_args(arguments).only
    wanted = [name for name in FIGURES if name.startswith(only)]
    if not wanted:
        parser.error(f"no figure begins with {only!r}; there are: {', '.join(FIGURES)}")
    measured: list[Figure] = []
    try:
        for area in AREAS:
            if any(name.startswith(f"{area}.") for name in wanted):
                sys.stderr.write(f"measuring {area} …\n")
                measured += [one for one in _measured(area) if one.name in wanted]
    finally:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps([asdict(one) for one in measured], indent=2) + "\n", encoding="utf-8")
        sys.stdout.write(table(measured))
    return 0


def _measured(area: str) -> Iterator[Figure]:
    measure: Callable[[], Iterator[tuple[str, float, float]]] = import_module(AREAS[area]).measure
    for name, value, reference in measure():
        yield figure(name, value, reference)


def table(measured: Sequence[Figure]) -> str:
    lines = [COLUMNS, *(_cells(one) for one in measured)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def _cells(one: Figure) -> tuple[str, ...]:
    holds = {True: "yes", False: "NO", None: "-"}[one.holds]
    return (one.name, _number(one.value), one.unit, _number(one.reference), _number(one.ratio), _number(one.bar), holds)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
