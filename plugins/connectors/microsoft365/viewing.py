"""How does an item look now, and can its absence be believed? Read through the mail API, with a control that is there.

"Not found" may mean "hidden from me", so the inbox of the same mailbox, which every mailbox has, is asked for with it:
where that is not found either, nothing is proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from connectors.microsoft365.answers import FORBIDDEN, NOT_FOUND, Answer, rows_of
from connectors.microsoft365.facts import Row, version_of
from connectors.microsoft365.graph import Graph, Part
from connectors.microsoft365.keys import CONTACT, EVENT, MESSAGE, Item, mailbox_path
from connectors.microsoft365.mailboxes import FOLDERS, RECOVERABLE, addresses_of, is_restricted_folder
from connectors.microsoft365.scope import Scope

LOOKED_AT = {
    MESSAGE: "id,changeKey,parentFolderId,categories,internetMessageId",
    CONTACT: "id,changeKey,parentFolderId,categories",
    EVENT: "id,changeKey,end,type,recurrence,categories",
}
WHAT = "reading items"


class State(StrEnum):
    """What a look at one item showed."""

    THERE = "there"
    ABSENT = "absent"
    DENIED = "denied"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Sight:
    """One item as it was seen."""

    state: State
    row: Row = field(default_factory=dict, repr=False)

    @property
    def version(self) -> str:
        return version_of(self.row)

    @property
    def folder(self) -> str:
        folder = self.row.get("parentFolderId")
        return folder if isinstance(folder, str) else ""

    @property
    def categories(self) -> list[str]:
        given = self.row.get("categories")
        return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What has to be known of a mailbox before its items are judged."""

    is_there: bool
    restricted: str | None = field(default=None, repr=False)
    recoverable: str | None = field(default=None, repr=False)
    is_on_hold: bool = False
    is_in_scope: bool = True


class Viewer:
    """Looks at items and at the mailboxes around them."""

    def __init__(self, graph: Graph, scope: Scope) -> None:
        self._graph = graph
        self._scope = scope
        self.today: date | None = None
        """The service's day when it answered last."""

    def surroundings(self, mailboxes: Iterable[str]) -> dict[str, Surroundings]:
        """The surroundings of each of these mailboxes."""
        wanted = list(dict.fromkeys(mailboxes))
        asks_user = bool(self._scope.on_hold) or self._scope.mailboxes is not None
        parts: list[Part] = []
        for one in wanted:
            root = mailbox_path(one)
            paths = [f"{root}/mailFolders/inbox?$select=id", f"{root}/mailFolders?{FOLDERS}"]
            paths.append(f"{root}/mailFolders/{RECOVERABLE}?$select=id")
            if asks_user:
                paths.append(f"{root}?$select=id,mail,userPrincipalName,proxyAddresses")
            parts += (Part("GET", path, one) for path in paths)
        answers = self._graph.read_all(parts, what=WHAT)
        self._learn_day(answers)
        each = len(parts) // len(wanted) if wanted else 0
        return {one: self._surroundings(one, answers[at * each : (at + 1) * each]) for at, one in enumerate(wanted)}

    def look(self, items: Sequence[Item]) -> list[Sight]:
        """How each item looks; one that is not found is absent only if its mailbox's inbox is found right after."""
        parts = [Part("GET", f"{item.path}?$select={LOOKED_AT[item.kind]}", item.mailbox) for item in items]
        answers = self._graph.read_all(parts, what=WHAT)
        self._learn_day(answers)
        missing = {item.mailbox for item, a in zip(items, answers, strict=True) if a.status == NOT_FOUND}
        controls = self._controls(sorted(missing))
        return [_sight(a, controls.get(item.mailbox, False)) for item, a in zip(items, answers, strict=True)]

    def _controls(self, mailboxes: Sequence[str]) -> dict[str, bool]:
        parts = [Part("GET", f"{mailbox_path(one)}/mailFolders/inbox?$select=id", one) for one in mailboxes]
        answers = self._graph.read_all(parts, what=WHAT)
        return {one: answer.is_fine for one, answer in zip(mailboxes, answers, strict=True)}

    def _surroundings(self, mailbox: str, answers: Sequence[Answer]) -> Surroundings:
        inbox, folders, recoverable, *user = answers
        if not inbox.is_fine or not folders.is_fine:
            return Surroundings(is_there=False)
        rows = rows_of(self._graph.who, WHAT, folders)
        if (following := self._graph.next_page(folders)) is not None:
            rows += self._graph.pages(following, what=WHAT, mailbox=mailbox)
        ours = [row["id"] for row in rows if is_restricted_folder(self._scope, row)]
        addresses = addresses_of(user[0].body()) if user and user[0].is_fine else frozenset[str]()
        return Surroundings(
            is_there=True,
            restricted=ours[0] if ours else None,
            recoverable=recoverable.body().get("id") if recoverable.is_fine else None,
            is_on_hold=bool(addresses & self._scope.on_hold),
            is_in_scope=self._scope.mailboxes is None or bool(addresses & self._scope.mailboxes),
        )

    def _learn_day(self, answers: Iterable[Answer]) -> None:
        moments = [moment for answer in answers if (moment := answer.moment()) is not None]
        if moments:
            self.today = max(moments).date()


def _sight(answer: Answer, control: bool) -> Sight:
    if answer.is_fine and version_of(answer.body()):
        return Sight(State.THERE, answer.body())
    if answer.status == NOT_FOUND and control:
        return Sight(State.ABSENT)
    return Sight(State.DENIED if answer.status == FORBIDDEN else State.UNREADABLE)
