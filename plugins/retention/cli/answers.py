"""How does a command answer? A table for people, or with `--json` one JSON document for programs; never both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import click

SHOWN = 24
"""So many digits of a pseudonym are shown: enough to tell records apart."""

F = TypeVar("F", bound=Callable[..., Any])

as_json_option: Callable[[F], F] = click.option(
    "--json", "as_json", is_flag=True, help="Answer with one JSON document on standard output."
)
"""To be put on every command that answers; the function takes `as_json`."""


def tell(answer: Mapping[str, Any], as_json: bool, text: str) -> None:
    """Say what was done: `text` to a person, `answer` to a program."""
    click.echo(_json(answer) if as_json else text)


def tell_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool, nothing: str) -> None:
    """List rows: aligned columns to a person (`nothing` if there is none), a JSON array to a program."""
    listed = [dict(row) for row in rows]
    if as_json:
        click.echo(_json(listed))
        return
    if not listed:
        click.echo(nothing)
        return
    lines = [list(columns), *([_cell(row[name]) for name in columns] for row in listed)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, list | tuple | frozenset | set):
        return ",".join(sorted(map(str, value))) or "-"
    return str(value)


def _json(answer: Any) -> str:
    return json.dumps(answer, indent=2, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
