"""Does the emulated Graph find, change, move and delete mail as the service does, its refusals included?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.microsoft365 import ids
from sandbox.microsoft365.rows import file_attachment
from tests.sandbox.microsoft365_calls import NOON, ORIGIN, OURS, Graph, code, ids_in

PURGES, DELETIONS = "recoverableitemspurges", "recoverableitemsdeletions"


@pytest.fixture
def graph() -> Graph:
    return Graph()


# --- 1. What matters most: each trap by its name ---


def test_a_204_from_delete_is_no_erasure_the_item_lies_in_recoverable_items(graph: Graph) -> None:
    item = graph.mail()
    assert graph.ask("DELETE", graph.path_of(item)).status == 204
    listed = graph.get(f"{graph.mailbox_items()}/{DELETIONS}/items")
    assert ids_in(listed) == [graph.id_of(item)]


def test_a_204_from_permanent_delete_is_no_erasure_the_item_lies_in_purges_for_its_days(graph: Graph) -> None:
    item = graph.mail()
    assert graph.ask("POST", f"{graph.path_of(item)}/permanentDelete").status == 204
    assert code(graph.get(graph.path_of(item))) == (404, "ErrorItemNotFound")
    purges = f"{graph.mailbox_items()}/{PURGES}/items"
    assert ids_in(graph.get(purges)) == [graph.id_of(item)]
    graph.tenant.set_clock(graph.tenant.now() + timedelta(days=14))
    graph.token = graph.fresh_token()
    assert ids_in(graph.get(purges)) == []


@pytest.mark.parametrize("way", ["DELETE", "POST"])
def test_a_hold_gives_no_error_on_delete_and_keeps_the_item_for_ever(graph: Graph, way: str) -> None:
    item = graph.mail()
    graph.tenant.set_switches({"on_hold": [OURS]})
    path = graph.path_of(item) if way == "DELETE" else f"{graph.path_of(item)}/permanentDelete"
    assert graph.ask(way, path).status == 204
    graph.tenant.set_clock(graph.tenant.now() + timedelta(days=400))
    assert item.uid in graph.box.items


def test_only_the_hard_delete_of_the_mailbox_item_api_says_that_something_is_on_hold(graph: Graph) -> None:
    item = graph.mail()
    graph.tenant.set_switches({"on_hold": [OURS]})
    graph.ask("POST", f"{graph.path_of(item)}/permanentDelete")
    (row,) = graph.get(f"{graph.mailbox_items()}/{PURGES}/items").body["value"]
    where = f"{graph.mailbox_items()}/{PURGES}/items/{row['id']}"
    assert code(graph.ask("DELETE", f"{where}?disposalType=hardDelete")) == (403, "ErrorAccessDenied")
    graph.tenant.set_switches({"on_hold": []})
    assert graph.ask("DELETE", f"{where}?disposalType=hardDelete").status == 204
    assert graph.box.items == {}


def test_a_disposal_without_its_type_is_refused(graph: Graph) -> None:
    item = graph.mail()
    graph.ask("DELETE", graph.path_of(item))
    where = f"{graph.mailbox_items()}/{DELETIONS}/items/{graph.id_of(item)}"
    assert code(graph.ask("DELETE", where)) == (400, "BadRequest")


def test_an_in_place_archive_is_in_no_list_of_the_mail_api(graph: Graph) -> None:
    graph.box.archived = 40
    assert graph.messages().body["value"] == []
    folders = graph.get(f"{graph.me}/mailFolders", {"includeHiddenFolders": "true", "$top": "50"}).body["value"]
    assert sum(row["totalItemCount"] for row in folders) == 0


def test_search_shows_a_thousand_hits_and_not_one_more(graph: Graph) -> None:
    for n in range(1010):
        graph.mail(days_ago=n % 300)
    seen, reply = 0, graph.messages(search='"participants:ann@example.com"', top="400", select="id")
    while True:
        seen += len(reply.body["value"])
        if "@odata.nextLink" not in reply.body:
            break
        reply = graph.following(reply)
    assert seen == 1000


def test_ids_change_on_a_move_unless_immutable_ones_are_asked_for(graph: Graph) -> None:
    item = graph.mail()
    mutable = ids.item_id(1, item.uid, 0, immutable=False)
    moved = graph.ask("POST", f"{graph.me}/messages/{mutable}/move", {"destinationId": "archive"}, prefer="")
    assert moved.status == 201
    assert moved.body["id"] != mutable
    assert code(graph.get(f"{graph.me}/messages/{mutable}")) == (404, "ErrorItemNotFound")
    assert graph.get(graph.path_of(item)).body["id"] == graph.id_of(item)


def test_a_batch_answers_200_while_its_parts_fail(graph: Graph) -> None:
    item = graph.mail()
    answers = graph.batch(
        {"id": "a", "method": "GET", "url": graph.path_of(item), "headers": {}},
        {"id": "b", "method": "GET", "url": f"{graph.me}/messages/AAAA", "headers": {}},
    )
    assert answers["a"]["status"] == 200
    assert (answers["b"]["status"], answers["b"]["body"]["error"]["code"]) == (400, "ErrorInvalidIdMalformed")


# --- 6. Queries that are refused ---

NO_INDEX = (400, "ErrorInvalidUrlQueryFilter")
REFUSED = {
    "sorted-by-date-while-filtered-by-sender": (
        {"$filter": "from/emailAddress/address eq 'a@b.example'", "$orderby": "receivedDateTime"},
        (400, "InefficientFilter"),
    ),
    "recipients-by-filter": ({"$filter": "toRecipients/any(r:r/emailAddress/address eq 'a@b.example')"}, NO_INDEX),
    "a-list-of-senders": ({"$filter": "from/emailAddress/address in ('a@b.example','c@d.example')"}, NO_INDEX),
    "the-end-of-an-address": ({"$filter": "endswith(from/emailAddress/address,'b.example')"}, NO_INDEX),
    "a-part-of-an-address": ({"$filter": "contains(from/emailAddress/address,'b.ex')"}, NO_INDEX),
    "a-date-in-quotes": ({"$filter": "receivedDateTime lt '2021-11-22T00:00:00Z'"}, NO_INDEX),
    "search-with-order": ({"$search": '"ann"', "$orderby": "receivedDateTime"}, (400, "SearchWithOrderBy")),
    "search-with-filter": ({"$search": '"ann"', "$filter": "isRead eq true"}, (400, "SearchWithFilter")),
    "search-with-skip": ({"$search": '"ann"', "$skip": "10"}, (400, "SearchWithSkip")),
    "search-without-quotes": ({"$search": "ann"}, (400, "BadRequest")),
    "a-page-above-a-thousand": ({"$top": "1001"}, (400, "ErrorInvalidUrlQuery")),
}


@pytest.mark.parametrize("query", REFUSED)
def test_a_query_the_service_has_no_index_for_is_refused_with_its_code(graph: Graph, query: str) -> None:
    graph.mail()
    given, wanted = REFUSED[query]
    assert code(graph.get(f"{graph.me}/messages", given)) == wanted


def test_attendees_cannot_be_filtered_by(graph: Graph) -> None:
    reply = graph.get(f"{graph.me}/events", {"$filter": "attendees/any(a:a/emailAddress/address eq 'a@b.example')"})
    assert code(reply) == (400, "UnsupportedEntityExpression")


@pytest.mark.parametrize(
    "query",
    [
        {"$filter": "from/emailAddress/address eq 'a@b.example'"},
        {"$filter": "receivedDateTime lt 2021-11-22T00:00:00Z"},
        {"$search": '"ann"'},
        {"$orderby": "subject"},
    ],
)
def test_a_list_of_changes_takes_no_search_no_other_order_and_no_other_filter(
    graph: Graph, query: dict[str, str]
) -> None:
    reply = graph.get(f"{graph.me}/mailFolders/inbox/messages/delta", query)
    assert code(reply) == (400, "ErrorInvalidUrlQuery")


# --- 6. Queries that are served ---


def test_what_is_older_than_a_date_is_found_by_filter_and_sorted_by_the_same_date(graph: Graph) -> None:
    old, older = graph.mail(days_ago=2000), graph.mail(days_ago=3000)
    graph.mail(days_ago=10)
    found = graph.messages(filter="receivedDateTime lt 2021-11-22T00:00:00Z", orderby="receivedDateTime")
    assert ids_in(found) == [graph.id_of(older), graph.id_of(old)]


def test_a_sender_is_found_whatever_the_case_and_with_a_doubled_apostrophe(graph: Graph) -> None:
    item = graph.mail("Siobhan.O'Hara@Example.com")
    graph.mail("somebody@example.com")
    asked = "receivedDateTime ge 1900-01-01T00:00:00Z and from/emailAddress/address eq 'siobhan.o''hara@example.com'"
    assert ids_in(graph.messages(filter=asked, orderby="receivedDateTime")) == [graph.id_of(item)]


@pytest.mark.parametrize("role", ["from", "to", "cc", "bcc"])
def test_participants_are_searched_in_every_role(graph: Graph, role: str) -> None:
    people = {"to": ("jane@example.com",)} if role == "to" else {role: ("jane@example.com",)}
    item = graph.mail("jane@example.com") if role == "from" else graph.mail(**people)
    graph.mail("janet@example.com")
    assert ids_in(graph.messages(search='"participants:jane@example.com"')) == [graph.id_of(item)]


def test_a_search_for_an_address_also_finds_a_display_name_that_says_it(graph: Graph) -> None:
    item = graph.mail(("jane@example.com", "mallory@example.net"))
    assert ids_in(graph.messages(search='"participants:jane@example.com"')) == [graph.id_of(item)]


def test_a_search_is_split_by_date_inside_its_own_words(graph: Graph) -> None:
    graph.mail(days_ago=400)
    item = graph.mail(days_ago=10)
    words = '"participants:ann@example.com AND received>=2026-01-01 AND received<=2026-12-31"'
    assert ids_in(graph.messages(search=words)) == [graph.id_of(item)]


def test_a_search_misses_what_arrived_while_the_index_was_behind(graph: Graph) -> None:
    graph.tenant.set_switches({"index_lag_seconds": 60})
    graph.box.add("message", graph.mail().row, graph.box.path("Inbox"), graph.tenant.now())
    assert len(graph.messages(search='"from:ann@example.com"').body["value"]) == 1
    assert len(graph.messages().body["value"]) == 2


def test_a_page_holds_ten_unless_more_are_asked_for_and_its_link_carries_the_query(graph: Graph) -> None:
    items = [graph.mail(days_ago=n) for n in range(25)]
    reply, seen = graph.messages(select="subject"), []
    while True:
        seen += ids_in(reply)
        assert all(set(row) <= {"@odata.etag", "id", "subject"} for row in reply.body["value"])
        if "@odata.nextLink" not in reply.body:
            break
        assert "%24skip=" in reply.body["@odata.nextLink"]
        reply = graph.following(reply)
    assert seen == [graph.id_of(item) for item in items]


def test_the_whole_mailbox_shows_deleted_items_and_not_what_is_recoverable(graph: Graph) -> None:
    shown = graph.mail(folder="Deleted Items")
    graph.box.move(graph.mail(), graph.box.known(DELETIONS), NOON)
    graph.box.move(graph.mail(), graph.box.known(PURGES), NOON)
    assert ids_in(graph.messages()) == [graph.id_of(shown)]


# --- Changing and deleting ---


def test_a_patch_replaces_the_whole_list_of_categories(graph: Graph) -> None:
    item = graph.mail(categories=["Blue", "Red"])
    reply = graph.ask("PATCH", graph.path_of(item), {"categories": ["Restricted"]})
    assert reply.body["categories"] == ["Restricted"]


def test_what_a_message_says_cannot_be_changed_once_it_was_sent(graph: Graph) -> None:
    item = graph.mail(subject="As sent")
    reply = graph.ask("PATCH", graph.path_of(item), {"subject": "rewritten"})
    assert code(reply) == (400, "ErrorInvalidPropertySet")
    assert item.row["subject"] == "As sent"


def test_an_old_etag_is_a_conflict(graph: Graph) -> None:
    item = graph.mail()
    before = graph.get(graph.path_of(item)).body["@odata.etag"]
    graph.ask("PATCH", graph.path_of(item), {"isRead": False})
    reply = graph.ask("PATCH", graph.path_of(item), {"isRead": True}, if_match=before)
    assert code(reply) == (409, "ErrorIrresolvableConflict")


def test_what_lies_in_recoverable_items_cannot_be_deleted_by_the_mail_api(graph: Graph) -> None:
    item = graph.mail()
    graph.ask("DELETE", graph.path_of(item))
    assert code(graph.ask("DELETE", graph.path_of(item))) == (400, "ErrorCannotDeleteObject")


def test_a_folder_is_hidden_from_its_making_on_and_made_once(graph: Graph) -> None:
    wanted = {"displayName": "Restricted processing", "isHidden": True}
    made = graph.ask("POST", f"{graph.me}/mailFolders", wanted)
    assert (made.status, made.body["isHidden"]) == (201, True)
    assert code(graph.ask("POST", f"{graph.me}/mailFolders", wanted)) == (409, "ErrorFolderExists")
    plain = [row["displayName"] for row in graph.get(f"{graph.me}/mailFolders", {"$top": "50"}).body["value"]]
    assert "Restricted processing" not in plain


def test_a_folder_that_is_deleted_for_good_takes_its_messages_to_purges(graph: Graph) -> None:
    item = graph.mail(folder="Project/Old")
    folder = ids.folder_id(1, graph.box.path("Project").number)
    assert graph.ask("POST", f"{graph.me}/mailFolders/{folder}/permanentDelete").status == 204
    assert graph.box.folders[graph.box.items[item.uid].folder].known == PURGES


def test_a_message_is_given_as_text_with_its_attachments(graph: Graph) -> None:
    item = graph.mail(
        "mia.berg@bücher.example", body="<p>Hello</p>", attachments=[file_attachment("a.txt", b"inside", NOON)]
    )
    text = graph.get(f"{graph.path_of(item)}/$value").body
    assert text.startswith(b"From:")
    assert b'filename="a.txt"' in text


def test_what_graph_clients_percent_encode_and_bracket_is_read_as_the_same(graph: Graph) -> None:
    item = graph.mail()
    plain = graph.messages(top="5").body
    encoded = OURS.replace("@", "%40")
    assert graph.ask("GET", f"/users/{encoded}/messages?%24top=5").body["value"] == plain["value"]
    assert graph.ask("GET", f"/users('{encoded}')/messages?%24top=5").body["value"] == plain["value"]
    path = f"{graph.path_of(item)}/microsoft.graph.permanentDelete"
    assert graph.ask("POST", path).status == 204


def test_links_lead_to_where_the_question_came_from(graph: Graph) -> None:
    for _ in range(11):
        graph.mail()
    assert graph.messages().body["@odata.nextLink"].startswith(f"{ORIGIN}/v1.0{graph.me}/messages?")
