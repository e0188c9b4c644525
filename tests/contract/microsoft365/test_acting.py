"""What becomes of items that are erased, restricted, released, settled and handed out?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from retention.vocabulary import Action, Handle, OutcomeStatus, Presence, Reason, RecordRef, Step
from tests.contract.microsoft365.asking import (
    CHANGED,
    DONE,
    HELD,
    OUTSIDER,
    RECOVERABLE,
    act,
    found,
    mail,
    outcomes,
    pages,
    planned_anew,
    presence,
    step,
    tenant_with,
    token_of,
)
from tests.contract.microsoft365.test_passes import event
from tests.contract.microsoft365_tenant import PURGES, Folder, Tenant, message
from tests.contract.microsoft365_world import SCOPE, SYSTEM, connect
from tests.leave import Leave

INVALID = (OutcomeStatus.REFUSED, Reason.VALIDATION)


# --- Erasing ---


def test_an_item_its_owner_moved_after_planning_is_found_by_its_immutable_id() -> None:
    tenant, (item,) = tenant_with(*mail())
    erasing = step(tenant, item)
    tenant.move("u1", item, "u1-sent")
    assert act(tenant, Action.ERASE, erasing) == [DONE]
    assert tenant.boxes["u1"].items == {}


def test_an_item_that_moving_changed_is_refused_and_planned_anew_the_next_night() -> None:
    tenant, (item,) = tenant_with(*mail())
    token = token_of(pages(connect(tenant)))
    erasing = step(tenant, item)
    tenant.move("u1", item, "u1-sent")
    tenant.touch("u1", item)
    assert act(tenant, Action.ERASE, erasing) == [CHANGED]
    finding = found(pages(connect(tenant), token))[item]
    assert act(tenant, Action.ERASE, replace(erasing, ref=finding.ref)) == [DONE]


def test_a_hold_that_is_set_between_planning_and_acting_keeps_the_item() -> None:
    tenant, (item,) = tenant_with(*mail())
    erasing = step(tenant, item)
    pages(connect(tenant))
    tenant.boxes["u1"].on_hold = True
    assert act(tenant, Action.ERASE, erasing) == [HELD]
    tenant.pass_days(60)
    assert item in tenant.boxes["u1"].items


def test_what_lies_in_recoverable_items_already_is_deleted_for_good() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.boxes["u1"].items[item].folder = "recoverableitemsdeletions"
    erasing = step(tenant, item)
    assert presence(tenant, erasing) is Presence.RECOVERABLE
    assert act(tenant, Action.ERASE, erasing) == [DONE]
    assert tenant.boxes["u1"].items == {}


def test_what_an_earlier_night_left_in_purges_is_deleted_for_good_when_that_is_granted() -> None:
    tenant, (item,) = tenant_with(*mail(), granted=False)
    erasing = step(tenant, item)
    assert act(tenant, Action.ERASE, erasing) == [RECOVERABLE]
    tenant.granted = True
    assert act(tenant, Action.ERASE, erasing) == [DONE]
    assert tenant.boxes["u1"].items == {}


def test_contacts_and_past_events_are_erased_too() -> None:
    tenant, _ = tenant_with()
    contact = tenant.add("contact", {"createdDateTime": "2019-01-01T00:00:00Z", "emailAddresses": []})
    past = tenant.add("event", event("2020-05-05T10:00:00"))
    assert act(tenant, Action.ERASE, step(tenant, contact), step(tenant, past)) == [DONE, DONE]
    assert tenant.boxes["u1"].items == {}


@pytest.mark.parametrize(
    "when",
    [
        {"end": {"dateTime": "2026-12-24T10:00:00", "timeZone": "UTC"}},
        {"recurrence": {"range": {"type": "noEnd"}}},
        {"recurrence": {"range": {"type": "endDate", "endDate": "2027-01-01"}}},
    ],
    ids=["to come", "without end", "ending later"],
)
def test_a_meeting_that_is_not_over_is_left_to_a_person_since_deleting_it_writes_to_everybody(
    when: dict[str, object],
) -> None:
    tenant, _ = tenant_with()
    item = tenant.add("event", {**event("2020-05-05T10:00:00"), **when})
    assert act(tenant, Action.ERASE, step(tenant, item)) == [INVALID]
    assert item in tenant.boxes["u1"].items


def test_a_mailbox_outside_the_policys_list_is_not_touched() -> None:
    tenant, (item,) = tenant_with(*mail())
    scope = replace(SCOPE, mailboxes=frozenset({"other@ours.example"}))
    assert act(tenant, Action.ERASE, step(tenant, item), scope=scope) == [(OutcomeStatus.REFUSED, Reason.NO_PERMISSION)]
    assert tenant.boxes["u1"].items[item].folder != PURGES


def test_a_thousand_messages_of_one_mailbox_take_little_more_than_the_fewest_calls() -> None:
    tenant, items = tenant_with(*mail(1000))
    steps = [step(tenant, item) for item in items]
    tenant.calls.clear()
    assert act(tenant, Action.ERASE, *steps) == [DONE] * 1000
    fewest = 50 + 50 + 50 + 2  # read again, to Purges, for good, and the two lists
    assert len(tenant.calls) <= 1.1 * fewest


def test_leave_that_ends_after_the_first_request_leaves_the_rest_unsent() -> None:
    tenant, items = tenant_with(*mail(45))
    steps = [step(tenant, item) for item in items]
    told = connect(tenant).act(Action.ERASE, steps, Leave(requests=1))
    assert [(o.status, o.reason) for o in told[:20]] == [RECOVERABLE] * 20
    assert [(o.status, o.reason) for o in told[20:]] == [(OutcomeStatus.FAILED, Reason.NOT_SENT)] * 25
    assert [s.folder for s in tenant.boxes["u1"].items.values()].count(PURGES) == 20


# --- Settling ---


def test_what_nobody_may_look_for_is_recoverable_until_its_day_and_gone_on_it() -> None:
    tenant, (item,) = tenant_with(*mail(), granted=False)
    erasing = step(tenant, item)
    noted: list[Handle] = []
    connect(tenant).act(Action.ERASE, [erasing], Leave(noted.append))
    (handle,) = noted
    (waiting,) = connect(tenant).settle(handle)
    assert (waiting.status, waiting.reason) == RECOVERABLE
    tenant.pass_days(15)
    (settled,) = connect(tenant).settle(handle)
    assert (settled.status, settled.reason) == (OutcomeStatus.DONE, Reason.GONE)
    assert settled.settle_on is None
    assert item not in tenant.boxes["u1"].items


def test_what_can_be_looked_for_is_recoverable_as_long_as_it_is_seen() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.boxes["u1"].items[item].folder = PURGES
    tenant.boxes["u1"].on_hold = True
    tenant.pass_days(90)
    (settled,) = connect(tenant).settle(Handle(Action.ERASE, "recoverable-until-2026-12-07", (step(tenant, item).ref,)))
    assert (settled.status, settled.reason) == RECOVERABLE


@pytest.mark.parametrize("action", [Action.RESTRICT, Action.RELEASE])
def test_a_move_whose_answer_was_lost_is_settled_by_where_the_message_lies(action: Action) -> None:
    tenant, (item,) = tenant_with(*mail())
    ref = step(tenant, item).ref
    elsewhere = Action.RELEASE if action is Action.RESTRICT else Action.RESTRICT
    if action is Action.RESTRICT:
        act(tenant, Action.RESTRICT, step(tenant, item, Action.RESTRICT))
    (done,) = connect(tenant).settle(Handle(action, "", (ref,)))
    (open_,) = connect(tenant).settle(Handle(elsewhere, "", (ref,)))
    assert (done.status, done.reason) == DONE
    assert (open_.status, open_.reason) == (OutcomeStatus.FAILED, Reason.NOT_SENT)


# --- Restricting and releasing ---


def test_a_restricted_message_lies_in_a_hidden_folder_with_a_category_and_its_place_is_noted_first() -> None:
    tenant, (item,) = tenant_with(message(OUTSIDER, "sales@ours.example", categories=["Blue"]))
    (outcome,) = outcomes(tenant, Action.RESTRICT, step(tenant, item, Action.RESTRICT))
    assert dict(outcome.previous) == {"folder": "u1-inbox", "categories": json.dumps(["Blue"])}
    stored = tenant.boxes["u1"].items[item]
    folder = tenant.boxes["u1"].folders[stored.folder]
    assert (folder.name, folder.hidden) == ("Restricted processing", True)
    assert stored.row["categories"] == ["Blue", "Restricted"]


def test_one_folder_serves_every_restricted_message_of_a_mailbox() -> None:
    tenant, items = tenant_with(*mail(12))
    box = tenant.boxes["u1"]
    before = len(box.folders)
    assert act(tenant, Action.RESTRICT, *(step(tenant, i, Action.RESTRICT) for i in items[:11])) == [DONE] * 11
    assert act(tenant, Action.RESTRICT, step(tenant, items[11], Action.RESTRICT)) == [DONE]
    assert len(box.folders) == before + 1


def test_a_folder_of_that_name_that_everybody_sees_is_somebody_elses() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.boxes["u1"].folders["u1-theirs"] = Folder("Restricted processing")
    assert act(tenant, Action.RESTRICT, step(tenant, item, Action.RESTRICT)) == [INVALID]
    assert tenant.boxes["u1"].items[item].folder == "u1-inbox"


@pytest.mark.parametrize("kind", ["contact", "event"])
def test_what_is_no_message_is_not_restricted_by_a_label_alone(kind: str) -> None:
    tenant, _ = tenant_with()
    item = tenant.add(kind, event("2020-05-05T10:00:00"))
    assert act(tenant, Action.RESTRICT, step(tenant, item, Action.RESTRICT)) == [INVALID]


def test_a_message_whose_first_folder_is_gone_stays_restricted() -> None:
    tenant, (item,) = tenant_with(*mail())
    (restricted,) = outcomes(tenant, Action.RESTRICT, step(tenant, item, Action.RESTRICT))
    del tenant.boxes["u1"].folders["u1-inbox"]
    tenant.boxes["u1"].folders["u1-inbox2"] = Folder("Inbox")
    tenant.twist = lambda verb, path: (
        (200, {"id": "u1-inbox2"}) if path.endswith("mailFolders/inbox?$select=id") else None
    )
    releasing = planned_anew(tenant, step(tenant, item, Action.RELEASE), values=restricted.previous)
    assert act(tenant, Action.RELEASE, releasing) == [INVALID]
    assert presence(tenant, releasing) is Presence.RESTRICTED


@pytest.mark.parametrize("values", [{}, {"folder": "u1-inbox"}, {"folder": "../x", "categories": "[]"}])
def test_nothing_is_released_to_a_place_that_was_not_noted(values: dict[str, str]) -> None:
    tenant, (item,) = tenant_with(*mail())
    act(tenant, Action.RESTRICT, step(tenant, item, Action.RESTRICT))
    assert act(tenant, Action.RELEASE, step(tenant, item, Action.RELEASE, values=values)) == [INVALID]


# --- Export and link ---


def test_messages_are_handed_out_as_mime_and_the_rest_as_json() -> None:
    tenant, (item,) = tenant_with(*mail())
    contact = tenant.add("contact", {"emailAddresses": [{"address": OUTSIDER}], "@odata.etag": "W/1"})
    exported = list(connect(tenant).export([step(tenant, item).ref, step(tenant, contact).ref]))
    assert [one.media_type for one in exported] == ["message/rfc822", "application/json"]
    assert b"ann-0@example.com" in exported[0].content
    told = json.loads(exported[1].content)
    assert told["emailAddresses"] == [{"address": OUTSIDER}]
    assert "@odata.etag" not in told


@pytest.mark.parametrize(
    ("told", "given"),
    [
        ("https://outlook.test/owa/?ItemID=AA", "https://outlook.test/owa/?ItemID=AA"),
        ("https://outlook.test/owa/ann%40example.com/?ItemID=AA", None),
        ("javascript:alert(1)", None),
        (None, None),
    ],
)
def test_a_link_is_the_services_own_or_none(told: str | None, given: str | None) -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.boxes["u1"].items[item].row["webLink"] = told
    assert connect(tenant).link(step(tenant, item).ref) == given


def test_a_key_of_no_item_is_asked_for_nowhere() -> None:
    tenant = Tenant()
    tenant.add_box()
    connector = connect(tenant)
    bad = [RecordRef(SYSTEM, "message", key, "v") for key in ("u1", "u1/", "u1/a b", "u1/../../x?y", "u@1/AA")]
    bad.append(RecordRef(SYSTEM, "calendar", "u1/AA", "v"))
    told = connector.act(Action.ERASE, [Step("s", ref, Action.ERASE) for ref in bad], Leave())
    assert [(o.status, o.reason) for o in told] == [INVALID] * 6
    assert [connector.link(ref) for ref in bad] == [None] * 6
    assert list(connector.export(bad)) == []
    assert tenant.parts == []
