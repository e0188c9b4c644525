"""Does a night over mailboxes, on a real ledger, erase what is past its time and cost what changed?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from retention.policy import SystemPolicy
from retention.store import catalogue, sweeps
from retention.store.database import rows
from retention.store.desk import Desk
from tests.contract.microsoft365.asking import email
from tests.contract.microsoft365_tenant import Tenant, error, message
from tests.contract.microsoft365_world import SYSTEM, connect
from tests.sweeping import Night, desk_for, rehearse

OURS = "sales@ours.example"
OLD, YOUNG = "2021-11-20T12:00:00Z", "2021-11-24T12:00:00Z"


@pytest.fixture
def tenant() -> Tenant:
    tenant = Tenant()
    for name in ("u1", "u2"):
        tenant.add_box(name, f"{name}@ours.example")
    return tenant


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    desk = desk_for(ledger, SYSTEM)
    told: dict[str, Any] = {"kind": "microsoft365", "connection": SYSTEM, "regime": "UK", "zone": "Europe/London"}
    told["mail"] = {"own_domains": ["ours.example"], "lawful_basis": "consent"}
    policy = desk.policy.model_copy(update={"systems": {SYSTEM: SystemPolicy.model_validate(told)}})
    desk = replace(desk, policy=policy)
    rehearse(desk)
    return desk


def test_mail_past_five_years_is_erased_for_good_and_read_back_and_the_rest_stays(desk: Desk, tenant: Tenant) -> None:
    old = tenant.add("message", message("ann@example.com", OURS, on=OLD))
    young = tenant.add("message", message("ann@example.com", OURS, on=YOUNG), box="u2")
    internal = tenant.add("message", message("bob@ours.example", OURS, on=OLD))

    assert Night(desk, [connect(tenant)]).run() == {SYSTEM: {"done": 1, "verified": 1}}

    assert old not in tenant.boxes["u1"].items
    assert young in tenant.boxes["u2"].items
    assert internal in tenant.boxes["u1"].items


def test_what_stays_recoverable_is_accepted_with_its_day_and_not_called_done(desk: Desk, tenant: Tenant) -> None:
    tenant.granted = False
    tenant.add("message", message("ann@example.com", OURS, on=OLD))

    assert Night(desk, [connect(tenant)]).run() == {SYSTEM: {"accepted": 1}}

    with desk.transaction() as db:
        (step,) = rows(db, "SELECT state, settle_on FROM steps")
    assert (step.state, str(step.settle_on)) == ("accepted", "2026-12-07")


def test_mail_that_the_service_holds_is_refused_and_said_so(desk: Desk, tenant: Tenant) -> None:
    item = tenant.add("message", message("ann@example.com", OURS, on=OLD))
    tenant.boxes["u1"].on_hold = True

    assert Night(desk, [connect(tenant)]).run() == {SYSTEM: {"refused": 1}}

    with desk.transaction() as db:
        (step,) = rows(db, "SELECT reason FROM attempts")
    assert step.reason == "locked"
    assert item in tenant.boxes["u1"].items


def test_one_persons_mail_in_all_mailboxes_is_a_local_look_up(desk: Desk, tenant: Tenant) -> None:
    for name in ("u1", "u2"):
        tenant.add("message", message("ann@example.com", OURS), box=name)
    night = Night(desk, [connect(tenant)])
    night.read()
    tenant.calls.clear()
    with desk.transaction() as db:
        assert catalogue.about(db, desk.keyring, night.sweep.sweep_id, SYSTEM, [email("Ann@EXAMPLE.com")], []) == 2
    assert tenant.calls == []


def test_a_second_night_reads_what_changed_and_forgets_what_is_gone(desk: Desk, tenant: Tenant) -> None:
    items = [tenant.add("message", message(f"p{n}@example.com", OURS)) for n in range(60)]
    Night(desk, [connect(tenant, page_size=10)]).read()
    tenant.remove("u1", items[0])
    tenant.move("u1", items[1], "u1-sent")
    tenant.touch("u1", items[2], subject="again")
    night = Night(desk, [connect(tenant, page_size=10)])
    night.read()
    with desk.transaction() as db:
        assert catalogue.size(db, SYSTEM) == 59
        reading = sweeps.readings(db, night.sweep.sweep_id)[(SYSTEM, "gather")]
        (count,) = rows(
            db, "SELECT read FROM readings WHERE sweep_id = :s AND stage = 'gather'", s=night.sweep.sweep_id
        )
    assert reading.state == "whole"
    assert count.read == 4  # removed, moved away, moved here, changed


def test_what_could_not_be_read_is_a_gap_of_every_night_and_not_of_the_first_alone(desk: Desk, tenant: Tenant) -> None:
    attachment = "#microsoft.graph.fileAttachment"
    file = {"@odata.type": attachment, "id": "AAatt=", "name": "a.xyz", "size": 2, "contentBytes": "AAE="}
    tenant.add("message", message("ann@example.com", OURS), files=(file,))
    for _ in range(2):
        night = Night(desk, [connect(tenant)])
        night.read()
        with desk.transaction() as db:
            told = rows(db, "SELECT code FROM gaps WHERE sweep_id = :s AND kind = 'message'", s=night.sweep.sweep_id)
        assert [gap.code for gap in told] == ["unknown_format"]


def known(desk: Desk) -> int:
    with desk.transaction() as db:
        return catalogue.size(db, SYSTEM)


def test_items_of_a_folder_that_vanished_leave_the_catalogue_the_same_night(desk: Desk, tenant: Tenant) -> None:
    item = tenant.add("message", message("ann@example.com", OURS, on=OLD), folder="sent")
    moved = tenant.add("message", message("ann@example.com", OURS), folder="sent")
    Night(desk, [connect(tenant)]).read()
    tenant.move("u1", moved, "u1-inbox")
    del tenant.boxes["u1"].folders["u1-sent"], tenant.boxes["u1"].items[item]

    assert Night(desk, [connect(tenant)]).run() == {}

    assert known(desk) == 1


def test_items_that_went_while_the_position_of_their_folder_was_forgotten_leave_the_catalogue(
    desk: Desk, tenant: Tenant
) -> None:
    gone = tenant.add("message", message("ann@example.com", OURS))
    tenant.add("message", message("bea@example.com", OURS))
    elsewhere = tenant.add("message", message("cy@example.com", OURS), folder="sent")
    Night(desk, [connect(tenant)]).read()
    del tenant.boxes["u1"].items[gone]
    forgotten = [True]

    def forget(_: str, path: str) -> tuple[int, Any] | None:
        if "u1-inbox" in path and "deltatoken" in path and forgotten:
            forgotten.clear()
            return 410, error("SyncStateNotFound")
        return None

    tenant.twist = forget
    Night(desk, [connect(tenant)]).read()

    assert known(desk) == 2
    assert elsewhere in tenant.boxes["u1"].items


def test_a_mailbox_that_is_no_more_takes_its_items_out_of_the_catalogue(desk: Desk, tenant: Tenant) -> None:
    tenant.add("message", message("ann@example.com", OURS))
    tenant.add("message", message("bea@example.com", "u2@ours.example"), box="u2")
    Night(desk, [connect(tenant)]).read()
    del tenant.boxes["u2"]
    Night(desk, [connect(tenant)]).read()
    assert known(desk) == 1


def test_a_mailbox_that_lets_us_in_no_more_keeps_its_items_in_the_catalogue(desk: Desk, tenant: Tenant) -> None:
    tenant.add("message", message("bea@example.com", "u2@ours.example"), box="u2")
    Night(desk, [connect(tenant)]).read()
    tenant.boxes["u2"].status = 403
    Night(desk, [connect(tenant)]).read()
    assert known(desk) == 1
