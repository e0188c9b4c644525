"""When is it this worker's turn to call an account? One row in the ledger, shared by all workers on all machines.

A turn is drawn by one statement, which moves the row on; whoever drew it waits once, without holding anything. A worker
that dies loses its turn and nothing else. The server's clock counts, since those of the workers may differ.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from retention.store.database import one, run


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

    def _connection(self) -> Connection:
        if self._open is None or self._open.closed or self._open.invalidated:
            self._open = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._open
