"""How does a real Airflow run on loopback? The settings, the four components, and its REST API as a person uses it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet

from sandbox.stack.processes import Processes

USERS = {"admin": "admin", "operator": "user", "dpo": "user", "colleague": "user", "recorder": "viewer"}
COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}


@dataclass
class Airflow:
    """One Airflow on loopback, with made-up users, keeping its metadata in a PostgreSQL database given by URL."""

    root: Path  # the checkout
    home: Path
    python: Path
    database: str
    port: int
    processes: Processes
    extra: Mapping[str, str]  # further environment: connections, AS_OF
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where its UI and API answer."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """The settings of all its processes."""
        secrets_file = self.home / "secrets.json"
        if not secrets_file.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            passwords = {name: secrets.token_urlsafe(12) for name in USERS}
            passwords["admin"] = passwords["dpo"] = passwords["operator"] = "demo"
            kept = {"jwt": secrets.token_hex(48), "fernet": Fernet.generate_key().decode(), "passwords": passwords}
            secrets_file.touch(mode=0o600)
            secrets_file.write_text(json.dumps(kept))
        kept = json.loads(secrets_file.read_text())
        self.passwords = kept["passwords"]
        (self.home / "passwords.json").write_text(json.dumps(self.passwords))
        settings = {
            "CORE__DAGS_FOLDER": self.root / "dags",
            "CORE__PLUGINS_FOLDER": self.root / "plugins",
            "CORE__LOAD_EXAMPLES": False,
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": 8,
            "CORE__FERNET_KEY": kept["fernet"],
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": self.home / "passwords.json",
            "DATABASE__SQL_ALCHEMY_CONN": self.database.replace("postgresql://", "postgresql+psycopg2://", 1),
            "API__HOST": "127.0.0.1",
            "API__PORT": self.port,
            "API__BASE_URL": self.url,
            "API__WORKERS": 1,
            "API_AUTH__JWT_SECRET": kept["jwt"],
            "DAG_PROCESSOR__REFRESH_INTERVAL": 10,
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 5,
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 20,
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 5,
            "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 5,
            "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 15,
            "SCHEDULER__ENABLE_HEALTH_CHECK": False,
            "WORKERS__MIN_HEARTBEAT_INTERVAL": 1,  # also how late, at most, the end of a task is noticed
            "LOGGING__BASE_LOG_FOLDER": self.processes.logs / "tasks",
            "USAGE_DATA_COLLECTION__ENABLED": False,
            "OPENLINEAGE__DISABLED": True,  # it would copy the settings of every run into every event
        }
        ours = {f"AIRFLOW__{name}": str(value) for name, value in settings.items()}
        return {**self.extra, **ours, "AIRFLOW_HOME": str(self.home)}

    def command(self, *arguments: str) -> list[str]:
        """A command of Airflow's own program."""
        return [str(self.python), "-m", "airflow", *arguments]

    def migrate(self) -> None:
        """Make or update its metadata tables."""
        self.processes.run("airflow-migrate", self.command("db", "migrate"), self.environment(), self.root)

    def start(self, *names: str) -> None:
        """Start the components named (default: all)."""
        for name in names or COMPONENTS:
            self.processes.start(name, self.command(*COMPONENTS[name]), self.environment(), self.root)

    def wait_until_healthy(self, seconds: float = 120) -> None:
        """Until all four components say so."""
        self.processes.wait_until("Airflow to be healthy", self.healthy, seconds)

    def healthy(self) -> bool:
        """Whether all four components are."""
        try:
            state = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
        except (httpx.HTTPError, json.JSONDecodeError):
            return False
        return all((state.get(part) or {}).get("status") == "healthy" for part in PARTS)

    def person(self, name: str) -> Person:
        """Somebody who uses it through the REST API."""
        return sign_in(self.url, name, self.passwords[name])


def sign_in(url: str, name: str, password: str) -> Person:
    """A user of the Airflow at this address, signed in."""
    answer = httpx.post(f"{url}/auth/token", json={"username": name, "password": password}, timeout=30)
    answer.raise_for_status()
    return Person(name, httpx.Client(base_url=f"{url}/api/v2", timeout=30, headers=_bearer(answer.json())))


PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def _bearer(token: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['access_token']}"}


@dataclass
class Person:
    """An Airflow user and what the demo and the tests do with the API; every method is one call a person could make."""

    name: str
    client: httpx.Client

    def call(self, method: str, path: str, **values: Any) -> httpx.Response:
        """Any call, without judging the answer."""
        return self.client.request(method, path, **values)

    def get(self, path: str) -> Any:
        """Read something that must be there."""
        answer = self.client.get(path)
        answer.raise_for_status()
        return answer.json()

    def knows(self, dag: str) -> bool:
        """Whether a DAG was parsed."""
        return self.client.get(f"/dags/{dag}").status_code == 200

    def pause(self, dag: str, paused: bool) -> None:
        """Pause or unpause a DAG."""
        self.client.patch(f"/dags/{dag}", json={"is_paused": paused}).raise_for_status()

    def trigger(self, dag: str, **given: Any) -> str:
        """Start a run by hand; returns its id."""
        answer = self.client.post(f"/dags/{dag}/dagRuns", json={"logical_date": None, **given})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """All runs of a DAG."""
        return list(self.get(f"/dags/{dag}/dagRuns")["dag_runs"])

    def state(self, dag: str, run: str) -> str:
        """State of a run."""
        return str(self.get(f"/dags/{dag}/dagRuns/{run}")["state"])

    def tasks(self, dag: str, run: str) -> dict[tuple[str, int], str]:
        """State of every task instance by (task, map index)."""
        found = self.get(f"/dags/{dag}/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]
        return {(t["task_id"], t["map_index"]): t["state"] for t in found}

    def waits_for_answer(self, dag: str, run: str) -> bool:
        """Whether the approval is waiting for a person."""
        return self.tasks(dag, run).get(("approve", -1)) == "awaiting_input"

    def answer(self, dag: str, run: str, choice: str) -> httpx.Response:
        """Answer the approval."""
        return self.client.patch(
            f"/dags/{dag}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails",
            json={"chosen_options": [choice], "params_input": {}},
        )
