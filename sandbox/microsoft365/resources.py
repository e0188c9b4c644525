"""What is served at which path, and which permission does it take? One list, read once for every request."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.microsoft365 import folders, messages, people, recoverable, users
from sandbox.microsoft365.exchange import Exchange, Reply

Handler = Callable[[Exchange], Reply]
DIRECTORY, SETTINGS = ("User.Read.All",), ("MailboxSettings.Read", "MailboxSettings.ReadWrite")
MAIL, MAIL_WRITE = ("Mail.Read", "Mail.ReadWrite"), ("Mail.ReadWrite",)
CONTACTS, CONTACTS_WRITE = ("Contacts.Read", "Contacts.ReadWrite"), ("Contacts.ReadWrite",)
CALENDARS, CALENDARS_WRITE = ("Calendars.Read", "Calendars.ReadWrite"), ("Calendars.ReadWrite",)
ITEMS, ITEMS_WRITE = ("MailboxItem.Read.All", "MailboxItem.ReadWrite.All"), ("MailboxItem.ReadWrite.All",)
STORE_FOLDERS = ("MailboxFolder.Read.All", "MailboxFolder.ReadWrite.All", *ITEMS)
_KEYED = re.compile(r"([A-Za-z]+)\('(.*)'\)")


@dataclass(frozen=True)
class Resource:
    """A method and a path, what answers there, and the roles of which the token needs one."""

    method: str
    path: str
    handler: Handler
    roles: tuple[str, ...]

    @functools.cached_property
    def steps(self) -> tuple[str, ...]:
        return tuple(self.path.strip("/").split("/"))


def find(method: str, path: str) -> tuple[Resource, dict[str, str]] | None:
    """What serves a path, and what its variables are. Keys may stand in brackets, actions under their whole name."""
    steps = steps_of(path)
    for one in _by_length().get((method, len(steps)), ()):
        found: dict[str, str] = {}
        for wanted, given in zip(one.steps, steps, strict=True):
            if wanted[0] == "{":
                found[wanted[1:-1]] = given
            elif wanted.casefold() != given.casefold():
                break
        else:
            return one, found
    return None


def steps_of(path: str) -> list[str]:
    """The parts of a path, decoded once each."""
    steps: list[str] = []
    for raw in path.partition("?")[0].strip("/").split("/"):
        part = unquote(raw)
        keyed = _KEYED.fullmatch(part)
        if keyed:
            steps += [keyed[1], keyed[2].replace("''", "'")]
        else:
            steps.append(part.removeprefix("microsoft.graph."))
    return steps


@functools.cache
def _by_length() -> dict[tuple[str, int], list[Resource]]:
    found: dict[tuple[str, int], list[Resource]] = {}
    for one in sorted(_all(), key=lambda resource: resource.path.count("{")):
        found.setdefault((one.method, len(one.steps)), []).append(one)
    return found


def _all() -> list[Resource]:
    me, item = "/users/{user}", "/items/{item}"
    store = "/admin/exchange/mailboxes/{mailbox}/folders"
    return [
        Resource("GET", "/users", users.listing_all, DIRECTORY),
        Resource("GET", me, users.one, DIRECTORY),
        Resource("GET", f"{me}/mailboxSettings", users.settings, SETTINGS),
        Resource("GET", f"{me}/settings/exchange", users.exchange_settings, STORE_FOLDERS),
        *_folders(f"{me}/mailFolders"),
        *_messages(me),
        *_messages(f"{me}/mailFolders/{{folder}}"),
        Resource("GET", f"{me}/mailFolders/{{folder}}/messages/delta", messages.delta, MAIL),
        Resource("GET", f"{me}/contactFolders", folders.contacts, CONTACTS),
        Resource("GET", f"{me}/contactFolders/{{folder}}/childFolders", folders.contacts_below, CONTACTS),
        *_people("contact", f"{me}/contacts", CONTACTS, CONTACTS_WRITE),
        *_people("contact", f"{me}/contactFolders/{{folder}}/contacts", CONTACTS, CONTACTS_WRITE),
        Resource("GET", f"{me}/contacts", people.contacts, CONTACTS),
        Resource("GET", f"{me}/contactFolders/{{folder}}/contacts", people.contacts, CONTACTS),
        Resource("GET", f"{me}/contacts/delta", people.contacts_delta, CONTACTS),
        Resource("GET", f"{me}/contactFolders/{{folder}}/contacts/delta", people.contacts_delta, CONTACTS),
        Resource("GET", f"{me}/calendars", folders.calendars, CALENDARS),
        *_people("event", f"{me}/events", CALENDARS, CALENDARS_WRITE),
        *_people("event", f"{me}/calendars/{{folder}}/events", CALENDARS, CALENDARS_WRITE),
        Resource("GET", f"{me}/events", people.events, CALENDARS),
        Resource("GET", f"{me}/calendars/{{folder}}/events", people.events, CALENDARS),
        Resource("GET", f"{me}/calendarView", people.view, CALENDARS),
        Resource("GET", f"{me}/calendarView/delta", people.view_delta, CALENDARS),
        *_attached("event", f"{me}/events", CALENDARS),
        Resource("GET", store, recoverable.folders, STORE_FOLDERS),
        Resource("GET", f"{store}/{{folder}}", recoverable.folder, STORE_FOLDERS),
        Resource("GET", f"{store}/{{folder}}/childFolders", recoverable.folders, STORE_FOLDERS),
        Resource("GET", f"{store}/{{folder}}/items", recoverable.items, ITEMS),
        Resource("GET", f"{store}/{{folder}}{item}", recoverable.item, ITEMS),
        Resource("DELETE", f"{store}/{{folder}}{item}", recoverable.delete, ITEMS_WRITE),
    ]


def _folders(many: str) -> list[Resource]:
    one = f"{many}/{{folder}}"
    return [
        Resource("GET", many, folders.mail, MAIL),
        Resource("POST", many, folders.make, MAIL_WRITE),
        Resource("GET", one, folders.one, MAIL),
        Resource("DELETE", one, folders.remove, MAIL_WRITE),
        Resource("POST", f"{one}/permanentDelete", folders.purge, MAIL_WRITE),
        Resource("GET", f"{one}/childFolders", folders.below, MAIL),
        Resource("POST", f"{one}/childFolders", folders.make, MAIL_WRITE),
    ]


def _messages(base: str) -> list[Resource]:
    many, one = f"{base}/messages", f"{base}/messages/{{item}}"
    return [
        Resource("GET", many, messages.inside if "{folder}" in base else messages.everywhere, MAIL),
        Resource("POST", many, messages.create, MAIL_WRITE),
        Resource("GET", one, messages.read, MAIL),
        Resource("PATCH", one, messages.update, MAIL_WRITE),
        Resource("DELETE", one, messages.delete, MAIL_WRITE),
        Resource("GET", f"{one}/$value", messages.content, MAIL),
        Resource("POST", f"{one}/move", messages.move, MAIL_WRITE),
        Resource("POST", f"{one}/copy", messages.copy, MAIL_WRITE),
        Resource("POST", f"{one}/permanentDelete", messages.permanent_delete, MAIL_WRITE),
        *_attached("message", many, MAIL),
    ]


def _attached(kind: str, many: str, roles: tuple[str, ...]) -> list[Resource]:
    all_of = f"{many}/{{item}}/attachments"
    one = f"{all_of}/{{attachment}}"
    return [
        Resource("GET", all_of, functools.partial(messages.attachments, kind=kind), roles),
        Resource("GET", one, functools.partial(messages.attachment, kind=kind), roles),
        Resource("GET", f"{one}/$value", functools.partial(messages.attachment_content, kind=kind), roles),
    ]


def _people(kind: str, many: str, read: tuple[str, ...], write: tuple[str, ...]) -> list[Resource]:
    one = f"{many}/{{item}}"
    purge = functools.partial(messages.permanent_delete, kind=kind)
    return [
        Resource("POST", many, functools.partial(people.create, kind=kind), write),
        Resource("GET", one, functools.partial(people.read, kind=kind), read),
        Resource("PATCH", one, functools.partial(people.update, kind=kind), write),
        Resource("DELETE", one, functools.partial(people.delete, kind=kind), write),
        Resource("POST", f"{one}/permanentDelete", purge, write),
    ]
