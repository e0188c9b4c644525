"""Does the emulated Graph guard, throttle, batch and remember changes as the service does?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.microsoft365 import rows
from sandbox.microsoft365.bulk import Bulk
from sandbox.microsoft365.mailbox import CALENDAR
from tests.sandbox.microsoft365_calls import IMMUTABLE, NOON, ORIGIN, Graph, code, ids_in


@pytest.fixture
def graph() -> Graph:
    return Graph()


# --- Who may call ---


def test_a_call_without_a_token_is_refused(graph: Graph) -> None:
    assert code(graph.ask("GET", graph.me, authorization="")) == (401, "InvalidAuthenticationToken")


def test_a_token_ends_by_the_tenants_clock(graph: Graph) -> None:
    assert graph.get(graph.me).status == 200
    graph.tenant.set_clock(graph.tenant.now() + timedelta(hours=2))
    assert code(graph.get(graph.me)) == (401, "InvalidAuthenticationToken")


def test_tokens_that_were_revoked_are_refused_and_a_new_one_is_taken(graph: Graph) -> None:
    graph.tenant.set_switches({"revoked_tokens": 1})
    assert code(graph.get(graph.me)) == (401, "InvalidAuthenticationToken")
    graph.token = graph.fresh_token()
    assert graph.get(graph.me).status == 200


def test_what_no_role_covers_is_forbidden(graph: Graph) -> None:
    item = graph.mail()
    graph.tenant.set_switches({"roles": ["Mail.Read"]})
    graph.token = graph.fresh_token()
    assert graph.get(graph.path_of(item)).status == 200
    assert code(graph.ask("DELETE", graph.path_of(item))) == (403, "ErrorAccessDenied")
    assert code(graph.get("/users")) == (403, "Authorization_RequestDenied")
    assert item.folder == graph.box.path("Inbox").number


def test_a_mailbox_outside_the_applications_scope_is_denied_in_the_services_words(graph: Graph) -> None:
    graph.tenant.set_switches({"out_of_scope": ["SALES@ours.example"]})
    reply = graph.messages()
    assert code(reply) == (403, "ErrorAccessDenied")
    assert reply.body["error"]["message"] == "Access to OData is disabled."


def test_a_user_without_a_mailbox_is_told_by_either_of_two_codes(graph: Graph) -> None:
    graph.tenant.add_user("scanner@ours.example", "Scanner")
    replies = [graph.get("/users/scanner@ours.example/messages") for _ in range(2)]
    assert {code(one) for one in replies} == {(404, "MailboxNotEnabledForRESTAPI"), (404, "ResourceNotFound")}


# --- How much may be asked ---


def test_a_mailbox_takes_so_many_requests_in_ten_minutes_and_parts_of_a_batch_count_one_by_one(graph: Graph) -> None:
    graph.tenant.set_switches({"requests_per_window": 25})
    parts = [{"id": str(n), "method": "GET", "url": f"{graph.me}/mailFolders/inbox"} for n in range(20)]
    assert {one["status"] for one in graph.batch(*parts).values()} == {200}
    answers = graph.batch(*parts).values()
    assert [one["status"] for one in answers].count(429) == 15
    refused = next(one for one in answers if one["status"] == 429)
    assert 590 <= int(refused["headers"]["Retry-After"]) <= 600
    assert graph.get(graph.me).status == 200, "the directory is no mailbox"


def test_refused_requests_count_against_the_window_as_well(graph: Graph) -> None:
    graph.tenant.set_switches({"requests_per_window": 5, "window_seconds": 100})
    for _ in range(10):
        graph.messages()
    assert graph.messages().status == 429
    graph.tenant.clock.set(graph.tenant.now() + timedelta(seconds=101))
    assert graph.messages().status == 200


def test_what_is_sent_up_is_limited_by_its_bytes(graph: Graph) -> None:
    item = graph.mail()
    graph.tenant.set_switches({"uploaded_bytes": 100})
    change = {"categories": ["x" * 80]}
    assert graph.ask("PATCH", graph.path_of(item), change).status == 200
    assert graph.ask("PATCH", graph.path_of(item), change).status == 429


# --- Batches ---


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)],
        [{"id": "1", "method": "GET", "url": "/users"}, {"id": "1", "method": "GET", "url": "/users"}],
        [{"method": "GET", "url": "/users"}],
        [{"id": "1", "method": "GET", "url": "https://elsewhere.example/users"}],
        [{"id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"]}],
    ],
    ids=["none", "twenty-one", "an-id-twice", "no-id", "an-absolute-url", "depends-on-nothing"],
)
def test_a_batch_with_one_thing_wrong_is_refused_as_a_whole(graph: Graph, parts: list[dict[str, Any]]) -> None:
    assert code(graph.ask("POST", "/$batch", {"requests": parts})) == (400, "BadRequest")


def test_a_part_that_depends_on_a_failed_one_is_a_failed_dependency(graph: Graph) -> None:
    item = graph.mail()
    answers = graph.batch(
        {"id": "1", "method": "GET", "url": f"{graph.me}/mailFolders/nowhere"},
        {"id": "2", "method": "DELETE", "url": graph.path_of(item), "dependsOn": ["1"]},
    )
    assert (answers["1"]["status"], answers["2"]["status"]) == (404, 424)
    assert item.folder == graph.box.path("Inbox").number


def test_a_part_with_a_body_needs_to_say_what_it_is(graph: Graph) -> None:
    item = graph.mail()
    part = {"id": "1", "method": "PATCH", "url": graph.path_of(item), "body": {"isRead": False}}
    assert graph.batch(part)["1"]["status"] == 400
    assert graph.batch({**part, "headers": {"Content-Type": "application/json"}})["1"]["status"] == 200


def test_parts_are_answered_in_no_order_to_rely_on(graph: Graph) -> None:
    parts = [{"id": str(n), "method": "GET", "url": "/users"} for n in range(5)]
    reply = graph.ask("POST", "/$batch", {"requests": parts})
    assert [one["id"] for one in reply.body["responses"]] != [part["id"] for part in parts]


# --- Changes ---

DELTA = "mailFolders/inbox/messages/delta"


def changes(graph: Graph, path: str, size: int = 3) -> tuple[list[dict[str, Any]], str]:
    """All rows of a list of changes, and where to go on."""
    found: list[dict[str, Any]] = []
    while True:
        reply = graph.get(path, prefer=f"{IMMUTABLE}, odata.maxpagesize={size}")
        assert reply.status == 200, reply.body
        found += reply.body["value"]
        if (link := reply.body.get("@odata.deltaLink")) is not None:
            return found, str(link).removeprefix(f"{ORIGIN}/v1.0")
        path = str(reply.body["@odata.nextLink"]).removeprefix(f"{ORIGIN}/v1.0")


def test_first_everything_is_told_and_then_only_what_is_new_changed_or_gone(graph: Graph) -> None:
    items = [graph.mail() for _ in range(7)]
    first, link = changes(graph, f"{graph.me}/{DELTA}")
    assert {row["id"] for row in first} == {graph.id_of(item) for item in items}
    assert changes(graph, link)[0] == []

    new = graph.mail()
    graph.ask("PATCH", graph.path_of(items[0]), {"isRead": False})
    graph.ask("POST", f"{graph.path_of(items[1])}/move", {"destinationId": "archive"})
    graph.ask("POST", f"{graph.path_of(items[2])}/permanentDelete")
    told, _ = changes(graph, link)
    gone = {row["id"] for row in told if "@removed" in row}
    assert gone == {graph.id_of(items[1]), graph.id_of(items[2])}
    assert {row["id"] for row in told} - gone == {graph.id_of(new), graph.id_of(items[0])}


def test_what_was_told_and_goes_while_the_pages_are_read_is_told_as_gone(graph: Graph) -> None:
    items = [graph.mail() for _ in range(5)]
    reply = graph.get(f"{graph.me}/{DELTA}", prefer=f"{IMMUTABLE}, odata.maxpagesize=3")
    graph.ask("POST", f"{graph.path_of(items[0])}/permanentDelete")
    rest, _ = changes(graph, str(reply.body["@odata.nextLink"]).removeprefix(f"{ORIGIN}/v1.0"))
    assert {row["id"] for row in rest if "@removed" in row} == {graph.id_of(items[0])}


def test_a_page_of_changes_grows_by_preference_and_not_by_top(graph: Graph) -> None:
    for _ in range(30):
        graph.mail()
    assert len(graph.get(f"{graph.me}/{DELTA}", {"$top": "30"}).body["value"]) == 10
    asked = graph.get(f"{graph.me}/{DELTA}", prefer=f"{IMMUTABLE}, odata.maxpagesize=25")
    assert len(asked.body["value"]) == 25


def test_links_of_changes_have_a_bare_token_and_name_the_folder_in_brackets(graph: Graph) -> None:
    _, link = changes(graph, f"{graph.me}/{DELTA}")
    assert link.startswith(f"/users('{graph.box.user}')/mailFolders('inbox')/messages/delta?$deltatoken=")


@pytest.mark.parametrize("why", ["forgotten", "too old"])
def test_a_position_the_service_forgot_is_gone(graph: Graph, why: str) -> None:
    _, link = changes(graph, f"{graph.me}/{DELTA}")
    if why == "forgotten":
        graph.tenant.set_switches({"forgotten_deltas": 1})
    else:
        graph.tenant.set_clock(graph.tenant.now() + timedelta(days=31))
        graph.token = graph.fresh_token()
    status, name = code(graph.get(link))
    assert (status, name.lower()) == (410, "syncstatenotfound")


def test_a_calendar_is_shown_for_no_longer_than_five_years_at_once(graph: Graph) -> None:
    row = rows.event(organizer="sales@ours.example", attendees=("a@example.com",), start=NOON, end=NOON, made=NOON)
    graph.box.add("event", row, graph.box.known(CALENDAR), NOON)
    path = f"{graph.me}/calendarView/delta"
    span = {"startDateTime": "2024-01-01T00:00:00Z", "endDateTime": "2028-01-01T00:00:00Z"}
    assert len(graph.get(path, span).body["value"]) == 1
    assert code(graph.get(path, {**span, "startDateTime": "2004-01-01T00:00:00Z"})) == (400, "ErrorInvalidParameter")
    assert code(graph.get(path)) == (400, "ErrorInvalidParameter")


# --- Large mailboxes ---


def test_a_large_mailbox_is_read_page_by_page_and_nothing_is_left_out(graph: Graph) -> None:
    graph.box.bulk = Bulk(graph.box.address, 1000, NOON)
    first, link = changes(graph, f"{graph.me}/{DELTA}", size=100)
    assert len({row["id"] for row in first}) == 600
    graph.ask("POST", f"{graph.me}/messages/{first[7]['id']}/permanentDelete")
    graph.ask("PATCH", f"{graph.me}/messages/{first[8]['id']}", {"isRead": False})
    told, _ = changes(graph, link, size=100)
    assert {row["id"]: "@removed" in row for row in told} == {first[7]["id"]: True, first[8]["id"]: False}
    again, _ = changes(graph, f"{graph.me}/{DELTA}", size=100)
    assert {row["id"] for row in again} == {row["id"] for row in first} - {first[7]["id"]}


def test_the_folders_of_a_large_mailbox_know_how_much_they_hold(graph: Graph) -> None:
    graph.box.bulk = Bulk(graph.box.address, 1000, NOON)
    graph.mail()
    listed = graph.get(f"{graph.me}/mailFolders", {"$top": "50"}).body["value"]
    counts = {row["displayName"]: row["totalItemCount"] for row in listed}
    assert (counts["Inbox"], counts["Sent Items"], counts["Archive"]) == (601, 300, 100)


# --- The mailbox-item API ---


def test_mailbox_items_tell_neither_subject_nor_sender_but_the_message_id_on_request(graph: Graph) -> None:
    item = graph.mail(subject="private")
    expand = "singleValueExtendedProperties($filter=id eq 'String 0x1035')"
    (row,) = graph.get(f"{graph.mailbox_items()}/inbox/items", {"$expand": expand}).body["value"]
    assert "subject" not in row
    assert row["singleValueExtendedProperties"] == [{"id": "String 0x1035", "value": item.row["internetMessageId"]}]


def test_where_items_bear_other_ids_there_they_are_deleted_by_those(graph: Graph) -> None:
    graph.tenant.set_switches({"item_ids_differ": True})
    item = graph.mail()
    graph.ask("POST", f"{graph.path_of(item)}/permanentDelete")
    where = f"{graph.mailbox_items()}/recoverableitemspurges/items"
    (key,) = ids_in(graph.get(where))
    assert key != graph.id_of(item)
    assert graph.ask("DELETE", f"{where}/{key}?disposalType=hardDelete").status == 204
    assert graph.box.items == {}
