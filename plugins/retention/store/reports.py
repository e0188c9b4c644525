"""What did a sweep come to? The questions of operators and auditors, asked of the ledger in `include/sql/reports/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from retention.store.database import Connection, one, run

REPORTS = Path(__file__).resolve().parents[3] / "include" / "sql" / "reports"


def counts(db: Connection, sweep_id: str, system: str) -> dict[str, int]:
    """What became of the records found, what waits for people, what could not be read; by the names in the report."""
    row = one(db, (REPORTS / "sweep_counts.sql").read_text(encoding="utf-8"), sweep_id=sweep_id, system=system)
    return {name: int(value) for name, value in row._mapping.items()}


def keep(db: Connection, sweep_id: str, counted: Mapping[str, Mapping[str, int]]) -> None:
    """Keep the counts of a sealed sweep; a later seal replaces them."""
    for system, told in counted.items():
        run(
            db,
            "INSERT INTO sweep_reports (sweep_id, system, counts) VALUES (:s, :system, CAST(:counts AS jsonb))"
            " ON CONFLICT (sweep_id, system) DO UPDATE SET counts = excluded.counts",
            s=sweep_id,
            system=system,
            counts=json.dumps(told),
        )


def review_ages(db: Connection, day: date) -> dict[str, int]:
    """waiting, median_days, oldest_days, over_30_days, over_90_days: how long records have waited for a person."""
    row = one(db, (REPORTS / "review_ages.sql").read_text(encoding="utf-8"), day=day)
    return {name: int(value) for name, value in row._mapping.items()}
