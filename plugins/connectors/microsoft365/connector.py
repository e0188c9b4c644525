"""How does the retention core work on Microsoft 365? The contract's verbs on mail, contacts and calendar."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType

from connectors.documents.reader import Reader
from connectors.microsoft365 import permissions
from connectors.microsoft365.answers import NOT_FOUND, refusal
from connectors.microsoft365.attachments import Attachments
from connectors.microsoft365.erasing import JOB, Erasing
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.keys import MESSAGE, Item, item_of
from connectors.microsoft365.outcomes import ACCEPTED, ALREADY, DONE, FAILED, REFUSED, UNKNOWN, Outcomes
from connectors.microsoft365.passing import Pass
from connectors.microsoft365.recoverable import Bin, RecoverableItems
from connectors.microsoft365.restricting import Restricting
from connectors.microsoft365.scope import Scope
from connectors.microsoft365.viewing import Sight, State, Surroundings, Viewer
from retention.contract import Check, ConnectorError, Unsupported, Warrant
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Document,
    Handle,
    Observation,
    Outcome,
    Page,
    Presence,
    Reason,
    RecordRef,
    Step,
    Token,
)

PAGE = 100
ERASED_AT_ONCE = 1000
MOVED_AT_ONCE = 100
MAIL_VIEWS = ("mail-api", "inbox-control")


class Microsoft365Connector:
    """The mailboxes of one tenant. A record's key is mailbox and immutable id, its version the change key."""

    catalogued = True
    supports = frozenset({Action.ERASE, Action.RESTRICT, Action.RELEASE})
    batch_size: Mapping[Action, int] = MappingProxyType(
        {Action.ERASE: ERASED_AT_ONCE, Action.RESTRICT: MOVED_AT_ONCE, Action.RELEASE: MOVED_AT_ONCE}
    )

    def __init__(
        self, graph: Graph, reader: Reader, system: str, tenant: str, scope: Scope, *, page_size: int = PAGE
    ) -> None:
        self.system = system
        self.tenant = f"m365-{hashlib.sha256(tenant.casefold().encode()).hexdigest()[:32]}"
        self._graph = graph
        self._reader = reader
        self._scope = scope
        self._page_size = page_size
        self._bins = RecoverableItems(graph)

    def checks(self) -> Iterator[Check]:
        return permissions.checks(self._graph.token())

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        raise Unsupported(f"{self.system} is catalogued and is not searched; read its changes")

    def changes(self, since: Token | None) -> Iterator[Page]:
        attachments = Attachments(self._graph, self._reader)
        one = Pass(self._graph, attachments, self._scope, self.system, page_size=self._page_size, since=since)
        try:
            yield from one.pages()
        finally:
            self._reader.close()

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        if action not in self.supports:
            raise Unsupported(f"{self.system} cannot {action}; hand the step to a person")
        if not batch:
            return []
        found = {number: item_of(step.ref) for number, step in enumerate(batch)}
        items = {number: item for number, item in found.items() if item is not None}
        outcomes: Outcomes = {}
        viewer = Viewer(self._graph, self._scope)
        if action is Action.ERASE:
            erasing = Erasing(self._graph, viewer, self._bins, self._scope.recoverable_days)
            erasing.run(batch, items, warrant, outcomes)
        elif action is Action.RESTRICT:
            Restricting(self._graph, viewer, self._scope).restrict(batch, items, warrant, outcomes)
        else:
            Restricting(self._graph, viewer, self._scope).release(batch, items, warrant, outcomes)
        for number, item in found.items():
            if item is None:
                outcomes[number] = Outcome(batch[number].ref, REFUSED, Reason.VALIDATION)
        return [outcomes[number] for number in range(len(batch))]

    def settle(self, handle: Handle) -> Sequence[Outcome]:
        viewer = Viewer(self._graph, self._scope)
        seen = self._observed([Step("", ref, handle.action) for ref in handle.refs], viewer)
        until = _day(handle.job)
        return [
            _settled(handle.action, ref, one, until, viewer.today) for ref, one in zip(handle.refs, seen, strict=True)
        ]

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        return self._observed(batch, Viewer(self._graph, self._scope))

    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        for ref in batch:
            if (item := item_of(ref)) is None:
                continue
            path, media_type = (f"{item.path}/$value", "message/rfc822") if item.kind == MESSAGE else (item.path, "")
            answer = self._graph.get(path, what="exporting", mailbox=item.mailbox)
            if answer.status == NOT_FOUND:
                continue
            if not answer.is_fine:
                raise refusal(self.system, "exporting", answer)
            content = answer.content if media_type else _plain_json(answer.body())
            yield Document(ref, media_type or "application/json", content)

    def link(self, ref: RecordRef) -> str | None:
        """The address Outlook on the web gives for the item; None where it has none, or would name somebody."""
        item = item_of(ref)
        if item is None:
            return None
        try:
            answer = self._graph.get(f"{item.path}?$select=webLink", what="asking for a link", mailbox=item.mailbox)
        except ConnectorError:
            return None
        found = answer.body().get("webLink")
        is_safe = isinstance(found, str) and found.startswith("https://") and "@" not in found and "%40" not in found
        return found if is_safe else None

    def _observed(self, batch: Sequence[Step], viewer: Viewer) -> list[Observation]:
        if not batch:
            return []
        found = {number: item for number, step in enumerate(batch) if (item := item_of(step.ref)) is not None}
        around = viewer.surroundings(item.mailbox for item in found.values())
        sights = dict(zip(found, viewer.look(list(found.values())), strict=True))
        absent = [n for n, sight in sights.items() if sight.state is State.ABSENT and around[found[n].mailbox].is_there]
        bins = self._bins.bins(found[n].mailbox for n in absent)
        observed: list[Observation] = []
        for number, step in enumerate(batch):
            if number not in found:
                nowhere = RecordRef(step.ref.system, step.ref.kind, step.ref.key)
                observed.append(Observation(nowhere, Presence.UNREADABLE, MAIL_VIEWS))
                continue
            mailbox = found[number].mailbox
            observed.append(
                self._one(step, found[number], sights[number], around[mailbox], bins.get(mailbox), viewer.today)
            )
        return observed

    def _one(
        self, step: Step, item: Item, sight: Sight, around: Surroundings, bin_: Bin | None, today: date | None
    ) -> Observation:
        ref = RecordRef(step.ref.system, step.ref.kind, step.ref.key, sight.version)
        until = today + timedelta(days=self._scope.recoverable_days + 1) if today else None
        if not around.is_there or sight.state in (State.UNREADABLE, State.DENIED):
            return Observation(ref, Presence.UNREADABLE, MAIL_VIEWS)
        if sight.state is State.ABSENT:
            views = (*MAIL_VIEWS, *(bin_.views if bin_ else ()))
            remains = bin_.find(item.item_id) if bin_ else None
            if remains is None:
                return Observation(ref, Presence.ABSENT, views)
            if remains.since is not None:
                until = remains.since.date() + timedelta(days=self._scope.recoverable_days + 1)
            return Observation(ref, Presence.RECOVERABLE, views, recoverable_until=until)
        if around.recoverable is not None and sight.folder == around.recoverable:
            return Observation(ref, Presence.RECOVERABLE, MAIL_VIEWS, recoverable_until=until)
        is_restricted = around.restricted is not None and sight.folder == around.restricted
        return Observation(ref, Presence.RESTRICTED if is_restricted else Presence.PRESENT, MAIL_VIEWS)


def _settled(action: Action, ref: RecordRef, seen: Observation, until: date | None, today: date | None) -> Outcome:
    """What an item's present state says about a call whose answer was lost, or whose effect takes its time.

    Where nobody lets us look into Recoverable Items, an item is believed to be there until its day.
    """
    if seen.presence is Presence.UNREADABLE:
        return Outcome(ref, UNKNOWN, Reason.NOT_PROVEN)
    if seen.presence is Presence.RECOVERABLE and action is Action.ERASE:
        return Outcome(ref, ACCEPTED, Reason.RECOVERABLE, settle_on=seen.recoverable_until)
    if seen.presence is Presence.ABSENT:
        is_waiting = seen.views == MAIL_VIEWS and until is not None and (today is None or today < until)
        if action is Action.ERASE and is_waiting:
            return Outcome(ref, ACCEPTED, Reason.RECOVERABLE, settle_on=until)
        return Outcome(ref, DONE if action is Action.ERASE else ALREADY, Reason.GONE)
    wanted = {Action.RESTRICT: Presence.RESTRICTED, Action.RELEASE: Presence.PRESENT}
    if seen.presence is wanted.get(action):
        return Outcome(ref, DONE)
    return Outcome(ref, FAILED, Reason.NOT_SENT)


def _day(job: str) -> date | None:
    try:
        return date.fromisoformat(job.removeprefix(JOB)) if job.startswith(JOB) else None
    except ValueError:
        return None


def _plain_json(row: Mapping[str, object]) -> bytes:
    """An item as the service tells it, without what it says about the telling."""
    told = {name: value for name, value in row.items() if not name.startswith("@odata.")}
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()
