"""What does a whole night do to a HubSpot account? The core's own stages, on the emulator and a real ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from retention.store import plans
from retention.vocabulary import RecordRef
from tests.bench.running import AS_OF, desk_of, policy_of
from tests.contract.hubspot_world import HubSpotWorld
from tests.contract.world import EXPIRED_ON
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.sweeping import Night, policy_for, rehearse

ANN, BO = "ann@example.com", "bo@example.org"
LONG_AGO = str(EXPIRED_ON - timedelta(days=400))
PURGE, OPT_OUT = "/gdpr-delete", "/unsubscribe-all"


@pytest.fixture
def crm() -> MemorySystem:
    return MemorySystem("crm")


def night(ledger: Engine, account: HubSpotWorld, crm: MemorySystem) -> Night:
    """A night on both systems, with the shipped policy of HubSpot."""
    shipped = policy_of("hubspot")
    both = {**shipped.systems, **policy_for("crm").systems}
    desk = replace(desk_of(ledger, "hubspot"), policy=shipped.model_copy(update={"systems": both}), today=AS_OF)
    rehearse(desk)
    kinds = shipped.systems["hubspot"].kinds()
    return Night(desk, [account.reconnect(page_size=200, kinds=kinds), MemoryConnector(crm)])


def about(account: HubSpotWorld, object_type: str, field: str, text: str, *people: RecordRef, on: str) -> RecordRef:
    return account.record(object_type, {field: text, "hs_timestamp": f"{on}T09:00:00Z"}, contacts=people)


def test_who_opted_out_elsewhere_is_unsubscribed_before_anything_is_purged(
    ledger: Engine, account: HubSpotWorld, crm: MemorySystem
) -> None:
    ref = account.contact(ANN)
    crm.add(person(ANN, opted_out=True))
    account.emulator.forget_calls()
    night(ledger, account, crm).run()
    assert account.stored_record(ref) is None
    assert account.is_opted_out(ANN)
    sent = [call["path"] for call in account.emulator.ask("calls")["calls"] if call["method"] == "POST"]
    first_purge = next(n for n, path in enumerate(sent) if path.endswith(PURGE))
    opt_outs = [n for n, path in enumerate(sent) if path.endswith(f"/ann%40example.com{OPT_OUT}")]
    assert opt_outs
    assert max(opt_outs) < first_purge


def test_calls_and_notes_about_who_goes_go_by_themselves_and_what_others_share_stays(
    ledger: Engine, account: HubSpotWorld, crm: MemorySystem
) -> None:
    ann, bo = account.contact(ANN, collected_on=LONG_AGO), account.contact(BO)
    call = about(account, "calls", "hs_call_body", "rang", ann, on=LONG_AGO)
    shared = about(account, "notes", "hs_note_body", "with both", ann, bo, on="2026-06-01")
    outcome = night(ledger, account, crm).run()["hubspot"]
    assert account.stored_record(ann) is None
    assert account.stored_record(call) is None
    assert account.stored_record(bo) is not None
    assert account.stored_record(shared) is not None
    assert outcome["verified"] > 0
    assert not set(outcome) & {"contradicted", "failed", "unknown"}


def test_a_note_about_who_opted_out_goes_with_them_and_one_about_a_customer_stays(
    ledger: Engine, account: HubSpotWorld, crm: MemorySystem
) -> None:
    ann, bo = account.contact(ANN), account.contact(BO)
    account.record("deals", {"dealname": "Roof", "dealstage": "contractsent", "pipeline": "default"}, contacts=[bo])
    for address in (ANN, BO):
        account.opt_out(address)
    hers = about(account, "notes", "hs_note_body", "wants brochures", ann, on="2026-06-01")
    his = about(account, "notes", "hs_note_body", "roof in June", bo, on="2026-06-01")
    night(ledger, account, crm).run()
    assert account.stored_record(hers) is None
    assert account.stored_record(his) is not None
    assert account.stored_record(bo) is not None


def test_a_second_night_finds_nothing_more_to_do(ledger: Engine, account: HubSpotWorld, crm: MemorySystem) -> None:
    ann = account.contact(ANN, collected_on=LONG_AGO)
    about(account, "tasks", "hs_task_body", "call back", ann, on=LONG_AGO)
    first = night(ledger, account, crm)
    first.run()
    before = account.stored()
    second = Night(first.desk, list(first.connectors.values()))
    second.plan()
    with second.desk.transaction() as db:
        effect = plans.effect(db, second.sweep.sweep_id).get("hubspot", {})
    assert not effect
    assert account.stored() == before
