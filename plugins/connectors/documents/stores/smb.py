"""How do we reach a file server over SMB? Signed and encrypted, never SMB 1, its status codes sorted by what they mean.

SMB folds case, hangs streams on files, and calls a file deleted that somebody still reads: names that collide are not
touched, streams are parts of a file, and a deletion counts when the name is gone, from the share's bin as well.
"""

from __future__ import annotations

import hashlib
import logging
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import smbclient  # type: ignore[import-untyped]
from smbprotocol.exceptions import (  # type: ignore[import-untyped]
    SMBAuthenticationError,
    SMBConnectionClosed,
    SMBException,
    SMBOSError,
    SMBResponseException,
)
from smbprotocol.file_info import FileAttributes  # type: ignore[import-untyped]
from smbprotocol.header import NtStatus  # type: ignore[import-untyped]

from connectors.documents.stores.line import Line
from connectors.documents.stores.smb_reading import content_and_streams, content_of, streams_among
from connectors.documents.stores.smb_rights import give_rights_of, refuse_if_open
from connectors.documents.stores.store import (
    Ambiguous,
    Busy,
    Entry,
    Failed,
    Forbidden,
    Kind,
    Lost,
    Missing,
    Pending,
    StoreError,
)
from retention.contract import AccessDenied

SMB_PORT = 445
SECONDS_TO_CONNECT = 20
COLLIDES = "name-differs-in-case-only"
MANGLED = "name-not-its-own"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_IN_A_NAME = re.compile(r'[\\:*?"<>|\x00-\x1f]')
_SHORT_NAME = re.compile(r"[0-9A-Z_]{1,6}~[0-9A-Z](\.[0-9A-Z_]{1,3})?")
_LOCK_CONFLICT, _LOCK_NOT_GRANTED, _SESSION_EXPIRED = 0xC0000054, 0xC0000055, 0xC000035C
_MEANS: dict[int, type[StoreError]] = {
    **dict.fromkeys(
        (
            NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
            NtStatus.STATUS_OBJECT_PATH_NOT_FOUND,
            NtStatus.STATUS_OBJECT_NAME_INVALID,
            NtStatus.STATUS_OBJECT_PATH_INVALID,
            NtStatus.STATUS_OBJECT_PATH_SYNTAX_BAD,
            NtStatus.STATUS_NO_SUCH_FILE,
            NtStatus.STATUS_NOT_FOUND,
            NtStatus.STATUS_NOT_A_DIRECTORY,
        ),
        Missing,
    ),
    **dict.fromkeys(
        (NtStatus.STATUS_ACCESS_DENIED, NtStatus.STATUS_PRIVILEGE_NOT_HELD, NtStatus.STATUS_CANNOT_DELETE), Forbidden
    ),
    **dict.fromkeys((NtStatus.STATUS_SHARING_VIOLATION, _LOCK_CONFLICT, _LOCK_NOT_GRANTED), Busy),
    NtStatus.STATUS_DELETE_PENDING: Pending,
    **dict.fromkeys(
        (
            NtStatus.STATUS_NETWORK_NAME_DELETED,
            NtStatus.STATUS_USER_SESSION_DELETED,
            NtStatus.STATUS_IO_TIMEOUT,
            NtStatus.STATUS_SERVER_UNAVAILABLE,
            _SESSION_EXPIRED,
        ),
        Lost,
    ),
}
_WRONG_LOGIN = frozenset(
    {NtStatus.STATUS_LOGON_FAILURE, NtStatus.STATUS_WRONG_PASSWORD, NtStatus.STATUS_PASSWORD_EXPIRED}
)
# Their lines name servers, shares and paths.
for _noisy in ("smbclient", "smbprotocol", "spnego"):
    logging.getLogger(_noisy).setLevel(logging.ERROR)


@dataclass(frozen=True)
class Share:
    """Where the share is and how to log in. `bin_folder`: where the server moves what is deleted, below the root."""

    host: str
    port: int
    name: str
    root: str
    username: str = field(repr=False)
    password: str | None = field(repr=False)
    auth_protocol: str = "negotiate"
    encrypt: bool = True
    bin_folder: str = ""


class SmbStore:
    """Files below one folder of one share."""

    def __init__(self, share: Share, system: str) -> None:
        self.system = system
        where = f"{share.host.casefold()}:{share.port}/{share.name.casefold()}/{share.root.strip('/')}"
        self.identity = f"smb-{hashlib.sha256(where.encode()).hexdigest()[:32]}"
        self.views: tuple[str, ...] = ("live-path", "restricted-area", "root-listing")
        if share.bin_folder:
            self.views += ("recycle-folder",)
        self._share = share
        self._line = Line(system, self._open, _let_go)

    def connect(self) -> None:
        self._line.connect()

    def close(self) -> None:
        self._line.close()

    def another(self) -> SmbStore:
        return SmbStore(self._share, self.system)

    # --- Reading ---

    def list(self, folder: str) -> list[Entry]:
        return self._line.read(lambda session: _marked(self._scan(session, folder)))

    def look(self, path: str) -> Entry:
        """By a listing of the one name: an open would answer for any name that differs in case only."""
        return self._line.read(lambda session: self._look(session, path))

    def read(self, path: str, most: int | None = None) -> bytes:
        file, colon, stream = path.partition(":")

        def content(session: _Session) -> bytes:
            with _sorted_errors():
                return content_of(self._at(file) + colon + stream, most, session)

        return self._line.read(content)

    def read_with_parts(self, path: str, most: int) -> tuple[bytes, Sequence[str] | None]:
        def both(session: _Session) -> tuple[bytes, Sequence[str] | None]:
            with _sorted_errors():
                content, streams = content_and_streams(self._at(path), most, session)
            if isinstance(streams, SMBResponseException):
                return content, None
            return content, [path + name for name in streams]

        return self._line.read(both)

    def is_below_root(self, folder: str) -> bool:
        """Each folder on the way is one by exactly this name; links and junctions are none."""
        parts = folder.split("/") if folder else []
        try:
            return all(self.look("/".join(parts[: n + 1])).is_folder for n in range(len(parts)))
        except (Missing, Ambiguous):
            return False

    def parts(self, path: str) -> Sequence[str]:
        def streams(session: _Session) -> Sequence[str]:
            with _sorted_errors():
                found = [stream.name for stream in smbclient.liststreams(self._at(path), **session)]
            return [path + name for name in streams_among(found)]

        return self._line.read(streams)

    def copies(self, path: str) -> Sequence[str]:
        return [copy for copy, _ in self._line.read(lambda session: self._binned(session, path))]

    def unfinished(self) -> Sequence[str]:
        return ()

    # --- Changing ---

    def remove(self, path: str) -> None:
        """Gone is what can no longer be opened, and what the share's bin does not hold either."""

        def removing(session: _Session) -> None:
            known = self._look(session, path).tag if self._share.bin_folder else ""
            with _sorted_errors():
                smbclient.remove(self._at(path), **session)
            self._refuse_if_there(session, path)
            for copy, tag in self._binned(session, path):
                if tag == known:
                    with _sorted_errors():
                        smbclient.remove(self._at(copy), **session)
                    self._refuse_if_there(session, copy)

        self._line.change(removing)

    def move(self, source: str, target: str) -> None:
        self._changing(lambda session: smbclient.rename(self._at(source), self._at(target), **session))

    def replace(self, source: str, target: str) -> None:
        """The new file gets the access list of the old one, which a rename would take away."""

        def replacing(session: _Session) -> None:
            refuse_if_open(self._at(target), session)
            give_rights_of(self._at(target), self._at(source), session)
            smbclient.replace(self._at(source), self._at(target), **session)

        self._changing(replacing)

    def make_folder(self, folder: str) -> None:
        self._changing(lambda session: smbclient.mkdir(self._at(folder), **session))

    def write(self, path: str, content: bytes) -> None:
        def writing(session: _Session) -> None:
            with smbclient.open_file(self._at(path), mode="xb", buffering=0, **session) as file:
                rest = memoryview(content)
                while rest:
                    rest = rest[file.write(rest) :]

        self._changing(writing)

    def dress(self, path: str, like: Entry) -> None:
        times = (like.accessed_ns, like.modified_ns)
        self._changing(lambda session: smbclient.utime(self._at(path), ns=times, **session))

    # --- The session ---

    def _at(self, path: str) -> str:
        if _NOT_IN_A_NAME.search(path):
            raise Missing
        share = self._share
        inside = "\\".join(part for part in f"{share.root}/{path}".split("/") if part)
        return rf"\\{share.host}\{share.name}" + (f"\\{inside}" if inside else "\\")

    def _scan(self, session: _Session, folder: str, pattern: str = "*") -> Sequence[Entry]:
        with _sorted_errors():
            return sorted(map(_entry, smbclient.scandir(self._at(folder), pattern, **session)), key=_name)

    def _look(self, session: _Session, path: str) -> Entry:
        folder, name = posixpath.split(path)
        if _NOT_IN_A_NAME.search(name):
            raise Missing
        if _SHORT_NAME.fullmatch(name):
            raise Ambiguous
        # A pattern without a wildcard is answered with the first name that fits, whatever its case.
        alike = [one for one in self._scan(session, folder, f"{name}*") if one.name.casefold() == name.casefold()]
        found = [one for one in alike if one.name == name]
        if not found:
            raise Missing
        if len(alike) > 1:
            raise Ambiguous
        return found[0]

    def _binned(self, session: _Session, path: str) -> Sequence[tuple[str, str]]:
        """What lies in the share's bin under a file's name, with or without its folders, first copy and later ones."""
        bin_folder = self._share.bin_folder
        if not bin_folder or path.startswith(f"{bin_folder}/"):
            return []
        folder, name = posixpath.split(path)
        found: _Copies = []
        for place in dict.fromkeys((posixpath.join(bin_folder, folder).rstrip("/"), bin_folder)):
            for pattern in (name, f"*of {name}"):
                try:
                    found += [(f"{place}/{e.name}", e.tag) for e in self._scan(session, place, pattern) if e.is_file]
                except Missing:
                    continue
        return found

    def _refuse_if_there(self, session: _Session, path: str) -> None:
        """Whether a name still opens: a listing does not tell a file that waits for its deletion from another."""
        try:
            with _sorted_errors():
                smbclient.lstat(self._at(path), **session)
        except Missing:
            return
        raise Failed

    def _changing(self, call: Callable[[_Session], object]) -> None:
        def sorted_call(session: _Session) -> None:
            with _sorted_errors():
                call(session)

        self._line.change(sorted_call)

    def _open(self) -> _Session:
        share = self._share
        session: _Session = {
            "username": share.username or None,
            "password": share.password,
            "port": share.port,
            "encrypt": share.encrypt,
            "require_signing": True,
            "auth_protocol": share.auth_protocol,
            "connection_timeout": SECONDS_TO_CONNECT,
            "connection_cache": {},
        }
        try:
            smbclient.lstat(rf"\\{share.host}\{share.name}\\", **session)
        except (SMBOSError, SMBResponseException, SMBAuthenticationError) as error:
            _let_go(session)
            if isinstance(error, SMBAuthenticationError) or _status(error) in _WRONG_LOGIN:
                raise AccessDenied(f"{self.system}: the server refused our login; check user and password") from None
            if _MEANS.get(_status(error)) is Lost:
                raise Lost from None
            raise AccessDenied(
                f"{self.system}: there is no such share, or our login may not enter it; check name and rights"
            ) from None
        except (ValueError, OSError, SMBConnectionClosed):
            _let_go(session)
            raise Lost from None
        except SMBException:
            _let_go(session)
            raise AccessDenied(f"{self.system}: the server agrees to no signed and encrypted session") from None
        return session


_Copies = list[tuple[str, str]]
_Session = dict[str, Any]
"""What every call of the library is given: login, port, and a connection pool of this store's own."""


def _let_go(session: _Session) -> None:
    pool = session["connection_cache"]
    for connection in pool.values():
        try:
            connection.disconnect(timeout=SECONDS_TO_CONNECT)
        except (SMBException, OSError, ValueError):
            continue
    pool.clear()


@contextmanager
def _sorted_errors() -> Iterator[None]:
    try:
        yield
    except (SMBOSError, SMBResponseException) as error:
        raise _MEANS.get(_status(error), Failed) from None
    except (SMBException, OSError, ValueError):
        raise Lost from None


def _status(error: SMBOSError | SMBResponseException) -> int:
    return int(error.ntstatus if isinstance(error, SMBOSError) else error.status)


def _entry(found: Any) -> Entry:
    info = found.smb_info
    kind = Kind.FILE
    if info.file_attributes & FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT:
        kind = Kind.LINK
    elif info.file_attributes & FileAttributes.FILE_ATTRIBUTE_DIRECTORY:
        kind = Kind.FOLDER
    return Entry(
        name=info.file_name,
        kind=kind,
        size=info.end_of_file if kind is Kind.FILE else 0,
        modified_ns=_nanoseconds(info.last_write_time),
        accessed_ns=_nanoseconds(info.last_access_time),
        tag=f"{info.file_id:x}",
        created_ns=_nanoseconds(info.creation_time),
    )


def _marked(entries: Sequence[Entry]) -> list[Entry]:
    """Names that fold to the same, and names that the server made up for one it cannot show, are nobody's names."""
    folded = Counter(entry.name.casefold() for entry in entries)
    return [_unless_clear(entry, folded[entry.name.casefold()] > 1) for entry in entries]


def _unless_clear(entry: Entry, collides: bool) -> Entry:
    if not collides and not _SHORT_NAME.fullmatch(entry.name):
        return entry
    return Entry(entry.name, Kind.OTHER, caveat=COLLIDES if collides else MANGLED)


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _name(entry: Entry) -> str:
    return entry.name
