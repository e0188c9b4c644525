"""How do we reach files on a disk or mount of the worker's own? Through open handles of folders, no link followed.

Each path is walked from the root's own handle without following links, so that nobody can put a link in the way between
a look and its effect.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from connectors.documents.stores.store import (
    Ambiguous,
    Busy,
    Entry,
    Failed,
    Forbidden,
    Kind,
    Missing,
    NothingBeside,
    StoreError,
    TooLarge,
)
from retention.contract import AccessDenied, Unavailable

T = TypeVar("T")

HARD_LINK = "has-other-names"
NOT_UTF8 = "name-not-utf-8"
FOLDER_MODE = 0o700
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_ATIME = getattr(os, "O_NOATIME", 0)
_CHUNK = 1024 * 1024
_KINDS = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK}
_MEANS: dict[int, type[StoreError]] = {
    errno.ENOENT: Missing,
    errno.ENOTDIR: Missing,
    errno.ENAMETOOLONG: Missing,
    errno.ELOOP: Ambiguous,
    errno.EACCES: Forbidden,
    errno.EPERM: Forbidden,
    errno.EROFS: Forbidden,
    errno.EBUSY: Busy,
    errno.ETXTBSY: Busy,
}


class LocalStore(NothingBeside):
    """Files below one folder of this machine: a disk, or a share that is mounted."""

    def __init__(self, root: str, system: str) -> None:
        self.system = system
        self.identity = f"local-{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}"
        self.views: tuple[str, ...] = ("live-path", "restricted-area", "root-listing")
        self._root_path = root
        self._root: int | None = None

    def connect(self) -> None:
        """Open the root and keep it: what is mounted over it later is another place."""
        if self._root is not None:
            return
        try:
            self._root = os.open(self._root_path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:
            raise AccessDenied(f"{self.system}: the worker may not enter the root; check its rights") from None
        except OSError:
            raise Unavailable(f"{self.system}: the root is no folder here; look whether it is mounted") from None

    def close(self) -> None:
        root, self._root = self._root, None
        if root is not None:
            os.close(root)

    # --- Reading ---

    def another(self) -> LocalStore:
        self.connect()
        return self

    def list(self, folder: str) -> list[Entry]:
        def listing(at: int) -> list[Entry]:
            with os.scandir(at) as entries:
                found = [one for one in map(_looked_at, entries) if one is not None]
            return sorted(found, key=_name)

        with _sorted_errors(), self._folder(folder) as at:
            return listing(at)

    def look(self, path: str) -> Entry:
        return self._in_folder(path, lambda name, at: _entry(name, os.lstat(name, dir_fd=at)))

    def read(self, path: str, most: int | None = None) -> bytes:
        return self._in_folder(path, lambda name, at: _content(name, at, most))

    def is_below_root(self, folder: str) -> bool:
        try:
            with _sorted_errors(), self._folder(folder):
                return True
        except (Missing, Ambiguous):
            return False

    # --- Changing ---

    def remove(self, path: str) -> None:
        def removing(name: str, at: int) -> None:
            os.unlink(name, dir_fd=at)
            os.fsync(at)

        self._in_folder(path, removing)

    def move(self, source: str, target: str) -> None:
        """By a second name and then without the first: a plain rename would overwrite."""

        def moving(name: str, at: int, new: str, there: int) -> None:
            os.link(name, new, src_dir_fd=at, dst_dir_fd=there, follow_symlinks=False)
            os.unlink(name, dir_fd=at)
            os.fsync(there)
            os.fsync(at)

        self._in_folders(source, target, moving)

    def replace(self, source: str, target: str) -> None:
        def replacing(name: str, at: int, new: str, there: int) -> None:
            os.rename(name, new, src_dir_fd=at, dst_dir_fd=there)
            os.fsync(there)

        self._in_folders(source, target, replacing)

    def make_folder(self, folder: str) -> None:
        self._in_folder(folder, lambda name, at: os.mkdir(name, FOLDER_MODE, dir_fd=at))

    def write(self, path: str, content: bytes) -> None:
        def writing(name: str, at: int) -> None:
            with os.fdopen(os.open(name, _NEW_FILE, 0o600, dir_fd=at), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

        self._in_folder(path, writing)

    def dress(self, path: str, like: Entry) -> None:
        def dressing(name: str, at: int) -> None:
            with _opened(name, at) as file:
                if like.permissions is not None:
                    os.fchmod(file, like.permissions)
                os.utime(file, ns=(like.accessed_ns, like.modified_ns))

        self._in_folder(path, dressing)

    # --- On the way ---

    def _in_folder(self, path: str, call: Callable[[str, int], T]) -> T:
        folder, _, name = path.rpartition("/")
        with _sorted_errors(), self._folder(folder) as at:
            return call(name, at)

    def _in_folders(self, source: str, target: str, call: Callable[[str, int, str, int], None]) -> None:
        folder, _, new = target.rpartition("/")
        with _sorted_errors(), self._folder(folder) as there:
            self._in_folder(source, lambda name, at: call(name, at, new, there))

    @contextmanager
    def _folder(self, folder: str) -> Iterator[int]:
        """A handle of a folder, reached from the root's without following a link."""
        self.connect()
        at = os.open(".", _FOLDER, dir_fd=self._root)
        try:
            for part in folder.split("/") if folder else ():
                below = _folder_below(part, at)
                os.close(at)
                at = below
            yield at
        finally:
            os.close(at)


def _folder_below(name: str, at: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=at)
    except OSError:
        if stat.S_ISLNK(os.lstat(name, dir_fd=at).st_mode):
            raise Ambiguous from None
        raise


@contextmanager
def _opened(name: str, at: int, flags: int = _FILE) -> Iterator[int]:
    file = os.open(name, flags, dir_fd=at)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise Ambiguous
        yield file
    finally:
        os.close(file)


@contextmanager
def _sorted_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _MEANS.get(error.errno or 0, Failed) from None
    except ValueError:  # a zero byte, or a character no name can have
        raise Missing from None


def _content(name: str, at: int, most: int | None) -> bytes:
    """Reading leaves the file's access time as it is, where we may ask for that (its owner and root may)."""
    try:
        file = os.open(name, _FILE | _NO_ATIME, dir_fd=at)
    except PermissionError:
        file = os.open(name, _FILE, dir_fd=at)
    with os.fdopen(file, "rb") as opened:
        told = os.fstat(file)
        if not stat.S_ISREG(told.st_mode):
            raise Ambiguous
        if most is not None and told.st_size > most:
            raise TooLarge
        content = opened.read() if most is None else opened.read(most + 1)
    if most is not None and len(content) > most:
        raise TooLarge
    if len(content) < told.st_size:
        raise Failed  # cut shorter while it was read
    return content


def _looked_at(found: os.DirEntry[str]) -> Entry | None:
    """None for what went away between the listing and the look."""
    try:
        found.name.encode()
    except UnicodeEncodeError:
        return Entry(os.fsencode(found.name).hex(), Kind.OTHER, caveat=NOT_UTF8)
    try:
        return _entry(found.name, found.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None


def _entry(name: str, told: os.stat_result) -> Entry:
    kind = _KINDS.get(stat.S_IFMT(told.st_mode), Kind.OTHER)
    return Entry(
        name=name.rpartition("/")[2],
        kind=kind,
        size=told.st_size,
        modified_ns=told.st_mtime_ns,
        accessed_ns=told.st_atime_ns,
        permissions=stat.S_IMODE(told.st_mode),
        tag=f"{told.st_dev:x}-{told.st_ino:x}",
        caveat=HARD_LINK if kind is Kind.FILE and told.st_nlink > 1 else "",
    )


def _name(entry: Entry) -> str:
    return entry.name
