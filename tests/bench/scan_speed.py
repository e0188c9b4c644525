"""How fast is a document server scanned into the ledger: the first time, by two workers, and the night after?

An office's files on Samba and on OpenSSH on loopback, read into a real PostgreSQL by workers that are processes of
their own. Against the first scan stands extraction alone: the same readers on the same bytes from memory, in one plain
process that does nothing else. Left out where a server is missing.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import Engine, text

from connectors.documents import DocumentsConnector, open_store
from connectors.documents.formats import reading
from retention import sweep, walking
from retention.keyring import Keyring
from retention.store import database
from retention.store.desk import Desk
from retention.vocabulary import DataClass, LawfulBasis
from sandbox.corpus import planted
from tests.bench.office_files import office_files
from tests.bench.running import AS_OF, NOW, ROOT, ledger, policy_of
from tests.servers import openssh, samba
from tests.servers.running import Served

SYSTEM, TOP = "documents", "correspondence"
SEED, ROUNDS, SHORT_ROUNDS, TRIES, WORKERS = 1, 160, 12, 3, 2
CHANGED = 0.01
Contents = Mapping[str, bytes]


def measure() -> Iterator[tuple[str, float, float]]:
    long = {f"{TOP}/{path}": content for path, content in office_files(ROUNDS)}
    short = {f"{TOP}/{one.path}": one.content for one in planted(SEED, SHORT_ROUNDS)}
    for name, running in (("smb", _plain_share), ("sftp", openssh.running)):
        with tempfile.TemporaryDirectory() as at:
            try:
                with running(Path(at)) as served, ledger() as engine:
                    _put(served, long)
                    keyring = Keyring.generate("k1")
                    yield from _figures(name, served, engine, keyring, long)
                    served.place.empty(TOP)
                    _put(served, short)
                    yield f"scan.{name}.short.files_per_s", *_first(served, engine, keyring, short)
            except pytest.skip.Exception as missing:
                sys.stderr.write(f"scan.{name}: {missing}\n")


def _figures(
    name: str, served: Served, engine: Engine, keyring: Keyring, contents: Contents
) -> Iterator[tuple[str, float, float]]:
    files = len(contents)
    alone, one, two, busy = [], [], [], []
    for _ in range(TRIES):  # in turn, so that what else this machine does falls on all of them
        alone.append(_extracted(contents))
        began, worked = time.perf_counter(), _processor_seconds()
        two.append(_scanned(served, engine, keyring, WORKERS))
        busy.append((_processor_seconds() - worked) / (time.perf_counter() - began))
        one.append(_scanned(served, engine, keyring, 1))
    yield f"scan.{name}.first.files_per_s", files / median(one), files / median(alone)
    yield f"scan.{name}.workers.files_per_s", files / median(two), files / median(one)
    yield f"scan.{name}.workers.cores", median(busy), os.cpu_count() or 1
    changed = list(contents)[:: round(1 / CHANGED)]
    nights = []
    for number in range(TRIES):
        for path in changed:
            served.place.put(path, contents[path] + b"\n" * (number + 1))
        nights.append(_scanned(served, engine, keyring, 1, afresh=False))
    yield f"scan.{name}.night.seconds", median(nights), median(one)


def _first(served: Served, engine: Engine, keyring: Keyring, contents: Contents) -> tuple[float, float]:
    """Files a second of a first scan of files as short as a test's, and of their extraction alone."""
    alone, one = [], []
    for _ in range(TRIES):
        alone.append(_extracted(contents))
        one.append(_scanned(served, engine, keyring, 1))
    return len(contents) / median(one), len(contents) / median(alone)


def _put(served: Served, contents: Contents) -> None:
    for path, content in contents.items():
        served.place.put(path, content)


def _extracted(contents: Contents) -> float:
    """Seconds of the readers alone, in a process that has them loaded."""
    with _processes("extract", contents) as worker:
        return _timed(worker)


def extract() -> None:
    """What the process that only extracts does. Each kind is read once before, so that its libraries are there."""
    contents = _given()
    for path, content in {Path(path).suffix: (path, content) for path, content in contents.items()}.values():
        reading.read(path, content)
    _start()
    for path, content in contents.items():
        reading.read(path, content)
    _done()


def _scanned(served: Served, engine: Engine, keyring: Keyring, workers: int, *, afresh: bool = True) -> float:
    """Seconds from the first part begun to stock taken, by so many processes."""
    url = engine.url.render_as_string(hide_password=False)
    desk = _desk(engine, keyring)
    with desk.transaction() as db:
        if afresh:
            db.execute(text("TRUNCATE catalogue, catalogue_mentions, catalogue_folders CASCADE"))
        db.execute(text("DELETE FROM reading_parts"))
    run = sweep.open_sweep(desk, sweep.RunInfo("bench", uuid.uuid4().hex, "manual", "bench"))
    connector = _connector(served)
    try:
        parts = walking.divide(desk, run, connector, workers)
        shares = [parts[worker::workers] for worker in range(workers)]
        given = [(url, keyring.to_json(), served.kind, served.login, run, mine) for mine in shares]
        with _processes("scan", *given) as started:
            took = _timed(started)
        began = time.perf_counter()
        walking.take_stock(desk, run, connector)
        return took + time.perf_counter() - began
    finally:
        connector.close()


def scan() -> None:
    """What a worker does."""
    url, keys, kind, login, run, parts = _given()
    engine = database.connect(url)
    desk = _desk(engine, Keyring.from_json(keys))
    connector = _connector(Served(kind, login, place=None))  # type: ignore[arg-type]
    _start()
    for number in parts:
        walking.walk(desk, run, connector, number)
    _done()


def _desk(engine: Engine, keyring: Keyring) -> Desk:
    return Desk(engine, keyring, policy_of(SYSTEM), AS_OF, "1.0.0", now=lambda: NOW)


def _connector(served: Served) -> DocumentsConnector:
    return DocumentsConnector(
        open_store(served.kind, SYSTEM, served.login), {TOP: (DataClass.DOCUMENT, LawfulBasis.CONSENT)}
    )


def _processor_seconds() -> float:
    """What all processors of this machine have worked since it was started, for whomever."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, softirq, *_ = map(int, stat.readline().split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _plain_share(at: Path) -> Iterator[Served]:
    with samba.running(at) as shares:
        yield shares.files


@contextmanager
def _processes(work: str, *given: object) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A process for each of what is given, ready to start."""
    command = [sys.executable, "-c", f"from {__name__} import {work}; {work}()"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    started = [subprocess.Popen(command, cwd=ROOT, env={**os.environ}, **pipes) for _ in given]
    try:
        for process, one in zip(started, given, strict=True):
            _tell(process, pickle.dumps(one))
        for process in started:
            _wait_for(process, b"ready\n")
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _timed(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """Seconds from the start of all to the end of the last."""
    began = time.perf_counter()
    for process in processes:
        _tell(process, b"go")
    for process in processes:
        _wait_for(process, b"done\n")
    return time.perf_counter() - began


def _tell(process: subprocess.Popen[bytes], what: bytes) -> None:
    if process.stdin is None:
        raise RuntimeError("a worker cannot be told anything")
    process.stdin.write(len(what).to_bytes(8, "big") + what)
    process.stdin.flush()


def _wait_for(process: subprocess.Popen[bytes], line: bytes) -> None:
    if process.stdout is None or process.stdout.readline() != line:
        raise RuntimeError("a worker did not end its work")


def _told() -> bytes:
    return sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8), "big"))


def _given() -> Any:
    return pickle.loads(_told())  # noqa: S301 - from our own parent


def _start() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    _told()


def _done() -> None:
    sys.stdout.write("done\n")
    sys.stdout.flush()
