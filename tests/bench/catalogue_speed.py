"""How long does it take to find a hundred thousand people's items among a million, beside the bare join?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, text

from retention.keyring import Keyring
from retention.store import catalogue, findings, sweeps
from retention.store.desk import Desk
from retention.vocabulary import Identifier, IdentifierKind
from tests.bench.running import AS_OF, desk_of, ledger

ITEMS = 1_000_000
PEOPLE = 1_000_000
SUBJECTS = 100_000
NAMED_IN_EACH = 3
TRIES = 3
SYSTEM = "documents"


def measure() -> Iterator[tuple[str, float, float]]:
    with ledger() as engine:
        desk = desk_of(engine, SYSTEM)
        with desk.transaction() as db:
            sweep = sweeps.open_sweep(
                db,
                dag_id="bench",
                run_id="catalogue",
                run_type="manual",
                started_by="bench",
                as_of=AS_OF,
                policy_digest=desk.policy.digest,
                code_version="bench",
            )
            subjects = [Identifier(IdentifierKind.EMAIL, f"person{n}@example.com") for n in range(SUBJECTS)]
            _fill(db, desk.keyring, subjects)
        keys = [desk.keyring.folded_key(subject) for subject in subjects]
        named = text(f"SELECT count(DISTINCT record_key) FROM ({catalogue.RECORDS_WANTED}) named")

        def matched(db: Connection) -> int:
            catalogue.want(db, keys)
            return int(db.execute(named, {"system": SYSTEM}).scalar_one())

        def looked_up(db: Connection) -> int:
            return catalogue.about(db, desk.keyring, sweep.sweep_id, SYSTEM, subjects, ())

        match, bare = (min(_seconds(desk, work) for _ in range(TRIES)) for work in (matched, _bare_join))
        yield "catalogue.match.seconds", match, bare
        yield "catalogue.look_up.seconds", _seconds(desk, looked_up), _seconds(desk, _bare_copy)


def _fill(db: Connection, keyring: Keyring, subjects: list[Identifier]) -> None:
    """Each item names three people; the subjects are the first of a million, the others' keys belong to nobody."""
    db.execute(text("CREATE UNLOGGED TABLE subjects (number int, key bytea)"))
    raw = db.connection.cursor()
    with raw.copy("COPY subjects FROM STDIN") as lines:
        for number, subject in enumerate(subjects):
            lines.write_row((number, keyring.folded_key(subject)))
    db.execute(
        text(
            "CREATE UNLOGGED TABLE people AS SELECT n, coalesce(key, sha256(n::text::bytea)) AS key"
            f" FROM generate_series(0, {PEOPLE - 1}) n LEFT JOIN subjects ON number = n"
        )
    )
    db.execute(
        text(
            "CREATE UNLOGGED TABLE occurrences AS SELECT DISTINCT sha256(('item' || i)::bytea) AS record_key, key"
            f" FROM generate_series(0, {ITEMS - 1}) i, LATERAL (SELECT (i::bigint * p * 7919 + p) % {PEOPLE} AS n"
            f" FROM generate_series(1, {NAMED_IN_EACH}) p) named JOIN people USING (n)"
        )
    )
    facts = '{"classes": []}'
    db.execute(
        text(
            "INSERT INTO catalogue (system, record_key, kind, locator, version, facts, collected_on, exact_keys,"
            " folded_keys, seen_in) SELECT :system, record_key, 'file', record_key, repeat('a', 64),"
            " CAST(:facts AS jsonb), :day, array_agg(key), array_agg(key), '' FROM occurrences GROUP BY record_key"
        ),
        {"system": SYSTEM, "facts": facts, "day": AS_OF},
    )
    mentions = text("INSERT INTO catalogue_mentions SELECT :system, key, record_key FROM occurrences")
    db.execute(mentions, {"system": SYSTEM})
    db.execute(text("ANALYZE"))


def _bare_join(db: Connection) -> int:
    found = db.execute(text("SELECT count(DISTINCT record_key) FROM occurrences JOIN subjects USING (key)"))
    return int(found.scalar_one())


def _bare_copy(db: Connection) -> int:
    """As many rows as wide, into a table without a key or an index."""
    db.execute(text("CREATE TABLE copied AS TABLE findings WITH NO DATA"))
    columns = ", ".join(c for c in catalogue.COLUMNS if c in findings.COLUMNS)
    copied = db.execute(text(f"INSERT INTO copied ({columns}) SELECT {columns} FROM findings"))
    return int(copied.rowcount)


def _seconds(desk: Desk, work: Callable[[Connection], int]) -> float:
    with desk.transaction() as db:
        started = time.perf_counter()
        found = work(db)
        spent = time.perf_counter() - started
    if not SUBJECTS < found < SUBJECTS * NAMED_IN_EACH:
        raise RuntimeError(f"{found} items were found: the figure would say nothing")
    return spent
