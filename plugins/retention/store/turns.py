"""When is it this worker's turn to call an account? One row in the ledger, shared by all workers on all machines.

A turn is drawn by one statement, which moves the row on; whoever drew it waits once, without holding anything. A worker
that dies loses its turn and nothing else. The server's clock counts, since those of the workers may differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from retention.store.database import one, run

# Laid out in order first: two workers that lock in different orders would wait for each other.
_IN_ORDER = "WITH n AS MATERIALIZED (SELECT unnest(CAST(:names AS text[])) AS name ORDER BY 1) SELECT "
_LOCK = _IN_ORDER + "pg_advisory_lock(hashtextextended(:account || ' ' || name, 0)) FROM n"
_UNLOCK = _IN_ORDER + "pg_advisory_unlock(hashtextextended(:account || ' ' || name, 0)) FROM n"


class SharedTurns:
    """The turns of one account. Keeps one connection, which it opens when the first turn is drawn."""

    def __init__(self, engine: Engine, account: str) -> None:
        self._engine = engine
        self._account = account
        self._open: Connection | None = None

    def draw(self, allowance: str, apart: float, slack: float) -> float:
        """Take the next turn; gives the seconds until it. `slack`: how far behind the present it may lie."""
        row = one(
            self._connection(),
            "INSERT INTO turns AS t VALUES (:account, :allowance, clock_timestamp() + make_interval(secs => :apart))"
            " ON CONFLICT (account, allowance) DO UPDATE SET next_at ="
            " greatest(t.next_at, clock_timestamp() - make_interval(secs => :slack)) + make_interval(secs => :apart)"
            " RETURNING extract(epoch FROM next_at - clock_timestamp()) AS seconds",
            account=self._account,
            allowance=allowance,
            apart=apart,
            slack=slack,
        )
        return max(0.0, float(row.seconds) - apart)

    def hold(self, allowance: str, seconds: float) -> None:
        """Let no turn begin earlier than in so many seconds."""
        run(
            self._connection(),
            "INSERT INTO turns AS t VALUES (:account, :allowance, clock_timestamp() + make_interval(secs => :seconds))"
            " ON CONFLICT (account, allowance) DO UPDATE SET next_at = greatest(t.next_at, excluded.next_at)",
            account=self._account,
            allowance=allowance,
            seconds=seconds,
        )

    @contextmanager
    def alone(self, allowances: Collection[str]) -> Iterator[None]:
        """Be the only worker that calls these; waits until nobody else does. A worker that dies lets go."""
        names: dict[str, object] = {"account": self._account, "names": sorted(allowances)}
        db = self._connection()
        run(db, _LOCK, **names)
        try:
            yield
        finally:
            self._let_go(db, names)

    def _let_go(self, db: Connection, names: dict[str, object]) -> None:
        if db.closed or db.invalidated:
            return
        try:
            run(db, _UNLOCK, **names)
        except DBAPIError as error:
            if not error.connection_invalidated:  # a connection that was cut has let go; what was done meanwhile counts
                raise

    def _connection(self) -> Connection:
        if self._open is None or self._open.closed or self._open.invalidated:
            self._open = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._open
