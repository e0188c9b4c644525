"""Does a night that goes wrong on Salesforce end with a true account of every record, and does the next complete it?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, text

from connectors.salesforce import SalesforceConnector, tenant_of
from retention.contract import ConnectorError
from retention.store.desk import Desk
from retention.vocabulary import RecordRef
from tests.bench.running import desk_of
from tests.contract.salesforce_world import SYSTEM, SalesforceWorld, many, no_pause
from tests.sweeping import Night, rehearse

HOW_MANY = 40
LONG_AGO = "2019-03-01"


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    desk = desk_of(ledger, SYSTEM)
    rehearse(desk)
    return desk


def connector(org: SalesforceWorld, desk: Desk) -> SalesforceConnector:
    client = org.emulator.connect(timeout=5)
    return SalesforceConnector(client, SYSTEM, tenant_of(client), desk.policy.systems[SYSTEM].kinds(), pause=no_pause)


@dataclass(frozen=True)
class Trouble:
    """What goes wrong once the plan is approved."""

    fault: dict[str, Any]
    switches: dict[str, Any]


LOOK = {"method": "GET", "path": "*/jobs/ingest/*"}
JOB = {"method": "PATCH", "path": "*/jobs/ingest/*"}
TROUBLES: dict[str, Trouble] = {
    "401 mid-bulk": Trouble(
        {"method": "GET", "path": "*/jobs/ingest/*", "fault": "status", "status": 401, "times": 2}, {}
    ),
    "403 daily limit": Trouble({}, {"daily_api_requests": 1}),
    "503 html": Trouble({"fault": "html", "status": 503, "times": 60}, {}),
    "timeout after the effect": Trouble({**JOB, "fault": "timeout_after_effect", "times": 1}, {}),
    "half of a batch failed": Trouble({}, {"locked_rows": 60}),
    "job failed half way": Trouble({}, {"job_breaks_after": 20}),
    "truncated results": Trouble({"path": "*/successfulResults*", "fault": "truncated", "times": 1}, {}),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_night_that_goes_wrong_tells_the_truth_of_every_record_and_the_next_completes_it(
    org: SalesforceWorld, desk: Desk, name: str
) -> None:
    made = {ref.key for ref in many(org, HOW_MANY, Collected_On__c=LONG_AGO)}
    before = set(_contacts(org))
    first = Night(desk, [connector(org, desk)])
    assert first.plan() is not None
    assert first.approve()
    _begin(org, TROUBLES[name])
    with suppress(ConnectorError):
        first.carry_out(SYSTEM)
    _end(org)
    told = _erasures(desk)
    for key in _contacts(org):  # nothing is called done that is still there
        assert told.get(_record_key(desk, key)) not in ("done", "already-done", "verified")

    with suppress(ConnectorError):  # as Airflow clears a failed task
        first.carry_out(SYSTEM)
    first.verify(SYSTEM)
    second = Night(desk, [connector(org, desk)])
    if second.plan() is not None:
        assert second.approve()
        second.carry_out(SYSTEM)
        second.verify(SYSTEM)
    after = set(_contacts(org))
    assert not made & after
    assert {_record_key(desk, key) for key in before - after} <= set(_erasures(desk))  # and nothing that is in no plan


def _begin(org: SalesforceWorld, trouble: Trouble) -> None:
    if trouble.fault:
        org.emulator.tell("faults", **trouble.fault)
    if trouble.switches:
        org.emulator.tell("switches", **trouble.switches)


def _end(org: SalesforceWorld) -> None:
    org.emulator.clear_faults()
    org.emulator.tell("switches", daily_api_requests=100_000, locked_rows=0, job_breaks_after=None)


def _contacts(org: SalesforceWorld) -> list[str]:
    return [str(row["Id"]) for row in org.stored()["Contact"]]


def _record_key(desk: Desk, key: str) -> bytes:
    return desk.keyring.record_key(RecordRef(SYSTEM, "Contact", key))


def _erasures(desk: Desk) -> dict[bytes, str]:
    """How the newest step that was to erase a contact stands, by the record's pseudonym."""
    with desk.transaction() as db:
        found = db.execute(text("SELECT record_key, state FROM steps WHERE action = 'erase' AND kind = 'Contact'"))
        return {bytes(record_key): str(state) for record_key, state in found}
