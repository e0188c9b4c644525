"""What goes into a copy? Each record as JSON and as a table, documents and mails as they are, and a page to read first.

Only what is surely the person's goes in. What is about other people, too, is withheld and said to be (Art. 15(4)); so
is, of a portable copy, what rests on neither consent nor contract (Art. 20(1)).
"""

from __future__ import annotations

import csv
import io
import json
import mimetypes
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

import jinja2

from retention.clocks import Right
from retention.contract import Connector
from retention.requests.notices import FOLDER
from retention.spreadsheet import harmless
from retention.store import request_copies
from retention.store.desk import Desk
from retention.store.request_copies import Held
from retention.store.requests import Request
from retention.store.sweeps import Sweep
from retention.vocabulary import Document, LawfulBasis

AT_ONCE = 100
"""How many records a system is asked for at a time."""

PORTABLE = frozenset({LawfulBasis.CONSENT, LawfulBasis.CONTRACT})


class Withheld(StrEnum):
    """Why a record is not in a copy, in the words of the page."""

    ABOUT_OTHERS = "withheld, because it is about other people, too (Article 15(4))"
    NOT_PORTABLE = "not part of a portable copy, which holds what rests on consent or contract (Article 20(1))"
    GONE = "it was there when we looked for it and was gone when the copy was made"


@dataclass(frozen=True, slots=True)
class Listed:
    """One record as the page shows it: its files, or why it has none."""

    kind: str
    files: tuple[str, ...] = ()
    withheld: Withheld | None = None


@dataclass(frozen=True, slots=True)
class OfSystem:
    """What a copy holds of one system, and how much there could not be read."""

    listed: tuple[Listed, ...]
    unread: int


def write(
    desk: Desk, run: Sweep, request: Request, connectors: Sequence[Connector], target: BinaryIO
) -> Mapping[str, OfSystem]:
    """Write the archive front to back, a hundred records in memory at a time; returns what is in it, by system."""
    held: dict[str, OfSystem] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for connector in connectors:
            system = connector.system
            with desk.transaction() as db:
                mine = request_copies.records(db, desk.keyring, run.sweep_id, request.request_id, system)
                unread = request_copies.unread(db, run.sweep_id, system)
            held[system] = OfSystem(tuple(_of_system(archive, connector, request, mine)), unread)
        archive.writestr("index.html", _index(desk, request, held))
    return held


def _of_system(
    archive: zipfile.ZipFile, connector: Connector, request: Request, mine: Sequence[Held]
) -> Iterator[Listed]:
    reasons = {record.ref: _withheld(request, record) for record in mine}
    whole = [ref for ref, reason in reasons.items() if reason is None]
    number = 0
    for start in range(0, len(whole), AT_ONCE):
        some = whole[start : start + AT_ONCE]
        there = 0
        for document in connector.export(some):
            there, number = there + 1, number + 1
            name = f"{connector.system}/{document.ref.kind}-{number}"
            yield Listed(document.ref.kind, tuple(_put(archive, name, document)))
        for _ in range(len(some) - there):
            yield Listed("record", withheld=Withheld.GONE)
    yield from (Listed(ref.kind, withheld=reason) for ref, reason in reasons.items() if reason is not None)


def _withheld(request: Request, record: Held) -> Withheld | None:
    if record.about_others:
        return Withheld.ABOUT_OTHERS
    if request.asks_for is Right.PORTABILITY and PORTABLE.isdisjoint(record.bases):
        return Withheld.NOT_PORTABLE
    return None


def _put(archive: zipfile.ZipFile, name: str, document: Document) -> Iterator[str]:
    ending = mimetypes.guess_extension(document.media_type.partition(";")[0]) or ".bin"
    archive.writestr(f"{name}{ending}", document.content)
    yield f"{name}{ending}"
    if ending == ".json" and (rows := _rows(document.content)):
        archive.writestr(f"{name}.csv", _csv(rows))
        yield f"{name}.csv"


def _rows(content: bytes) -> list[tuple[str, str]]:
    """An object as rows of name and value, `outer.inner` for what lies deeper; anything else has no sensible table."""
    try:
        read = json.loads(content)
    except ValueError:
        return []
    return list(_flat("", read)) if isinstance(read, dict) else []


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        inner: Iterable[tuple[object, object]] = value.items()
    elif isinstance(value, list):
        inner = enumerate(value, start=1)
    else:
        yield name, "" if value is None else str(value)
        return
    for part, one in inner:
        yield from _flat(f"{name}.{part}" if name else str(part), one)


def _csv(rows: Sequence[tuple[str, str]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(("field", "value"))
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return written.getvalue()


def _index(desk: Desk, request: Request, held: Mapping[str, OfSystem]) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True)
    source = (FOLDER / "copy.html").read_text(encoding="utf-8")
    rules = desk.policy.schedule
    return environment.from_string(source).render(
        request_id=request.request_id,
        received_on=request.received_at.date().isoformat(),
        made_on=desk.today.isoformat(),
        controller=rules.answering.controller,
        contact=rules.answering.contact,
        rules=rules.rules,
        held=held,
        not_covered=[system for system in desk.policy.systems if system not in held],
    )
