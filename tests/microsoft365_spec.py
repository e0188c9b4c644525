"""What does Microsoft publish of Graph? The slice of its OpenAPI description, where it lies beside the checkout."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

SPEC = Path(__file__).parents[1].parent / "shared" / "specs" / "microsoft-graph" / "openapi.yaml"


@functools.cache
def described() -> Mapping[str, Any]:
    """The whole description."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: Mapping[str, Any] = yaml.load(SPEC.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    return found


def operation(verb: str, path: str) -> tuple[str, Mapping[str, Any]] | None:
    """The published operation of a call; literal parts of a path win over its variables."""
    fitting = [
        template
        for template in described()["paths"]
        if re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)), path)
        and verb.lower() in described()["paths"][template]
    ]
    if not fitting:
        return None
    best = min(fitting, key=lambda template: template.count("{"))
    return best, described()["paths"][best][verb.lower()]
