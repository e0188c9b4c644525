"""How does one worker process carry requests through, and how is it killed? By its own hand, at a moment told before.

A moment is a statement to the ledger or a call to the system: the worker kills itself with SIGKILL when it comes to the
n-th, so that nothing of it can tidy up. Started again it does what Airflow does: the same runs once more.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from retention import approve, sweep
from retention.contract import Warrant
from retention.keyring import Keyring
from retention.life_cycles import REQUEST_ACTS_IN
from retention.requests import finishing, run
from retention.requests.notices import ByPost
from retention.store import database, requests, sweeps
from retention.store.desk import Desk
from retention.vocabulary import Action, Criteria, Cursor, Observation, Outcome, Page, Step
from tests.leave import Leave
from tests.memory_connector import MemoryConnector, MemorySystem
from tests.requesting import KEY, Run
from tests.sweeping import desk_for

SYSTEM = "crm"
LEASE_SECONDS = 2
NEVER = 0


class Hosted:
    """The system in a process of its own; it counts what took effect."""

    def __init__(self, system: MemorySystem) -> None:
        self._effects: Counter[tuple[str, str]] = Counter()
        self._inner = MemoryConnector(system, page_size=100, after_effect=self._note)

    def _note(self, step: Step) -> None:
        self._effects[step.action.value, step.ref.key] += 1

    def find(self, criteria: Criteria) -> list[Page]:
        """Plain values only: what is read only cannot be sent to another process."""
        return [replace(page, listings=dict(page.listings)) for page in self._inner.find(criteria)]

    def act(self, action: Action, step: Step) -> Outcome:
        return self._inner.act(action, [step], Leave())[0]

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        return self._inner.read_back(batch)

    def effects(self) -> Counter[tuple[str, str]]:
        return self._effects


class Place(BaseManager):
    """Where the hosted system is reached by the workers."""


class Moments:
    """Counts moments; the n-th is the last this process sees."""

    def __init__(self, last: int) -> None:
        self._last, self._seen = last, 0

    def pass_by(self, *_: Any) -> None:
        self._seen += 1
        if self._seen == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


class Remote(MemoryConnector):
    """The connector of a worker: every call leads to the hosted system, one record a call, each with leave."""

    def __init__(self, hosted: Any, moments: Moments) -> None:
        super().__init__(MemorySystem(SYSTEM, tenant="crm-tenant"))
        self._hosted, self._moments = hosted, moments

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        self._moments.pass_by()
        yield from self._hosted.find(criteria)

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        outcomes = []
        for step in batch:
            warrant.check()
            self._moments.pass_by()  # after the intent, before the effect
            outcomes.append(self._hosted.act(action, step))
            self._moments.pass_by()  # after the effect, before its outcome is written
        return outcomes

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        self._moments.pass_by()
        found: Sequence[Observation] = self._hosted.read_back(batch)
        return found


@dataclass(frozen=True)
class Job:
    """All that a worker is told."""

    ledger_url: str
    keys: str
    address: tuple[str, int]
    secret: bytes
    runs: Sequence[tuple[str, Sequence[str]]]
    dies_at: int
    outside: str


def desk_of(engine: Engine, keyring: Keyring) -> Desk:
    """A desk whose claims run out soon after their worker died."""
    desk = replace(desk_for(engine, SYSTEM), keyring=keyring)
    operations = desk.policy.schedule.operations.model_copy(update={"lease_seconds": LEASE_SECONDS})
    schedule = desk.policy.schedule.model_copy(update={"operations": operations})
    return replace(desk, policy=desk.policy.model_copy(update={"schedule": schedule}))


class Resumed(Run):
    """A run under a name of its own: whoever opens it again goes on where it stands."""

    def __init__(self, desk: Desk, connector: Remote, name: str, request_ids: Sequence[str]) -> None:
        self.desk, self.connectors = desk, {SYSTEM: connector}
        self.sweep = run.open_run(desk, request_ids, sweep.RunInfo("subject_request", name, "manual", "schedule"))
        self.left_behind = {}

    def go_on(self, outside: Path) -> None:
        """Every stage that is not behind it."""
        if self.sweep.state == "open":
            self.plan()
        if self.sweep.state == "guarded":
            self.approve()
        elif self.sweep.state == "approved":
            approve.let_run(self.desk, self.sweep)
        with self.desk.transaction() as db:
            self.sweep = sweeps.get(db, self.sweep.sweep_id)
        if self.sweep.state == "approved":
            self.carry_out(SYSTEM)
        finishing.give_to_people(self.desk, self.sweep, [SYSTEM])
        finishing.seal(self.desk, self.sweep, KEY, outside)


def work(job: Job) -> None:
    """Carry all runs through, from wherever they stand."""
    Place.register("hosted")
    place = Place(job.address, job.secret)
    place.connect()
    engine = database.connect(job.ledger_url)
    moments = Moments(job.dies_at)
    event.listen(engine, "after_cursor_execute", moments.pass_by)
    desk = desk_of(engine, Keyring.from_json(job.keys))
    connector = Remote(place.hosted(), moments)  # type: ignore[attr-defined]
    for name, request_ids in job.runs:
        Resumed(desk, connector, name, request_ids).go_on(Path(job.outside))
        for request_id in request_ids:
            with desk.transaction() as db:
                waits = requests.get(db, request_id).state in REQUEST_ACTS_IN
            if waits:
                finishing.answer(desk, None, request_id, "clerk", ByPost("OPS-1", desk.today))
    engine.dispose()


if __name__ == "__main__":
    work(pickle.load(sys.stdin.buffer))  # noqa: S301 - written by the test that started this process
