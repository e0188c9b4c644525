"""Where does each subject's request stand, and who may read whom it is about? States move only through their table."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from retention.clocks import Right
from retention.keyring import Keyring
from retention.life_cycles import REQUEST, after
from retention.requests import case_file
from retention.requests.case_file import CaseClosed, CaseFile
from retention.restriction import Ground
from retention.store.database import one, rows, run
from retention.vocabulary import Identifier

_ID = re.compile(r"request-[0-9a-f]{16}")
ENDED = ("closed", "joined", "withdrawn", "refused")


class Channel(StrEnum):
    """By which way a request came in."""

    FORM = "form"
    EMAIL = "email"
    POST = "post"
    TELEPHONE = "telephone"


@dataclass(frozen=True, slots=True)
class Request:
    """A request, without whom it is about."""

    request_id: str
    asks_for: Right
    ground: Ground | None
    to_marketing: bool
    channel: Channel
    received_at: datetime
    opened_by: str
    state: str
    joined_to: str | None
    weighed: str | None
    is_excessive: bool
    restriction_id: str | None
    lifted_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a request, on a day at the controller's place."""

    event: str
    on_day: date
    what: str
    by_whom: str


def new_id() -> str:
    """An id that says nothing: the only thing about a request that may leave the ledger."""
    return f"request-{uuid.uuid4().hex[:16]}"


def is_id(text: object) -> bool:
    """Whether something has the form of a request's id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def insert(
    db: Connection,
    keyring: Keyring,
    request_id: str,
    *,
    asks_for: Right,
    channel: Channel,
    received_at: datetime,
    opened_by: str,
    file: CaseFile,
    ground: Ground | None = None,
    to_marketing: bool = False,
    joined_to: str | None = None,
) -> None:
    """Write a request down in its first state, its file encrypted under a fresh key."""
    key = case_file.fresh_key()
    run(
        db,
        "INSERT INTO request_keys (request_id, sealed) VALUES (:id, :sealed)",
        id=request_id,
        sealed=keyring.seal_bytes(key),
    )
    run(
        db,
        "INSERT INTO requests (request_id, asks_for, ground, to_marketing, channel, received_at, opened_by, state,"
        " case_file, joined_to) VALUES (:id, :asks_for, :ground, :to_marketing, :channel, :received_at, :by, :state,"
        " :file, :joined_to)",
        id=request_id,
        asks_for=asks_for.value,
        ground=ground.value if ground else None,
        to_marketing=to_marketing,
        channel=channel.value,
        received_at=received_at,
        by=opened_by,
        state=next(iter(REQUEST)),
        file=case_file.sealed(file, key, request_id),
        joined_to=joined_to,
    )
    add_subjects(db, keyring, request_id, file.identifiers)


def add_subjects(db: Connection, keyring: Keyring, request_id: str, identifiers: Sequence[Identifier]) -> None:
    """Note by which pseudonyms the person of a request is recognised."""
    run(
        db,
        "INSERT INTO request_subjects (request_id, exact_key, folded_key)"
        " SELECT :id, * FROM unnest(CAST(:exact AS bytea[]), CAST(:folded AS bytea[])) ON CONFLICT DO NOTHING",
        id=request_id,
        exact=[keyring.exact_key(i) for i in identifiers],
        folded=[keyring.folded_key(i) for i in identifiers],
    )


def verify_subjects(db: Connection, request_id: str, exact_keys: Collection[bytes], on: date) -> int:
    """Note that the person showed these identifiers to be theirs; none given: all of them. Returns how many."""
    return run(
        db,
        "UPDATE request_subjects SET verified_on = :on WHERE request_id = :id AND verified_on IS NULL"
        " AND (cardinality(CAST(:keys AS bytea[])) = 0 OR exact_key = ANY (:keys))",
        id=request_id,
        on=on,
        keys=list(exact_keys),
    )


def verified_keys(db: Connection, request_id: str) -> set[bytes]:
    """The identifiers the person showed to be theirs."""
    found = rows(
        db,
        "SELECT exact_key FROM request_subjects WHERE request_id = :id AND verified_on IS NOT NULL",
        id=request_id,
    )
    return {bytes(row.exact_key) for row in found}


def same_person(db: Connection, keyring: Keyring, asks_for: Right, identifiers: Sequence[Identifier]) -> str | None:
    """The oldest open request for the same right by anybody known by one of these identifiers."""
    row = one(
        db,
        "SELECT request_id FROM requests r WHERE asks_for = :asks_for AND state <> ALL (:ended) AND EXISTS"
        " (SELECT FROM request_subjects s WHERE s.request_id = r.request_id AND s.exact_key = ANY (:keys))"
        " ORDER BY received_at, request_id LIMIT 1",
        asks_for=asks_for.value,
        ended=[*ENDED, "deferred", "answered", "settling"],
        keys=[key for i in identifiers for key in keyring.exact_keys(i)],
    )
    return str(row.request_id) if row else None


def get(db: Connection, request_id: str) -> Request:
    """One request by its id."""
    found = listed(db, request_id=request_id)
    if not found:
        raise LookupError(f"no request {request_id} in this ledger")
    return found[0]


def listed(db: Connection, states: Sequence[str] = (), request_id: str = "") -> list[Request]:
    """Requests in some states (none given: all), those received first at the top."""
    found = rows(
        db,
        "SELECT request_id, asks_for, ground, to_marketing, channel, received_at, opened_by, state, joined_to, weighed,"
        " is_excessive, restriction_id, lifted_at, closed_at FROM requests"
        " WHERE (cardinality(CAST(:states AS text[])) = 0 OR state = ANY (:states))"
        " AND (:request_id = '' OR request_id = :request_id) ORDER BY received_at, request_id",
        states=list(states),
        request_id=request_id,
    )
    return [_request(row) for row in found]


def _request(row: Any) -> Request:
    values = {field.name: getattr(row, field.name) for field in fields(Request)}
    closed_sets = {
        "asks_for": Right(row.asks_for),
        "ground": Ground(row.ground) if row.ground else None,
        "channel": Channel(row.channel),
    }
    return Request(**(values | closed_sets))


def read_file(db: Connection, keyring: Keyring, request_id: str) -> CaseFile:
    """Whom a request is about; raises `CaseClosed` once the case is."""
    row = one(
        db,
        "SELECT r.case_file, k.sealed FROM requests r JOIN request_keys k USING (request_id) WHERE request_id = :id",
        id=request_id,
    )
    if row is None:
        raise LookupError(f"no request {request_id} in this ledger")
    if row.sealed is None or row.case_file is None:
        raise CaseClosed(f"{request_id} is closed: its key was destroyed")
    return case_file.opened(bytes(row.case_file), keyring.open_bytes(row.sealed), request_id)


def key_of(db: Connection, keyring: Keyring, request_id: str) -> bytes:
    """The key of an open case."""
    row = one(db, "SELECT sealed FROM request_keys WHERE request_id = :id", id=request_id)
    if row is None or row.sealed is None:
        raise CaseClosed(f"{request_id} has no key any more: it is closed, or was never opened")
    return keyring.open_bytes(row.sealed)


def move(
    db: Connection, request_id: str, event: str, *, on: date, by: str, what: str = "", notice: str | None = None
) -> str:
    """Move a request along its life cycle and note when; returns the new state. A notice is named by its id."""
    row = one(db, "SELECT state FROM requests WHERE request_id = :id FOR UPDATE", id=request_id)
    if row is None:
        raise LookupError(f"no request {request_id} in this ledger")
    state = after(REQUEST, row.state, event)
    run(
        db,
        "UPDATE requests SET state = :state, closed_at = CASE WHEN :state = 'closed' THEN now() END,"
        " case_file = CASE WHEN :state = 'closed' THEN NULL ELSE case_file END,"
        " refusal_notice = coalesce(CASE WHEN :event = 'refusal_notice_sent' THEN :notice END, refusal_notice),"
        " extension_notice = coalesce(CASE WHEN :event = 'extension_notice_sent' THEN :notice END, extension_notice),"
        " outcome_notice = coalesce(CASE WHEN :event = 'outcome_notice_sent' THEN :notice END, outcome_notice)"
        " WHERE request_id = :id",
        id=request_id,
        state=state,
        event=event,
        notice=notice,
    )
    note_event(db, request_id, event, on=on, by=by, what=what)
    return state


def note_event(db: Connection, request_id: str, event: str, *, on: date, by: str, what: str = "") -> None:
    """Note what happened to a request without moving it."""
    run(
        db,
        "INSERT INTO request_events (request_id, event, on_day, what, by_whom) VALUES (:id, :event, :on, :what, :by)",
        id=request_id,
        event=event,
        on=on,
        what=what,
        by=by,
    )


def events(db: Connection, request_ids: Sequence[str]) -> Mapping[str, list[Happened]]:
    """Everything that happened to requests, in order."""
    found = rows(
        db,
        "SELECT request_id, event, on_day, what, by_whom FROM request_events WHERE request_id = ANY (:ids)"
        " ORDER BY event_no",
        ids=list(request_ids),
    )
    happened: dict[str, list[Happened]] = {request_id: [] for request_id in request_ids}
    for row in found:
        happened[row.request_id].append(Happened(row.event, row.on_day, row.what, row.by_whom))
    return happened


def note_restriction(db: Connection, request_id: str, restriction_id: str) -> None:
    """Tie a request to the restriction it brought about."""
    run(
        db,
        "UPDATE requests SET restriction_id = :restriction WHERE request_id = :id",
        id=request_id,
        restriction=restriction_id,
    )


def note_weighed(db: Connection, request_id: str, weighed: str) -> None:
    """What a person made of an objection: upheld or overridden."""
    run(db, "UPDATE requests SET weighed = :weighed WHERE request_id = :id", id=request_id, weighed=weighed)


def note_lifted(db: Connection, request_id: str, notice_id: str, at: datetime) -> None:
    """Note by which notice the subject was told before the restriction was lifted."""
    run(
        db,
        "UPDATE requests SET lifting_notice = :notice, lifted_at = :at WHERE request_id = :id",
        id=request_id,
        notice=notice_id,
        at=at,
    )


def note_refusal(db: Connection, request_id: str, reasons: Sequence[str]) -> None:
    """On which legal reasons a request is refused."""
    run(
        db,
        "UPDATE requests SET refusal_reasons = :reasons WHERE request_id = :id",
        id=request_id,
        reasons=list(reasons),
    )


def note_excessive(db: Connection, request_id: str, because: str | None, reference: str) -> None:
    """That a person finds a request excessive or manifestly unfounded, and where it is shown; None: in order.

    While it stands a person decides on every record.
    """
    run(
        db,
        "UPDATE requests SET is_excessive = CAST(:because AS text) IS NOT NULL, excess_reason = :because,"
        " excess_reference = CASE WHEN CAST(:because AS text) IS NOT NULL THEN :reference END WHERE request_id = :id",
        id=request_id,
        because=because,
        reference=reference,
    )


def excess_reason(db: Connection, request_id: str) -> str | None:
    """Why a person finds a request excessive; None if nobody does."""
    found = one(db, "SELECT excess_reason FROM requests WHERE request_id = :id", id=request_id)
    return str(found.excess_reason) if found and found.excess_reason else None


def note_fee(db: Connection, request_id: str, amount: str, notice_id: str) -> None:
    """Which fee was asked for, by which letter."""
    run(
        db,
        "UPDATE requests SET fee = :amount, fee_notice = :notice WHERE request_id = :id",
        id=request_id,
        amount=amount,
        notice=notice_id,
    )


def note_paid(db: Connection, request_id: str) -> None:
    """The fee was paid: the request is carried out like any other. Why it was asked for stays on record."""
    run(db, "UPDATE requests SET is_excessive = false WHERE request_id = :id", id=request_id)


def joined_to(db: Connection, request_id: str) -> list[str]:
    """The requests that joined this one and are not closed."""
    found = rows(
        db,
        "SELECT request_id FROM requests WHERE joined_to = :id AND state = 'joined' ORDER BY received_at, request_id",
        id=request_id,
    )
    return [row.request_id for row in found]


def destroy_key(db: Connection, request_id: str, at: datetime) -> None:
    """Destroy the key of a case that was moved to its end: with it every copy of the file in any backup is ended."""
    run(
        db,
        "UPDATE request_keys SET sealed = NULL, destroyed_at = :at WHERE request_id = :id AND destroyed_at IS NULL",
        id=request_id,
        at=at,
    )
    run(db, "UPDATE request_tokens SET used_at = :at WHERE request_id = :id AND used_at IS NULL", id=request_id, at=at)
