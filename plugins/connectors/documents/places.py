"""Where does a record's file lie now, and is it the one that was planned for?"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, field

from connectors.documents.folders import is_path
from connectors.documents.restricted import content_at
from connectors.documents.stores.store import (
    Ambiguous,
    Busy,
    Entry,
    FileStore,
    Forbidden,
    Held,
    Lost,
    Missing,
    Pending,
    StoreError,
    TooLarge,
)
from retention.vocabulary import Outcome, OutcomeStatus, Reason, RecordRef, Step


@dataclass(frozen=True, slots=True)
class Place:
    """A record's file: where its bytes are, and whether that is the restricted area."""

    path: str = field(repr=False)
    at: str = field(repr=False)
    entry: Entry
    restricted: bool
    has_twin: bool = False
    """Another file lies in the restricted area under the same path."""


class NotOurs(Exception):
    """Under this path lies no file that we may touch: a folder, a link, something behind a link."""


def find(store: FileStore, ref: RecordRef) -> Place | None:
    """The file of a record, or None if there is none, live or restricted."""
    path = ref.key
    if not is_path(path):
        raise NotOurs
    aside = content_at(path)
    try:
        entry = store.look(path)
    except Missing:
        try:
            hidden = store.look(aside)
        except Missing:
            return None
        _refuse_unless_ours(store, aside, hidden)
        return Place(path, aside, hidden, restricted=True)
    _refuse_unless_ours(store, path, entry)
    return Place(path, path, entry, restricted=False, has_twin=exists(store, aside))


def exists(store: FileStore, path: str) -> bool:
    """Whether anything lies under a path."""
    try:
        store.look(path)
    except Missing:
        return False
    return True


def version_of(store: FileStore, place: Place, largest: int) -> tuple[str, bytes]:
    """The digest of a file's bytes, and the bytes; nothing of a file too large to be read."""
    try:
        content = store.read(place.at, largest)
    except TooLarge:
        return "", b""
    return hashlib.sha256(content).hexdigest(), content


def planned_for(store: FileStore, step: Step, largest: int) -> tuple[Place, str, bytes] | Outcome | None:
    """The file a step was planned for, with version and bytes; an outcome if it is not to be touched, None if gone."""
    try:
        place = find(store, step.ref)
        if place is None:
            return None
        version, content = version_of(store, place, largest)
    except Missing:
        return None
    except NotOurs:
        return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.VALIDATION)
    except StoreError as error:
        return Outcome(step.ref, *said_by(error, sent=False))
    if step.ref.version and step.ref.version != version:
        return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.CHANGED)
    return place, version, content


def left_over(store: FileStore, ref: RecordRef, largest: int) -> list[str]:
    """Where the service still keeps the planned bytes of a file that is gone from its path."""
    if not ref.version:
        return []
    return [path for path in store.copies(ref.key) if _digest_at(store, path, largest) == ref.version]


def said_by(error: StoreError, *, sent: bool) -> tuple[OutcomeStatus, Reason]:
    """How a step ends on what the server said, before or after its effect was `sent`."""
    match error:
        case Missing():  # moved away between look and effect
            return OutcomeStatus.REFUSED, Reason.CHANGED
        case Held():
            return OutcomeStatus.REFUSED, Reason.LOCKED
        case Ambiguous():
            return OutcomeStatus.REFUSED, Reason.VALIDATION
        case Forbidden():
            return OutcomeStatus.REFUSED, Reason.NO_PERMISSION
        case Pending() if sent:
            return OutcomeStatus.UNKNOWN, Reason.PENDING
        case Busy() | Pending():
            return OutcomeStatus.FAILED, Reason.LOCKED
        case Lost() if sent:
            return OutcomeStatus.UNKNOWN, Reason.NO_ANSWER
        case Lost():
            return OutcomeStatus.FAILED, Reason.NOT_SENT
        case _ if sent:
            # A server that fails does not always say before or after what: only a reading back knows.
            return OutcomeStatus.UNKNOWN, Reason.VENDOR_ERROR
        case _:
            return OutcomeStatus.FAILED, Reason.VENDOR_ERROR


def _digest_at(store: FileStore, path: str, largest: int) -> str:
    try:
        return hashlib.sha256(store.read(path, largest)).hexdigest()
    except (Missing, TooLarge):
        return ""


def _refuse_unless_ours(store: FileStore, path: str, entry: Entry) -> None:
    if not entry.is_file or not store.is_below_root(posixpath.dirname(path)):
        raise NotOurs
