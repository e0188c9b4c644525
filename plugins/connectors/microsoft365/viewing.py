"""How does an item look now, and can its absence be believed? Read through the mail API, with a control that is there.

"Not found" may mean "hidden from me", so the inbox of the same mailbox, which every mailbox has, is asked for with it:
where that is not found either, nothing is proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from connectors.microsoft365.answers import FORBIDDEN, NOT_FOUND, Answer, rows_of
from connectors.microsoft365.facts import Row, version_of
from connectors.microsoft365.graph import Graph, Part
from connectors.microsoft365.keys import CONTACT, EVENT, MESSAGE, Item, is_id, mailbox_path
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

    def surroundings(self, mailboxes: Iterable[str], *, folders: bool = True) -> dict[str, Surroundings]:
        """The surroundings of each of these mailboxes; its folders of ours and the service's only where asked for."""
        wanted = list(dict.fromkeys(mailboxes))
        asks_user = bool(self._scope.on_hold) or self._scope.mailboxes is not None
        asked = {"inbox": "/mailFolders/inbox?$select=id"}
        if folders:
            asked |= {"folders": f"/mailFolders?{FOLDERS}", "recoverable": f"/mailFolders/{RECOVERABLE}?$select=id"}
        if asks_user:
            asked["user"] = "?$select=id,mail,userPrincipalName,proxyAddresses"
        parts = [Part("GET", mailbox_path(one) + path, one) for one in wanted for path in asked.values()]
        answers = self._graph.read_all(parts, what=WHAT)
        self._learn_day(answers)
        each = len(asked)
        told = [dict(zip(asked, answers[at : at + each], strict=True)) for at in range(0, len(answers), each)]
        return {one: self._surroundings(one, given) for one, given in zip(wanted, told, strict=True)}

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

    def _surroundings(self, mailbox: str, told: Mapping[str, Answer]) -> Surroundings:
        if not told["inbox"].is_fine:
            return Surroundings(is_there=False)
        addresses = frozenset[str]()
        if (user := told.get("user")) is not None:
            if not user.is_fine:
                return Surroundings(is_there=False)
            addresses = addresses_of(user.body())
        recoverable = told["recoverable"].body().get("id") if "recoverable" in told else None
        return Surroundings(
            is_there=True,
            restricted=self._restricted(mailbox, told["folders"]) if "folders" in told else None,
            recoverable=recoverable if isinstance(recoverable, str) else None,
            is_on_hold=bool(addresses & self._scope.on_hold),
            is_in_scope=self._scope.mailboxes is None or bool(addresses & self._scope.mailboxes),
        )

    def _restricted(self, mailbox: str, answer: Answer) -> str | None:
        """The folder we made for restricted mail, if there is one."""
        rows = rows_of(self._graph.who, WHAT, answer)
        if (following := self._graph.next_page(answer)) is not None:
            rows += self._graph.pages(following, what=WHAT, mailbox=mailbox)
        ours = [row["id"] for row in rows if is_restricted_folder(self._scope, row) and is_id(row.get("id"))]
        return ours[0] if ours else None

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
