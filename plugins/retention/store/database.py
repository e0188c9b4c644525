"""How is the ledger reached, brought up to date and written in bulk? PostgreSQL through SQLAlchemy, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, Engine, TextClause, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from retention.impediment import Impediment

MIGRATION_LOCK = 7_305_001


class LedgerUnreachable(Impediment):
    """The ledger did not answer. Nothing was done; the text names host and database, never a password."""


class NotYourDuty(Impediment):
    """The database role of this connection may not do that; the text names role and table."""


class MigrationError(Impediment):
    """The ledger's tables do not match this version of the code; the text says what to do."""


def connect(url: str) -> Engine:
    """An engine for a `postgresql://` URL; opens nothing yet."""
    return _engine(make_url(url).set(drivername="postgresql+psycopg"))


def connect_to(
    host: str, port: int, database: str, user: str | None, password: str | None, options: Mapping[str, str]
) -> Engine:
    """An engine from the parts of an address; `options` are libpq's (sslmode, sslrootcert …)."""
    return _engine(URL.create("postgresql+psycopg", user, password, host, port, database, query=dict(options)))


def _engine(url: URL) -> Engine:
    return create_engine(
        url, pool_pre_ping=True, pool_size=2, hide_parameters=True, connect_args={"connect_timeout": 10}
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction; a server out of reach, a role without the right and missing tables become errors that say so."""
    try:
        with engine.begin() as db:
            yield db
    except OperationalError as error:
        if error.connection_invalidated or error.orig is None or getattr(error.orig, "sqlstate", None) is None:
            place = f"{engine.url.host}:{engine.url.port}/{engine.url.database}"
            raise LedgerUnreachable(
                f"the ledger at {place} cannot be reached: check the server and the connection 'retention_ledger'"
            ) from None
        raise
    except (ProgrammingError, psycopg.ProgrammingError) as error:
        if said := _impediment(engine, error.orig if isinstance(error, ProgrammingError) else error):
            raise said from None
        raise


def _impediment(engine: Engine, error: BaseException | None) -> Impediment | None:
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return NotYourDuty(
            f"{error.diag.message_primary}: role {engine.url.username!r} has another duty; connect with the role that"
            " docs/commands.md names for this command"
        )
    if isinstance(error, psycopg.errors.UndefinedTable):
        return MigrationError(
            "the ledger lacks tables of this version: run `python -m retention ledger migrate` as its owner"
        )
    return None


def migrate(engine: Engine, folder: Path) -> list[str]:
    """Apply the numbered SQL files not applied yet, each in one transaction, under a lock; returns their names."""
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    if not files:
        raise MigrationError(f"no migrations in {folder.name}: the checkout is incomplete")
    applied: list[str] = []
    with engine.connect() as lock:
        try:
            lock.execute(text("SELECT pg_advisory_lock(:id)"), {"id": MIGRATION_LOCK})
            with engine.begin() as db:
                db.execute(
                    text(
                        "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, sha256 text NOT NULL, "
                        "applied_at timestamptz NOT NULL DEFAULT now())"
                    )
                )
                done = {row.name: row.sha256 for row in db.execute(text("SELECT name, sha256 FROM schema_migrations"))}
            for file in files:
                body = file.read_text(encoding="utf-8")
                digest = hashlib.sha256(body.encode()).hexdigest()
                if file.name in done:
                    if done[file.name] != digest:
                        raise MigrationError(f"{file.name} was changed after it was applied: add a new file instead")
                    continue
                with engine.begin() as db:
                    db.connection.driver_connection.execute(body)  # type: ignore[union-attr]
                    db.execute(
                        text("INSERT INTO schema_migrations (name, sha256) VALUES (:name, :digest)"),
                        {"name": file.name, "digest": digest},
                    )
                applied.append(file.name)
        finally:
            lock.execute(text("SELECT pg_advisory_unlock(:id)"), {"id": MIGRATION_LOCK})
    return applied


def rows(db: Connection, statement: str, **values: Any) -> Sequence[Any]:
    """All rows of a statement."""
    return db.execute(text(statement), values).all()


def one(db: Connection, statement: str, **values: Any) -> Any:
    """The first row, or None."""
    return db.execute(text(statement), values).first()


def streamed(statement: str) -> TextClause:
    """A statement whose rows come through a server-side cursor: memory is bounded by the page."""
    return text(statement).execution_options(stream_results=True, max_row_buffer=5000)


def run(db: Connection, statement: str, **values: Any) -> int:
    """Execute and return how many rows it touched."""
    return db.execute(text(statement), values).rowcount


def copy_into(
    db: Connection, table: str, columns: Sequence[str], lines: Iterable[Sequence[Any]], on_conflict: str
) -> int:
    """Write many rows through COPY; returns how many were written.

    What may be there already goes into a scratch table first and from there by one INSERT … ON CONFLICT. With
    `on_conflict` empty nothing may be there, and rows are copied straight in: a third of the server's time.
    """
    raw: psycopg.Connection[Any] = db.connection.driver_connection  # type: ignore[assignment]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    target = sql.Identifier(table)
    with raw.cursor() as cursor:
        if not on_conflict:
            return _copy(cursor, target, names, lines)
        scratch = sql.Identifier(f"scratch_{table}")
        cursor.execute(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                scratch, names, target
            )
        )
        _copy(cursor, scratch, names, lines)
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ").format(target, names, names, scratch)
            + sql.SQL(on_conflict)
        )
        written = cursor.rowcount
        cursor.execute(sql.SQL("DROP TABLE {}").format(scratch))
    return written


def _copy(
    cursor: psycopg.Cursor[Any], table: sql.Identifier, names: sql.Composed, lines: Iterable[Sequence[Any]]
) -> int:
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)) as copy:
        for line in lines:
            copy.write_row(line)
    return cursor.rowcount


__all__ = [
    "Connection",
    "Engine",
    "LedgerUnreachable",
    "MigrationError",
    "NotYourDuty",
    "connect",
    "connect_to",
    "copy_into",
    "migrate",
    "one",
    "rows",
    "run",
    "streamed",
    "transaction",
]
