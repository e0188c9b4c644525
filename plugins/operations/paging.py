"""How does one list become pages? The link to the next one carries the keys of the last row: ids and days, no names."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from fastapi import HTTPException

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page of a list, and where the next begins; empty if this is the last."""

    items: Sequence[T]
    after: str = ""


def page_of(found: Sequence[T], size: int, keys: Callable[[T], tuple[object, ...]]) -> Listed[T]:
    """A page of what was asked for as one more than fits."""
    if len(found) <= size:
        return Listed(found)
    last = found[size - 1]
    raw = json.dumps([str(key) for key in keys(last)]).encode()
    return Listed(found[:size], base64.urlsafe_b64encode(raw).decode())


def day_and_id(after: str) -> tuple[date, str] | None:
    """Where to go on, for lists by day."""
    return _keys(after, lambda raw: (date.fromisoformat(raw[0]), raw[1]))


def moment_and_id(after: str) -> tuple[datetime, str] | None:
    """Where to go on, for lists by moment."""
    return _keys(after, lambda raw: (datetime.fromisoformat(raw[0]), raw[1]))


def moment(after: str) -> datetime | None:
    """Where to go on, for lists whose moments are their own."""
    return _keys(after, lambda raw: datetime.fromisoformat(raw[0]))


def _keys(after: str, read: Callable[[list[str]], T]) -> T | None:
    if not after:
        return None
    try:
        return read(json.loads(base64.urlsafe_b64decode(after.encode())))
    except (ValueError, IndexError, TypeError):
        raise HTTPException(400, "this link to a further page is not one of ours: begin with the first page") from None
