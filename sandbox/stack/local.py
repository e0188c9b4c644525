"""What makes up the local stack, and in which order does it come up? PostgreSQL, emulators, keys, ledger, Airflow."""

from __future__ import annotations

import functools
import json
import os
import secrets
import shutil
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
from psycopg import sql

from sandbox.stack.airflow import Airflow
from sandbox.stack.postgres import Server, free_port
from sandbox.stack.processes import Processes

ROOT = Path(__file__).resolve().parents[2]
ROLES = {"executor": "retention_executor", "approver": "retention_approver", "auditor": "retention_auditor"}
EMULATORS = {"salesforce": "salesforce", "hubspot": "hubspot", "documents": "sftp", "microsoft365": "microsoft365"}
"""Name of the system in the policy, and of the emulator that stands in for it."""


@dataclass
class Emulator:
    """A running emulator, as its ready line describes it."""

    name: str
    base_url: str
    ca: str | None
    credentials: dict[str, str]
    control: str

    def state(self) -> Any:
        """Everything it stores."""
        return self._control("GET", "state").json()

    def calls(self) -> list[dict[str, Any]]:
        """Every call it got, in order."""
        return list(self._control("GET", "calls").json()["calls"])

    def fault(self, **what: Any) -> None:
        """Let the next calls go wrong."""
        self._control("POST", "faults", json=what)

    def reset(self) -> None:
        """Back to the seeded state: no calls, no faults."""
        self._control("POST", "reset")

    def _control(self, method: str, path: str, **values: Any) -> httpx.Response:
        trust = ssl.create_default_context(cafile=self.ca) if self.ca else True
        answer = httpx.request(
            method, f"{self.control}/_sandbox/{path}", verify=trust, timeout=60, trust_env=False, **values
        )
        answer.raise_for_status()
        return answer


@dataclass
class LocalStack:
    """The whole stack under one folder. `policy` is a folder of policy files; None: the shipped ones."""

    home: Path
    as_of: date
    seed: int = 1
    scale: int = 1
    systems: tuple[str, ...] = tuple(EMULATORS)
    policy: Path | None = None
    port: int | None = None
    emulators: dict[str, Emulator] = field(default_factory=dict)
    mail: Emulator | None = None

    def __post_init__(self) -> None:
        self.logs = self.home / "logs"
        self.checkpoints = self.home / "checkpoints"
        self.copies = self.home / "copies"
        self.keys = self.home / "keys"
        self.processes = Processes(self.logs)
        self.postgres = Server(self.home / "database")
        self._passwords: dict[str, str] = {}

    def start(self) -> None:
        """Bring everything up; returns when Airflow is healthy and knows the DAGs."""
        for folder in (self.home, self.copies):
            folder.mkdir(parents=True, exist_ok=True)
        self.postgres.start()
        self._databases()
        with ThreadPoolExecutor() as pool:
            emulators = [pool.submit(self._emulator, system) for system in self.systems]
            emulators.append(pool.submit(self._mail_server))
            keys = pool.submit(self._keys_and_ledger)
            port = self.port or free_port()
            self.airflow = Airflow(
                ROOT,
                self.home / "airflow",
                Path(sys.executable),
                self.postgres.url("airflow"),
                port,
                self.processes,
                {},
            )
            metadata = pool.submit(self.airflow.migrate)
            for job in (*emulators, keys, metadata):
                job.result()
        self._traces_role()
        self.airflow.extra = {**self.environment(), **self._connections()}
        self.airflow.start()
        self.airflow.wait_until_healthy()
        admin = self.airflow.person("admin")
        for dag in ("nightly_retention", "subject_request"):
            self.processes.wait_until(f"the DAG {dag} to be parsed", functools.partial(admin.knows, dag), 90)

    def start_emulators(self) -> dict[str, dict[str, Any]]:
        """Only the emulators; returns the Airflow connections to them."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._emulator, self.systems))
        return {system: connection_to(emulator) for system, emulator in self.emulators.items()}

    def stop(self) -> None:
        """End everything that was started, the database last."""
        try:
            self.processes.stop()
        finally:
            self.postgres.stop()

    def wipe(self) -> None:
        """Remove what an earlier stack left in this folder."""
        if self.home.exists():
            shutil.rmtree(self.home)

    def environment(self) -> dict[str, str]:
        """What every process of ours gets: a plain environment and the fixed day."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        ours = {"AS_OF": self.as_of.isoformat(), "PYTHONPATH": str(ROOT / "plugins"), "PYTHONUNBUFFERED": "1"}
        chosen = {"RETENTION_POLICY": str(self.policy)} if self.policy else {}
        return {**kept, **ours, **chosen}

    def retention(self, *arguments: str, stdin: str = "", role: str = "executor") -> str:
        """Run our own command line under a database role."""
        environment = {
            **self.environment(),
            "RETENTION_LEDGER_URL": self.ledger_url(role),
            "RETENTION_KEYS": str(self.keys / "keys.json"),
            "RETENTION_SIGNING_KEY": str(self.keys / "signing.key"),
            "RETENTION_COPIES": str(self.copies),
            "RETENTION_SMTP_URL": f"{self.mail.base_url}?sender={self.mail.credentials['sender']}" if self.mail else "",
        }
        command = [sys.executable, "-m", "retention", *arguments]
        return self.processes.run("retention-cli", command, environment, ROOT, stdin)

    def approve_policy(self, by: str = "dpo") -> str:
        """What a DPO does before anything may act: approve the policy by its digest, which is returned."""
        digest = str(json.loads(self.retention("policy", "check", "--json"))["digest"])
        self.retention("policy", "approve", "--by", by, "--digest", digest, role="approver")
        return digest

    def ledger_url(self, role: str = "auditor") -> str:
        """Where the ledger is, for a role; `migrator` owns it."""
        if role == "migrator":
            return self.postgres.url("ledger")
        return self.postgres.url("ledger", f"ledger_{role}", self._passwords[role])

    def _databases(self) -> None:
        remembered = self.home / "ledger-passwords.json"
        if not remembered.exists():
            remembered.touch(mode=0o600)
            remembered.write_text(json.dumps({role: secrets.token_urlsafe(24) for role in ROLES}))
        self._passwords = json.loads(remembered.read_text())
        with psycopg.connect(self.postgres.url(), autocommit=True) as admin:
            there = {row[0] for row in admin.execute("SELECT datname FROM pg_database")}
            for name in ("airflow", "ledger"):
                if name not in there:
                    admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            # Workers that outlive a killed scheduler keep its connection open, and with it the locks on the run it was
            # looking at: the next scheduler would pass that run over for ever.
            admin.execute("ALTER DATABASE airflow SET idle_in_transaction_session_timeout = '20s'")

    def _keys_and_ledger(self) -> None:
        if not self.keys.exists():
            self.retention("keys", "init", str(self.keys))
        self.retention("ledger", "migrate", role="migrator")
        with psycopg.connect(self.postgres.url("ledger"), autocommit=True) as admin:
            there = {row[0] for row in admin.execute("SELECT rolname FROM pg_roles")}
            for role, group in ROLES.items():
                login = sql.Identifier(f"ledger_{role}")
                if f"ledger_{role}" not in there:
                    admin.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(login, sql.Identifier(group)))
                secret = sql.Literal(self._passwords[role])
                admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(login, secret))

    def _traces_role(self) -> None:
        """Who may empty what was typed into Airflow's trigger form, in two tables; and who may delete past a period."""
        self._passwords.setdefault("traces", secrets.token_urlsafe(24))
        with psycopg.connect(self.postgres.url("airflow"), autocommit=True) as admin:
            if not admin.execute("SELECT FROM pg_roles WHERE rolname = 'airflow_traces'").fetchone():
                admin.execute("CREATE ROLE airflow_traces LOGIN")
            secret = sql.Literal(self._passwords["traces"])
            admin.execute(sql.SQL("ALTER ROLE airflow_traces PASSWORD {}").format(secret))
            admin.execute("GRANT SELECT (id, dag_id, conf), UPDATE (conf) ON dag_run TO airflow_traces")
            admin.execute("GRANT SELECT (id, dag_id, event, extra), UPDATE (extra) ON log TO airflow_traces")
            if not admin.execute("SELECT FROM pg_roles WHERE rolname = 'airflow_upkeep'").fetchone():
                admin.execute("CREATE ROLE airflow_upkeep LOGIN")
            admin.execute(sql.SQL("ALTER ROLE airflow_upkeep PASSWORD {}").format(secret))
            admin.execute("GRANT USAGE, CREATE ON SCHEMA public TO airflow_upkeep")
            admin.execute("GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO airflow_upkeep")

    def _mail_server(self) -> None:
        command = [sys.executable, "-m", "sandbox", "mail", "--port", "0"]
        ready = self.processes.start_ready("emulator-mail", command, self.environment(), ROOT)
        self.mail = Emulator("mail", ready["base_url"], None, ready["credentials"], ready["control"])

    def _emulator(self, system: str) -> None:
        name = EMULATORS[system]
        arguments = ["--port", "0", "--seed", str(self.seed), "--scale", str(self.scale)]
        arguments += ["--as-of", self.as_of.isoformat(), "--tls-dir", str(self.home / "tls" / name)]
        ready = self.processes.start_ready(
            f"emulator-{name}", [sys.executable, "-m", "sandbox", name, *arguments], self.environment(), ROOT
        )
        self.emulators[system] = Emulator(
            name, ready["base_url"], ready["ca"], ready["credentials"], ready.get("control") or ready["base_url"]
        )

    def _connections(self) -> dict[str, str]:
        """The Airflow connections README describes, as environment variables."""
        made: dict[str, dict[str, Any]] = {
            "retention_keys": {"conn_type": "generic", "password": (self.keys / "keys.json").read_text()},
            "retention_signing": {
                "conn_type": "generic",
                "password": (self.keys / "signing.key").read_text().strip(),
                "extra": {"checkpoints": str(self.checkpoints)},
            },
            "retention_airflow": {
                "conn_type": "http",
                "host": self.airflow.url,
                "login": "recorder",
                "password": self._recorder_password(),
            },
        }
        made["retention_copies"] = {"conn_type": "generic", "extra": {"folder": str(self.copies)}}
        if self.mail is not None:
            made["retention_mail"] = connection_to_mail(self.mail)
        for connection, login in (("database", "airflow_traces"), ("upkeep", "airflow_upkeep")):
            made[f"retention_airflow_{connection}"] = {
                "conn_type": "postgres",
                "host": "127.0.0.1",
                "port": self.postgres.port,
                "schema": "airflow",
                "login": login,
                "password": self._passwords["traces"],
            }
        for connection, role in (("retention_ledger", "executor"), ("retention_ledger_approver", "approver")):
            made[connection] = {
                "conn_type": "postgres",
                "host": "127.0.0.1",
                "port": self.postgres.port,
                "schema": "ledger",
                "login": f"ledger_{role}",
                "password": self._passwords[role],
            }
        for system, emulator in self.emulators.items():
            made[system] = connection_to(emulator)
        return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(values) for name, values in made.items()}

    def _recorder_password(self) -> str:
        self.airflow.environment()
        return self.airflow.passwords["recorder"]


def connection_to(emulator: Emulator) -> dict[str, Any]:
    """An Airflow connection to an emulator, exactly as one to the vendor would be."""
    place, given = urlsplit(emulator.base_url), emulator.credentials
    extra: dict[str, Any] = {"ca_bundle": emulator.ca} if emulator.ca else {"scheme": place.scheme}
    made: dict[str, Any] = {"conn_type": emulator.name, "host": place.hostname, "port": place.port}
    if emulator.name == "salesforce":
        return {**made, "login": given["client_id"], "password": given["client_secret"], "extra": extra}
    if emulator.name == "hubspot":
        return {**made, "password": given["token"], "extra": extra}
    if emulator.name == "microsoft365":
        extra |= {"tenant_id": given["tenant"], "authority": emulator.base_url}
        return {**made, "login": given["client_id"], "password": given["client_secret"], "extra": extra}
    extra = {"host_key": given["host_key"]}
    return {**made, "login": given["username"], "password": given["password"], "extra": extra}


def connection_to_mail(mail: Emulator) -> dict[str, Any]:
    """An Airflow connection to the mail server, and where links in letters lead."""
    place = urlsplit(mail.base_url)
    pages = {
        "confirmation_page": "https://privacy.harbour-ltd.example/confirm",
        "copy_page": "https://privacy.harbour-ltd.example/copy",
    }
    extra = {"sender": mail.credentials["sender"], **pages}
    return {"conn_type": "smtp", "host": place.hostname, "port": place.port, "extra": extra}
