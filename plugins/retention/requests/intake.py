"""How does a request come in? Written down, acknowledged against nobody yet; what must happen at once happens here.

Whoever asks to be left alone is left alone from now on (Art. 21(3)): on the suppression list in the same transaction,
whether or not it is proven who asks. Everything else waits for that proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from retention import audit, clocks
from retention.clocks import Right
from retention.impediment import Impediment
from retention.requests.case_file import CaseFile
from retention.requests.moves import Moved, move
from retention.restriction import Ground
from retention.store import audit_log, requests, suppression
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.requests import Channel

STOPS_MARKETING = {
    Right.ERASURE: suppression.Ground.ERASURE_REQUEST,
    Right.CONSENT_WITHDRAWAL: suppression.Ground.WITHDRAWAL,
    Right.OBJECTION: suppression.Ground.OBJECTION,
}
"""Which requests are a word against marketing; an objection only if it says so."""


class NotARequest(Impediment):
    """What came in cannot be a request as it is. Nothing was written down; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in, by which way and when."""

    asks_for: Right
    channel: Channel
    received_at: datetime
    file: CaseFile
    ground: Ground | None = None
    to_marketing: bool = False

    def __post_init__(self) -> None:
        """Refuse what no life cycle could carry."""
        if not self.file.identifiers:
            raise NotARequest("a request names its person by at least one address or customer number")
        if (self.asks_for is Right.RESTRICTION) != (self.ground is not None):
            raise NotARequest("a restriction names one of the four grounds of Art. 18(1), and nothing else does")
        if self.to_marketing and self.asks_for is not Right.OBJECTION:
            raise NotARequest("only an objection is one to marketing")
        if self.file.corrections and self.asks_for is not Right.RECTIFICATION:
            raise NotARequest("corrected values belong to a request for rectification")
        if self.file.deliver_to and self.asks_for is not Right.PORTABILITY:
            raise NotARequest("only a portable copy is passed to a third party (Art. 20(2))")
        if self.file.deliver_to and not _is_address(self.file.deliver_to):
            raise NotARequest("a third party is named by an e-mail address of its own")
        if self.received_at.tzinfo is None:
            raise NotARequest("the time of receipt needs its offset from UTC")

    @property
    def stops_marketing(self) -> suppression.Ground | None:
        """Under which ground its person goes on the suppression list at once, if so."""
        if self.asks_for is Right.OBJECTION and not self.to_marketing:
            return None
        return STOPS_MARKETING.get(self.asks_for)


@dataclass(frozen=True, slots=True)
class Opened:
    """A request on record; `joined_to` names the open one of the same person for the same right."""

    request_id: str
    state: str
    joined_to: str | None


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(local and at and "." in domain) and not any(
        character.isspace() or character == "," for character in text
    )


def take_in(desk: Desk, intakes: Sequence[Intake], by: str) -> list[Opened]:
    """Write requests down, all or none of them; a second one by the same person for the same right joins the first."""
    if any(intake.received_at > desk.now() for intake in intakes):
        raise NotARequest("a request cannot have been received in the future")
    for intake in intakes:
        _refuse_undeclared(desk, intake.file)
    with desk.transaction() as db:
        return [_take_in(db, desk, intake, by) for intake in intakes]


def _refuse_undeclared(desk: Desk, file: CaseFile) -> None:
    """Only what the policy declares is corrected; the text repeats nothing that was typed in."""
    for number, one in enumerate(file.corrections, start=1):
        system = desk.policy.systems.get(one.system)
        if system is None:
            raise NotARequest(f"correction {number}: the policy has no such system")
        if not system.records:
            continue  # of a file or a mail: for a person
        kind = system.records.get(one.kind)
        if kind is None:
            raise NotARequest(f"correction {number}: {one.system} has no such kind of record in the policy")
        if one.name not in {name for field_set in kind.field_sets for name in field_set.fields}:
            raise NotARequest(f"correction {number}: the policy declares no such field of {one.kind} in {one.system}")


def _take_in(db: Connection, desk: Desk, intake: Intake, by: str) -> Opened:
    request_id = requests.new_id()
    # What joins is answered with the first; other values are another matter.
    joins = not intake.file.corrections
    lead = requests.same_person(db, desk.keyring, intake.asks_for, intake.file.identifiers) if joins else None
    requests.insert(
        db,
        desk.keyring,
        request_id,
        asks_for=intake.asks_for,
        channel=intake.channel,
        received_at=intake.received_at,
        opened_by=by,
        file=intake.file,
        ground=intake.ground,
        to_marketing=intake.to_marketing,
        joined_to=lead,
    )
    day = clocks.local_day(intake.received_at, ZoneInfo(desk.policy.schedule.answering.zone))
    requests.note_event(db, request_id, "received", on=day, by=by)
    entries = [
        desk.entry(
            audit.Event.REQUEST_OPENED,
            run=request_id,
            reasons=(intake.asks_for, intake.channel),
            actor=by,
            role=audit.Role.REQUESTER,
        )
    ]
    if ground := intake.stops_marketing:
        words = [suppression.OptOut(identifier, day) for identifier in intake.file.identifiers]
        if listed := suppression.add(db, desk.keyring, words, ground, added_by=by):
            entries.append(desk.entry(audit.Event.SUPPRESSED, run=request_id, count=listed))
    audit_log.append(db, entries)
    return Opened(request_id, _first_move(db, desk, intake, request_id, lead, by), lead)


def _first_move(db: Connection, desk: Desk, intake: Intake, request_id: str, lead: str | None, by: str) -> str:
    if lead is not None:
        return move(db, desk, request_id, Moved.JOIN, by=by)
    if intake.to_marketing:
        return move(db, desk, request_id, Moved.IDENTITY_NOT_NEEDED, by=by)
    return "received"
