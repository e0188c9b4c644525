"""Do workers stay under the account's allowance together, on a real emulator with its windows scaled to a tenth?

The ten seconds of the vendor's rolling window are one second here; everything else is as it is. Workers are processes
that share nothing but the ledger's PostgreSQL, as in production.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from connectors.hubspot import HubSpotConnector, Pace, connect
from retention.contract import Throttled
from retention.store import database
from retention.store.turns import SharedTurns
from retention.vocabulary import Action, Criteria, Identifier, IdentifierKind, OutcomeStatus, RecordRef, Step
from tests.contract.hubspot_world import KINDS, SYSTEM, Emulator, HubSpotWorld
from tests.leave import Leave

ALLOWED = 100
PER_WORKER = 200


@dataclass(frozen=True)
class Shift:
    """What one worker is to erase, and what it needs for it."""

    ledger: str
    base_url: str
    token: str
    refs: tuple[RecordRef, ...]


@dataclass(frozen=True)
class Worked:
    """When a worker began and ended, and how many of its steps were done."""

    began: float
    ended: float
    done: int


def work(shift: Shift, everybody: threading.Barrier) -> Worked:
    """Erase, in batches of 100, as one lane of a sweep does; all begin together, knowing the allowance."""
    engine = database.connect(shift.ledger)
    pace = Pace(SharedTurns(engine, "hubspot"))
    client = connect(shift.token, shift.base_url, pace=pace)
    connector = HubSpotConnector(client, SYSTEM, client.tenant, KINDS)
    client.some("contacts", 1)  # the first answer tells the allowance; until then the smallest account is assumed
    everybody.wait(timeout=60)
    began, done = time.time(), 0
    steps = [Step(ref.key, ref, Action.ERASE) for ref in shift.refs]
    for start in range(0, len(steps), 100):
        outcomes = connector.act(Action.ERASE, steps[start : start + 100], Leave())
        done += sum(outcome.status is OutcomeStatus.DONE for outcome in outcomes)
    engine.dispose()
    return Worked(began, time.time(), done)


def shifts(account: HubSpotWorld, ledger_url: str, how_many: int) -> list[Shift]:
    rows = [{"email": f"due-{number}@example.com"} for number in range(how_many * PER_WORKER)]
    refs = account.contacts(rows)
    seen = account.reconnect().read_back([Step("read", ref, Action.ERASE) for ref in refs])
    emulator = account.emulator
    return [
        Shift(
            *(ledger_url, emulator.base_url, emulator.token),
            tuple(one.ref for one in seen[start : start + PER_WORKER]),
        )
        for start in range(0, len(seen), PER_WORKER)
    ]


def refusals(emulator: Emulator) -> int:
    return sum(call["status"] == 429 for call in emulator.ask("calls")["calls"])


@pytest.mark.parametrize("how_many", [1, 2], ids=["one-worker", "two-workers"])
def test_erasing_uses_nine_tenths_of_the_allowance_and_is_never_refused(
    account: HubSpotWorld, ledger: Engine, ledger_url: str, how_many: int
) -> None:
    share = 0.0
    for _ in range(3):  # the machine is shared, and a tenth of the window is a tenth of the patience
        share = max(share, share_used(account, ledger_url, how_many))
        if share >= 0.9:
            break
    assert share >= 0.9


def share_used(account: HubSpotWorld, ledger_url: str, how_many: int) -> float:
    """Which part of the allowance workers use together, none of their calls being refused."""
    account.emulator.tell("switches", enforce_limits=False)
    given = shifts(account, ledger_url, how_many)
    account.emulator.tell("switches", enforce_limits=True, per_ten_seconds=ALLOWED, interval_seconds=1.0)
    account.emulator.forget_calls()
    spawning = multiprocessing.get_context("spawn")
    with spawning.Manager() as manager, ProcessPoolExecutor(how_many, mp_context=spawning) as workers:
        worked = list(workers.map(work, given, [manager.Barrier(how_many)] * how_many))

    assert sum(one.done for one in worked) == how_many * PER_WORKER
    assert refusals(account.emulator) == 0
    calls = sum(account.emulator.calls().values())
    assert max(one.began for one in worked) < min(one.ended for one in worked), "they did not work at the same time"
    seconds = max(one.ended for one in worked) - min(one.began for one in worked)
    return calls / (seconds * ALLOWED)


def test_two_searching_workers_stay_under_the_searches_of_a_second(
    account: HubSpotWorld, ledger: Engine, ledger_url: str
) -> None:
    account.contact("somebody@example.com")
    account.emulator.tell("switches", enforce_limits=True)
    connectors = []
    for _ in range(2):
        client = connect(account.emulator.token, account.emulator.base_url, pace=Pace(SharedTurns(ledger, "hubspot")))
        connectors.append(HubSpotConnector(client, SYSTEM, client.tenant, KINDS))
    account.emulator.forget_calls()
    asked = Criteria(identifiers=(Identifier(IdentifierKind.EMAIL, "somebody@example.com"),))
    for number in range(8):
        list(connectors[number % 2].find(asked))
    assert refusals(account.emulator) == 0


def test_when_the_day_is_used_up_the_work_stops_and_goes_on_after_the_accounts_midnight(
    account: HubSpotWorld, ledger_url: str
) -> None:
    refs = account.contacts([{"email": f"day-{number}@example.com"} for number in range(6)])
    seen = account.reconnect().read_back([Step("read", ref, Action.ERASE) for ref in refs])
    steps = [Step(one.ref.key, one.ref, Action.ERASE) for one in seen]
    account.emulator.tell("switches", enforce_limits=True, per_day=used_today(account) + 4)
    account.emulator.forget_calls()

    outcomes = account.reconnect().act(Action.ERASE, steps, Leave())
    done = [outcome.status is OutcomeStatus.DONE for outcome in outcomes]
    assert done == [True] * sum(done) + [False] * (6 - sum(done))
    assert 0 < sum(done) < 6
    assert {outcome.reason.value for outcome in outcomes[sum(done) :]} == {"not-sent"}
    left = steps[sum(done) :]
    with pytest.raises(Throttled, match="midnight"):
        account.reconnect().act(Action.ERASE, left, Leave())

    account.next_day()
    again = account.reconnect().act(Action.ERASE, left, Leave())
    assert {outcome.status for outcome in again} == {OutcomeStatus.DONE}
    assert account.emulator.calls()["POST /crm/v3/objects/contacts/gdpr-delete"] >= 6


def used_today(account: HubSpotWorld) -> int:
    usage: Sequence[dict[str, int]] = account.emulator.send("GET", "/account-info/v3/api-usage/daily")["results"]
    return usage[0]["currentUsage"]
