"""Do the emulated Graph's answers fit what Microsoft publishes of them, in the OpenAPI slice beside the checkout?"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from sandbox.microsoft365 import rows
from sandbox.microsoft365.mailbox import CALENDAR, CONTACTS
from tests.microsoft365_spec import SPEC, described, operation
from tests.sandbox.microsoft365_calls import NOON, OURS, Graph

pytestmark = pytest.mark.skipif(not SPEC.is_file(), reason=f"the published description is not at {SPEC}")


@functools.cache
def schema_of(verb: str, template: str, status: int) -> Mapping[str, Any] | None:
    """The published shape of an answer; None for one without a body."""
    said = described()["paths"][template][verb]["responses"]
    answer = said.get(str(status)) or said.get(f"{status // 100}XX") or said.get("default")
    assert answer is not None, f"status {status} is not described for {verb} {template}"
    if "$ref" in answer:
        answer = described()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content = answer.get("content", {}).get("application/json")
    return None if content is None else {**content["schema"], "components": described()["components"]}


def faults(verb: str, path: str, status: int, body: Any) -> list[str]:
    published = operation(verb, path.partition("?")[0])
    assert published is not None, f"{verb} {path} is not published"
    schema = schema_of(verb, published[0], status)
    if schema is None:
        return [] if body is None or isinstance(body, bytes) else ["a body that is not described"]
    return [f"{one.json_path}: {one.message[:160]}" for one in OAS30Validator(schema).iter_errors(body)]


@pytest.fixture
def graph() -> Graph:
    graph = Graph()
    attached = [
        rows.file_attachment("a.csv", b"x", NOON),
        rows.item_attachment("Fw", rows.message(sender="a@example.com", received=NOON), NOON),
    ]
    graph.mail(cc=("b@example.com",), attachments=attached)
    graph.mail(sender=None, draft=True)
    graph.box.add(
        "contact",
        rows.contact(name="Ann Example", addresses=["ann@example.com"], made=NOON),
        graph.box.known(CONTACTS),
        NOON,
    )
    meeting = rows.event(
        organizer=OURS, attendees=["ann@example.com"], start=NOON, end=NOON + timedelta(hours=1), made=NOON
    )
    graph.box.add("event", meeting, graph.box.known(CALENDAR), NOON)
    return graph


def paths(graph: Graph) -> list[str]:
    """Everything that can be read of this mailbox."""
    me, store = graph.me, graph.mailbox_items()
    mail, _, contact, event = (graph.id_of(one) for one in graph.box.items.values())
    span = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-12-31T00:00:00Z"
    return [
        "/users",
        me,
        f"{me}/mailboxSettings",
        f"{me}/settings/exchange",
        f"{me}/mailFolders?includeHiddenFolders=true",
        f"{me}/mailFolders/inbox",
        f"{me}/mailFolders/inbox/childFolders",
        f"{me}/messages",
        f"{me}/messages/{mail}",
        f"{me}/messages/{mail}/$value",
        f"{me}/messages/{mail}/attachments",
        f"{me}/mailFolders/inbox/messages",
        f"{me}/mailFolders/inbox/messages/delta",
        f"{me}/contacts",
        f"{me}/contacts/{contact}",
        f"{me}/contacts/delta",
        f"{me}/contactFolders",
        f"{me}/calendars",
        f"{me}/events",
        f"{me}/events/{event}",
        f"{me}/calendarView?{span}",
        f"{me}/calendarView/delta?{span}",
        store,
        f"{store}/inbox",
        f"{store}/inbox/items",
        f"{store}/inbox/items/{mail}",
    ]


def test_everything_that_can_be_read_has_its_published_shape(graph: Graph) -> None:
    found = {path: faults("get", path, 200, graph.get(path).body) for path in paths(graph)}
    assert {path: said for path, said in found.items() if said} == {}


def test_the_check_would_notice_an_answer_of_another_shape(graph: Graph) -> None:
    body = graph.messages().body
    body["value"][0]["isRead"] = "yes"
    assert faults("get", f"{graph.me}/messages", 200, body)


def test_changes_answer_as_published(graph: Graph) -> None:
    item = next(iter(graph.box.items.values()))
    path = graph.path_of(item)
    for verb, where, body in (
        ("patch", path, {"isRead": False}),
        ("post", f"{path}/move", {"destinationId": "archive"}),
        ("post", f"{path}/copy", {"destinationId": "inbox"}),
        ("post", f"{graph.me}/mailFolders", {"displayName": "New", "isHidden": True}),
        ("post", f"{path}/permanentDelete", None),
    ):
        reply = graph.ask(verb.upper(), where, body)
        assert faults(verb, where, reply.status, reply.body) == [], where


def test_refusals_have_the_published_shape_of_an_error(graph: Graph) -> None:
    schema = {
        "$ref": "#/components/schemas/error",
        "components": described()["components"],
    }
    for reply in (
        graph.get(f"{graph.me}/messages/nothing"),
        graph.messages(filter="x eq 1"),
        graph.ask("GET", "/users", authorization=""),
    ):
        assert reply.status >= 400
        assert list(OAS30Validator(schema).iter_errors(reply.body)) == []
