"""How is it made sure that no call starts once a legal hold is acknowledged? One advisory lock, shared and exclusive.

Whoever calls a vendor shares the lock: from the re-read of holds to the answer of one request. Before the next request
of the same batch it lets go, takes the lock anew and reads the holds again (`SharedLock.let_holds_in`, asked by
`BatchWarrant.check`). Whoever places a hold commits it first and then asks for the lock alone:

1. The hold is committed. Every re-read from here on sees it, so no request is let go on what it covers.
2. The lock is gained alone. Requests let go before step 1 held it shared: all of them have ended. What asks for the
   lock now re-reads after step 1. So nothing starts after this moment, and that is when the hold is acknowledged.

The lock spans one request, not the batch: otherwise placing a hold would wait for hundreds of calls and their pauses,
or a batch would have to be believed that was checked minutes ago. It spans the request to its answer, not until it was
sent: nobody but the socket knows when the last byte left, and a lock given back too early proves nothing.

A request may still take longer than anybody will wait. Then the acknowledgement says that the lock was not gained and
names the steps that were let go before; step 1 holds without the lock. The same list names steps whose worker lost its
session with the ledger, and with it the lock, while its call was out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from retention.impediment import Impediment
from retention.store import holds, request_runs
from retention.store.database import transaction

HOLD_LOCK = 7_305_002
HOLD_PLACED = "a legal hold or a restriction was placed, or a request taken back, meanwhile"


class SharedLock:
    """The lock in the hands of one worker, on a connection of its own."""

    def __init__(self, held: Connection) -> None:
        self._held = held

    def let_holds_in(self) -> None:
        """Give way to whoever is placing a hold; to be called while no request is out."""
        self.give_back()
        self.take()

    def take(self) -> None:
        """Share the lock; waits while somebody has it alone."""
        self._held.execute(text("SELECT pg_advisory_lock_shared(:id)"), {"id": HOLD_LOCK})

    def give_back(self) -> None:
        """Share it no longer."""
        self._held.execute(text("SELECT pg_advisory_unlock_shared(:id)"), {"id": HOLD_LOCK})


@contextmanager
def shared(engine: Engine) -> Iterator[SharedLock]:
    """Share the lock for one batch, from the re-read of holds until its outcomes are written."""
    # Without a transaction around it, so that no time limit on idle transactions can take the lock away meanwhile.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as held:
        lock = SharedLock(held)
        lock.take()
        try:
            yield lock
        finally:
            lock.give_back()


def reason_to_stop(engine: Engine, lock: SharedLock, step_ids: Sequence[str]) -> str | None:
    """Why nothing more of a batch may be sent; None while no hold or restriction is on it and whoever asked still does.
    Unreadable means no."""
    try:
        lock.let_holds_in()
        with transaction(engine) as db:
            covered = holds.covered_steps(db, step_ids, "intended")
            covered |= request_runs.lapsed(db, step_ids)
    except (Impediment, SQLAlchemyError):
        return "the legal holds cannot be read"
    return HOLD_PLACED if covered else None


def calls_have_ended(engine: Engine, patience: float) -> bool:
    """Wait until every request let go before has ended; False if that took longer than `patience` seconds."""
    try:
        with engine.begin() as db:
            milliseconds = max(1, round(patience * 1000))  # 0 would mean for ever
            db.execute(text("SELECT set_config('lock_timeout', :ms, true)"), {"ms": f"{milliseconds}ms"})
            db.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": HOLD_LOCK})
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            return False
        raise
    return True
