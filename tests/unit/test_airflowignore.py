"""Does Airflow's plugin loader leave our packages alone? Asked of the loader itself, over the real plugins folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
PACKAGES = ("retention", "connectors", "orchestration", "intake", "operations")
IGNORE_FILE = ".airflowignore"

# Airflow keeps modules for the whole process and takes seconds to import: it answers all questions from one of its own.
AIRFLOW = """
import json, sys
answers, sys.stdout = sys.stdout, sys.stderr  # Airflow logs to standard output
from airflow._shared.module_loading import find_path_from_directory
from airflow._shared.plugins_manager import _load_plugins_from_plugin_directory

def walk(folder, ignore_file, syntax):
    return list(find_path_from_directory(folder, ignore_file, syntax))

def load(folder):
    before = dict(sys.modules)
    _load_plugins_from_plugin_directory(folder)
    files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
    sys.modules.clear()
    sys.modules.update(before)
    return {name: file for name, file in files.items() if file.startswith(folder)}

for line in sys.stdin:
    question, *arguments = json.loads(line)
    print(json.dumps({"walk": walk, "load": load}[question](*arguments)), file=answers, flush=True)
"""

Ask = Callable[..., list[str] | dict[str, str]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")), "PYTHONPATH": str(PLUGINS)}
    with subprocess.Popen(
        [sys.executable, "-c", AIRFLOW], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as airflow:
        assert airflow.stdin
        assert airflow.stdout
        questions, answers = airflow.stdin, airflow.stdout

        def ask_airflow(*question: str) -> list[str] | dict[str, str]:
            questions.write(json.dumps(question) + "\n")
            questions.flush()
            answer: list[str] | dict[str, str] = json.loads(answers.readline())
            return answer

        yield ask_airflow
        airflow.stdin.close()


def modules_of_ours() -> set[str]:
    return {str(path) for package in PACKAGES for path in (PLUGINS / package).rglob("*.py")}


@pytest.mark.parametrize("syntax", ["glob", "regexp"])
def test_the_walk_over_the_plugins_folder_lists_no_module_of_ours(ask: Ask, syntax: str) -> None:
    assert modules_of_ours().isdisjoint(ask("walk", str(PLUGINS), IGNORE_FILE, syntax))


def test_without_the_ignore_file_the_walk_would_list_every_module_of_ours(ask: Ask) -> None:
    ours = modules_of_ours()
    assert {Path(path).relative_to(PLUGINS).parts[0] for path in ours} == set(PACKAGES)
    assert ours <= set(ask("walk", str(PLUGINS), "no-such-file", "glob"))


def test_loading_the_plugins_registers_no_module_of_ours_under_a_bare_name(ask: Ask) -> None:
    loaded = ask("load", str(PLUGINS))
    assert isinstance(loaded, dict)
    of_ours = {name for name, file in loaded.items() if file in modules_of_ours()}
    # A plugin may import our packages; they are then there under their full names.
    assert {name for name in of_ours if name.split(".")[0] not in PACKAGES} == set()


@pytest.mark.parametrize("is_ignored", [True, False])
def test_an_ignored_module_cannot_replace_a_standard_one(ask: Ask, tmp_path: Path, is_ignored: bool) -> None:
    module = tmp_path / "retention" / "calendar.py"
    module.parent.mkdir()
    module.write_text('"""Not the calendar that the standard library means."""\n')
    if is_ignored:
        (tmp_path / IGNORE_FILE).write_text((PLUGINS / IGNORE_FILE).read_text())
    assert ask("load", str(tmp_path)) == ({} if is_ignored else {"calendar": str(module)})


def test_a_plugin_beside_our_packages_is_still_loaded(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / IGNORE_FILE).write_text((PLUGINS / IGNORE_FILE).read_text())
    plugin = tmp_path / "page_plugin.py"
    plugin.write_text('"""A plugin."""\n')
    assert ask("load", str(tmp_path)) == {"page_plugin": str(plugin)}
