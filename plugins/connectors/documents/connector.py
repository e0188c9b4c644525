"""How does the retention core work on a document server? The contract's verbs, each on the files of a store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from connectors.documents import dividing, places
from connectors.documents.acting import Acting, named_in
from connectors.documents.folders import Folders, media_type
from connectors.documents.passing import Pass
from connectors.documents.reader import Reader
from connectors.documents.stores.store import Failed, FileStore, Forbidden, Missing, StoreError
from connectors.documents.walking import FILE
from retention.contract import AccessDenied, Check, Memory, Unavailable, Unsupported, Warrant
from retention.listings import Part
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Document,
    Handle,
    Observation,
    Outcome,
    OutcomeStatus,
    Page,
    Presence,
    Reason,
    RecordRef,
    Step,
    Token,
)

PAGE = 200
BATCH = 50
LARGEST_FILE = 32 * 1024 * 1024
REMOVING = frozenset({Action.ERASE, Action.REDACT})


class DocumentsConnector:
    """The files below one root of one server. A record is a file; its key is the path, its version the SHA-256.

    `beyond_use` names copies that this service cannot reach (snapshots, replicas, backups) with their end: they stand
    in the evidence of whatever was erased.
    """

    catalogued = True
    supports = frozenset({Action.ERASE, Action.REDACT, Action.RESTRICT, Action.RELEASE})
    batch_size: Mapping[Action, int] = MappingProxyType(dict.fromkeys(sorted(supports), BATCH))

    def __init__(
        self,
        store: FileStore,
        folders: Folders,
        *,
        reader: Reader | None = None,
        beyond_use: Sequence[str] = (),
        page_size: int = PAGE,
        largest_file: int = LARGEST_FILE,
    ) -> None:
        self.system = store.system
        self.tenant = store.identity
        self._store = store
        self._reader = reader or Reader()
        self._folders = dict(folders)
        self._beyond_use = tuple(beyond_use)
        self._page_size = page_size
        self._largest = largest_file
        self._acting = Acting(store, self._reader, largest_file)

    def close(self) -> None:
        """Let go of the connection and of the reading process; both come back when needed."""
        self._store.close()
        self._reader.close()

    def checks(self) -> Iterator[Check]:
        believed = self._root()
        yield Check("list the root", "" if believed else "no folder of the policy is there: is the share mounted?")
        for folder in sorted(self._folders) if believed else ():
            try:
                self._store.list(folder)
            except Missing:
                yield Check(f"list {folder}", "no such folder: mend systems.yaml, or the root of the connection")
            except StoreError:
                yield Check(f"list {folder}", "the server does not let this login list it")
            else:
                yield Check(f"list {folder}")

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        raise Unsupported(f"{self.system} is catalogued and is not searched; read its changes")

    def changes(self, since: Token | None) -> Iterator[Page]:
        raise Unsupported(f"{self.system} cannot say what changed; walk it")

    def divide(self, memory: Memory, at_most: int) -> Sequence[Part]:
        if at_most > 1:
            self._believed()
        return dividing.divide(self._store, memory, at_most)

    def walk(self, part: Part, memory: Memory) -> Iterator[Page]:
        self._believed()
        one = Pass(self._store, self._reader, self._folders, memory, page_size=self._page_size, largest=self._largest)
        try:
            yield from one.pages(dividing.Share.of(part))
        finally:
            self._reader.close()

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        if action not in self.supports:
            raise Unsupported(f"{self.system} cannot {action}; hand the step to a person")
        if not batch:
            return []
        if not self._root():
            return [Outcome(step.ref, OutcomeStatus.FAILED, Reason.NOT_PROVEN) for step in batch]
        try:
            return [self._with_evidence(action, one) for one in self._acting.run(action, batch, warrant)]
        finally:
            self._reader.close()

    def settle(self, handle: Handle) -> Sequence[Outcome]:
        seen = self.read_back([Step("", ref, handle.action) for ref in handle.refs])
        return [_settled(handle.action, ref, one) for ref, one in zip(handle.refs, seen, strict=True)]

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        if not batch:
            return []
        control = self._root()
        try:
            return [self._observed(step, control) for step in batch]
        finally:
            self._reader.close()

    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        if not batch:
            return
        self._root()
        for ref in batch:
            try:
                place = places.find(self._store, ref)
                if place is None:
                    continue
                content = self._store.read(place.at)
            except (Missing, places.NotOurs):
                continue
            except (Forbidden, Failed):
                raise AccessDenied(f"{self.system}: a file to be handed out cannot be read; check its rights") from None
            yield Document(_at(ref, hashlib.sha256(content).hexdigest()), media_type(ref.key), content)

    def link(self, ref: RecordRef) -> str | None:
        """None: a path would stand in the address, and paths may name people."""
        return None

    def _believed(self) -> None:
        """Refuse a server that shows none of the policy's folders."""
        if not self._root():
            raise Unavailable(
                f"{self.system}: no folder of the policy is below the root; look whether the share is mounted, and"
                " whether systems.yaml names its folders"
            )

    def _root(self) -> bool:
        """Whether a folder of the policy lies in the root, so that what is shown there can be believed.

        An empty folder is what a server shows whose disk is not mounted.
        """
        try:
            root = self._store.list("")
        except Missing:
            return False
        except Forbidden:
            raise AccessDenied(f"{self.system}: the server does not let us list the root; check the rights") from None
        except Failed:
            raise Unavailable(f"{self.system}: the server fails to list the root; try later") from None
        tops = {folder.partition("/")[0] for folder in self._folders}
        return any(entry.is_folder and entry.name in tops for entry in root)

    def _with_evidence(self, action: Action, outcome: Outcome) -> Outcome:
        if not self._beyond_use or action not in REMOVING or outcome.status is not OutcomeStatus.DONE:
            return outcome
        return replace(outcome, evidence=replace(outcome.evidence, beyond_use=self._beyond_use))

    def _observed(self, step: Step, control: bool) -> Observation:
        nowhere = _at(step.ref, "")
        unreadable = Observation(nowhere, Presence.UNREADABLE, self._store.views)
        if not control or step.ref.kind != FILE:
            return unreadable
        try:
            place = places.find(self._store, step.ref)
            if place is None:
                return self._absent(step.ref)
            version, content = places.version_of(self._store, place, self._largest)
        except (Missing, Forbidden, Failed, places.NotOurs):
            return unreadable
        mentioned = None
        if step.identifiers:
            found = self._reader.read(place.path, content) if version else None
            if found is None or found.gap is not None:
                return unreadable
            mentioned = named_in(found.identifiers, step.identifiers)
        presence = Presence.RESTRICTED if place.restricted or place.has_twin else Presence.PRESENT
        return Observation(_at(step.ref, version), presence, self._store.views, mentions=mentioned)

    def _absent(self, ref: RecordRef) -> Observation:
        """Gone from its path: absent, unless the service keeps the same bytes, or perhaps the same, elsewhere."""
        presence = Presence.ABSENT
        if ref.version and places.left_over(self._store, ref, self._largest):
            presence = Presence.PRESENT
        elif not ref.version and self._store.copies(ref.key):
            presence = Presence.UNREADABLE
        return Observation(_at(ref, ""), presence, self._store.views)


def _at(ref: RecordRef, version: str) -> RecordRef:
    return RecordRef(ref.system, ref.kind, ref.key, version)


def _settled(action: Action, ref: RecordRef, seen: Observation) -> Outcome:
    """What a file's present state says about a call whose answer was lost."""
    if seen.presence is Presence.UNREADABLE or (action is Action.REDACT and seen.presence is not Presence.ABSENT):
        # Whose rows were to be taken out stands in the step, not in the handle.
        return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN)
    if seen.presence is Presence.ABSENT:
        return Outcome(ref, OutcomeStatus.DONE if action is Action.ERASE else OutcomeStatus.ALREADY_DONE, Reason.GONE)
    wanted = {Action.RESTRICT: Presence.RESTRICTED, Action.RELEASE: Presence.PRESENT}
    if seen.presence is wanted.get(action):
        return Outcome(ref, OutcomeStatus.DONE)
    return Outcome(ref, OutcomeStatus.FAILED, Reason.NOT_SENT)
