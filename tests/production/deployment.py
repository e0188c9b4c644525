"""How does docker-compose.yaml run on a machine without Docker? Its commands, settings and checks, as processes.

What containers have and processes have not is given here and nowhere else: host names, ports, mounted folders, and the
set-up of a new database that the PostgreSQL image does from POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD_FILE.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from sandbox.stack.airflow import Person, sign_in
from sandbox.stack.local import Emulator
from sandbox.stack.postgres import Server, free_port
from sandbox.stack.processes import Processes
from tests.conftest import ROOT
from tests.production.compose import Here, Service, load

LONG_RUNNING = ("api-server", "scheduler", "dag-processor", "triggerer")
WORKERS = {
    "worker-reading": ("worker-reading", "reader-1"),
    "worker-recording": ("worker-recording", "recorder-1"),
    "worker-acting-1": ("worker-acting", "actor-1"),
    "worker-acting-2": ("worker-acting", "actor-2"),
}
"""Process, the service it is, and the host name its container would have."""


def missing() -> str:
    """What this machine lacks for it; empty if nothing."""
    lacking = [name for name in ("redis-server", "redis-cli") if shutil.which(name) is None]
    lacking += [] if debian_postgres() else ["a PostgreSQL with TLS (Debian's postgresql)"]
    return ", ".join(lacking)


def debian_postgres() -> Path | None:
    """Programs of the newest PostgreSQL that Debian installed: unlike the wheel's, it speaks TLS."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


@dataclass
class Deployment:
    """Everything of the file but the emulators' worker, on loopback, under one folder."""

    home: Path
    as_of: date
    policy: Path
    persons: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets = self.home / "secrets"
        self.processes = Processes(self.home / "logs")
        self.ports = {name: free_port() for name in ("api", "redis", "ledger", "database", "health")}
        self.api = f"http://127.0.0.1:{self.ports['api']}"
        variables = {
            "RETENTION_SECRETS": str(self.secrets),
            "RETENTION_AS_OF": self.as_of.isoformat(),
            "RETENTION_POLICY": str(self.policy),
            "RETENTION_API_HOST": "127.0.0.1",
            "RETENTION_API_PORT": str(self.ports["api"]),
            "RETENTION_API_WORKERS": "1",
            "RETENTION_BASE_URL": self.api,
            "RETENTION_REDIS_PORT": str(self.ports["redis"]),
            "RETENTION_SCHEDULER_HEALTH_PORT": str(self.ports["health"]),
            "RETENTION_DAG_REFRESH_SECONDS": "5",
            "RETENTION_HEARTBEAT_SECONDS": "15",
            "RETENTION_DETECTION_SECONDS": "3",
            "RETENTION_QUEUED_SECONDS": "20",
            "RETENTION_WORKER_CONCURRENCY": "2",
        }
        self.here = Here(variables, self.home, {"api-server": "127.0.0.1"})
        self.private = Path(tempfile.mkdtemp(prefix="retention-ledger-"))
        self.database = Server(self.home / "database", self.ports["database"], _options("airflow-database"))
        self.ledger = Server(self.home / "ledger", self.ports["ledger"], self._ledger_options(), debian_postgres())

    def start_stores(self) -> None:
        """Secrets, both databases, Redis and the emulators."""
        self._make_secrets()
        self._lend_to_the_ledger()
        self.database.start()
        self.ledger.start()
        self._as_the_image_does(self.database, "airflow", "airflow", "airflow_database_password")
        self._as_the_image_does(self.ledger, "ledger_migrator", "ledger", "ledger_migrator_password")
        redis = self.here.service("redis", "redis")
        self.processes.start("redis", [*redis.command, "--bind", "127.0.0.1"], redis.environment, self.home)
        self.processes.start("emulators", *self._process("emulators", "emulators"))
        self.processes.wait_until("Redis", lambda: self.is_well("redis"), 20)
        self.processes.wait_until("the emulators", lambda: self.is_well("emulators"), 60)
        self._connect_the_workers()

    def initialise(self) -> None:
        """What the two services do that run once."""
        for name in ("ledger-init", "airflow-init"):
            self.processes.run(name, *self._process(name, name))

    def start_airflow(self) -> None:
        """The four components and the workers."""
        for name in LONG_RUNNING:
            self.processes.start(name, *self._process(name, name))
        for process, (service, hostname) in WORKERS.items():
            self.processes.start(process, *self._process(service, hostname))

    def is_well(self, service: str, hostname: str = "") -> bool:
        """What the health check of a service says."""
        one = self.here.service(service, hostname or service)
        return subprocess.run(one.health, env=one.environment, capture_output=True, check=False).returncode == 0

    def person(self, name: str) -> Person:
        """One of the first users, signed in with the password from the secrets."""
        if name not in self.persons:
            users = json.loads((self.secrets / "first_users.json").read_text())
            password = next(user["password"] for user in users if user["username"] == name)
            self.persons[name] = sign_in(self.api, name, password)
        return self.persons[name]

    def emulators(self) -> dict[str, Emulator]:
        """How each emulator is watched."""
        told = json.loads((self.home / "sandbox" / "emulators.json").read_text())
        return {system: Emulator(**values) for system, values in told.items()}

    def ledger_url(self, duty: str, database: str = "ledger") -> str:
        """The ledger under the login of a duty, the server's certificate verified."""
        password = (self.secrets / f"ledger_{duty}_password").read_text()
        tls = f"sslmode=verify-full&sslrootcert={self.secrets / 'ledger_authority.pem'}"
        return f"postgresql://ledger_{duty}:{password}@localhost:{self.ports['ledger']}/{database}?{tls}"

    def retention(self, *arguments: str, duty: str, database: str = "ledger") -> str:
        """Our command line under the login of a duty."""
        environment = {
            **self.here.service("ledger-init", "cli").environment,
            "AS_OF": self.as_of.isoformat(),
            "RETENTION_POLICY": str(self.policy),
            "RETENTION_LEDGER_URL": self.ledger_url(duty, database),
            "RETENTION_KEYS": str(self.secrets / "keys.json"),
            "RETENTION_SIGNING_KEY": str(self.secrets / "signing.key"),
        }
        return self.processes.run("cli", [sys.executable, "-m", "retention", *arguments], environment, ROOT)

    def kill(self, name: str) -> None:
        """End a process as the end of its container would: with everything in its session, at once."""
        session = self.processes.running[name].pid
        for pid in psutil.pids():
            with suppress(ProcessLookupError):
                if os.getsid(pid) == session:
                    os.kill(pid, signal.SIGKILL)
        self.processes.stop(name, kill=True)

    def stop(self) -> None:
        """End everything, the databases last."""
        try:
            self.processes.stop()
        finally:
            self.ledger.stop()
            self.database.stop()
            shutil.rmtree(self.private)

    def _process(self, service: str, hostname: str) -> tuple[list[str], Mapping[str, str], Path]:
        one: Service = self.here.service(service, hostname)
        return one.command, one.environment, ROOT

    def _make_secrets(self) -> None:
        authority = self.secrets / "ledger_authority.pem"
        places = ["--ledger", f"localhost:{self.ports['ledger']}", "--database", f"127.0.0.1:{self.ports['database']}"]
        places += ["--redis", f"127.0.0.1:{self.ports['redis']}", "--airflow", self.api]
        places += ["--authority", str(authority), "--checkpoints", str(self.home / "checkpoints")]
        places += ["--copies", str(self.home / "copies")]
        command = [sys.executable, str(ROOT / "tools" / "production_secrets.py"), str(self.secrets), *places]
        environment = self.here.service("ledger-init", "secrets").environment
        self.processes.run("secrets", command, environment, ROOT)

    def _ledger_options(self) -> list[str]:
        places = {
            "/run/secrets/ledger_certificate": "ledger_certificate.pem",
            "/run/secrets/ledger_key": "ledger_key.pem",
        }
        places["/etc/retention/ledger_hba.conf"] = "ledger_hba.conf"
        return [_replaced(option, places, self.private) for option in _options("ledger")]

    def _lend_to_the_ledger(self) -> None:
        """The server may run as another user: what it reads is copied to where it can."""
        for file in (
            self.secrets / "ledger_certificate.pem",
            self.secrets / "ledger_key.pem",
            ROOT / "include" / "production" / "ledger_hba.conf",
        ):
            shutil.copy(file, self.private)
            (self.private / file.name).chmod(0o600)
        if self.ledger.account:
            for path in (self.private, *self.private.iterdir()):
                os.chown(path, self.ledger.account.uid, self.ledger.account.gid)

    def _as_the_image_does(self, server: Server, user: str, database: str, password: str) -> None:
        secret = (self.secrets / password).read_text()
        with psycopg.connect(server.url(), autocommit=True) as admin:
            make = sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}")
            admin.execute(make.format(sql.Identifier(user), sql.Literal(secret)))
            owned = sql.SQL("CREATE DATABASE {} OWNER {}")
            admin.execute(owned.format(sql.Identifier(database), sql.Identifier(user)))

    def _connect_the_workers(self) -> None:
        """What an administrator adds to the connection files: the systems."""
        with_systems = json.loads((self.home / "sandbox" / "connections.json").read_text())
        emulators = self.emulators()
        for name in ("reading", "acting", "recording"):
            file = self.secrets / f"connections_{name}.json"
            told = json.loads(file.read_text()) | {system: with_systems[system] for system in emulators}
            file.write_text(json.dumps(told))


def _options(service: str) -> list[str]:
    return [word for word in load()["services"][service]["command"][1:] if word != "-c"]


def _replaced(text: str, places: Mapping[str, str], folder: Path) -> str:
    for there, name in places.items():
        text = text.replace(there, str(folder / name))
    return text
