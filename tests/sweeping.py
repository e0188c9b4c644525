"""How does a test run a whole sweep without Airflow? The same stages in the same order, on in-memory systems."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from retention import approve, carry_out, guard, policy_approval, sweep, verify
from retention.approve import Answer
from retention.contract import Connector, ConnectorError
from retention.keyring import Keyring
from retention.limits import GuardChanges
from retention.plan import Purpose
from retention.policy import Policy, Schedule, SystemPolicy, load
from retention.store import plans, sweeps
from retention.store.desk import Desk
from retention.store.sweeps import Sweep
from tests.conftest import ROOT
from tests.memory_connector import MemoryConnector
from tests.memory_system import MemorySystem

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PERSON = {
    "identifiers": {"email": "email"},
    "opt_out": "opted_out",
    "consent_on": "consented_on",
    "field_sets": [
        {
            "data_class": "contact_identity",
            "fields": ["email", "name"],
            "collected_from": ["collected_on"],
            "lawful_basis": "consent",
        },
        {
            "data_class": "marketing_profile",
            "fields": ["interests", "lead_score"],
            "collected_from": ["collected_on"],
            "lawful_basis": "consent",
        },
    ],
}


def shipped_schedule() -> Schedule:
    """The schedule as shipped, with a lease short enough for a test to outlive."""
    schedule = load(ROOT / "include" / "policy").schedule
    return schedule.model_copy(update={"operations": schedule.operations.model_copy(update={"lease_seconds": 5})})


def policy_for(*systems: str) -> Policy:
    """The shipped schedule over in-memory systems."""
    declared = {
        name: SystemPolicy.model_validate(
            {
                "kind": "salesforce",
                "connection": name,
                "regime": "UK",
                "zone": "Europe/London",
                "records": {"person": PERSON},
            }
        )
        for name in systems
    }
    return Policy(schedule=shipped_schedule(), systems=declared, digest="0" * 64)


def desk_for(ledger: Engine, *systems: str, today: date = TODAY, now: datetime = NOW) -> Desk:
    """A desk on an empty ledger."""
    return Desk(ledger, Keyring.generate("k1"), policy_for(*systems), today, "1.0.0", now=lambda: now)


def limited(desk: Desk, **limits: object) -> Desk:
    """The desk with other limits for every system."""
    changes = GuardChanges.model_validate(limits)
    systems = {name: s.model_copy(update={"guards": changes}) for name, s in desk.policy.systems.items()}
    return replace(desk, policy=desk.policy.model_copy(update={"systems": systems}))


class Night:
    """One sweep over connectors, stage by stage; `run` does all of it with a person's yes."""

    def __init__(self, desk: Desk, connectors: Sequence[Connector], started_by: str = "schedule") -> None:
        self.desk, self.connectors = desk, {c.system: c for c in connectors}
        info = sweep.RunInfo("nightly_retention", f"run-{uuid.uuid4().hex}", "scheduled", started_by)
        self.sweep: Sweep = sweep.open_sweep(desk, info)
        self.unread: dict[str, ConnectorError | sweep.NotReadWholly] = {}

    def read(self) -> None:
        """Everything before planning; a system that fails is left behind, the others go on."""
        self._each(sweep.gather)
        sweep.join_opt_outs(self.desk, self.sweep)
        self._each(sweep.find)
        sweep.join_consents(self.desk, self.sweep)

    def plan(self) -> str | None:
        """Stop marketing, plan, guard; returns the digest that can be approved."""
        self.read()
        for connector in self._readable():
            if self.sweep.mode is not sweeps.Mode.DRY:
                made = sweep.plan_suppression(self.desk, self.sweep, connector)
                carry_out.carry_out(self.desk, made, connector, loopback=True)
                verify.verify(self.desk, made, connector)
            sweep.decide(self.desk, self.sweep, connector)
        digest = guard.guard(self.desk, self.sweep, list(self.connectors))
        self.reload()
        return digest

    def answer(self, **changes: object) -> Answer:
        """What Airflow would say after the DPO approved."""
        asked = approve.question(self.desk, self.sweep)
        given = Answer(asked.subject, asked.body, (approve.APPROVE,), "dpo", "dpo", self.desk.now(), None)
        return replace(given, **changes)  # type: ignore[arg-type]

    def approve(self, **changes: object) -> bool:
        """Record an answer; whether it was an approval."""
        approval = approve.record(self.desk, self.sweep, self.answer(**changes))
        if approval is None:
            return False
        approve.let_run(self.desk, self.sweep)
        return True

    def plan_of(self, system: str) -> plans.Plan:
        """The stored plan of a system."""
        with self.desk.transaction() as db:
            found = plans.find(db, self.sweep.sweep_id, system, Purpose.RETENTION)
        assert found is not None
        return found

    def carry_out(self, system: str) -> Mapping[str, int]:
        """One lane on one system's plan."""
        waits: list[float] = []
        connector = self.connectors[system]
        return carry_out.carry_out(self.desk, self.plan_of(system), connector, loopback=True, pause=waits.append).states

    def verify(self, system: str) -> Mapping[str, int]:
        """Read back one system."""
        return verify.verify(self.desk, self.plan_of(system), self.connectors[system]).states

    def run(self) -> dict[str, dict[str, int]]:
        """The whole night; what ended how, by system."""
        if self.plan() is None:
            return {}
        self.approve()
        return {c.system: {**self.carry_out(c.system), **self.verify(c.system)} for c in self._readable()}

    def reload(self) -> None:
        """Take the sweep afresh from the ledger."""
        with self.desk.transaction() as db:
            self.sweep = sweeps.get(db, self.sweep.sweep_id)

    def _each(self, stage: object) -> None:
        for connector in self._readable():
            try:
                stage(self.desk, self.sweep, connector)  # type: ignore[operator]
            except (ConnectorError, sweep.NotReadWholly) as error:
                self.unread[connector.system] = error

    def _readable(self) -> list[Connector]:
        return [c for c in self.connectors.values() if c.system not in self.unread]


def rehearse(desk: Desk) -> None:
    """Let the pipeline act on loopback systems, under a policy the DPO approved."""
    policy_approval.approve(desk, "dpo", desk.policy.digest, {})
    with desk.transaction() as db:
        sweeps.set_switch(db, "mode", "rehearsal", "dpo")


__all__ = ["NOW", "TODAY", "Night", "desk_for", "limited", "policy_for", "rehearse", "timedelta"]


def night(ledger: Engine, *systems: MemorySystem) -> Night:
    """A rehearsal's night over these systems, under a policy that was approved."""
    desk = desk_for(ledger, *(s.name for s in systems))
    rehearse(desk)
    return Night(desk, [MemoryConnector(s) for s in systems])
