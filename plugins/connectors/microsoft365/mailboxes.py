"""Which mailboxes are in scope, and which places in them hold items? What cannot be reached is a gap per mailbox.

All folders count, hidden ones and Deleted Items too; search folders show the same items again and do not. Recoverable
Items are read where the mail API shows them. An in-place archive cannot be reached by any of these calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from connectors.microsoft365.answers import BAD_REQUEST, FORBIDDEN, NOT_FOUND, Answer, refusal, rows_of
from connectors.microsoft365.facts import SELECTED
from connectors.microsoft365.graph import Graph, Part
from connectors.microsoft365.keys import CONTACT, EVENT, MAILBOX, MESSAGE, is_id, mailbox_path
from connectors.microsoft365.positions import Positions
from connectors.microsoft365.scope import Scope
from retention.vocabulary import Gap, GapCode, RecordRef

USERS = "/users?$select=id,mail,userPrincipalName,userType,accountEnabled,proxyAddresses&$top=999"
FOLDERS = "includeHiddenFolders=true&$select=id,displayName,childFolderCount,totalItemCount,isHidden&$top=250"
CONTACT_FOLDERS = "$select=id,displayName&$top=250"
CALENDARS = "$select=id,isDefaultCalendar&$top=100"
SEARCH_FOLDER = "#microsoft.graph.mailSearchFolder"
RECOVERABLE = "recoverableitemsdeletions"
MAIL = "m:"
"""How the name of a mail folder's place begins."""
WINDOW_DAYS = 1825
WINDOWS = tuple(date(2006, 1, 1) + timedelta(days=WINDOW_DAYS * n) for n in range(9))
"""A calendar is read as one stretch; in these, of which the service is known to show each, where it refuses that."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A user or shared mailbox, by the id of its user."""

    mailbox: str = field(repr=False)
    addresses: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of items, or a stretch of a calendar: what one list of changes is about. `name` is its position's.

    `small` says that its first page is sure to be short, `empty` that there is nothing in it; `split` is what to read
    instead where the service refuses it.
    """

    kind: str
    mailbox: str = field(repr=False)
    name: str = field(repr=False)
    start: str = field(repr=False)
    folder: str = field(default="", repr=False)
    restricted: bool = False
    small: bool = True
    empty: bool = False
    split: tuple[Place, ...] = ()


@dataclass
class Estate:
    """What was found: places, gaps, and whether every mailbox let us in.

    `opened` are mailboxes whose mail folders were all listed, `users` everybody who has an account.
    """

    places: list[Place] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    whole: bool = True
    opened: set[str] = field(default_factory=set, repr=False)
    users: set[str] = field(default_factory=set, repr=False)

    def vanished(self, before: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Mail folders that were read before and surely are no more, by mailbox and name of the place."""
        present = {(place.mailbox, place.name) for place in self.places}
        for mailbox, name in before:
            is_gone = (mailbox, name) not in present and (mailbox in self.opened or mailbox not in self.users)
            if is_gone and (name.startswith(MAIL) or mailbox not in self.users):
                yield mailbox, name


class Mailboxes:
    """The mailboxes of one tenant that the policy names."""

    def __init__(self, graph: Graph, scope: Scope, system: str) -> None:
        self._graph = graph
        self._scope = scope
        self._system = system

    def survey(self, positions: Positions) -> Estate:
        """Every place there is to read now."""
        estate = Estate()
        mailboxes = self._in_scope(estate)
        for at in range(0, len(mailboxes), 20):
            self._places(mailboxes[at : at + 20], positions, estate)
        return estate

    def _all(self) -> Iterator[Mailbox]:
        for row in self._graph.pages(USERS, what="listing users"):
            if is_id(row.get("id")) and str(row.get("userType") or "").casefold() != "guest":
                yield Mailbox(row["id"], addresses_of(row))

    def _in_scope(self, estate: Estate) -> list[Mailbox]:
        everybody = list(self._all())
        estate.users |= {one.mailbox for one in everybody}
        if self._scope.mailboxes is None:
            return everybody
        known = frozenset().union(*(one.addresses for one in everybody))
        for number, wanted in enumerate(sorted(self._scope.mailboxes)):
            if wanted not in known:
                estate.gaps.append(Gap(GapCode.NOT_REACHABLE, MAILBOX, f"not-in-tenant-{number + 1}"))
                estate.whole = False
        return [one for one in everybody if one.addresses & self._scope.mailboxes]

    def _places(self, mailboxes: Sequence[Mailbox], positions: Positions, estate: Estate) -> None:
        parts = [Part("GET", f"{mailbox_path(one.mailbox)}/mailFolders?{FOLDERS}", one.mailbox) for one in mailboxes]
        answers = self._graph.read_all(parts, what="listing folders")
        opened: list[tuple[Mailbox, Answer]] = []
        for one, answer in zip(mailboxes, answers, strict=True):
            if answer.status in (FORBIDDEN, NOT_FOUND):
                is_hidden = answer.status == FORBIDDEN
                estate.gaps.append(self._gap(one.mailbox, "out-of-scope" if is_hidden else "no-mailbox"))
                estate.whole = estate.whole and not is_hidden
                continue
            if self._scope.archives is None or one.addresses & self._scope.archives:
                estate.gaps.append(self._gap(one.mailbox, "archive-mailbox"))
            opened.append((one, answer))
        self._folders(opened, estate)
        estate.opened |= {one.mailbox for one, _ in opened}
        self._other_places([one for one, _ in opened], positions, estate)

    def _folders(self, opened: Sequence[tuple[Mailbox, Answer]], estate: Estate) -> None:
        """The mail folders of these mailboxes, level by level, 20 questions to a request."""
        level = [(one.mailbox, "", answer) for one, answer in opened]
        while level:
            parents: list[tuple[str, str]] = []
            parts: list[Part] = []
            for mailbox, above, answer in level:
                for row in self._rows(answer, mailbox):
                    if row.get("@odata.type") == SEARCH_FOLDER or not is_id(row.get("id")):
                        continue
                    path = f"{above}/{row.get('displayName')}".lstrip("/")
                    folder = f"{mailbox_path(mailbox)}/mailFolders/{quote(row['id'], safe='')}"
                    estate.places.append(self._mail_place(mailbox, row, path, folder))
                    if row.get("childFolderCount"):
                        parents.append((mailbox, path))
                        parts.append(Part("GET", f"{folder}/childFolders?{FOLDERS}", mailbox))
            answers = self._graph.read_all(parts, what="listing folders")
            level = [(m, path, answer) for (m, path), answer in zip(parents, answers, strict=True)]

    def _mail_place(self, mailbox: str, row: dict[str, Any], path: str, folder: str) -> Place:
        restricted = is_restricted_folder(self._scope, row) and "/" not in path
        is_empty = row.get("totalItemCount") == 0
        name = f"{MAIL}{row['id']}"
        return Place(MESSAGE, mailbox, name, _mail_start(folder), path, restricted, small=is_empty, empty=is_empty)

    def _other_places(self, mailboxes: Sequence[Mailbox], positions: Positions, estate: Estate) -> None:
        """Recoverable items, contacts and calendar. Recoverable items are looked for until they are found once."""
        parts: list[Part] = []
        for one in mailboxes:
            root = mailbox_path(one.mailbox)
            parts.append(Part("GET", f"{root}/contactFolders?{CONTACT_FOLDERS}", one.mailbox))
            parts.append(Part("GET", f"{root}/calendars?{CALENDARS}", one.mailbox))
            if (known := _recoverable(positions, one.mailbox)) is not None:
                estate.places.append(self._recoverable_place(one.mailbox, known))
            else:
                parts.append(Part("GET", f"{root}/mailFolders/{RECOVERABLE}?$select=id", one.mailbox))
        contacts: list[tuple[str, Answer]] = []
        for part, answer in zip(parts, self._graph.read_all(parts, what="listing folders"), strict=True):
            if "/contactFolders" in part.path:
                contacts.append((part.mailbox, answer))
            elif "/calendars" in part.path:
                self._calendar_places(part.mailbox, answer, positions, estate)
            elif answer.is_fine and is_id(answer.body().get("id")):
                estate.places.append(self._recoverable_place(part.mailbox, answer.body()["id"]))
            elif answer.status not in (BAD_REQUEST, FORBIDDEN, NOT_FOUND):
                raise refusal(self._graph.who, "looking for recoverable items", answer)
        self._contacts(contacts, estate)

    def _calendar_places(self, mailbox: str, answer: Answer, positions: Positions, estate: Estate) -> None:
        """The mailbox's own calendar; no list of changes shows another one."""
        if answer.status in (FORBIDDEN, NOT_FOUND):
            estate.gaps.append(self._gap(mailbox, "calendars"))
            estate.whole = False
            return
        if any(row.get("isDefaultCalendar") is not True for row in self._rows(answer, mailbox)):
            estate.gaps.append(self._gap(mailbox, "other-calendars"))
        stretches = enumerate(pairwise(WINDOWS))
        windows = tuple(_stretch(mailbox, f"e:{number}", start, end) for number, (start, end) in stretches)
        was_split = any(name.startswith("e:") and name != "e:" for name in positions.named(mailbox))
        estate.places += windows if was_split else (_stretch(mailbox, "e:", WINDOWS[0], WINDOWS[-1], windows),)

    def _contact_places(self, mailbox: str, answer: Answer, estate: Estate) -> list[Part]:
        """The folders of an answer as places, and the questions for the folders in them."""
        root = mailbox_path(mailbox)
        below: list[Part] = []
        for row in self._rows(answer, mailbox):
            if is_id(row.get("id")):
                folder = f"{root}/contactFolders/{quote(row['id'], safe='')}"
                start = f"{folder}/contacts/delta?$select={SELECTED[CONTACT]}"
                estate.places.append(Place(CONTACT, mailbox, f"c:{row['id']}", start, str(row.get("displayName"))))
                below.append(Part("GET", f"{folder}/childFolders?{CONTACT_FOLDERS}", mailbox))
        return below

    def _contacts(self, answers: Sequence[tuple[str, Answer]], estate: Estate) -> None:
        """The contacts of these mailboxes: the default folder, and the others level by level, 20 to a request."""
        level: list[Part] = []
        for mailbox, answer in answers:
            if answer.status in (FORBIDDEN, NOT_FOUND):
                estate.gaps.append(self._gap(mailbox, "contacts"))
                estate.whole = False
                continue
            start = f"{mailbox_path(mailbox)}/contacts/delta?$select={SELECTED[CONTACT]}"
            estate.places.append(Place(CONTACT, mailbox, "c:", start, "Contacts"))
            level += self._contact_places(mailbox, answer, estate)
        while level:
            told = self._graph.read_all(level, what="listing contact folders")
            level = [
                deeper
                for part, answer in zip(level, told, strict=True)
                if answer.status != NOT_FOUND
                for deeper in self._contact_places(part.mailbox, answer, estate)
            ]

    def _recoverable_place(self, mailbox: str, folder_id: str) -> Place:
        folder = f"{mailbox_path(mailbox)}/mailFolders/{quote(folder_id, safe='')}"
        return Place(MESSAGE, mailbox, f"r:{folder_id}", _mail_start(folder), "Recoverable Items", small=False)

    def _rows(self, answer: Answer, mailbox: str) -> list[dict[str, Any]]:
        rows = rows_of(self._graph.who, "listing folders", answer)
        if (following := self._graph.next_page(answer)) is not None:
            rows += self._graph.pages(following, what="listing folders", mailbox=mailbox)
        return rows

    def _gap(self, mailbox: str, what: str) -> Gap:
        return Gap(GapCode.NOT_REACHABLE, MAILBOX, what, RecordRef(self._system, MAILBOX, mailbox))


def is_restricted_folder(scope: Scope, row: dict[str, Any]) -> bool:
    """Whether a folder below the root is the one we made for restricted mail: hidden, and of that name."""
    return row.get("isHidden") is True and row.get("displayName") == scope.restricted_folder


def _recoverable(positions: Positions, mailbox: str) -> str | None:
    return next((name[2:] for name in positions.named(mailbox) if name.startswith("r:")), None)


def _stretch(mailbox: str, name: str, start: date, end: date, split: tuple[Place, ...] = ()) -> Place:
    between = f"startDateTime={start}T00:00:00Z&endDateTime={end}T00:00:00Z"
    return Place(EVENT, mailbox, name, f"{mailbox_path(mailbox)}/calendarView/delta?{between}", "Calendar", split=split)


def _mail_start(folder: str) -> str:
    return f"{folder}/messages/delta?$select={SELECTED[MESSAGE]}"


def addresses_of(row: dict[str, Any]) -> frozenset[str]:
    """Every address of a user, in lower case."""
    given = [row.get("mail"), row.get("userPrincipalName"), *(row.get("proxyAddresses") or ())]
    texts = (one.partition(":")[2] if one[:5].casefold() == "smtp:" else one for one in given if isinstance(one, str))
    return frozenset(one.casefold() for one in texts if "@" in one)
