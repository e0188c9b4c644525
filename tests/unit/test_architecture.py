"""Do all arrows between modules point the right way, and are modules small, named after their job and documented?"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("dags", "plugins", "provider", "sandbox", "tools")

OURS = frozenset({"dags", "orchestration", "retention", "connectors", "sandbox", "tools", "tests"})
VENDOR_CLIENTS = frozenset({"simple_salesforce", "hubspot", "paramiko", "msal", "requests", "httpx"})
DATABASES = frozenset({"sqlalchemy", "psycopg", "psycopg2", "sqlite3"})
AIRFLOW = frozenset({"airflow"})


@dataclass(frozen=True)
class Layer:
    """What the modules below a path may import. The longest matching path decides; the standard library is free."""

    path: str
    ours: frozenset[str]  # of our own packages: only these, or what lies below them
    theirs: frozenset[str] | None = None  # of other packages: only these; None: any
    never: frozenset[str] = frozenset()
    lines: int = 400


LAYERS = (
    Layer("dags", frozenset({"orchestration"}), theirs=frozenset({"airflow", "pendulum"}), lines=80),
    Layer("plugins", frozenset({"orchestration", "retention"}), never=DATABASES),
    Layer("plugins/orchestration", frozenset({"orchestration", "retention"}), never=DATABASES),
    Layer("plugins/orchestration/wiring.py", frozenset({"orchestration", "retention", "connectors"}), never=DATABASES),
    Layer("plugins/retention", frozenset({"retention"}), never=AIRFLOW | VENDOR_CLIENTS | DATABASES),
    Layer("plugins/retention/store", frozenset({"retention"}), never=AIRFLOW | VENDOR_CLIENTS),
    Layer(
        "plugins/connectors",
        frozenset({"connectors", "retention.contract", "retention.listings", "retention.vocabulary"}),
        never=AIRFLOW | DATABASES,
    ),
    Layer("sandbox", frozenset({"sandbox"})),
    Layer("provider", frozenset({"orchestration"}), never=DATABASES | VENDOR_CLIENTS),
    Layer("tools", OURS - {"tests"}),
    Layer("tools/verify_audit.py", frozenset(), theirs=frozenset({"cryptography"})),
)

SAYS_NOTHING = frozenset({"util", "utils", "helper", "helpers", "common", "base", "misc", "manager", "managers"})


def layer_of(path: PurePosixPath) -> Layer:
    above = {str(folder) for folder in (path, *path.parents)}
    return max((layer for layer in LAYERS if layer.path in above), key=lambda layer: len(layer.path))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Everything that is imported, anywhere in the module, with its line. Relative imports begin with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            name = first.value if isinstance(first, ast.Constant) else None
            if called in {"import_module", "__import__"} and isinstance(name, str):
                yield node.lineno, name


def is_below(name: str, packages: frozenset[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def is_allowed(name: str, layer: Layer) -> bool:
    package = name.split(".")[0]
    if package in OURS:
        return is_below(name, layer.ours)
    if package in layer.never:
        return False
    return layer.theirs is None or package in layer.theirs or package in sys.stdlib_module_names


def violations(path: PurePosixPath, source: str) -> Iterator[str]:
    """Say what is wrong with one module, given where it lies and what it says."""
    layer = layer_of(path)
    tree = ast.parse(source)
    for line, name in imports(tree):
        if name.startswith("."):
            yield f"{path}:{line} imports relatively ({name}); write the whole name"
        elif not is_allowed(name, layer):
            yield f"{path}:{line} imports {name}, which {layer.path} may not"
    if (length := len(source.splitlines())) > layer.lines:
        yield f"{path} has {length} lines, more than {layer.lines}; it has two jobs"
    if not ast.get_docstring(tree):
        yield f"{path} does not begin with a docstring that says what question it answers"
    if SAYS_NOTHING & set(path.stem.lower().split("_")):
        yield f"{path} has a name that says nothing; name it by a word of the domain"
    if path.parts[0] == "plugins" and path.parts[1].removesuffix(".py") in sys.stdlib_module_names:
        yield f"{path} hides the module of that name in the standard library"


def modules() -> list[PurePosixPath]:
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return sorted(PurePosixPath(path.relative_to(ROOT).as_posix()) for path in found)


def test_every_module_keeps_the_rules() -> None:
    found = [text for path in modules() for text in violations(path, (ROOT / path).read_text(encoding="utf-8"))]
    assert not found, "\n" + "\n".join(found)


def test_the_rules_are_asked_of_every_part_of_the_product() -> None:
    asked = {layer_of(path).path for path in modules()}
    assert {"plugins/retention", "plugins/connectors", "plugins/orchestration", "sandbox"} <= asked


DOCUMENTED = '"""Which question? This one."""\n'

WRONG = {
    "a DAG reaches into the core": ("dags/nightly.py", "from retention import plan", "imports retention.plan"),
    "a DAG reaches for a connector": ("dags/nightly.py", "import connectors.hubspot", "imports connectors.hubspot"),
    "a DAG uses another library": ("dags/nightly.py", "import requests", "imports requests"),
    "the core knows Airflow": ("plugins/retention/decide.py", "from airflow.sdk import DAG", "imports airflow.sdk.DAG"),
    "the core knows a connector": (
        "plugins/retention/plan.py",
        "from connectors.hubspot import HubSpotConnector",
        "imports connectors.hubspot.HubSpotConnector",
    ),
    "the core knows its glue": ("plugins/retention/plan.py", "import orchestration", "imports orchestration"),
    "the core knows the sandbox": ("plugins/retention/plan.py", "import sandbox.clock", "imports sandbox.clock"),
    "the core calls a vendor": ("plugins/retention/plan.py", "import simple_salesforce", "imports simple_salesforce"),
    "the core calls out": ("plugins/retention/cli/main.py", "import httpx", "imports httpx"),
    "SQL outside the store": ("plugins/retention/plan.py", "import sqlalchemy.orm", "imports sqlalchemy.orm"),
    "SQL in the glue": ("plugins/orchestration/tasks.py", "import psycopg", "imports psycopg"),
    "the store knows Airflow": ("plugins/retention/store/ledger.py", "import airflow", "imports airflow"),
    "a connector decides": (
        "plugins/connectors/hubspot/search.py",
        "from retention.decide import decide",
        "imports retention.decide.decide",
    ),
    "a connector takes the whole core": ("plugins/connectors/sftp.py", "import retention", "imports retention"),
    "a connector knows a module with a like name": (
        "plugins/connectors/sftp.py",
        "import retention.contracts",
        "imports retention.contracts",
    ),
    "a connector knows Airflow": ("plugins/connectors/sftp.py", "from airflow import models", "imports airflow.models"),
    "a connector stores": ("plugins/connectors/sftp.py", "import sqlalchemy", "imports sqlalchemy"),
    "glue other than the wiring knows a connector": (
        "plugins/orchestration/tasks.py",
        "from connectors import hubspot",
        "imports connectors.hubspot",
    ),
    "a plugin knows a connector": ("plugins/page.py", "import connectors.hubspot", "imports connectors.hubspot"),
    "the sandbox knows the words": (
        "sandbox/population.py",
        "from retention.vocabulary import Action",
        "imports retention.vocabulary.Action",
    ),
    "the sandbox knows the glue": ("sandbox/stack/up.py", "import orchestration.tasks", "imports orchestration.tasks"),
    "the auditor's checker trusts us": ("tools/verify_audit.py", "import retention.audit", "imports retention.audit"),
    "the auditor's checker needs more": ("tools/verify_audit.py", "import pydantic", "imports pydantic"),
    "the product knows its tests": (
        "tools/bench.py",
        "import tests.memory_connector",
        "imports tests.memory_connector",
    ),
    "an import inside a function": (
        "plugins/retention/plan.py",
        "def late():\n    import paramiko",
        "plan.py:3 imports paramiko",
    ),
    "an import for types only": (
        "plugins/retention/plan.py",
        "if TYPE_CHECKING:\n    import msal",
        "plan.py:3 imports msal",
    ),
    "an import by name": (
        "plugins/orchestration/tasks.py",
        "importlib.import_module('connectors.sftp')",
        "imports connectors.sftp",
    ),
    "a relative import": ("plugins/retention/plan.py", "from . import decide", "imports relatively"),
    "a relative import from above": ("plugins/retention/store/holds.py", "from ..plan import Plan", "relatively"),
    "a long module": ("sandbox/server.py", "\n" * 400, "has 401 lines, more than 400"),
    "a long DAG file": ("dags/nightly.py", "\n" * 80, "has 81 lines, more than 80"),
    "utils": ("plugins/retention/utils.py", "", "name that says nothing"),
    "a manager": ("plugins/orchestration/sweep_manager.py", "", "name that says nothing"),
    "a plugin named like a standard module": ("plugins/calendar.py", "", "hides the module"),
    "a package named like a standard module": ("plugins/queue/__init__.py", "", "hides the module"),
}

RIGHT = {
    "a DAG": ("dags/nightly.py", "import pendulum\nfrom airflow.sdk import DAG\nfrom orchestration import tasks"),
    "a DAG of eighty lines": ("dags/nightly.py", "\n" * 79),
    "the core": ("plugins/retention/plan.py", "import hashlib\nfrom retention.vocabulary import Step\nimport pydantic"),
    "the store": ("plugins/retention/store/ledger.py", "import sqlalchemy\nfrom retention.plan import Plan"),
    "a connector": (
        "plugins/connectors/hubspot/search.py",
        "import hubspot\nfrom connectors.hubspot import paging\nfrom retention import contract, vocabulary",
    ),
    "the wiring": ("plugins/orchestration/wiring.py", "from airflow.sdk import Connection\nimport connectors.sftp"),
    "the glue": ("plugins/orchestration/tasks.py", "from orchestration.wiring import SYSTEMS\nimport retention.plan"),
    "the sandbox": ("sandbox/server.py", "import uvicorn\nfrom sandbox import clock"),
    "the auditor's checker": ("tools/verify_audit.py", "import json\nfrom cryptography.hazmat import primitives"),
    "a database in a name": ("plugins/connectors/database.py", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_module_that_breaks_a_rule_is_named(case: str) -> None:
    path, source, expected = WRONG[case]
    (said,) = violations(PurePosixPath(path), DOCUMENTED + source)
    assert path in said
    assert expected in said


@pytest.mark.parametrize("case", RIGHT)
def test_a_module_that_keeps_the_rules_is_left_in_peace(case: str) -> None:
    path, source = RIGHT[case]
    assert list(violations(PurePosixPath(path), DOCUMENTED + source)) == []


def test_a_module_without_a_docstring_is_named() -> None:
    (said,) = violations(PurePosixPath("sandbox/server.py"), "import json\n")
    assert "docstring" in said
