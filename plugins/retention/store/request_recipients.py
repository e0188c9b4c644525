"""Who is to be told what was done because of a request, and who was? By their names in the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection

from retention.store.database import rows, run


class What(StrEnum):
    """What a recipient is to do as well."""

    ERASED = "erased"
    RESTRICTED = "restricted"
    CORRECTED = "corrected"
    RELEASED = "released"


class How(StrEnum):
    """By whom a recipient is told."""

    MAIL = "mail"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient of one system's data, and how far telling them is."""

    request_id: str
    system: str
    recipient: str  # empty: the policy names none
    what: What
    how: How
    asked_on: date
    told_on: date | None
    task_state: str | None
    proof: str | None  # of what a person did; of a task dropped, why

    @property
    def state(self) -> str:
        """`told`, `waiting`, or `not-told` where a person decided so."""
        if self.told_on is not None or self.task_state == "done":
            return "told"
        return "not-told" if self.task_state == "dropped" else "waiting"


def ask(db: Connection, request_id: str, system: str, recipient: str, what: What, how: How, on: date) -> None:
    """Note that a recipient is to be told; once."""
    run(
        db,
        "INSERT INTO request_recipients (request_id, system, recipient, what, how, asked_on)"
        " VALUES (:request, :system, :recipient, :what, :how, :on) ON CONFLICT DO NOTHING",
        request=request_id,
        system=system,
        recipient=recipient,
        what=what.value,
        how=how.value,
        on=on,
    )


def hand_over(db: Connection, one: Recipient) -> None:
    """A person tells them, since a letter by mail cannot."""
    run(
        db,
        "UPDATE request_recipients SET how = 'person' WHERE request_id = :request AND system = :system"
        " AND recipient = :recipient AND what = :what",
        request=one.request_id,
        system=one.system,
        recipient=one.recipient,
        what=one.what.value,
    )


def note_told(db: Connection, one: Recipient, notice_id: str, on: date) -> None:
    """Note by which letter a recipient was told."""
    run(
        db,
        "UPDATE request_recipients SET told_on = :on, notice = :notice WHERE request_id = :request"
        " AND system = :system AND recipient = :recipient AND what = :what",
        on=on,
        notice=notice_id,
        request=one.request_id,
        system=one.system,
        recipient=one.recipient,
        what=one.what.value,
    )


def of_request(db: Connection, request_id: str = "") -> list[Recipient]:
    """The recipients of one request, or of all."""
    found = rows(
        db,
        "SELECT r.request_id, r.system, r.recipient, r.what, r.how, r.asked_on, r.told_on, t.state AS task_state,"
        " t.proof FROM request_recipients r LEFT JOIN LATERAL (SELECT state, proof FROM person_tasks t"
        " WHERE r.how = 'person' AND t.system = r.system AND t.what = 'tell-recipients' AND t.kind = r.recipient"
        " AND t.detail = r.request_id ORDER BY t.opened_on DESC, t.state = 'open' DESC LIMIT 1) t ON true"
        " WHERE :id = '' OR r.request_id = :id ORDER BY r.request_id, r.system, r.recipient, r.what",
        id=request_id,
    )
    return [
        Recipient(**(dict(row._mapping) | {"what": What(row.what), "how": How(row.how), "proof": row.proof or None}))
        for row in found
    ]


def to_be_written_to(db: Connection, request_id: str = "") -> list[Recipient]:
    """Those whom no letter has reached yet."""
    return [one for one in of_request(db, request_id) if one.how is How.MAIL and one.told_on is None]
