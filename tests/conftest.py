"""What do tests share? One real PostgreSQL for the whole run, and an empty ledger for each test that asks for one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from retention.store import database
from sandbox.stack.postgres import Server

ROOT = Path(__file__).resolve().parents[1]
MIGRATIONS = ROOT / "include" / "sql" / "migrations"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real PostgreSQL on loopback, for this run only."""
    server = Server(tmp_path_factory.mktemp("postgres"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def migrated(postgres: Server) -> str:
    """The name of a database with the ledger's tables, to copy from."""
    name = "ledger_template"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    engine = database.connect(postgres.url(name))
    database.migrate(engine, MIGRATIONS)
    engine.dispose()
    return name


@pytest.fixture
def ledger_url(postgres: Server, migrated: str) -> Iterator[str]:
    """The address of an empty ledger of this test's own."""
    with copy_of(migrated, postgres) as url:
        yield url


@contextmanager
def copy_of(template: str, postgres: Server) -> Iterator[str]:
    """The address of a copy of a database, dropped afterwards."""
    name = f"{template}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.url(name)
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    """An empty ledger, open."""
    engine = database.connect(ledger_url)
    yield engine
    engine.dispose()
