"""What does a pass over the mailboxes find?"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from retention.vocabulary import Action, DataClass, GapCode, LawfulBasis
from tests.contract.microsoft365.asking import (
    OUTSIDER,
    act,
    found,
    gaps,
    gone,
    mail,
    names,
    pages,
    step,
    tenant_with,
    token_of,
)
from tests.contract.microsoft365_tenant import Folder, Row, error, message, person
from tests.contract.microsoft365_world import SCOPE, connect

FILE = "#microsoft.graph.fileAttachment"


def attached(name: str, content: bytes, **more: object) -> Row:
    told = {"@odata.type": FILE, "id": "AAatt=", "name": name, "size": len(content)}
    return {**told, "contentBytes": base64.b64encode(content).decode(), **more}


# --- Who and what ---


def test_everybody_from_outside_in_any_role_and_in_the_text_is_named() -> None:
    row = message(
        "from@example.com",
        "to@example.com",
        "Sales@OURS.example",
        text='ask b<b>ody</b>@example.com or <a href="mailto:link@example.com">us</a> at help@shop.ours.example',
        ccRecipients=[person("cc@example.com")],
        bccRecipients=[person("bcc@example.com")],
        replyTo=[person("reply@example.com")],
        subject="Fwd: subject@example.com",
    )
    tenant, (item,) = tenant_with(row)
    finding = found(pages(connect(tenant)))[item]
    expected = {f"{who}@example.com" for who in ("from", "to", "cc", "bcc", "reply", "body", "link", "subject")}
    assert expected <= names(finding)
    assert not any("ours.example" in name.lower() for name in names(finding))
    assert finding.facts.several_people


def test_mail_with_one_person_from_outside_is_about_that_person_alone_and_counts_from_its_receipt() -> None:
    tenant, (item,) = tenant_with(message(OUTSIDER, "sales@ours.example", on="2020-02-29T23:30:00Z"))
    finding = found(pages(connect(tenant)))[item]
    (facts,) = finding.facts.classes
    assert facts.collected is not None
    assert (facts.collected.value, facts.collected.provenance) == (
        datetime(2020, 2, 29, 23, 30, tzinfo=UTC),
        "receivedDateTime",
    )
    assert (facts.data_class, facts.lawful_basis) == (DataClass.EMAIL_MESSAGE, LawfulBasis.CONSENT)
    assert not finding.facts.several_people


def test_mail_among_our_own_people_is_no_finding_and_leaves_the_catalogue_when_it_becomes_so() -> None:
    tenant, (item, other) = tenant_with(message("a@ours.example", "b@ours.example"), *mail())
    read = pages(connect(tenant))
    assert set(found(read)) == {other}
    tenant.touch("u1", other, **message("a@ours.example", "b@ours.example"))
    assert gone(pages(connect(tenant), token_of(read))) == {other}
    assert item != other


def test_an_address_of_the_directory_is_nobody() -> None:
    tenant, (item,) = tenant_with(message(OUTSIDER, "/O=EXCHANGELABS/OU=X/CN=RECIPIENTS/CN=1@X"))
    assert names(found(pages(connect(tenant)))[item]) == {OUTSIDER}


@pytest.mark.parametrize("by", ["folder", "folder below", "category"])
def test_mail_the_policy_calls_a_transaction_is_one(by: str) -> None:
    tenant, (item,) = tenant_with(message(OUTSIDER, "sales@ours.example"))
    box = tenant.boxes["u1"]
    box.folders |= {"u1-orders": Folder("Orders"), "u1-2026": Folder("2026", parent="u1-orders")}
    if by == "category":
        tenant.touch("u1", item, categories=["ORDER"])
    else:
        tenant.move("u1", item, "u1-orders" if by == "folder" else "u1-2026")
    scope = replace(SCOPE, transaction_folders=frozenset({"orders"}), transaction_categories=frozenset({"order"}))
    (facts,) = found(pages(connect(tenant, scope)))[item].facts.classes
    assert (facts.data_class, facts.lawful_basis) == (DataClass.TRANSACTION_RECORD, LawfulBasis.CONTRACT)


def test_contacts_are_known_by_addresses_and_numbers_and_are_one_person() -> None:
    tenant, _ = tenant_with()
    row = {
        "createdDateTime": "2019-01-01T00:00:00Z",
        "emailAddresses": [{"address": OUTSIDER}, {"address": "ann@home.example"}],
        "mobilePhone": "+44 20 7946 0958",
        "businessPhones": [],
    }
    item = tenant.add("contact", row)
    finding = found(pages(connect(tenant)))[item]
    assert finding.ref.kind == "contact"
    assert names(finding) == {OUTSIDER, "ann@home.example", "+442079460958"}
    assert not finding.facts.several_people
    assert finding.facts.classes[0].data_class is DataClass.CONTACT_IDENTITY


def test_contacts_in_folders_below_folders_are_read() -> None:
    tenant, _ = tenant_with()
    tenant.boxes["u1"].contacts = {"cf-team": "", "cf-old": "cf-team"}
    row = {"createdDateTime": "2019-01-01T00:00:00Z", "emailAddresses": [{"address": "ann@example.com"}]}
    contact = tenant.add("contact", row)
    tenant.boxes["u1"].items[contact].folder = "cf-old"
    assert set(found(pages(connect(tenant)))) == {contact}


def test_events_are_known_by_organiser_and_attendees_and_count_from_their_end() -> None:
    tenant, _ = tenant_with()
    item = tenant.add("event", event("2020-05-05T10:00:00.0000000"))
    finding = found(pages(connect(tenant)))[item]
    assert names(finding) == {OUTSIDER}
    (facts,) = finding.facts.classes
    assert facts.collected is not None
    assert facts.collected.value == datetime(2020, 5, 5, 10, tzinfo=UTC)


def test_an_occurrence_stands_for_its_series() -> None:
    tenant, _ = tenant_with()
    master = tenant.add("event", event("2020-05-05T10:00:00", type="seriesMaster"))
    tenant.add("event", {"type": "occurrence", "seriesMasterId": master})
    assert set(found(pages(connect(tenant)))) == {master}


def test_a_calendar_that_is_not_shown_as_a_whole_is_read_in_stretches_and_stays_so() -> None:
    tenant, _ = tenant_with(longest_view=1825)
    item = tenant.add("event", event("2020-05-05T10:00:00"))
    first = pages(connect(tenant))
    assert set(found(first)) == {item}
    tenant.parts.clear()
    assert found(pages(connect(tenant), token_of(first))) == {}
    views = [path for _, path in tenant.parts if "calendarView" in path]
    assert len(views) == 8
    assert all("deltatoken" in path for path in views)


def test_a_calendar_besides_the_mailboxs_own_is_a_gap() -> None:
    tenant, _ = tenant_with()
    tenant.boxes["u1"].calendars = 2
    assert gaps(pages(connect(tenant))) == {(GapCode.NOT_REACHABLE, "other-calendars")}


@pytest.mark.parametrize(("path", "what"), [("/contactFolders", "contacts"), ("/calendars", "calendars")])
def test_what_the_app_may_not_read_of_a_mailbox_is_a_gap_and_its_mail_is_read(path: str, what: str) -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.twist = lambda _, asked: (403, error("ErrorAccessDenied")) if path in asked else None
    read = pages(connect(tenant))
    assert gaps(read) == {(GapCode.NOT_REACHABLE, what)}
    assert set(found(read)) == {item}
    assert not read[-1].whole


def event(end: str, **more: object) -> Row:
    return {
        "createdDateTime": "2020-01-01T00:00:00Z",
        "end": {"dateTime": end, "timeZone": "UTC"},
        "organizer": person("sales@ours.example"),
        "attendees": [person(OUTSIDER), person("sales@ours.example")],
        "body": {"content": ""},
        "subject": "Meeting",
        **more,
    }


# --- Folders ---


def test_hidden_and_nested_folders_and_deleted_items_are_read_and_search_folders_are_not() -> None:
    tenant, (hidden, nested, deleted, shown_again) = tenant_with(*mail(4))
    box = tenant.boxes["u1"]
    box.folders["u1-hidden"] = Folder("Hidden", hidden=True)
    box.folders["u1-nested"] = Folder("Nested", parent="u1-sent")
    box.folders["u1-search"] = Folder("Unread mail", search=True)
    for item, folder in ((hidden, "hidden"), (nested, "nested"), (deleted, "deleteditems"), (shown_again, "search")):
        box.items[item].folder = f"u1-{folder}"
    assert set(found(pages(connect(tenant)))) == {hidden, nested, deleted}


def test_recoverable_items_that_the_mail_api_shows_are_read() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.boxes["u1"].items[item].folder = "recoverableitemsdeletions"
    first = pages(connect(tenant))
    assert set(found(first)) == {item}
    tenant.parts.clear()
    assert found(pages(connect(tenant), token_of(first))) == {}
    assert not [path for _, path in tenant.parts if "recoverableitemsdeletions?$select" in path]


def test_what_lies_in_our_restricted_folder_is_found_as_restricted() -> None:
    tenant, (item,) = tenant_with(*mail())
    act(tenant, Action.RESTRICT, step(tenant, item, Action.RESTRICT))
    assert found(pages(connect(tenant)))[item].facts.restricted


def test_mail_that_was_moved_is_changed_and_not_gone() -> None:
    tenant, (item,) = tenant_with(*mail())
    first = pages(connect(tenant))
    tenant.move("u1", item, "u1-sent")
    second = pages(connect(tenant), token_of(first))
    assert (set(found(second)), gone(second)) == ({item}, set())


def test_mail_that_was_moved_to_a_folder_of_this_night_is_not_gone_either() -> None:
    tenant, (item,) = tenant_with(*mail())
    first = pages(connect(tenant))
    tenant.boxes["u1"].folders["u1-new"] = Folder("New")
    tenant.move("u1", item, "u1-new")
    second = pages(connect(tenant), token_of(first))
    assert (set(found(second)), gone(second)) == ({item}, set())


def test_mail_that_became_our_own_and_was_moved_to_a_new_folder_leaves_the_catalogue() -> None:
    tenant, (item,) = tenant_with(*mail())
    first = pages(connect(tenant))
    tenant.boxes["u1"].folders["u1-new"] = Folder("New")
    tenant.touch("u1", item, **message("a@ours.example", "b@ours.example"))
    tenant.move("u1", item, "u1-new")
    assert gone(pages(connect(tenant), token_of(first))) == {item}


def test_mail_that_became_our_own_while_its_folders_position_expired_leaves_the_catalogue() -> None:
    tenant, (item,) = tenant_with(*mail())
    token = token_of(pages(connect(tenant)))
    tenant.touch("u1", item, **message("a@ours.example", "b@ours.example"))
    tenant.twist = lambda _, path: (410, error("SyncStateNotFound")) if "deltatoken" in path else None
    assert gone(pages(connect(tenant), token)) == {item}


# --- Mailboxes ---


@pytest.mark.parametrize(("status", "what"), [(403, "out-of-scope"), (404, "no-mailbox")])
def test_a_mailbox_that_does_not_let_us_in_is_a_gap_and_the_others_are_read(status: int, what: str) -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.add_box("u2", "other@ours.example").status = status
    read = pages(connect(tenant))
    assert gaps(read) == {(GapCode.NOT_REACHABLE, what)}
    assert set(found(read)) == {item}


def test_nothing_is_gone_for_being_out_of_our_sight() -> None:
    tenant, _ = tenant_with(*mail())
    tenant.boxes["u1"].status = 403
    read = pages(connect(tenant))
    assert not read[-1].whole
    assert gone(read) == set()


def test_only_mailboxes_of_the_policy_are_read_and_one_that_is_missing_is_a_gap() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.add_box("u2", "other@ours.example")
    other = tenant.add("message", mail()[0], box="u2")
    scope = replace(SCOPE, mailboxes=frozenset({"sales@ours.example", "nobody@ours.example"}))
    read = pages(connect(tenant, scope))
    assert set(found(read)) == {item}
    assert item != other
    assert [code for code, _ in gaps(read)] == [GapCode.NOT_REACHABLE]
    assert not [path for _, path in tenant.parts if path.startswith("/users/u2")]


# --- Attachments ---


def test_attached_files_and_messages_are_read_as_documents_are() -> None:
    inside = {"@odata.type": "#microsoft.graph.itemAttachment", "id": "att-item", "size": 9}
    inside["item"] = message("inside@example.com", "sales@ours.example")
    files = (attached("list.csv", b"name,email\r\nZoe,zoe@example.com\r\n"), inside)
    tenant, _ = tenant_with()
    item = tenant.add("message", mail()[0], files=files)
    finding = found(pages(connect(tenant)))[item]
    assert names(finding) == {"ann-0@example.com", "zoe@example.com", "inside@example.com"}
    assert finding.facts.several_people


def test_what_carries_a_file_nobody_can_read_is_a_gap_has_no_date_and_may_be_about_anybody() -> None:
    tenant, _ = tenant_with()
    item = tenant.add("message", mail()[0], files=(attached("scan.xyz", b"\x00\x01"),))
    read = pages(connect(tenant))
    assert gaps(read) == {(GapCode.UNKNOWN_FORMAT, "attachment")}
    finding = found(read)[item]
    assert finding.facts.several_people
    assert finding.facts.classes[0].collected is None


def test_pictures_inside_the_text_are_decoration() -> None:
    tenant, _ = tenant_with()
    logo = attached("logo.png", b"\x89PNG", isInline=True, contentType="image/png")
    item = tenant.add("message", mail()[0], files=(logo,))
    read = pages(connect(tenant))
    assert gaps(read) == set()
    assert found(read)[item].facts.classes[0].collected is not None


def test_a_link_to_a_cloud_file_is_said_not_to_be_followed_and_keeps_nothing() -> None:
    tenant, _ = tenant_with()
    link = {"@odata.type": "#microsoft.graph.referenceAttachment", "id": "att-link", "size": 1}
    item = tenant.add("message", mail()[0], files=(link,))
    read = pages(connect(tenant))
    assert gaps(read) == {(GapCode.LINK_NOT_FOLLOWED, "cloud-attachment")}
    assert found(read)[item].facts.classes[0].collected is not None
