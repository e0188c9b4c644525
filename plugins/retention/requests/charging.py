"""What may be done with a request that is manifestly unfounded or excessive (Art. 12(5))? Charged for, or refused.

A person decides so, and says where it is shown: the burden of proof is the controller's. Until the matter is settled no
record is touched without a person. A fee is asked for by letter and stops nothing but in the UK, where the month begins
anew on the day it is paid; paid for, the request is carried out like any other.
"""

from __future__ import annotations

import re

from retention import audit
from retention.impediment import Impediment
from retention.life_cycles import REQUEST, IllegalMove
from retention.requests import notices
from retention.requests.answers import IN_WORDS, NotJudged, RefusalReason
from retention.requests.mailer import Mailer
from retention.requests.moves import Moved, move
from retention.requests.notices import ByPost, Template
from retention.store import audit_log, requests
from retention.store.desk import Desk

FEE = "fee"
AMOUNT = re.compile(r"[1-9]\d{0,3}(?:\.\d{2})? [A-Z]{3}")
TOO_MUCH = (RefusalReason.EXCESSIVE, RefusalReason.MANIFESTLY_UNFOUNDED)


class NoAmount(Impediment):
    """A fee is an amount and a currency, like 10.00 GBP."""


def judge(desk: Desk, request_id: str, because: RefusalReason | None, reference: str, by: str) -> None:
    """Say that a request is manifestly unfounded or excessive, shown at `reference`; None: that it is in order."""
    if because is not None and because not in TOO_MUCH:
        raise NotJudged(f"{because.value} is no reason of Art. 12(5): only {' and '.join(TOO_MUCH)} are")
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        if Moved.REFUSAL_NOTICE_SENT not in REQUEST[request.state]:
            raise IllegalMove(f"{request_id} is {request.state}: there is nothing left to decide on it")
        requests.note_excessive(db, request_id, because.value if because else None, reference)
        requests.note_event(db, request_id, "judged", on=desk.today, by=by, what=because or "in-order")
        entry = desk.entry(
            audit.Event.REQUEST_JUDGED,
            run=request_id,
            reasons=(because,) if because else (),
            actor=by,
            role=audit.Role.DPO,
        )
        audit_log.append(db, [entry])


def charge(
    desk: Desk, mailer: Mailer | None, request_id: str, amount: str, by: str, by_post: ByPost | None = None
) -> str:
    """Ask for a fee and wait for it; returns the state. The letter goes out first, or nothing is asked."""
    if not AMOUNT.fullmatch(amount):
        raise NoAmount("a fee is an amount and a currency, like 10.00 GBP")
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        if Moved.PAUSE not in REQUEST[request.state]:
            raise IllegalMove(f"{request_id} is {request.state}: {Moved.PAUSE.value} is no move from there")
        because = requests.excess_reason(db, request_id)
        if because is None:
            raise NotJudged(f"{request_id}: say first that it is excessive or manifestly unfounded: `request judge`")
        letter = notices.written(desk, db, request, Template.FEE, fee=amount, reason=IN_WORDS[RefusalReason(because)])
    notice = notices.tell(desk, mailer, request, letter, by_post)
    with desk.transaction() as db:
        requests.note_fee(db, request_id, amount, notice)
        asked_on = by_post.on if by_post else desk.today
        return move(db, desk, request_id, Moved.PAUSE, by=by, on=asked_on, what=FEE, notice=notice, role=audit.Role.DPO)
