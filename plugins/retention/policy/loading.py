"""How do two YAML files become one digested `Policy`? Every mistake on the way names file, line, place and fix."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError

from retention.limits import Guards
from retention.policy.schedule import Schedule
from retention.policy.shape import Place, PolicyError, Strict
from retention.policy.stores import StoreName, StorePolicy
from retention.policy.systems import SystemPolicy, Systems
from retention.policy.yaml_file import Document, read

M = TypeVar("M", bound=BaseModel)

SCHEDULE, SYSTEMS = "schedule.yaml", "systems.yaml"
NAMED_BY = ("rule", "data_class")
"""By which key a member of a list is named in an error, instead of by its number."""


class Policy(Strict):
    """Schedule and systems together, with a digest that approvals and plans are bound to."""

    schedule: Schedule
    systems: dict[str, SystemPolicy]
    stores: dict[StoreName, StorePolicy] = Field(default_factory=dict)
    digest: str

    def guards_of(self, system: str) -> Guards:
        """The limits of one system: the schedule's, with the system's own in their place."""
        return self.systems[system].guards.applied_to(self.schedule.guards)

    def refuse_unknown(self, system: str) -> None:
        """Raise for a system the policy does not have."""
        if system not in self.systems:
            raise PolicyError(f"no system {system!r} in the policy; known: {', '.join(self.systems)}")


def load(folder: Path) -> Policy:
    """Read and validate the policy files of a folder."""
    schedule = _valid(folder / SCHEDULE, Schedule)
    systems = _valid(folder / SYSTEMS, Systems)
    parts = [schedule.model_dump(), systems.model_dump()]
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return Policy(
        schedule=schedule,
        systems=dict(systems.systems),
        stores=dict(systems.stores),
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
    )


def _plain(value: Any) -> Any:
    """A set has no order of its own: as it comes, the digest would differ from process to process."""
    return sorted(value) if isinstance(value, frozenset) else str(value)


def _valid(path: Path, model: type[M]) -> M:
    document = read(path)
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        lines = [_explained(document, problem, model) for problem in error.errors()]
        raise PolicyError("\n".join(dict.fromkeys(lines))) from error


def _explained(document: Document, problem: Any, model: type[BaseModel]) -> str:
    place: Place = tuple(part for part in problem["loc"] if part != "[key]")
    place += tuple(problem.get("ctx", {}).get("at", ()))
    where = ".".join(_named(document.data, place)) or "the file"
    says = problem["msg"]
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), sorted(_known_keys(model)), n=1)
        says = f"unknown key; did you mean {near[0]!r}?" if near else "unknown key; remove it"
    elif problem["type"] == "missing":
        says = "is missing; add it"
    elif problem["type"] == "too_short":
        says = "is empty; name at least one"
    return f"{document.file}:{document.line(place)}: {where}: {says}"


def _named(data: Any, place: Place) -> Iterator[str]:
    for part in place:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
        name = next((data[key] for key in NAMED_BY if key in data), part) if isinstance(data, Mapping) else part
        yield str(name if isinstance(part, int) else part)


def _known_keys(model: type[BaseModel]) -> set[str]:
    """The keys of a model and of every model inside it."""
    found: set[str] = set()
    waiting: list[Any] = [model]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= set(kind.model_fields)
            waiting += [field.annotation for field in kind.model_fields.values()]
        waiting += get_args(kind)
    return found
