"""How does somebody get what is held about them (Art. 15, 20)? One encrypted file, fetched by a link that ends.

begin → write → finish → send the links → fetched, once each → destroyed. A kill anywhere leaves nothing behind that the
next run does not end, and no link is lost: what could not be sent is sent by the next try. A system that cannot be
exported from makes no smaller copy: none is made, and the request stays open.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

from retention import audit
from retention.asking import COPIES
from retention.contract import Connector, ConnectorError
from retention.impediment import Impediment
from retention.life_cycles import REQUEST_ACTS_IN
from retention.requests import copy_contents, notices
from retention.requests.container import Encrypting
from retention.requests.copy_links import Reader, digest_of, passphrase_of, token_of
from retention.requests.identity import ENDED_FOR_LINKS, Refusal, known_id
from retention.requests.mailer import Mailer
from retention.requests.notices import ByPost, Template
from retention.store import audit_log, request_copies, request_runs, requests, sweeps
from retention.store.desk import Desk
from retention.store.request_copies import PASSPHRASE_TOLD, Link
from retention.store.requests import Request
from retention.store.sweeps import Sweep

PIECE_BYTES = 64 * 1024


class NotMade(Impediment):
    """No copy could be made; nothing is left of it. The text says why."""


class NoSuchCopy(Impediment):
    """A link leads to nothing. The attempt is on record; the text names the reason."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(f"this link cannot be used ({why}): a copy is fetched once, and ends after some days")
        self.why = why


@dataclass(frozen=True, slots=True)
class Made:
    """A copy that waits to be fetched."""

    copy_id: str
    records: int
    withheld: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """A copy that a link led to. It counts as fetched once all its pieces were handed on."""

    path: Path
    copy_id: str = field(repr=False)
    reader: Reader


def are_asked_for(desk: Desk, run: Sweep) -> bool:
    """Whether a run has requests for copies at all."""
    with desk.transaction() as db:
        ours = [requests.get(db, request_id) for request_id in request_runs.requests_of(db, run.sweep_id)]
    return any(request.asks_for in COPIES for request in ours)


def make_for_run(
    desk: Desk, run: Sweep, systems: Sequence[str], connector: Callable[[str], Connector], folder: Path
) -> Mapping[str, Exception]:
    """Make the copies that a run's requests ask for and have not yet; returns which failed, with the reason."""
    with desk.transaction() as db:
        found = [requests.get(db, request_id) for request_id in request_runs.requests_of(db, run.sweep_id)]
        waiting = [r for r in found if r.asks_for in COPIES and r.state in REQUEST_ACTS_IN]
        waiting = [r for r in waiting if request_copies.current(db, r.request_id, desk.now()) is None]
    left: dict[str, Exception] = {}
    for request in waiting:
        try:
            make(desk, run, request.request_id, [connector(system) for system in systems], folder)
        except (ConnectorError, Impediment) as error:
            left[request.request_id] = error
    return left


def make(desk: Desk, run: Sweep, request_id: str, connectors: Sequence[Connector], folder: Path) -> Made:
    """Write the copy of one person's data into a folder, from what a run found and has not yet forgotten."""
    copy_id, now = f"copy-{uuid.uuid4().hex[:24]}", desk.now()
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        unread = [c.system for c in connectors if not sweeps.read_wholly(db, run.sweep_id, c.system)]
        begun = request_copies.broken_off(db, request_id)
    if unread:
        raise NotMade(f"{request_id}: {', '.join(unread)} was not read to its end, and half a copy is none")
    _destroy(desk, begun, folder)
    with desk.transaction() as db:
        key = requests.key_of(db, desk.keyring, request_id)
        readers = [Reader.SUBJECT]
        readers += [Reader.THIRD_PARTY] if requests.read_file(db, desk.keyring, request_id).deliver_to else []
        request_copies.begin(
            db,
            copy_id,
            request_id,
            made_at=now,
            expires_at=now + timedelta(days=desk.policy.schedule.answering.copy_days),
            links=[(reader, digest_of(token_of(key, copy_id, reader))) for reader in readers],
        )
    try:
        held = _write(desk, run, request, connectors, _path(folder, copy_id), passphrase_of(key, request_id))
        _finish(desk, request_id, copy_id, folder)
    except (ConnectorError, Impediment, OSError):  # whatever else breaks it off is ended by the next try
        _destroy(desk, [copy_id], folder)
        raise
    listed = [one for of in held.values() for one in of.listed]
    withheld = sum(one.withheld is not None for one in listed)
    return Made(copy_id, len(listed) - withheld, withheld)


def deliver(desk: Desk, mailer: Mailer | None, request_id: str, page: str) -> int:
    """Send the links that were not sent yet, each to its reader; returns how many. The passphrase goes another way."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        copy_id = request_copies.current(db, request_id, desk.now())
        links = [link for link in request_copies.links_of(db, copy_id) if not link.is_sent] if copy_id else []
        file = requests.read_file(db, desk.keyring, request_id) if links else None
    if file is None or request.state not in REQUEST_ACTS_IN:
        return 0
    if not page:
        raise notices.NobodyToWriteTo(f"{request_id}: no page is set where links to copies lead: see `copy_page`")
    for link in links:
        letter = _letter(desk, request, link, _address(desk, request, link, page))
        to = file.deliver_to if link.reader is Reader.THIRD_PARTY else ""
        _note_sent(desk, link, notices.tell(desk, mailer, request, letter, to=to))
    return len(links)


def deliver_all(desk: Desk, mailer: Mailer | None, run: Sweep, page: str) -> Mapping[str, Exception]:
    """Send what a run's requests wait for; returns which could not be sent, with the reason."""
    with desk.transaction() as db:
        ours = request_runs.requests_of(db, run.sweep_id)
    left: dict[str, Exception] = {}
    for request_id in ours:
        try:
            deliver(desk, mailer, request_id, page)
        except Impediment as error:
            left[request_id] = error
    return left


def fetch(desk: Desk, request_id: str, token: str, folder: Path) -> Fetched:
    """The file a link leads to, while it may be fetched; who comes with another link is refused, and that is recorded.

    The link is used up by `pieces`, at the end of the file, so that a broken download can be repeated.
    """
    with desk.transaction() as db:
        link = request_copies.link_by(db, digest_of(token))
        state = requests.get(db, link.request_id).state if link else ""
        why = _why_not(desk, link, request_id, state)
        if why is not None or link is None:
            entry = desk.entry(audit.Event.COPY_REFUSED, run=known_id(request_id), reasons=(why or Refusal.UNKNOWN,))
            audit_log.append(db, [entry])
    if why is not None or link is None:
        raise NoSuchCopy(why or Refusal.UNKNOWN)
    return Fetched(_path(folder, link.copy_id), link.copy_id, link.reader)


def pieces(desk: Desk, request_id: str, fetched: Fetched, content: BinaryIO) -> Iterator[bytes]:
    """The opened file from its beginning; after its last piece the link is used up."""
    with content:
        while piece := content.read(PIECE_BYTES):
            yield piece
    with desk.transaction() as db:
        if request_copies.note_fetched(db, fetched.copy_id, fetched.reader, desk.now()):
            audit_log.append(db, [_entry(desk, audit.Event.COPY_FETCHED, request_id, fetched.copy_id)])


def hand_over(desk: Desk, request_id: str, folder: Path, target: Path, letter: ByPost) -> None:
    """Put the newest copy of a request into a file, for somebody who sends it by post; the letter is on record."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        copy_id = request_copies.current(db, request_id, desk.now())
        links = request_copies.links_of(db, copy_id) if copy_id else []
    theirs = next((link for link in links if link.reader is Reader.SUBJECT), None)
    if theirs is None:
        raise NotMade(f"{request_id}: there is no copy that could be handed over; the next run makes one")
    shutil.copyfile(_path(folder, theirs.copy_id), target)
    made = _letter(desk, request, theirs, "on the medium in this letter")
    _note_sent(desk, theirs, notices.tell(desk, None, request, made, letter))


def tell_passphrase(desk: Desk, request_id: str, by: str) -> str:
    """The passphrase of a request's copies, for whoever tells it to the person; that it was taken is on record."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        if request.asks_for not in COPIES:
            raise NotMade(f"{request_id} asks for no copy, so there is no passphrase")
        passphrase = passphrase_of(requests.key_of(db, desk.keyring, request_id), request_id)
        requests.note_event(db, request_id, PASSPHRASE_TOLD, on=desk.today, by=by)
        audit_log.append(db, [desk.entry(audit.Event.COPY_KEY_TOLD, run=request_id, actor=by)])
    return passphrase


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


def _write(
    desk: Desk, run: Sweep, request: Request, connectors: Sequence[Connector], path: Path, passphrase: str
) -> Mapping[str, copy_contents.OfSystem]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("wb") as target, Encrypting(target, passphrase) as encrypting:
        return copy_contents.write(desk, run, request, connectors, cast(BinaryIO, encrypting))


def _finish(desk: Desk, request_id: str, copy_id: str, folder: Path) -> None:
    path = _path(folder, copy_id)
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    with desk.transaction() as db:
        if not request_copies.finish(db, copy_id, digest, path.stat().st_size, desk.now()):
            raise NotMade(f"{request_id}: somebody else began to make this copy meanwhile; theirs is the one")
        audit_log.append(db, [_entry(desk, audit.Event.COPY_MADE, request_id, copy_id)])


def _destroy(desk: Desk, copy_ids: Sequence[str], folder: Path) -> int:
    """The file first: what the ledger says is destroyed is gone."""
    for copy_id in copy_ids:
        _path(folder, copy_id).unlink(missing_ok=True)
    if not copy_ids:
        return 0
    with desk.transaction() as db:
        gone = request_copies.note_destroyed(db, copy_ids, desk.now())
        audit_log.append(db, [desk.entry(audit.Event.COPY_DESTROYED, run=request_id) for request_id in gone])
    return len(gone)


def _address(desk: Desk, request: Request, link: Link, page: str) -> str:
    with desk.transaction() as db:
        token = token_of(requests.key_of(db, desk.keyring, request.request_id), link.copy_id, link.reader)
    return f"{page.rstrip('/')}/{request.request_id}/{token}"


def _letter(desk: Desk, request: Request, link: Link, where: str) -> notices.Letter:
    expires_on = link.expires_at.date().isoformat()
    with desk.transaction() as db:
        return notices.written(
            desk, db, request, Template.COPY, link=where, expires_on=expires_on, reader=link.reader.value
        )


def _note_sent(desk: Desk, link: Link, notice: str) -> None:
    with desk.transaction() as db:
        request_copies.note_sent(db, link.copy_id, link.reader, notice)


def _why_not(desk: Desk, link: Link | None, request_id: str, state: str) -> Refusal | None:
    if link is None:
        return Refusal.UNKNOWN
    if link.request_id != request_id:
        return Refusal.OTHER_REQUEST
    if state in ENDED_FOR_LINKS:
        return Refusal.OVER
    if link.is_destroyed or link.expires_at <= desk.now():
        return Refusal.EXPIRED
    return Refusal.REPLAYED if link.is_used else None


def _entry(desk: Desk, event: audit.Event, request_id: str, copy_id: str) -> audit.Entry:
    return desk.entry(event, run=request_id, reference=copy_id)


def _path(folder: Path, copy_id: str) -> Path:
    return folder / f"{copy_id}.enc"
