"""Do all commands keep the same manners? JSON for programs, help for people, no person named in an argument."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from retention.__main__ import COMMANDS, EXIT_CODES, main

ANSWER_IN_CSV = {"decide", "due"}  # fixed points: their answer is a table of its own
NOT_YET: set[str] = set()  # may only get shorter
NAMES_OF_PEOPLE = {"email", "e_mail", "mail", "address", "name", "phone", "person", "subject", "customer", "identifier"}


def commands(group: click.Group, context: click.Context, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command of the tree that does something, by the words one types."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, context, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


EVERY = dict(commands(main, click.Context(main)))  # type: ignore[arg-type]


@pytest.mark.parametrize("words", EVERY)
def test_every_command_answers_programs_in_json(words: str) -> None:
    if words in ANSWER_IN_CSV | NOT_YET:
        pytest.skip("answers in a table of its own")
    assert "--json" in {option for parameter in EVERY[words].params for option in parameter.opts}


@pytest.mark.parametrize("words", EVERY)
def test_every_command_and_every_option_says_what_it_is_for(words: str) -> None:
    command = EVERY[words]
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.hidden and not p.help]
    assert command.help
    assert silent == []


@pytest.mark.parametrize("words", EVERY)
def test_no_command_takes_a_person_by_argument_where_others_could_read_it(words: str) -> None:
    asked = {option.lstrip("-").replace("-", "_") for p in EVERY[words].params for option in (*p.opts, p.name or "")}
    assert asked & NAMES_OF_PEOPLE == set()


@pytest.mark.parametrize("words", EVERY)
def test_the_help_of_every_command_ends_with_its_exit_codes(words: str) -> None:
    said = CliRunner().invoke(main, [*words.split(), "--help"])
    assert said.exit_code == 0
    assert " ".join(said.output.split()).endswith(EXIT_CODES)


def test_every_command_is_in_the_table_of_the_documentation() -> None:
    table = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    undocumented = [words for words in EVERY if f"| `{words}" not in table]
    assert undocumented == []


def test_commands_are_listed_without_being_loaded() -> None:
    assert main.list_commands(click.Context(main)) == list(COMMANDS)  # type: ignore[attr-defined]


@pytest.fixture
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("RETENTION_LEDGER_URL", "RETENTION_KEYS", "RETENTION_POLICY", "RETENTION_SIGNING_KEY", "AS_OF"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def said_by(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, words)
    return result.exit_code, result.stderr


def test_without_a_ledger_a_command_says_which_variable_is_missing(nothing_is_set: pytest.MonkeyPatch) -> None:
    assert said_by("mode") == (2, "Error: RETENTION_LEDGER_URL is not set: see `python -m retention ledger --help`\n")


def test_a_ledger_out_of_reach_is_one_line_without_its_password(nothing_is_set: pytest.MonkeyPatch) -> None:
    nothing_is_set.setenv("RETENTION_LEDGER_URL", "postgresql://someone:top-secret@127.0.0.1:1/ledger")
    code, text = said_by("audit", "export", "nowhere")
    assert code == 2
    assert text.startswith("Error: the ledger at 127.0.0.1:1/ledger cannot be reached")
    assert "top-secret" not in text


def test_unusable_keys_are_one_line(nothing_is_set: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    nothing_is_set.setenv("RETENTION_LEDGER_URL", "postgresql://someone@127.0.0.1:1/ledger")
    nothing_is_set.setenv("RETENTION_KEYS", str(tmp_path / "keys.json"))
    assert said_by("mode") == (
        2,
        "Error: the retention keys name no generations: restore them from your secret store\n",
    )


def test_an_unusable_policy_is_one_line(nothing_is_set: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert said_by("keys", "init", str(tmp_path))[0] == 0
    nothing_is_set.setenv("RETENTION_LEDGER_URL", "postgresql://someone@127.0.0.1:1/ledger")
    nothing_is_set.setenv("RETENTION_KEYS", str(tmp_path / "keys.json"))
    nothing_is_set.setenv("RETENTION_POLICY", str(tmp_path))
    assert said_by("mode") == (2, "Error: schedule.yaml: cannot be read: No such file or directory\n")


def test_a_day_that_is_none_is_named(nothing_is_set: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert said_by("keys", "init", str(tmp_path))[0] == 0
    nothing_is_set.setenv("RETENTION_LEDGER_URL", "postgresql://someone@127.0.0.1:1/ledger")
    nothing_is_set.setenv("RETENTION_KEYS", str(tmp_path / "keys.json"))
    nothing_is_set.setenv("AS_OF", "yesterday")
    assert said_by("mode") == (2, "Error: AS_OF is no day: write it as YYYY-MM-DD, or leave it out\n")
