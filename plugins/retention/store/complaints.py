"""Where does each complaint stand, and who may read whom it is about? States move only through their table."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.life_cycles import COMPLAINT, after
from retention.requests import case_file
from retention.requests.case_file import CaseClosed, CaseFile
from retention.store.database import one, rows, run
from retention.store.requests import Channel, Happened


class Outcome(StrEnum):
    """What came of a complaint."""

    UPHELD = "upheld"
    UPHELD_IN_PART = "upheld-in-part"
    NOT_UPHELD = "not-upheld"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint, without whom it is about."""

    complaint_id: str
    channel: Channel
    received_at: datetime
    about_request: str | None
    opened_by: str
    state: str
    hold_id: str
    outcome: Outcome | None
    closed_at: datetime | None


def new_id() -> str:
    """An id that says nothing."""
    return f"complaint-{uuid.uuid4().hex[:16]}"


def insert(
    db: Connection,
    keyring: Keyring,
    complaint_id: str,
    *,
    channel: Channel,
    received_at: datetime,
    opened_by: str,
    file: CaseFile,
    hold_id: str,
    about_request: str | None,
) -> None:
    """Write a complaint down in its first state, its file encrypted under a fresh key."""
    key = case_file.fresh_key()
    run(
        db,
        "INSERT INTO request_keys (request_id, sealed) VALUES (:id, :sealed)",
        id=complaint_id,
        sealed=keyring.seal_bytes(key),
    )
    run(
        db,
        "INSERT INTO complaints (complaint_id, channel, received_at, about_request, opened_by, state, case_file,"
        " hold_id) VALUES (:id, :channel, :received_at, :about, :by, :state, :file, :hold)",
        id=complaint_id,
        channel=channel.value,
        received_at=received_at,
        about=about_request,
        by=opened_by,
        state=next(iter(COMPLAINT)),
        file=case_file.sealed(file, key, complaint_id),
        hold=hold_id,
    )


def get(db: Connection, complaint_id: str) -> Complaint:
    """One complaint by its id."""
    found = listed(db, complaint_id=complaint_id)
    if not found:
        raise LookupError(f"no complaint {complaint_id} in this ledger")
    return found[0]


def listed(db: Connection, states: Sequence[str] = (), complaint_id: str = "") -> list[Complaint]:
    """Complaints in some states (none given: all), those received first at the top."""
    found = rows(
        db,
        "SELECT complaint_id, channel, received_at, about_request, opened_by, state, hold_id, outcome, closed_at"
        " FROM complaints WHERE (cardinality(CAST(:states AS text[])) = 0 OR state = ANY (:states))"
        " AND (:id = '' OR complaint_id = :id) ORDER BY received_at, complaint_id",
        states=list(states),
        id=complaint_id,
    )
    return [_complaint(row) for row in found]


def _complaint(row: Any) -> Complaint:
    values = {field.name: getattr(row, field.name) for field in fields(Complaint)}
    outcome = Outcome(row.outcome) if row.outcome else None
    return Complaint(**(values | {"channel": Channel(row.channel), "outcome": outcome}))


def read_file(db: Connection, keyring: Keyring, complaint_id: str) -> CaseFile:
    """Whom a complaint is about; raises `CaseClosed` once it is closed."""
    row = one(
        db,
        "SELECT c.case_file, k.sealed FROM complaints c JOIN request_keys k ON k.request_id = c.complaint_id"
        " WHERE complaint_id = :id",
        id=complaint_id,
    )
    if row is None:
        raise LookupError(f"no complaint {complaint_id} in this ledger")
    if row.sealed is None or row.case_file is None:
        raise CaseClosed(f"{complaint_id} is closed: its key was destroyed")
    return case_file.opened(bytes(row.case_file), keyring.open_bytes(row.sealed), complaint_id)


def move(
    db: Connection,
    complaint_id: str,
    event: str,
    *,
    on: date,
    by: str,
    what: str = "",
    notice: str | None = None,
    outcome: Outcome | None = None,
) -> str:
    """Move a complaint along its life cycle and note when; returns the new state. A notice is named by its id."""
    row = one(db, "SELECT state FROM complaints WHERE complaint_id = :id FOR UPDATE", id=complaint_id)
    if row is None:
        raise LookupError(f"no complaint {complaint_id} in this ledger")
    state = after(COMPLAINT, row.state, event)
    run(
        db,
        "UPDATE complaints SET state = :state, closed_at = CASE WHEN :state = 'closed' THEN now() END,"
        " case_file = CASE WHEN :state = 'closed' THEN NULL ELSE case_file END,"
        " outcome = coalesce(:outcome, outcome), acknowledgement_notice ="
        " coalesce(CASE WHEN :event = 'acknowledgement_sent' THEN :notice END, acknowledgement_notice),"
        " answer_notice = coalesce(CASE WHEN :event = 'answer_sent' THEN :notice END, answer_notice)"
        " WHERE complaint_id = :id",
        id=complaint_id,
        state=state,
        event=event,
        notice=notice,
        outcome=outcome.value if outcome else None,
    )
    note_event(db, complaint_id, event, on=on, by=by, what=what)
    return state


def note_event(db: Connection, complaint_id: str, event: str, *, on: date, by: str, what: str = "") -> None:
    """Note what happened to a complaint."""
    run(
        db,
        "INSERT INTO complaint_events (complaint_id, event, on_day, what, by_whom)"
        " VALUES (:id, :event, :on, :what, :by)",
        id=complaint_id,
        event=event,
        on=on,
        what=what,
        by=by,
    )


def events(db: Connection, complaint_ids: Sequence[str]) -> Mapping[str, list[Happened]]:
    """Everything that happened to complaints, in order."""
    found = rows(
        db,
        "SELECT complaint_id, event, on_day, what, by_whom FROM complaint_events WHERE complaint_id = ANY (:ids)"
        " ORDER BY event_no",
        ids=list(complaint_ids),
    )
    happened: dict[str, list[Happened]] = {complaint_id: [] for complaint_id in complaint_ids}
    for row in found:
        happened[row.complaint_id].append(Happened(row.event, row.on_day, row.what, row.by_whom))
    return happened


def raise_new(db: Connection, marks: Sequence[tuple[str, date]]) -> set[tuple[str, date]]:
    """Write alarms down; returns those that were not raised before."""
    found = rows(
        db,
        "INSERT INTO complaint_alarms (complaint_id, mark_on)"
        " SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:days AS date[])) ON CONFLICT DO NOTHING"
        " RETURNING complaint_id, mark_on",
        ids=[complaint_id for complaint_id, _ in marks],
        days=[day for _, day in marks],
    )
    return {(row.complaint_id, row.mark_on) for row in found}
