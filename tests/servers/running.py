"""How is a server started for a test, waited for, and ended? And what is it, once it runs?"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from connectors.documents import Login

HOST = "127.0.0.1"
PATIENCE = 20.0


class Place(Protocol):
    """Where the files of a server lie, for a tester who does not go through it."""

    def put(self, path: str, content: bytes, modified: datetime | None = None) -> None: ...

    def get(self, path: str) -> bytes: ...

    def remove(self, path: str) -> None: ...

    def files(self) -> dict[str, dict[str, Any]]: ...

    def empty(self, *folders: str) -> None: ...


@dataclass(frozen=True)
class Served:
    """A running server: its protocol, how to log in, and its files."""

    kind: str
    login: Login
    place: Place

    def with_extra(self, **changed: Any) -> Login:
        return replace(self.login, extra={**self.login.extra, **changed})


def needs(*programs: str, root: bool = False) -> None:
    """Skip where a program is not installed, or where it only runs for root and we are not."""
    missing = [name for name in programs if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed here (CI installs it)")
    if root and os.geteuid() != 0:
        pytest.skip(f"{programs[0]} is started as root only")


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found is not None
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: Sequence[str], port: int, log: Path, **environment: str) -> Iterator[None]:
    """A server in a process group of its own, ready when its port answers, ended with its children."""
    with log.open("wb") as told:
        started = subprocess.Popen(
            command, stdout=told, stderr=told, start_new_session=True, env={**_clean_environment(), **environment}
        )
    try:
        _wait_for(port, started, log)
        yield
    finally:
        for way in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(started.pid, way)
                started.wait(timeout=10)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue


def _clean_environment() -> Mapping[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _wait_for(port: int, started: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and started.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
