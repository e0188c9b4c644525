"""How does somebody get what is held about them (Art. 15, 20)? One encrypted file, fetched by a link that ends.

Only what is surely theirs goes in. An item that is about other people, too, is withheld and said to be (Art. 15(4)). A
system that cannot be exported from makes no smaller copy: none is made, and the request stays open.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import mimetypes
import secrets
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2

from retention.contract import Connector
from retention.impediment import Impediment
from retention.requests import notices
from retention.requests.container import Encrypting, fresh_passphrase
from retention.requests.mailer import Mailer
from retention.requests.notices import FOLDER, ByPost, Template
from retention.spreadsheet import harmless
from retention.store import request_copies, requests
from retention.store.desk import Desk
from retention.store.sweeps import Sweep
from retention.vocabulary import Document

AT_ONCE = 100
"""How many records a system is asked for at a time."""


class NoSuchCopy(Impediment):
    """A link leads to nothing: unknown, expired, or the copy is destroyed."""


@dataclass(frozen=True, slots=True)
class Made:
    """A copy that waits to be fetched. Link token and passphrase are told once, by different ways."""

    copy_id: str
    token: str = field(repr=False)
    passphrase: str = field(repr=False)
    records: int
    withheld: int


def make(desk: Desk, run: Sweep, request_id: str, connectors: Sequence[Connector], folder: Path) -> Made:
    """Write the copy of one person's data into a folder, from what a run found and has not yet forgotten."""
    copy_id, token, passphrase = f"copy-{uuid.uuid4().hex[:24]}", secrets.token_urlsafe(32), fresh_passphrase()
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, copy_id)
    try:
        with path.open("xb") as target, Encrypting(target, passphrase) as encrypting:
            held = _write(desk, run, request_id, connectors, encrypting)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    path.chmod(0o600)
    now = desk.now()
    with desk.transaction() as db:
        request_copies.record(
            db,
            copy_id,
            request_id,
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            size=path.stat().st_size,
            token_digest=_digest(token),
            made_at=now,
            expires_at=now + timedelta(days=desk.policy.schedule.answering.copy_days),
        )
    records, withheld = sum(map(len, held.values())), sum(one["withheld"] for of in held.values() for one in of)
    return Made(copy_id, token, passphrase, records - withheld, withheld)


def deliver(
    desk: Desk, mailer: Mailer | None, request_id: str, made: Made, page: str, by_post: ByPost | None = None
) -> str:
    """Send the link; the passphrase goes another way. Returns the notice's id."""
    expires = desk.today + timedelta(days=desk.policy.schedule.answering.copy_days)
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        letter = notices.written(
            desk,
            db,
            request,
            Template.COPY,
            link=f"{page.rstrip('/')}/{made.token}",
            expires_on=expires.isoformat(),
        )
    return notices.tell(desk, mailer, request, letter, by_post)


def fetch(desk: Desk, token: str, folder: Path) -> Path:
    """The file a link leads to, while it may be fetched."""
    with desk.transaction() as db:
        copy_id = request_copies.fetched(db, _digest(token), desk.now())
    if copy_id is None:
        raise NoSuchCopy("this link leads to nothing: it is unknown, or the copy was destroyed after its time")
    return _path(folder, copy_id)


def destroy_expired(desk: Desk, folder: Path) -> int:
    """Destroy every copy whose time is over; returns how many."""
    with desk.transaction() as db:
        over = request_copies.expired(db, desk.now())
    return _destroy(desk, over, folder)


def destroy_of(desk: Desk, request_id: str, folder: Path) -> int:
    """Destroy the copies of a request, whatever their time."""
    with desk.transaction() as db:
        there = request_copies.standing(db, request_id)
    return _destroy(desk, there, folder)


def _destroy(desk: Desk, copy_ids: Sequence[str], folder: Path) -> int:
    """The file first: what the ledger says is destroyed is gone."""
    for copy_id in copy_ids:
        _path(folder, copy_id).unlink(missing_ok=True)
    with desk.transaction() as db:
        return request_copies.note_destroyed(db, copy_ids, desk.now())


def _write(
    desk: Desk, run: Sweep, request_id: str, connectors: Sequence[Connector], target: Encrypting
) -> Mapping[str, list[dict[str, Any]]]:
    held: dict[str, list[dict[str, Any]]] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for connector in connectors:
            with desk.transaction() as db:
                mine = request_copies.records(db, desk.keyring, run.sweep_id, request_id, connector.system)
            listed = held.setdefault(connector.system, [])
            whole = [record.ref for record in mine if not record.about_others]
            for start in range(0, len(whole), AT_ONCE):
                documents = connector.export(whole[start : start + AT_ONCE])
                listed += _documents(archive, connector.system, documents, listed)
            listed += [
                {"kind": record.ref.kind, "files": [], "withheld": True} for record in mine if record.about_others
            ]
        with desk.transaction() as db:
            request = requests.get(db, request_id)
        archive.writestr("index.html", _index(desk, request_id, request.received_at.date().isoformat(), held))
    return held


def _documents(
    archive: zipfile.ZipFile, system: str, documents: Iterable[Document], before: Sequence[object]
) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for number, document in enumerate(documents, start=len(before) + 1):
        ending = mimetypes.guess_extension(document.media_type.partition(";")[0]) or ".bin"
        name = f"{system}/{document.ref.kind}-{number}"
        files = [f"{name}{ending}"]
        archive.writestr(files[0], document.content)
        if ending == ".json" and (rows := _rows(document.content)):
            files.append(f"{name}.csv")
            archive.writestr(files[1], _csv(rows))
        listed.append({"kind": document.ref.kind, "files": files, "withheld": False})
    return listed


def _rows(content: bytes) -> list[tuple[str, str]]:
    """A flat object as rows of name and value; anything else has no sensible table."""
    try:
        read = json.loads(content)
    except ValueError:
        return []
    if not isinstance(read, dict):
        return []
    return [(str(name), "" if value is None else str(value)) for name, value in read.items()]


def _csv(rows: Sequence[tuple[str, str]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(("field", "value"))
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return written.getvalue()


def _index(desk: Desk, request_id: str, received_on: str, held: Mapping[str, list[dict[str, Any]]]) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True)
    source = (FOLDER / "copy.html").read_text(encoding="utf-8")
    rules = desk.policy.schedule
    return environment.from_string(source).render(
        request_id=request_id,
        received_on=received_on,
        made_on=desk.today.isoformat(),
        controller=rules.answering.controller,
        contact=rules.answering.contact,
        rules=rules.rules,
        held=held,
        not_covered=[system for system in desk.policy.systems if system not in held],
    )


def _path(folder: Path, copy_id: str) -> Path:
    return folder / f"{copy_id}.enc"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
