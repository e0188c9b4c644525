"""What does PostgreSQL itself take for the same rows? The bare COPY that writing of ours is held against."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine


def raw(engine: Engine) -> psycopg.Connection[Any]:
    """A connection of psycopg's own to the same database."""
    return psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))


def seconds_to_copy(engine: Engine, table: str, columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> float:
    """COPY rows into a new table with the same columns, without key, index or trigger, and commit."""
    ready = list(lines)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with raw(engine) as db:
        db.execute(sql.SQL("CREATE TABLE bare AS SELECT {} FROM {} WITH NO DATA").format(names, sql.Identifier(table)))
        db.commit()
        started = time.perf_counter()
        with db.cursor() as cursor, cursor.copy(sql.SQL("COPY bare ({}) FROM STDIN").format(names)) as copy:
            for line in ready:
                copy.write_row(line)
        db.commit()
        took = time.perf_counter() - started
        db.execute("DROP TABLE bare")
    return took
