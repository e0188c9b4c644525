"""How fast is a document server listed, read and matched, beside the raw client and the machine's own page cache?"""

from __future__ import annotations

import base64
import io
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import paramiko

from connectors.documents import DocumentsConnector, Login, open_store
from connectors.documents.formats import reading
from retention.keyring import Keyring
from retention.vocabulary import Identifier, IdentifierKind
from tests import walking
from tests.bench.running import Emulator, emulator, policy_of
from tests.walking import Remembered

SCALE = 600
SYSTEM = "documents"
LARGE = 16 * 1024 * 1024
TRIES = 3
SUBJECTS = 100_000
SPACING = 270
"""Bytes of text per address."""
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Share:
    """A document server with files, a raw session on it, and its emulator."""

    emulator: Emulator
    sftp: paramiko.SFTPClient

    def reads(self) -> int:
        return sum(1 for call in self.emulator.ask("calls")["calls"] if call["method"] == "READ")


def measure() -> Iterator[tuple[str, float, float]]:
    with emulator("sftp", SCALE) as server, _raw_session(server) as sftp:
        share = Share(server, sftp)
        connector = _connect(server)
        try:
            yield from _nights(share, connector)
            yield "documents.read.mb_per_s", *_read(share, connector)
        finally:
            connector.close()
    yield "documents.match.mb_per_s", *_match()


def _nights(share: Share, connector: DocumentsConnector) -> Iterator[tuple[str, float, float]]:
    """Nights in which nothing changed, after a first pass."""
    paths = walk(share.sftp)
    known = _pass(connector, None)
    share.emulator.forget_calls()
    _pass(connector, known)
    yield "documents.night.reads", share.reads(), 0
    listed = min(_seconds(lambda: _pass(connector, known)) for _ in range(TRIES))
    raw = min(_seconds(lambda: walk(share.sftp)) for _ in range(TRIES))
    yield "documents.list.files_per_s", len(paths) / listed, len(paths) / raw


def walk(sftp: paramiko.SFTPClient) -> list[str]:
    """Every file, by one listing per folder."""
    files: list[str] = []
    folders = ["/"]
    while folders:
        folder = folders.pop()
        for entry in sftp.listdir_attr(folder):
            path = f"{folder.rstrip('/')}/{entry.filename}"
            if stat.S_ISDIR(entry.st_mode or 0):
                folders.append(path)
            elif stat.S_ISREG(entry.st_mode or 0):
                files.append(path)
    return files


def _pass(connector: DocumentsConnector, before: Remembered | None) -> Remembered:
    pages = walking.walk(connector, before)
    if not walking.all_whole(pages):
        raise RuntimeError("the document server was not read to its end")
    return pages.remembered


def _read(share: Share, connector: DocumentsConnector) -> tuple[float, float]:
    path = "correspondence/large.txt"
    content = _text(LARGE)
    with suppress(OSError):
        share.sftp.mkdir("correspondence")
    share.sftp.putfo(io.BytesIO(content), path, confirm=False)
    server = connector._store
    if server.read(path) != content:
        raise RuntimeError("the large file was not read as it is")
    ours = min(_seconds(lambda: server.read(path)) for _ in range(TRIES))
    raw = min(_seconds(lambda: _raw_read(share.sftp, path)) for _ in range(TRIES))
    return LARGE / MEGABYTE / ours, LARGE / MEGABYTE / raw


def _raw_read(sftp: paramiko.SFTPClient, path: str) -> bytes:
    with sftp.open(path, "rb") as file:
        file.prefetch(file.stat().st_size)
        return file.read()


def _match() -> tuple[float, float]:
    """Bytes to identifiers, each looked up under its key among those of many people."""
    keyring = Keyring.generate("k1")
    wanted = {keyring.exact_key(Identifier(IdentifierKind.EMAIL, f"person-{n}@example.com")) for n in range(SUBJECTS)}
    with tempfile.NamedTemporaryFile(prefix="bench-", suffix=".txt") as file:
        file.write(_text(LARGE))
        file.flush()
        path = Path(file.name)
        hits = 0

        def match() -> None:
            nonlocal hits
            found = reading.read(path.name, path.read_bytes()).identifiers
            hits = sum(map(wanted.__contains__, keyring.current.each_exact_key(found)))

        path.read_bytes()
        raw = min(_seconds(path.read_bytes) for _ in range(TRIES))
        ours = min(_seconds(match) for _ in range(TRIES))
    if hits != len(range(0, LARGE // SPACING, 2)):
        raise RuntimeError(f"{hits} people were found in the text, not {len(range(0, LARGE // SPACING, 2))}")
    return LARGE / MEGABYTE / ours, LARGE / MEGABYTE / raw


def _text(size: int) -> bytes:
    """Words with an address every `SPACING` bytes; every other one is of somebody who is looked for."""
    words = b"the meeting on friday was moved to the larger room because more people than expected had replied "
    text = io.BytesIO()
    for number in range(size // SPACING):
        who = b"person-%d@example.com " % number if number % 2 == 0 else b"nobody-%d@example.org " % number
        text.write(who + (words * 4)[: SPACING - len(who) - 1] + b"\n")
    return text.getvalue().ljust(size, b"\n")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _connect(server: Emulator) -> DocumentsConnector:
    where = urlsplit(server.base_url)
    said = server.credentials
    login = Login(str(where.hostname), where.port, said["username"], said["password"], {"host_key": said["host_key"]})
    folders = policy_of(SYSTEM).systems[SYSTEM].folders
    return DocumentsConnector(
        open_store("sftp", SYSTEM, login),
        {name: (folder.data_class, folder.lawful_basis) for name, folder in folders.items()},
    )


@contextmanager
def _raw_session(server: Emulator) -> Iterator[paramiko.SFTPClient]:
    where = urlsplit(server.base_url)
    kind, key = server.credentials["host_key"].split()[:2]
    client = paramiko.SSHClient()
    known = paramiko.PKey.from_type_string(kind, base64.b64decode(key))
    client.get_host_keys().add(f"[{where.hostname}]:{where.port}", kind, known)
    client.connect(
        str(where.hostname),
        where.port or 0,
        username=server.credentials["username"],
        password=server.credentials["password"],
        allow_agent=False,
        look_for_keys=False,
    )
    try:
        yield client.open_sftp()
    finally:
        client.close()
