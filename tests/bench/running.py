"""What does a figure run against? Emulators in processes of their own, and an empty ledger on a real PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import requests
from sqlalchemy import Engine

from retention.keyring import Keyring
from retention.limits import Canary, Cap, SurpriseAge
from retention.policy import Policy, load
from retention.store import database
from retention.store.desk import Desk
from sandbox.stack.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
AS_OF = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NO_LIMIT = 10_000_000
"""Steps a plan may have here: the guard has its own tests, and would stop a scaled population."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator and its control surface."""

    base_url: str
    ca: str | None
    control: str
    credentials: Mapping[str, str]

    def forget_calls(self) -> None:
        requests.delete(f"{self.control}/_sandbox/calls", verify=self._verify, timeout=60)

    def spent(self) -> int:
        """Calls since then that count against an allowance: logins and checks of a token left out."""
        counts: Mapping[str, int] = self.ask("calls")["counts"]
        return sum(count for name, count in counts.items() if "oauth" not in name)

    def ask(self, what: str) -> Any:
        return requests.get(f"{self.control}/_sandbox/{what}", verify=self._verify, timeout=60).json()

    def tell(self, command: str, **given: Any) -> None:
        answer = requests.post(f"{self.control}/_sandbox/{command}", json=given, verify=self._verify, timeout=60)
        answer.raise_for_status()

    @property
    def _verify(self) -> str | bool:
        return self.ca or True


@contextmanager
def emulator(name: str, scale: int, *, tls: bool = False) -> Iterator[Emulator]:
    """An emulator in a process of its own, ended by its id."""
    with tempfile.TemporaryDirectory(prefix="bench-tls-") as folder:
        command = [sys.executable, "-m", "sandbox", name, "--port", "0", "--as-of", AS_OF.isoformat()]
        command += ["--scale", str(scale), *(["--tls-dir", folder] if tls else [])]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                raise RuntimeError(f"the emulator {name} did not start")
            said = json.loads(line)
            yield Emulator(said["base_url"], said["ca"], said["control"], said["credentials"])
        finally:
            process.terminate()
            process.wait(timeout=30)
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def ledger() -> Iterator[Engine]:
    """An empty ledger on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as home:
        server = Server(Path(home))
        server.start()
        try:
            with psycopg.connect(server.url(), autocommit=True) as admin:
                admin.execute("CREATE DATABASE bench")
            engine = database.connect(server.url("bench"))
            database.migrate(engine, ROOT / "include" / "sql" / "migrations")
            yield engine
            engine.dispose()
        finally:
            server.stop()


def policy_of(*systems: str) -> Policy:
    """The shipped policy with these of its systems only; a plan has no limits and is carried out in one stage."""
    shipped = load(ROOT / "include" / "policy")
    cap = Cap(steps=NO_LIMIT, fraction=1)
    no_limits = {
        "run": cap,
        "thirty_days": cap,
        "class_run": cap,
        "class_thirty_days": cap,
        "surprise_age": SurpriseAge(years=100, fraction=1, from_steps=1),
        "canary": Canary(first=NO_LIMIT, growth=2),
    }
    guards = shipped.schedule.guards.model_copy(update=no_limits)
    schedule = shipped.schedule.model_copy(update={"guards": guards})
    return Policy(schedule=schedule, systems={name: shipped.systems[name] for name in systems}, digest=shipped.digest)


def desk_of(engine: Engine, *systems: str) -> Desk:
    """A desk on a ledger."""
    return Desk(engine, Keyring.generate("k1"), policy_of(*systems), AS_OF, "1.0.0", now=lambda: NOW)
