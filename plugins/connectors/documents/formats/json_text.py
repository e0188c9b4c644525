"""Which strings stand in a JSON file, names of fields included?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from connectors.documents.formats import plain_text
from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps


def read(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Every string with its escapes resolved. One value a line is read too; what is no JSON is read as plain text."""
    for text in plain_text.readings(content):
        try:
            values = list(values_of(text))
        except (ValueError, RecursionError):
            emit(text)
            continue
        for value in values:
            for one in strings_in(value):
                emit(one)
    return Stamps()


def values_of(text: str) -> Iterator[Any]:
    """The value of a file, or those of its lines."""
    try:
        yield DECODER.decode(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        yield from [DECODER.decode(line) for line in lines]


def strings_in(value: Any) -> Iterator[str]:
    """Every string and every number as text, depth first."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list | tuple):
            waiting.extend(one)


class _Pairs(list[tuple[str, Any]]):
    """An object with every field it has, twice if it stands there twice."""


DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
