"""How do our own tables of decision cases turn into items? Facts are `key=value`, typed by the fields of `Item`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

from retention.item import Item
from retention.verdicts import Disposition, FollowUp, ReasonCode

TODAY = date(2029, 3, 1)
USUAL = {"lawful_basis": "consent", "collected_on": "2027-09-01"}
KINDS = get_type_hints(Item)


@dataclass(frozen=True)
class Case:
    """One line: the story, its facts, and what must come of it."""

    story: str
    item: Item
    today: date
    disposition: Disposition
    reason: ReasonCode
    follow_ups: frozenset[FollowUp]


def read_cases(path: Path) -> list[Case]:
    """Read a table of cases."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [_case(row) for row in csv.DictReader(lines, strict=True)]


def _case(row: dict[str, str]) -> Case:
    given = dict(fact.strip().split("=") for fact in row["facts"].split(";") if fact.strip())
    today = date.fromisoformat(given.pop("today", TODAY.isoformat()))
    facts = USUAL | {"data_class": row["data_class"]} | given
    return Case(
        story=row["case"],
        item=Item(**{name: _value(KINDS[name], text) for name, text in facts.items()}),
        today=today,
        disposition=Disposition(row["disposition"]),
        reason=ReasonCode(row["reason"]),
        follow_ups=frozenset(FollowUp(code) for code in row["follow_ups"].split(";") if code),
    )


def _value(kind: Any, text: str) -> Any:
    if kind is bool:
        return {"yes": True, "no": False}[text]
    if kind == date | None:
        return date.fromisoformat(text) if text else None
    return kind(text)
