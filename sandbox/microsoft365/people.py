"""How are contacts and events found, changed and deleted? Neither has a soft delete: DELETE moves to Deleted Items."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.microsoft365 import changes, listing, messages
from sandbox.microsoft365.errors import Refused
from sandbox.microsoft365.exchange import Exchange, Reply, Row
from sandbox.microsoft365.mailbox import CALENDAR, CONTACTS, DELETED, Folder, Item, Mailbox
from sandbox.microsoft365.rows import contact, event


def contacts(exchange: Exchange) -> Reply:
    """GET /users/{id}/contacts and .../contactFolders/{id}/contacts"""
    box = exchange.mailbox()
    folder = _folder(exchange, box, "contact")
    return listing.items(exchange, box, "contact", box.inside(folder))


def contacts_delta(exchange: Exchange) -> Reply:
    """GET .../contacts/delta"""
    box = exchange.mailbox()
    return changes.of(exchange, box, "contact", _folder(exchange, box, "contact"))


def events(exchange: Exchange) -> Reply:
    """GET /users/{id}/events and .../calendars/{id}/events: masters of series, not their occurrences."""
    box = exchange.mailbox()
    return listing.items(exchange, box, "event", box.inside(_folder(exchange, box, "event")))


def view(exchange: Exchange) -> Reply:
    """GET .../calendarView: everything that happens between two instants."""
    box = exchange.mailbox()
    start, end = _span(exchange)
    inside = (item for item in box.inside(_folder(exchange, box, "event")) if _overlaps(item, start, end))
    return listing.items(exchange, box, "event", inside)


def view_delta(exchange: Exchange) -> Reply:
    """GET /users/{id}/calendarView/delta: a position remembers the span it began with."""
    box = exchange.mailbox()
    tag = changes.tag_of(exchange)
    if not tag:
        first, last = _span(exchange)
        tag = f"{first.isoformat()} {last.isoformat()}"
    start, end = (messages.moment(one) for one in tag.split())
    calendar = box.known(CALENDAR)
    return changes.of(exchange, box, "event", calendar, among=lambda item: _overlaps(item, start, end), tag=tag)


def read(exchange: Exchange, kind: str) -> Reply:
    box = exchange.mailbox()
    return Reply(200, exchange.shown(box, exchange.item(box, kind), exchange.selected()))


def create(exchange: Exchange, kind: str) -> Reply:
    """POST a contact or an event."""
    box, given, now = exchange.mailbox(), exchange.given(), exchange.tenant.now()
    if kind == "contact":
        row = contact(name=str(given.get("displayName") or ""), addresses=(), made=now)
    else:
        row = event(organizer=box.address, attendees=(), start=now, end=now, made=now)
    row |= {name: value for name, value in given.items() if name in row}
    item = box.add(kind, row, _folder(exchange, box, kind), now)
    exchange.note(box, item, effect=True)
    return Reply(201, exchange.shown(box, item))


def update(exchange: Exchange, kind: str) -> Reply:
    """PATCH a contact or an event."""
    box, given = exchange.mailbox(), exchange.given()
    item = exchange.item(box, kind)
    if unknown := [name for name in given if name not in item.row and "@" not in name]:
        raise Refused(400, "ErrorInvalidPropertySet", f"The property '{unknown[0]}' cannot be changed.")
    box.touch(item, exchange.tenant.now(), {name: value for name, value in given.items() if name in item.row})
    exchange.note(box, item, effect=True)
    return Reply(200, exchange.shown(box, item))


def delete(exchange: Exchange, kind: str) -> Reply:
    """DELETE a contact or an event: to Deleted Items."""
    box = exchange.mailbox()
    item = exchange.item(box, kind)
    exchange.note(box, box.move(item, box.known(DELETED), exchange.tenant.now()), effect=True)
    return Reply(204)


def _folder(exchange: Exchange, box: Mailbox, kind: str) -> Folder:
    if "folder" in exchange.parameters:
        return exchange.folder(box, holds=kind)
    return box.known(CONTACTS if kind == "contact" else CALENDAR)


def _span(exchange: Exchange) -> tuple[datetime, datetime]:
    query = exchange.query
    if "startdatetime" not in query or "enddatetime" not in query:
        raise Refused(400, "ErrorInvalidParameter", "This request requires StartDateTime and EndDateTime.")
    start, end = messages.moment(query["startdatetime"]), messages.moment(query["enddatetime"])
    if (end - start).days > exchange.tenant.switches.longest_view_days:
        message = "The range between the start and end dates is greater than the allowed range."
        raise Refused(400, "ErrorInvalidParameter", message)
    return start, end


def _overlaps(item: Item, start: datetime, end: datetime) -> bool:
    """Whether an event, or any of its series, lies in a span."""
    row: Row = item.row
    last = _instant(row["end"])
    if row.get("recurrence"):
        span = row["recurrence"].get("range", {})
        ends = span.get("endDate") if span.get("type") == "endDate" else None
        last = datetime.fromisoformat(f"{ends}T23:59:59+00:00") if ends else datetime.max.replace(tzinfo=UTC)
    return _instant(row["start"]) < end and last > start


def _instant(zoned: Row) -> datetime:
    return datetime.fromisoformat(str(zoned["dateTime"])[:19]).replace(tzinfo=UTC)
