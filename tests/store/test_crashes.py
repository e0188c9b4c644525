"""What is left after a crash, a lost answer or a second worker? Each step done once, each end known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine

from retention import carry_out
from retention.store import restrictions
from retention.store.database import rows, run
from retention.verify import verify_earlier
from retention.vocabulary import Step, Transaction
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, desk_for, rehearse


class Killed(BaseException):
    """The worker dies here: nothing of ours may catch it."""


@pytest.fixture
def crm() -> MemorySystem:
    system = MemorySystem("crm")
    for n in range(5):
        system.add(person(f"old{n}@example.com", date(2020, 1, 1)))
    keep = Transaction("order", date(2023, 1, 1), live=False)
    system.add(person("customer@example.com", date(2020, 1, 1), transactions=(keep,)))
    return system


@pytest.fixture
def night(ledger: Engine, crm: MemorySystem) -> Night:
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    night = Night(desk, [MemoryConnector(crm)])
    night.plan()
    night.approve()
    return night


def leases_run_out(night: Night) -> None:
    with night.desk.transaction() as db:
        run(db, "UPDATE steps SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")


def killed_at(n: int) -> tuple[Callable[[Step], None], Counter[str]]:
    """A hook that dies at its n-th call, and a count of the records it saw."""
    seen: Counter[str] = Counter()

    def hook(step: Step) -> None:
        seen[step.ref.key] += 1
        if seen.total() == n:
            raise Killed

    return hook, seen


@pytest.mark.parametrize("jobs", [False, True], ids=["call by call", "as a job"])
@pytest.mark.parametrize("when", ["before_effect", "after_effect"])
@pytest.mark.parametrize("n", [1, 3, 6])
def test_a_worker_killed_at_any_record_leaves_each_step_done_exactly_once(
    night: Night, crm: MemorySystem, when: str, n: int, jobs: bool
) -> None:
    crm.has_jobs = jobs
    hook, _ = killed_at(n)
    effects: Counter[str] = Counter()
    hooks = {"after_effect": lambda step: effects.update([step.ref.key])}

    def dying(step: Step) -> None:
        if when == "after_effect":
            effects.update([step.ref.key])
        hook(step)

    night.connectors = {"crm": MemoryConnector(crm, **{**hooks, when: dying})}  # type: ignore[arg-type]
    with pytest.raises(Killed):
        night.carry_out("crm")

    leases_run_out(night)
    night.connectors = {"crm": MemoryConnector(crm, **hooks)}  # type: ignore[arg-type]
    night.carry_out("crm")

    assert night.verify("crm") == {"verified": 6}
    assert set(effects.values()) == {1}
    with night.desk.transaction() as db:
        assert not rows(db, "SELECT 1 FROM attempts WHERE status IS NULL")


def test_a_lost_answer_is_settled_by_reading_back_and_not_repeated(night: Night, crm: MemorySystem) -> None:
    effects: Counter[str] = Counter()
    crm.loses_answers = True
    night.connectors = {"crm": MemoryConnector(crm, after_effect=lambda step: effects.update([step.ref.key]))}

    night.carry_out("crm")

    assert night.verify("crm") == {"verified": 6}
    assert set(effects.values()) == {1}


def test_a_success_without_effect_is_contradicted_not_believed(night: Night, crm: MemorySystem) -> None:
    crm.lies = True

    night.carry_out("crm")

    assert night.verify("crm") == {"contradicted": 6}


def test_a_second_worker_takes_over_nothing_whose_lease_still_runs(night: Night, crm: MemorySystem) -> None:
    hook, _ = killed_at(1)
    night.connectors = {"crm": MemoryConnector(crm, before_effect=hook)}
    with pytest.raises(Killed):
        night.carry_out("crm")
    with night.desk.transaction() as db:
        run(db, "UPDATE steps SET lease_until = now() + interval '1 hour' WHERE lease_until IS NOT NULL")

    waits: list[float] = []

    class Impatient(Exception):
        pass

    def impatient(seconds: float) -> None:
        waits.append(seconds)
        raise Impatient

    with night.desk.transaction() as db:
        leased = {bytes(r.record_key) for r in rows(db, "SELECT record_key FROM steps WHERE state = 'intended'")}
    with pytest.raises(Impatient):
        carry_out.carry_out(night.desk, night.plan_of("crm"), MemoryConnector(crm), loopback=True, pause=impatient)

    with night.desk.transaction() as db:
        still = {bytes(r.record_key) for r in rows(db, "SELECT record_key FROM steps WHERE state = 'intended'")}
    assert still == leased
    assert leased
    assert waits == [5.0]


def test_an_older_worker_that_wakes_up_late_can_write_nothing(night: Night, crm: MemorySystem) -> None:
    """The old task is still at the vendor while the new one settles: its late answer changes nothing."""
    second_run: list[object] = []

    def new_worker_comes_first(step: Step) -> None:
        if not second_run:
            second_run.append(step)
            leases_run_out(night)
            night.connectors = {"crm": MemoryConnector(crm)}
            second_run.append(night.carry_out("crm"))

    night.connectors = {"crm": MemoryConnector(crm, batch_size=6, after_effect=new_worker_comes_first)}
    first = night.carry_out("crm")

    assert first == {}
    assert night.verify("crm") == {"verified": 6}


def test_a_restriction_remembers_what_it_found_though_the_worker_died(ledger: Engine) -> None:
    crm = MemorySystem("crm")
    paid = Transaction("order", date(2023, 1, 1), live=False)  # a statutory keep runs: nothing but the invoice's person
    customer = person("customer@example.com", date(2020, 1, 1), transactions=(paid,))
    customer.values |= {"interests": None, "lead_score": None}
    ref = crm.add(customer)
    desk = desk_for(ledger, "crm")
    rehearse(desk)
    hook, _ = killed_at(1)
    night = Night(desk, [MemoryConnector(crm, after_effect=hook)])
    night.plan()
    night.approve()
    with pytest.raises(Killed):
        night.carry_out("crm")

    leases_run_out(night)
    night.connectors = {"crm": MemoryConnector(crm)}
    night.carry_out("crm")

    assert night.verify("crm") == {"verified": 1}
    assert crm.records[ref.key].restricted
    with desk.transaction() as db:
        found = restrictions.previous_states(db, desk.keyring, "crm", [desk.keyring.record_key(ref)])
    assert list(found.values()) == [{"restricted": False}]


def test_what_a_vendor_had_only_accepted_is_settled_and_read_back_on_a_later_night(
    night: Night, crm: MemorySystem
) -> None:
    crm.bin_until = date(2026, 12, 1)
    assert night.carry_out("crm") == {"accepted": 5, "done": 1}
    assert night.verify("crm") == {"verified": 1}
    crm.bin.clear()
    later = Night(night.desk, [MemoryConnector(crm)])

    settled = carry_out.settle(later.desk, later.connectors["crm"], accepted=True)
    verified = verify_earlier(later.desk, later.sweep.sweep_id, later.connectors["crm"])

    assert settled.states == {"done": 5}
    assert verified.states == {"verified": 5}
    with night.desk.transaction() as db:
        assert not rows(db, "SELECT 1 FROM steps WHERE locator IS NOT NULL")
    assert later.plan() is None


def test_a_record_whose_erasure_is_under_way_gets_no_second_step(night: Night, crm: MemorySystem) -> None:
    hook, _ = killed_at(1)
    night.connectors = {"crm": MemoryConnector(crm, before_effect=hook)}
    with pytest.raises(Killed):
        night.carry_out("crm")

    later = Night(night.desk, [MemoryConnector(crm)])
    later.plan()

    assert later.plan_of("crm").step_count == 1
    with night.desk.transaction() as db:
        states = {r.state: r.n for r in rows(db, "SELECT state, count(*) AS n FROM steps GROUP BY 1")}
    assert states == {"intended": 5, "dropped": 1, "planned": 1}
