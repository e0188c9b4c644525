"""What must every document server be able to do, whatever it speaks? One small interface, and what can go wrong.

Paths are relative to the root, as posix. No error of a client library leaves a store: its text may name a path or a
login. What reads may be repeated after a lost connection; what changes something never is: when its answer is lost,
nobody knows whether it was done.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoreError(Exception):
    """One call about one name did not end well. Says nothing about the name."""


class Missing(StoreError):
    """There is nothing under this name."""


class Forbidden(StoreError):
    """The server does not let us."""


class Ambiguous(Forbidden):
    """The name stands for more than one file, or is not the file's own: nothing may be done by it."""


class Held(Forbidden):
    """The server keeps the file by a lock or hold of its own that we are not to lift."""


class Failed(StoreError):
    """The server said no without a reason: a name that exists, a full disk."""


class Busy(Failed):
    """Somebody has the file open or locked; later it may work."""


class Pending(Failed):
    """The server took the deletion and carries it out when the last one who has the file open lets go of it."""


class Lost(StoreError):
    """No answer came."""


class TooLarge(StoreError):
    """More bytes than asked for at most."""


class Kind(StrEnum):
    """What lies under a name."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the server says of a name without opening it. Links are seen as links, never followed.

    `tag` tells contents apart where the server has a word for it (an etag, a version). `caveat` says why what can be
    read under this name is not all there is to it.
    """

    name: str = field(repr=False)
    kind: Kind
    size: int = 0
    modified_ns: int = 0
    accessed_ns: int = 0
    permissions: int | None = None
    tag: str = ""
    caveat: str = ""
    created_ns: int = 0
    """0 where the listing does not say it: only SMB does."""

    @property
    def is_file(self) -> bool:
        return self.kind is Kind.FILE

    @property
    def is_folder(self) -> bool:
        return self.kind is Kind.FOLDER

    @property
    def is_link(self) -> bool:
        return self.kind is Kind.LINK

    @property
    def modified_at(self) -> datetime:
        return _instant(self.modified_ns)

    @property
    def created_at(self) -> datetime | None:
        return _instant(self.created_ns) if self.created_ns else None

    def is_as(self, other: Entry) -> bool:
        """Whether a file looks the same: nobody wrote to it in between."""
        return _look(self) == _look(other)


def _instant(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _look(entry: Entry) -> tuple[object, ...]:
    return entry.kind, entry.size, entry.modified_ns, entry.permissions, entry.tag


class FileStore(Protocol):
    """Files below one root of one server."""

    system: str
    identity: str
    """Fingerprint of server and root: a plan made for another refuses to run."""

    views: tuple[str, ...]
    """What a reading back looks at here."""

    def connect(self) -> None:
        """Open the session if there is none: `AccessDenied` or `Unavailable` if that cannot be done."""
        ...

    def close(self) -> None:
        """Let go of the connection; the next call opens another."""
        ...

    def another(self) -> FileStore:
        """The same files over a session of its own, for another thread; itself where threads need none."""
        ...

    def list(self, folder: str) -> list[Entry]:
        """What lies in a folder, in a stable order, size and times from the same reply: never a question per file."""
        ...

    def look(self, path: str) -> Entry:
        """One name, links not followed."""
        ...

    def read(self, path: str, most: int | None = None) -> bytes:
        """A file's bytes; `TooLarge` if there are more than `most`."""
        ...

    def read_with_parts(self, path: str, most: int) -> tuple[bytes, Sequence[str] | None]:
        """A file's bytes as `read` has them, and its `parts`; None where the server does not say which there are."""
        ...

    def is_below_root(self, folder: str) -> bool:
        """Whether a folder is where its name says, with no link on the way that leads elsewhere."""
        ...

    def parts(self, path: str) -> Sequence[str]:
        """Under which names more of the same file can be read (alternate streams); none almost everywhere."""
        ...

    def copies(self, path: str) -> Sequence[str]:
        """Where the service may still keep what was removed under a path: files of the same name in its bin."""
        ...

    def unfinished(self) -> Sequence[str]:
        """Paths that were begun to be written and never finished: parts of them lie on the server unseen."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file with every version and copy that this service keeps; `Pending` if that is not done yet."""
        ...

    def move(self, source: str, target: str) -> None:
        """Rename within the server; never onto an existing name."""
        ...

    def replace(self, source: str, target: str) -> None:
        """Rename over an existing file; no version of what was there remains."""
        ...

    def make_folder(self, folder: str) -> None:
        """Make one folder that nobody but its owner may look into, where the protocol can say so."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Write a file that is not there yet; its folder's leftovers are the caller's."""
        ...

    def dress(self, path: str, like: Entry) -> None:
        """Give a file the rights and the times of another, as far as the protocol can: made shorter is no newer."""
        ...


class NothingBeside(ABC):
    """For a service where a file is all there is of it: no streams, no bin, nothing begun and never finished."""

    @abstractmethod
    def read(self, path: str, most: int | None = None) -> bytes: ...

    def read_with_parts(self, path: str, most: int) -> tuple[bytes, Sequence[str] | None]:
        return self.read(path, most), ()

    def parts(self, path: str) -> Sequence[str]:
        return ()

    def copies(self, path: str) -> Sequence[str]:
        return ()

    def unfinished(self) -> Sequence[str]:
        return ()
