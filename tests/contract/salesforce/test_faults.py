"""Does a night that goes wrong on Salesforce end with a true account of every record, and does the next complete it?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, text

from connectors.salesforce import SalesforceConnector, tenant_of
from retention.carry_out import settle
from retention.contract import ConnectorError
from retention.store.desk import Desk
from retention.verify import verify_earlier
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


def connector(org: SalesforceWorld, desk: Desk, page_size: int = 2_000) -> SalesforceConnector:
    client = org.emulator.connect(timeout=5)
    kinds = desk.policy.systems[SYSTEM].kinds()
    return SalesforceConnector(client, SYSTEM, tenant_of(client), kinds, page_size=page_size, pause=no_pause)


@dataclass(frozen=True)
class Trouble:
    """What goes wrong once the plan is approved."""

    fault: dict[str, Any]
    switches: dict[str, Any]
    calls_left: int | None = None
    """Of the daily allowance."""


JOB = {"method": "PATCH", "path": "*/jobs/ingest/*"}
TROUBLES: dict[str, Trouble] = {
    "401 mid-bulk": Trouble(
        {"method": "GET", "path": "*/jobs/ingest/*", "fault": "status", "status": 401, "times": 2}, {}
    ),
    "403 daily limit": Trouble({}, {"daily_api_requests": 1}),
    "403 daily limit before the job is closed": Trouble({}, {}, calls_left=4),
    "403 daily limit while the job runs": Trouble({}, {}, calls_left=6),
    "403 daily limit among the results": Trouble({}, {}, calls_left=8),
    "503 html": Trouble({"fault": "html", "status": 503, "times": 60}, {}),
    "timeout after the effect": Trouble({**JOB, "fault": "timeout_after_effect", "times": 1}, {}),
    "half of a batch failed": Trouble({}, {"locked_rows": 60}),
    "every second row failed": Trouble({}, {"locked_rows": HOW_MANY // 2}),
    "job failed half way": Trouble({}, {"job_breaks_after": 20}),
    "job failed at its first row": Trouble({}, {"job_breaks_after": 0}),
    "job aborted by somebody else half way": Trouble({}, {"job_breaks_after": 20, "job_breaks_as": "Aborted"}),
    "truncated results": Trouble({"path": "*/successfulResults*", "fault": "truncated", "times": 1}, {}),
    "truncated results every time": Trouble({"path": "*/successfulResults*", "fault": "truncated", "times": 60}, {}),
    "truncated list of what was not processed": Trouble(
        {"path": "*/unprocessedrecords", "fault": "truncated", "times": 60}, {"job_breaks_after": 20}
    ),
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
    _outlive_leases(desk)
    second = Night(desk, [connector(org, desk)])
    settle(desk, second.connectors[SYSTEM], accepted=True)
    verify_earlier(desk, second.sweep.sweep_id, second.connectors[SYSTEM])
    if second.plan() is not None:
        assert second.approve()
        second.carry_out(SYSTEM)
        second.verify(SYSTEM)
    after = set(_contacts(org))
    assert not made & after
    assert {_record_key(desk, key) for key in made} <= _verified(desk)
    assert {_record_key(desk, key) for key in before - after} <= set(_erasures(desk))  # and nothing that is in no plan


@pytest.mark.parametrize("path", ["*/jobs/query/*/results", "*/query/*"])
def test_a_page_of_results_that_is_cut_short_is_read_again_or_leaves_the_system_unread_for_the_next_night(
    org: SalesforceWorld, desk: Desk, path: str
) -> None:
    page_size = 200 if "jobs" in path else 2_000
    org.emulator.tell("switches", page_rows=400)
    made = {ref.key for ref in many(org, 1_050, Collected_On__c=LONG_AGO)}
    before = org.snapshot()
    org.emulator.tell("faults", path=path, fault="truncated", times=1000)
    first = Night(desk, [connector(org, desk, page_size)])
    assert first.plan() is None
    assert set(first.unread) == {SYSTEM}
    assert org.snapshot() == before
    assert any(call["fault"] == "truncated" for call in org.emulator.ask("calls")["calls"])

    org.emulator.clear_faults()
    org.emulator.tell("faults", path=path, fault="truncated", times=1)
    second = Night(desk, [connector(org, desk, page_size)])
    assert second.plan() is not None
    assert second.approve()
    second.carry_out(SYSTEM)
    second.verify(SYSTEM)
    assert {_record_key(desk, key) for key in made} <= _verified(desk)
    assert not made & set(_contacts(org))


def _begin(org: SalesforceWorld, trouble: Trouble) -> None:
    if trouble.fault:
        org.emulator.tell("faults", **trouble.fault)
    if trouble.calls_left is not None:
        allowance = org.org.restful("limits")["DailyApiRequests"]
        used = allowance["Max"] - allowance["Remaining"]
        org.emulator.tell("switches", daily_api_requests=used + trouble.calls_left)
    if trouble.switches:
        org.emulator.tell("switches", **trouble.switches)


def _end(org: SalesforceWorld) -> None:
    org.emulator.clear_faults()
    org.emulator.tell("switches", daily_api_requests=100_000, locked_rows=0, job_breaks_after=None)


def _outlive_leases(desk: Desk) -> None:
    """A day passes: what the first night had begun is nobody's any more."""
    with desk.transaction() as db:
        db.execute(text("UPDATE steps SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL"))


def _contacts(org: SalesforceWorld) -> list[str]:
    return [str(row["Id"]) for row in org.stored()["Contact"]]


def _record_key(desk: Desk, key: str) -> bytes:
    return desk.keyring.record_key(RecordRef(SYSTEM, "Contact", key))


def _verified(desk: Desk) -> set[bytes]:
    """Pseudonyms of contacts whose erasure was read back."""
    return {bytes(key) for key, state in _steps(desk) if state == "verified"}


def _steps(desk: Desk) -> list[tuple[bytes, str]]:
    with desk.transaction() as db:
        found = db.execute(text("SELECT record_key, state FROM steps WHERE action = 'erase' AND kind = 'Contact'"))
        return [(bytes(record_key), str(state)) for record_key, state in found]


def _erasures(desk: Desk) -> dict[bytes, str]:
    """How the step that was to erase a contact stands, by the record's pseudonym, while there is one plan."""
    return dict(_steps(desk))
