"""Is whoever asks the person the data is about? Shown by a one-time link to an address, in proportion (Art. 12(6)).

The link holds a random token, of which the ledger keeps a digest: bound to one request and the address it went to,
usable once and for some hours. What is refused is written down with its reason. A marketing objection needs none of it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum

from retention import audit
from retention.clocks import Right
from retention.impediment import Impediment
from retention.requests import notices
from retention.requests.mailer import Mailer
from retention.requests.moves import Moved, move
from retention.restriction import Ground
from retention.store import audit_log, request_tokens, requests, restrictions
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.requests import Request
from retention.vocabulary import IdentifierKind

TOKEN_BYTES = 32
WAITING = ("received", "identity_pending")


class Refusal(StrEnum):
    """Why a link was not taken."""

    UNKNOWN = "unknown-link"
    OTHER_REQUEST = "link-of-another-request"
    REPLAYED = "link-used-before"
    EXPIRED = "link-expired"
    OVER = "request-is-over"


class LinkRefused(Impediment):
    """A link proves nothing. The attempt is on record; the text names the reason and the next step."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(f"this link cannot be used ({why}): ask for a new one with `request identity`")
        self.why = why


def ask(desk: Desk, mailer: Mailer, request_id: str, page: str, by: str) -> int:
    """Send a one-time link to every address of a request; returns how many. `page` is where links lead."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        file = requests.read_file(db, desk.keyring, request_id)
    addresses = [i for i in file.identifiers if i.kind is IdentifierKind.EMAIL]
    if not addresses:
        raise notices.NobodyToWriteTo(f"{request_id}: no address: show the person's identity otherwise (--shown-by)")
    expires_at = desk.now() + timedelta(hours=desk.policy.schedule.answering.link_hours)
    for identifier in addresses:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with desk.transaction() as db:
            link = f"{page.rstrip('/')}/{request_id}/{token}"
            expires = f"{expires_at:%Y-%m-%d %H:%M} UTC"
            letter = notices.written(desk, db, request, notices.Template.IDENTITY, link=link, expires_at=expires)
            request_tokens.issue(
                db, _digest(token), request_id, desk.keyring.exact_key(identifier), desk.now(), expires_at
            )
        notices.tell(desk, mailer, request, letter, to=identifier.value)
    if request.state in WAITING:
        with desk.transaction() as db:
            move(db, desk, request_id, Moved.IDENTITY_ASKED, by=by)
    return len(addresses)


def confirm(desk: Desk, request_id: str, token: str) -> str:
    """Take a link that somebody opened; returns the request's state, or raises `LinkRefused` after writing it down."""
    digest = _digest(token)
    with desk.transaction() as db:
        exact_key = request_tokens.use(db, digest, request_id, desk.now())
        why = None if exact_key is not None else _why_not(db, desk, digest, request_id)
        if exact_key is not None:
            request = requests.get(db, request_id)
            if request.state in ENDED_FOR_LINKS:
                why = Refusal.OVER
            else:
                requests.verify_subjects(db, request_id, [exact_key], desk.today)
                if request.state in WAITING:
                    return settled(db, desk, request, by="subject", role=audit.Role.REQUESTER)
                return request.state
        entry = desk.entry(audit.Event.IDENTITY_REFUSED, run=known_id(request_id), reasons=(why or Refusal.UNKNOWN,))
        audit_log.append(db, [entry])
    raise LinkRefused(why or Refusal.UNKNOWN)


def show_by_hand(desk: Desk, request_id: str, by: str) -> str:
    """Note that a person of ours is satisfied who asks, for every identifier given; returns the request's state."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        requests.verify_subjects(db, request_id, (), desk.today)
        if request.state not in WAITING:
            return request.state
        return settled(db, desk, request, by=by, role=audit.Role.DPO)


def settled(db: Connection, desk: Desk, request: Request, *, by: str, role: audit.Role) -> str:
    """Go on with a request whose person is known: what protects begins now and not with the first plan (Art. 18)."""
    state = move(db, desk, request.request_id, Moved.IDENTITY_SETTLED, by=by, role=role)
    ground = Ground.OBJECTION if request.asks_for is Right.OBJECTION and not request.to_marketing else request.ground
    if ground is not None and request.restriction_id is None:
        file = requests.read_file(db, desk.keyring, request.request_id)
        verified = requests.verified_keys(db, request.request_id)
        subjects = [i for i in file.identifiers if not verified.isdisjoint(desk.keyring.exact_keys(i))]
        placed = restrictions.place(
            db, desk.keyring, ground=ground, matter=request.request_id, subjects=subjects, placed_by=by
        )
        requests.note_restriction(db, request.request_id, placed)
        entry = desk.entry(
            audit.Event.RESTRICTION_PLACED,
            run=request.request_id,
            reference=placed,
            reasons=(ground,),
            actor=by,
            role=role,
            count=len(subjects),
        )
        audit_log.append(db, [entry])
    return state


ENDED_FOR_LINKS = ("closed", "withdrawn", "refused", "refusal_told")


def _why_not(db: Connection, desk: Desk, digest: bytes, request_id: str) -> Refusal:
    token = request_tokens.find(db, digest)
    if token is None:
        return Refusal.UNKNOWN
    if token.request_id != request_id:
        return Refusal.OTHER_REQUEST
    return Refusal.REPLAYED if token.used_at is not None else Refusal.EXPIRED


def known_id(request_id: str) -> str:
    """A request id as the log may hold it: what a stranger typed is no id of ours."""
    word, _, number = request_id.partition("-")
    return request_id if word == "request" and len(number) == 16 and set(number) <= set("0123456789abcdef") else ""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
