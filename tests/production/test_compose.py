"""Is docker-compose.yaml valid, and does it keep what docs/production.md promises of it?"""

from __future__ import annotations

import json
import re
from typing import Any

import compose_spec
import pytest

from tests.conftest import ROOT
from tests.production.compose import FILE, load

COMPOSE = load()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EVERY = pytest.mark.parametrize("name", SERVICES)
RUN_ONCE = {"airflow-init", "ledger-init"}
"""Services that end by themselves: others wait for them by their exit code, so they have no health check."""
WORKERS = {"worker-reading", "worker-acting", "worker-recording", "worker-sandbox"}
OWN_IMAGE = {name for name, service in SERVICES.items() if "build" in service}


def secrets_of(name: str) -> set[str]:
    return {s if isinstance(s, str) else s["source"] for s in SERVICES[name].get("secrets", [])}


def environment_of(name: str) -> dict[str, str]:
    found: dict[str, str] = SERVICES[name].get("environment", {})
    return found


def test_the_file_is_valid_by_the_compose_specification() -> None:
    parsed = compose_spec.PyCompose.from_json(json.dumps(COMPOSE))
    parsed.validate()
    assert set(parsed.services or {}) == set(SERVICES)


@EVERY
def test_every_service_says_when_it_is_well_or_ends_by_itself(name: str) -> None:
    if name in RUN_ONCE:
        assert SERVICES[name]["restart"] == "no"
        waits = [s["depends_on"].get(name) for s in SERVICES.values() if name in s.get("depends_on", {})]
        assert waits
        assert all(wait == {"condition": "service_completed_successfully"} for wait in waits)
    else:
        check = SERVICES[name]["healthcheck"]
        assert check["test"][0] in ("CMD", "CMD-SHELL")
        assert {"interval", "timeout", "retries"} <= check.keys()


@EVERY
def test_every_image_is_named_with_a_version(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.search(r":\d+\.\d+", image), image


@EVERY
def test_no_service_runs_as_root_or_can_become_it(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid"} & service.keys()


@EVERY
def test_no_secret_stands_in_the_environment_or_in_a_command(name: str) -> None:
    for key, value in environment_of(name).items():
        if re.search(r"PASSWORD|SECRET|FERNET|CONN_|URL$|URL_|_BACKEND(_CMD)?$|TOKEN", key):
            harmless = key.endswith(("_CMD", "_FILE", "_KWARGS")) or key in {
                "AIRFLOW__API__BASE_URL",
                "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
                "AIRFLOW__SECRETS__BACKEND",
                "AIRFLOW__WORKERS__SECRETS_BACKEND",
            }
            assert harmless, key
        if key.endswith("_CMD"):
            assert re.fullmatch(r"cat /run/secrets/[a-z_]+", value), key
    assert not re.search(r"://[^/\s]*:[^/\s]*@", json.dumps(SERVICES[name]))


@EVERY
def test_every_secret_that_is_read_is_given_and_every_secret_given_is_declared(name: str) -> None:
    targets = {s if isinstance(s, str) else s["target"] for s in SERVICES[name].get("secrets", [])}
    read = set(re.findall(r"/run/secrets/([a-z_.]+)", json.dumps(SERVICES[name])))
    assert read <= targets
    assert secrets_of(name) <= COMPOSE["secrets"].keys()


def test_every_secret_is_a_file_and_is_used() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    assert set().union(*(secrets_of(name) for name in SERVICES)) == set(COMPOSE["secrets"])


def test_no_worker_holds_airflows_database_or_the_keys_of_its_tokens() -> None:
    for name in WORKERS:
        assert secrets_of(name) & {"airflow_database", "jwt_secret", "fernet_key", "api_secret_key"} == set()


def test_only_the_recording_worker_and_the_pages_hold_the_approvers_role_and_only_ledger_init_the_owners() -> None:
    assert {n for n in SERVICES if "connections_recording" in secrets_of(n)} == {"worker-recording", "emulators"}
    assert {n for n in SERVICES if "connections_pages" in secrets_of(n)} == {"api-server"}
    assert {n for n in SERVICES if "connections_acting" in secrets_of(n)} == {"worker-acting"}
    assert {n for n in SERVICES if "ledger_migrator_url" in secrets_of(n)} == {"ledger-init"}


def test_every_queue_that_tasks_name_has_a_worker_in_both_profiles() -> None:
    tasks = (ROOT / "plugins" / "orchestration" / "tasks.py").read_text()
    named = set(re.findall(r'^(?:ACTING|RECORDING) = "(\w+)"', tasks, re.M))
    wanted = named | {environment_of("worker-reading")["AIRFLOW__OPERATORS__DEFAULT_QUEUE"]}
    assert wanted == {"acting", "recording", "reading"}
    for profile in ("production", "sandbox"):
        served = [
            re.search(r"--queues (\S+)", " ".join(SERVICES[n]["command"]))
            for n in WORKERS
            if SERVICES[n]["profiles"] == [profile]
        ]
        assert {queue for found in served if found for queue in found[1].split(",")} == wanted


def test_the_ledger_takes_only_verified_tls_and_passwords_from_the_network() -> None:
    assert "ssl=on" in SERVICES["ledger"]["command"]
    rules = [
        line.split()
        for line in (ROOT / "include/production/ledger_hba.conf").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert {rule[0] for rule in rules} == {"local", "hostssl"}
    assert {rule[-1] for rule in rules} == {"scram-sha-256"}


def test_nothing_is_reached_from_outside_this_host_and_databases_not_even_from_it() -> None:
    published = {n: s["ports"] for n, s in SERVICES.items() if "ports" in s}
    assert set(published) == {"api-server"}
    assert all(port.startswith("127.0.0.1:") for port in published["api-server"])
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("redis", "ledger", "airflow-database"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_every_file_that_is_mounted_or_copied_exists() -> None:
    mounted = [v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if v.startswith("./")]
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    for path in [*mounted, *(word for line in copied for word in line.split())]:
        assert (ROOT / path).exists(), path
        kept = (ROOT / ".dockerignore").read_text().splitlines()
        assert path.startswith("./include") or f"!{path}" in kept


def test_the_image_ends_without_root_and_installs_only_what_is_pinned_by_hash() -> None:
    lines = (ROOT / "Dockerfile").read_text()
    for stage in re.split(r"^FROM ", lines, flags=re.M)[1:-1]:
        users = re.findall(r"^USER (\S+)", stage, re.M)
        assert users[-1] == "50000:0"
    installs = re.findall(r"pip install[^\n]*(?:\\\n[^\n]*)*", lines)
    assert installs
    # The provider is ours, comes without dependencies and is built by uv itself: `--offline` lets nothing else in.
    assert all("--require-hashes" in line or "--offline --no-deps" in line for line in installs)


def test_lineage_that_would_copy_run_settings_elsewhere_stays_off() -> None:
    for name in OWN_IMAGE - RUN_ONCE - {"emulators"}:
        assert environment_of(name)["AIRFLOW__OPENLINEAGE__DISABLED"] == "True"


def test_a_variable_without_default_would_be_noticed() -> None:
    assert "${" not in json.dumps({k: v for k, v in COMPOSE.items() if k != "services"})
    assert FILE.read_text().count("${") > 0
