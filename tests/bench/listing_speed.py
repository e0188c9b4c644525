"""How fast does a night list a large share in which nothing changed, beside the same listing by the bare client?

Samba and OpenSSH on loopback, 10,000 files in 100 folders, of a kind that is not opened. Left out where one is missing.
"""

from __future__ import annotations

import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest
import smbclient

from connectors.documents import DocumentsConnector, open_store
from connectors.documents.stores import sftp
from retention.vocabulary import DataClass, LawfulBasis
from tests.servers import openssh, samba
from tests.servers.running import Served
from tests.walking import Remembered, all_whole, walk

FOLDERS, FILES = 100, 100
TRIES = 3
TOP = "correspondence"


def measure() -> Iterator[tuple[str, float, float]]:
    for name, running, walker in (("smb", _plain_share, _smb_walker), ("sftp", openssh.running, _sftp_walker)):
        with tempfile.TemporaryDirectory() as at:
            try:
                with running(Path(at)) as served, walker(served) as walk:
                    yield f"stores.{name}.list.files_per_s", *_rates(served, walk)
            except pytest.skip.Exception as missing:
                sys.stderr.write(f"stores.{name}: {missing}\n")


def _rates(served: Served, walk: Callable[[], int]) -> tuple[float, float]:
    """Files a second of a night from its token to the next, and of the bare walk: each the best of some, in turn."""
    for folder in range(FOLDERS):
        for file in range(FILES):
            served.place.put(f"{TOP}/{folder:03}/{file:03}.dat", b"\0")
    store = open_store(served.kind, "stores", served.login)
    connector = DocumentsConnector(store, {TOP: (DataClass.DOCUMENT, LawfulBasis.CONSENT)})
    try:
        known = _night(connector, None)
        ours, bare = [], []
        for _ in range(TRIES):
            ours.append(_seconds(lambda: _night(connector, known)))
            bare.append(_seconds(lambda: _all(walk())))
    finally:
        connector.close()
    return FOLDERS * FILES / min(ours), FOLDERS * FILES / min(bare)


def _night(connector: DocumentsConnector, before: Remembered | None) -> Remembered:
    pages = walk(connector, before)
    if not all_whole(pages):
        raise RuntimeError("the share was not listed to its end")
    return pages.remembered


def _all(files: int) -> None:
    if files != FOLDERS * FILES:
        raise RuntimeError("the bare client did not see every file")


@contextmanager
def _plain_share(at: Path) -> Iterator[Served]:
    with samba.running(at) as shares:
        yield shares.files


@contextmanager
def _smb_walker(served: Served) -> Iterator[Callable[[], int]]:
    """`smbclient.scandir` with the size and time that it brings."""
    login = served.login
    session: dict[str, Any] = {"username": login.username, "password": login.password, "port": login.port}
    session |= {"encrypt": True, "connection_cache": {}}

    def walk() -> int:
        files = 0
        folders = [rf"\\{login.host}\{login.extra['share']}"]
        while folders:
            for entry in smbclient.scandir(folders.pop(), **session):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    files += bool(entry.smb_info.last_write_time and entry.smb_info.end_of_file)
        return files

    try:
        yield walk
    finally:
        smbclient.reset_connection_cache(connection_cache=session["connection_cache"])


@contextmanager
def _sftp_walker(served: Served) -> Iterator[Callable[[], int]]:
    """Paramiko's `listdir_attr`."""
    login = served.login
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # noqa: S507 (our own, on loopback)
    client.connect(
        login.host, login.port or 22, username=login.username, pkey=sftp.private_key(login.extra["private_key"])
    )
    session = client.open_sftp()

    def walk() -> int:
        files = 0
        folders = [login.extra["root"]]
        while folders:
            folder = folders.pop()
            for entry in session.listdir_attr(folder):
                if stat.S_ISDIR(entry.st_mode or 0):
                    folders.append(f"{folder}/{entry.filename}")
                else:
                    files += 1
        return files

    try:
        yield walk
    finally:
        client.close()


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
