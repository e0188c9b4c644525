"""Where does a record's file lie now, and is it the one that was planned for?"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, field

from connectors.documents.folders import is_path
from connectors.documents.restricted import content_at
from connectors.documents.server import Entry, Failed, Forbidden, Missing, Server, TooLarge
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


def find(server: Server, ref: RecordRef) -> Place | None:
    """The file of a record, or None if there is none, live or restricted."""
    path = ref.key
    if not is_path(path):
        raise NotOurs
    aside = content_at(path)
    try:
        entry = server.look(path)
    except Missing:
        try:
            hidden = server.look(aside)
        except Missing:
            return None
        _refuse_unless_ours(server, aside, hidden)
        return Place(path, aside, hidden, restricted=True)
    _refuse_unless_ours(server, path, entry)
    return Place(path, path, entry, restricted=False, has_twin=exists(server, aside))


def exists(server: Server, path: str) -> bool:
    """Whether anything lies under a path."""
    try:
        server.look(path)
    except Missing:
        return False
    return True


def version_of(server: Server, place: Place, largest: int) -> tuple[str, bytes]:
    """The digest of a file's bytes, and the bytes; nothing of a file too large to be read."""
    try:
        content = server.read(place.at, largest)
    except TooLarge:
        return "", b""
    return hashlib.sha256(content).hexdigest(), content


def planned_for(server: Server, step: Step, largest: int) -> tuple[Place, str, bytes] | Outcome | None:
    """The file a step was planned for, with version and bytes; an outcome if it is not to be touched, None if gone."""
    try:
        place = find(server, step.ref)
        if place is None:
            return None
        version, content = version_of(server, place, largest)
    except Missing:
        return None
    except Forbidden:
        return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.NO_PERMISSION)
    except Failed:
        return Outcome(step.ref, OutcomeStatus.FAILED, Reason.VENDOR_ERROR)
    except NotOurs:
        return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.VALIDATION)
    if step.ref.version and step.ref.version != version:
        return Outcome(step.ref, OutcomeStatus.REFUSED, Reason.CHANGED)
    return place, version, content


def _refuse_unless_ours(server: Server, path: str, entry: Entry) -> None:
    if not entry.is_file or not server.is_below_root(posixpath.dirname(path)):
        raise NotOurs
