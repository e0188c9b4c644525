"""Who is behind a request, a step of a plan or a record of the review queue? Shown on demand, written down first.

A request knows whom it is about until its key is destroyed. Of a record the ledger has the vendor's key of it (an id or
a path) until that is wiped, and never a name. Each look is a line of the ledger and an entry of the audit log, in the
transaction that opens what is shown: who cannot be written down is shown nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from retention import audit
from retention.impediment import Impediment
from retention.keyed_digest import KeyedDigest
from retention.requests.case_file import CaseClosed
from retention.store import audit_log, identity_views, requests, review
from retention.store.database import Connection
from retention.store.desk import Desk

LONGEST_REASON = 500
SHORTEST_REASON = 10


class Of(StrEnum):
    """What the identity is behind."""

    REQUEST = "request"
    STEP = "step"
    REVIEW = "review"


class Purpose(StrEnum):
    """What somebody looks for; a closed list, since the audit log takes no free text."""

    ANSWER_SUBJECT = "answer-subject"
    CHECK_RECORD = "check-record"
    COMPLAINT = "complaint"
    INCIDENT = "incident"
    REGULATOR = "regulator"


class NoReason(Impediment):
    """Nothing was shown: why somebody wants to look is not said."""


class NotKept(Impediment):
    """The ledger does not hold any more what would have to be shown."""


@dataclass(frozen=True, slots=True)
class Because:
    """Why somebody looks, in a word and in their own words."""

    purpose: Purpose
    words: str = field(repr=False)

    def __post_init__(self) -> None:
        if not SHORTEST_REASON <= len(self.words.strip()) <= LONGEST_REASON:
            raise NoReason(f"say in {SHORTEST_REASON} to {LONGEST_REASON} characters why you have to see it")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown. Lives in memory only."""

    lines: tuple[tuple[str, str], ...] = field(repr=False)
    entry: Mapping[str, str]
    """How the audit log names what it is behind."""


def show(desk: Desk, of: Of, reference: str, because: Because, who: str) -> Shown:
    """Open the identity behind something, with the look on record; where nothing is kept, nothing is written."""
    with desk.transaction() as db:
        found = _OPENED_BY[of](desk, db, reference, who)
        identity_views.note(db, of, reference, because.purpose, desk.keyring.seal(because.words), who, desk.now())
        digest = KeyedDigest(desk.keyring.current.audit, "identity-view", reference).of(because.words).hex()
        entry = desk.entry(
            audit.Event.IDENTITY_SHOWN,
            reference=digest,
            reasons=(because.purpose,),
            actor=who,
            role=audit.Role.DPO,
            **found.entry,
        )
        audit_log.append(db, [entry])
    return found


def refuse_if_gone(desk: Desk, of: Of, reference: str) -> None:
    """`NotKept` or `LookupError` before anybody types a reason for nothing; opens nothing."""
    with desk.transaction() as db:
        if of is Of.REQUEST:
            destroyed = identity_views.key_destroyed_at(db, reference)
            if destroyed is not None:
                raise NotKept(
                    f"The key of {reference} was destroyed on {destroyed.date().isoformat()}, when its case had ended."
                    " Nobody can read any more whom it was about, not from a backup either."
                )
            return
        kept = identity_views.step_kept(db, reference) if of is Of.STEP else identity_views.review_kept(db, reference)
        if not kept:
            raise NotKept(_WIPED.format(reference))


_WIPED = "Where the record of {} lies was wiped from the ledger: it is settled, and only its pseudonym is left."


def _request(desk: Desk, db: Connection, request_id: str, _: str) -> Shown:
    try:
        file = requests.read_file(db, desk.keyring, request_id)
    except CaseClosed as error:
        raise NotKept(str(error)) from error
    lines = [(one.kind.value.replace("_", " "), one.value) for one in file.identifiers]
    return Shown(tuple(lines), {"run": request_id})


def _step(desk: Desk, db: Connection, step_id: str, _: str) -> Shown:
    found = identity_views.step(db, step_id)
    if found is None:
        raise NotKept(_WIPED.format(step_id))
    lines = (("system", found.system), ("kind", found.kind), ("vendor's key", desk.keyring.open(found.locator)))
    return Shown(lines, {"run": found.sweep_id, "item": step_id, "system": found.system})


def _review(desk: Desk, db: Connection, item_id: str, who: str) -> Shown:
    vendor_key = review.reveal(db, desk.keyring, item_id, who)
    if vendor_key is None:
        raise NotKept(_WIPED.format(item_id))
    (item,) = review.items(db, review.Wanted(item_id, states=("waiting", "decided")))
    lines = (("system", item.system), ("kind", item.kind), ("vendor's key", vendor_key))
    return Shown(lines, {"item": item_id, "system": item.system})


_OPENED_BY: Mapping[Of, Callable[[Desk, Connection, str, str], Shown]] = {
    Of.REQUEST: _request,
    Of.STEP: _step,
    Of.REVIEW: _review,
}
