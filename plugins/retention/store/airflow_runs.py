"""What does Airflow's own database hold of runs, and what did a broken-off clean-up leave there? Counts, and an end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from retention.store.database import one, rows, run

# Airflow moves what it deletes into such a table first: one that stands was left by a clean-up that did not end.
_MOVED_ASIDE = (
    r"SELECT tablename FROM pg_tables WHERE tableowner = current_user AND tablename LIKE '\_airflow\_deleted\_\_%'"
)


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """A session of Airflow's kind, for its own clean-up."""
    with Session(engine) as opened:
        yield opened


def count(db: Connection) -> int:
    """How many runs there are."""
    found: int = one(db, "SELECT count(*) AS n FROM dag_run").n
    return found


def tables(db: Connection) -> set[str]:
    """Which tables there are."""
    return {row.tablename for row in rows(db, "SELECT tablename FROM pg_tables")}


def drop_left_over(db: Connection) -> None:
    """End what an interrupted clean-up of ours moved aside and did not drop."""
    for row in rows(db, _MOVED_ASIDE):
        run(db, f'DROP TABLE "{row.tablename}"')
