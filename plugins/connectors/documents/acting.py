"""How is a file erased, cleared of one person's rows, restricted or released? One file at a time, checked just before.

Each verb reads the file, refuses it if its bytes are not those the step was planned for, and does its one effect. An
answer that was lost leaves the step unknown. Whatever goes wrong with one file stays with that file.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence

from connectors.documents import places
from connectors.documents.folders import RESTRICTED, is_path, names_in
from connectors.documents.identifiers import comparable, mentions
from connectors.documents.places import Place
from connectors.documents.reader import Reader
from connectors.documents.redacting.redacted import Cut
from connectors.documents.restricted import content_at, manifest, manifest_at
from connectors.documents.stores.store import Busy, FileStore, Forbidden, Lost, Missing, StoreError
from retention.contract import ConnectorError, Stopped, Warrant
from retention.vocabulary import Action, Handle, Identifier, Outcome, OutcomeStatus, Reason, Step

PATH = "path"
Verb = Callable[[Step], None]


class _Ended(Exception):
    """A step has its outcome."""

    def __init__(self, status: OutcomeStatus, reason: Reason) -> None:
        super().__init__(reason.value)
        self.status = status
        self.reason = reason


class Acting:
    """Carries out steps on the files of one server."""

    def __init__(self, store: FileStore, reader: Reader, largest: int) -> None:
        self._store = store
        self._reader = reader
        self._largest = largest

    def run(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> list[Outcome]:
        """An outcome per step, in order."""
        if action is Action.RESTRICT:
            return self._restrict_all(batch, warrant)
        verbs = {Action.ERASE: self._erase, Action.REDACT: self._redact, Action.RELEASE: self._release}
        return self._each(batch, lambda step: verbs[action](step, warrant))

    def _each(self, batch: Sequence[Step], verb: Verb) -> list[Outcome]:
        """One after the other. A server gone before anything was done is raised; later, the rest was not sent."""
        outcomes: list[Outcome] = []
        for number, step in enumerate(batch):
            try:
                outcomes.append(self._one(step, verb))
            except Stopped:
                return outcomes + _not_sent(batch[number:])
            except ConnectorError:
                if number == 0:
                    raise
                return outcomes + _not_sent(batch[number:])
        return outcomes

    def _one(self, step: Step, verb: Verb) -> Outcome:
        try:
            verb(step)
        except _Ended as ended:
            return Outcome(step.ref, ended.status, ended.reason)
        except StoreError as error:
            return Outcome(step.ref, *places.said_by(error, sent=True))
        return Outcome(step.ref, OutcomeStatus.DONE)

    # --- Erasing ---

    def _erase(self, step: Step, warrant: Warrant) -> None:
        found = self._found(step)
        if found is None:
            self._remove_copies(step, warrant)
            return
        place, _, _ = found
        self._refuse_if_touched(place)
        warrant.check()
        self._remove(place.at)
        if place.restricted:
            self._refuse_if_there(place.at)
            self._remove(manifest_at(place.path))

    def _remove_copies(self, step: Step, warrant: Warrant) -> None:
        """What an earlier deletion of this very file left in the service's bin."""
        left = places.left_over(self._store, step.ref, self._largest)
        if not left:
            raise _Ended(OutcomeStatus.ALREADY_DONE, Reason.GONE)
        for path in left:
            warrant.check()
            self._remove(path)

    def _remove(self, path: str) -> None:
        try:
            self._store.remove(path)
        except Missing:
            return

    # --- Redacting ---

    def _redact(self, step: Step, warrant: Warrant) -> None:
        place, version, content = self._planned(step)
        if not step.identifiers or not version:
            raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)
        if self._store.parts(place.at):
            raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)  # what is written anew would be without them
        if named_in(mentions(names_in(place.path)), step.identifiers):
            raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)  # taking rows out leaves the name of the file
        redacted = self._reader.redacted(place.path, content, step.identifiers)
        if redacted.cut is Cut.NOBODY:
            raise _Ended(OutcomeStatus.ALREADY_DONE, Reason.SAME)
        if redacted.cut is Cut.UNPROVEN:
            raise _Ended(OutcomeStatus.REFUSED, Reason.NOT_PROVEN)
        if redacted.cut is not Cut.DONE:
            raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)
        beside = posixpath.join(posixpath.dirname(place.at), f".redacting-{version[:24]}")
        self._remove(beside)  # what an earlier try left
        try:
            self._store.write(beside, redacted.content)
            self._store.dress(beside, place.entry)
            self._refuse_if_touched(place)
            self._prove(beside, redacted.content)
            warrant.check()
        except Lost:
            raise _Ended(OutcomeStatus.FAILED, Reason.NOT_SENT) from None
        except (Stopped, _Ended, StoreError):
            self._remove(beside)
            raise
        try:
            self._store.replace(beside, place.at)
        except (Forbidden, Busy):  # sure that nothing was done
            self._remove(beside)
            raise
        try:
            self._prove(place.at, redacted.content)
        except ConnectorError:
            raise _Ended(OutcomeStatus.UNKNOWN, Reason.NO_ANSWER) from None

    def _prove(self, path: str, wanted: bytes) -> None:
        """What lies there now is what was proven to name nobody of those, byte for byte."""
        if hashlib.sha256(self._store.read(path)).digest() != hashlib.sha256(wanted).digest():
            raise _Ended(OutcomeStatus.FAILED, Reason.NOT_PROVEN)

    # --- Restricting and releasing ---

    def _restrict_all(self, batch: Sequence[Step], warrant: Warrant) -> list[Outcome]:
        ready: dict[int, tuple[Place, str]] = {}
        outcomes: dict[int, Outcome] = {}
        for number, step in enumerate(batch):
            try:
                place, version, _ = self._planned(step)
                if place.restricted:
                    raise _Ended(OutcomeStatus.ALREADY_DONE, Reason.SAME)
                if place.has_twin:
                    raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)
                ready[number] = place, version
            except _Ended as ended:
                outcomes[number] = Outcome(step.ref, ended.status, ended.reason)
        if ready:
            previous = tuple({PATH: place.path} for place, _ in ready.values())
            warrant.note(Handle(Action.RESTRICT, "", tuple(batch[number].ref for number in ready), previous))
            moved = self._each([batch[number] for number in ready], self._mover(list(ready.values()), warrant))
            for number, outcome, before in zip(ready, moved, previous, strict=True):
                outcomes[number] = _with_previous(outcome, before)
        return [outcomes[number] for number in range(len(batch))]

    def _mover(self, ready: Sequence[tuple[Place, str]], warrant: Warrant) -> Verb:
        waiting = iter(ready)

        def move(step: Step) -> None:
            place, version = next(waiting)
            try:
                self._area()
                self._refuse_if_touched(place)
                self._remove(manifest_at(place.path))  # what an earlier try left
                self._store.write(manifest_at(place.path), manifest(place.path, place.entry, version))
                warrant.check()
            except Lost:
                raise _Ended(OutcomeStatus.FAILED, Reason.NOT_SENT) from None
            except Stopped:
                self._remove(manifest_at(place.path))
                raise
            self._store.move(place.at, content_at(place.path))

        return move

    def _area(self) -> None:
        """The restricted area is a folder of ours: made if missing, refused if something else bears its name."""
        try:
            area = self._store.look(RESTRICTED)
        except Missing:
            self._store.make_folder(RESTRICTED)
            return
        if not area.is_folder:
            raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)

    def _release(self, step: Step, warrant: Warrant) -> None:
        place, _, _ = self._planned(step, gone=(OutcomeStatus.REFUSED, Reason.GONE))
        if place.has_twin:
            raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)
        if not place.restricted:
            raise _Ended(OutcomeStatus.ALREADY_DONE, Reason.SAME)
        back = step.values.get(PATH)
        if back != place.path or not is_path(place.path):
            raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)
        self._folders_above(place.path)
        warrant.check()
        self._store.move(place.at, place.path)
        try:
            self._refuse_if_there(place.at)
            self._remove(manifest_at(place.path))
        except (ConnectorError, StoreError):
            return  # the file is back; a manifest without a file hides nothing and is written over

    def _folders_above(self, path: str) -> None:
        parents: list[str] = []
        folder = posixpath.dirname(path)
        while folder and not places.exists(self._store, folder):
            parents.append(folder)
            folder = posixpath.dirname(folder)
        for missing in reversed(parents):
            self._store.make_folder(missing)
        if not self._store.is_below_root(posixpath.dirname(path)):
            raise _Ended(OutcomeStatus.REFUSED, Reason.VALIDATION)

    # --- What every verb asks first ---

    def _planned(
        self, step: Step, gone: tuple[OutcomeStatus, Reason] = (OutcomeStatus.ALREADY_DONE, Reason.GONE)
    ) -> tuple[Place, str, bytes]:
        found = self._found(step)
        if found is None:
            raise _Ended(*gone)
        return found

    def _found(self, step: Step) -> tuple[Place, str, bytes] | None:
        found = places.planned_for(self._store, step, self._largest)
        if isinstance(found, Outcome):
            raise _Ended(found.status, found.reason)
        return found

    def _refuse_if_there(self, at: str) -> None:
        """A manifest goes only after its file has gone, whatever the server said: without it nobody knows the file."""
        if places.exists(self._store, at):
            raise _Ended(OutcomeStatus.FAILED, Reason.NOT_PROVEN)

    def _refuse_if_touched(self, place: Place) -> None:
        """The last look before the effect: nobody wrote to the file since it was read."""
        if not self._store.look(place.at).is_as(place.entry):
            raise _Ended(OutcomeStatus.REFUSED, Reason.CHANGED)


def named_in(found: Collection[Identifier], people: Collection[Identifier]) -> bool:
    """Whether any of these people is among what was found, as a whole or as part of something longer."""
    wanted = {comparable(one) for one in people}
    return any(comparable(one) in wanted for one in found)


def _not_sent(steps: Sequence[Step]) -> list[Outcome]:
    return [Outcome(step.ref, OutcomeStatus.FAILED, Reason.NOT_SENT) for step in steps]


def _with_previous(outcome: Outcome, before: Mapping[str, str]) -> Outcome:
    """What was noted belongs to an outcome unless it is sure that nothing was moved."""
    if outcome.status in (OutcomeStatus.FAILED, OutcomeStatus.REFUSED):
        return outcome
    return Outcome(outcome.ref, outcome.status, outcome.reason, outcome.evidence, previous=before)
