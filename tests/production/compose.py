"""What does docker-compose.yaml say, read as Docker reads it, and what does it mean on a machine without Docker?"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

FILE = ROOT / "docker-compose.yaml"
_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>[A-Z_]+)(?::-(?P<default>[^}]*))?\}")


def load(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file with anchors merged and variables put in; a variable without value and default is an error."""
    told = variables or {}
    document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    filled: dict[str, Any] = _filled(document, told)
    return filled


def _filled(value: Any, told: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, told), value)
    if isinstance(value, dict):
        return {name: _filled(inner, told) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, told) for inner in value]
    return value


def _value(found: re.Match[str], told: Mapping[str, str]) -> str:
    if found[0] == "$$":
        return "$"
    value = told.get(found["name"]) or found["default"]
    if value is None:
        raise KeyError(f"${{{found['name']}}} has neither a value nor a default")
    return value


@dataclass(frozen=True)
class Here:
    """Where on this machine things are that a container has at a place of its own."""

    variables: Mapping[str, str]
    home: Path
    hosts: Mapping[str, str] = field(default_factory=dict)

    def service(self, name: str, hostname: str) -> Service:
        """A service of the file as a process of this machine: the same command, settings and health check."""
        document = load(self.variables)
        told = document["services"][name]
        places = self._places(document, told, name)
        environment = {key: _placed(str(value), places) for key, value in told.get("environment", {}).items()}
        kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
        path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
        check = told.get("healthcheck", {}).get("test", [])
        return Service(
            name,
            [_placed(word, places) for word in told["command"]],
            {**kept, "PATH": path, "HOSTNAME": hostname, **environment},
            [_placed(word, places) for word in check],
        )

    def _places(self, document: Mapping[str, Any], told: Mapping[str, Any], name: str) -> dict[str, str]:
        given = {}
        for secret in told.get("secrets", []):
            source, target = (secret, secret) if isinstance(secret, str) else (secret["source"], secret["target"])
            given[f"/run/secrets/{target}"] = document["secrets"][source]["file"]
        volumes = dict(volume.split(":")[:2][::-1] for volume in told.get("volumes", []))
        mounted = {target: str(self.home / source) for target, source in volumes.items() if "/" not in source}
        given |= mounted | {"/opt/airflow": str(self.home / "airflow" / name), "/opt/retention": str(ROOT)}
        # The longest first: a volume lies below the folder of its owner, and one secret's name may begin another's.
        given = dict(sorted(given.items(), key=lambda pair: -len(pair[0])))
        return given | {f"//{host}:": f"//{address}:" for host, address in self.hosts.items()}


def _placed(text: str, places: Mapping[str, str]) -> str:
    for there, here in places.items():
        text = text.replace(there, here)
    return text


@dataclass(frozen=True)
class Service:
    """A service as a process of this machine."""

    name: str
    command: list[str]
    environment: dict[str, str]
    check: list[str]

    @property
    def health(self) -> list[str]:
        """The health check as a command."""
        kind, *words = self.check
        return ["sh", "-c", words[0]] if kind == "CMD-SHELL" else words
