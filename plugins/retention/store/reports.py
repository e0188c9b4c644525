"""What did a sweep come to? The questions of operators and auditors, asked of the ledger in `include/sql/reports/`."""

from __future__ import annotations

from pathlib import Path

from retention.store.database import Connection, one

REPORTS = Path(__file__).resolve().parents[3] / "include" / "sql" / "reports"


def counts(db: Connection, sweep_id: str, system: str) -> dict[str, int]:
    """found, flagged, erased, redacted, restricted, suppressed, kept, review, held, failed, gaps, verified."""
    row = one(db, (REPORTS / "sweep_counts.sql").read_text(encoding="utf-8"), sweep_id=sweep_id, system=system)
    return {name: int(value) for name, value in row._mapping.items()}
