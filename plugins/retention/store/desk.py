"""What does every stage of a sweep need at hand? The ledger, the keys, the policy and today's date, passed in once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from retention import audit
from retention.keyring import Keyring
from retention.policy import Policy
from retention.store import database


def utc_now() -> datetime:
    """The one clock; passed in, never called from decisions."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Desk:
    """Everything a stage works with. `today` is the day that "older than" counts from."""

    engine: Engine
    keyring: Keyring
    policy: Policy
    today: date
    code_version: str
    now: Callable[[], datetime] = field(default=utc_now)

    def transaction(self) -> AbstractContextManager[Connection]:
        """One ledger transaction."""
        return database.transaction(self.engine)

    def entry(self, event: audit.Event, **values: Any) -> audit.Entry:
        """An audit entry of now, under this policy and code; people who act are named by user id or pseudonym."""
        for name in ("actor", "approver"):
            if values.get(name):
                values[name] = audit.fit_actor(values[name], self.keyring.current.audit)
        return audit.Entry(
            at=self.now(),
            event=event,
            clock=audit.Clock.WORKER,
            policy_digest=self.policy.digest,
            code_version=self.code_version,
            **values,
        )
