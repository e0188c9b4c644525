"""What may a person decide on a request? Extend, refuse, pause, weigh, lift, take back, with what belongs to each.

The letter goes out first and is on record before anything moves: a "no", more time and the end of a restriction do not
exist without the subject having been told (Art. 12(3), 12(4), 18(3)).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from retention import audit, clocks
from retention.impediment import Impediment
from retention.life_cycles import REQUEST, IllegalMove
from retention.place_hold import PATIENCE_SECONDS
from retention.requests import notices, recipients
from retention.requests.due import clock_of, inputs, working_days
from retention.requests.mailer import Mailer
from retention.requests.moves import Moved, move
from retention.requests.notices import ByPost, Template
from retention.store import audit_log, hold_lock, request_recipients, requests, restrictions
from retention.store.desk import Desk
from retention.store.request_recipients import What
from retention.store.requests import Request


class Because(StrEnum):
    """Why more time is needed (Art. 12(3)); there is no other reason."""

    COMPLEXITY = "complexity"
    NUMBER = "number"


class RefusalReason(StrEnum):
    """On which ground of law a request can be refused; the letter says it in words."""

    MANIFESTLY_UNFOUNDED = "manifestly-unfounded"
    EXCESSIVE = "excessive"
    IDENTITY_NOT_SHOWN = "identity-not-shown"
    NO_GROUND = "no-ground"
    LEGAL_DUTY = "legal-duty"
    CLAIMS = "claims"
    EXPRESSION = "expression"
    OVERRIDDEN = "overridden"


IN_WORDS = {
    RefusalReason.MANIFESTLY_UNFOUNDED: "The request is manifestly unfounded (Article 12(5)).",
    RefusalReason.EXCESSIVE: "The request is excessive, in particular because it repeats others (Article 12(5)).",
    RefusalReason.IDENTITY_NOT_SHOWN: "We could not tell that the data is yours (Articles 11(2) and 12(6)).",
    RefusalReason.NO_GROUND: "None of the grounds on which data must be erased applies (Article 17(1)).",
    RefusalReason.LEGAL_DUTY: "A law obliges us to keep the data (Article 17(3)(b)).",
    RefusalReason.CLAIMS: "The data is needed for legal claims (Article 17(3)(e)).",
    RefusalReason.EXPRESSION: "Freedom of expression and information comes first (Article 17(3)(a)).",
    RefusalReason.OVERRIDDEN: "We have compelling legitimate grounds that come first (Article 21(1)).",
}
_TOO_MUCH = {RefusalReason.MANIFESTLY_UNFOUNDED, RefusalReason.EXCESSIVE}
_BACK_AGAIN = {RefusalReason.LEGAL_DUTY, RefusalReason.CLAIMS}


class NotJudged(Impediment):
    """Nobody has decided that a request is manifestly unfounded or excessive: decide that first, with its proof."""


class TooLate(Impediment):
    """An extension must be told before the first due date: after it, the first date stands (Art. 12(3))."""


def extend(
    desk: Desk, mailer: Mailer | None, request_id: str, because: Because, by: str, by_post: ByPost | None = None
) -> date:
    """Take up to two more months, once, with a notice before the first due date; returns the new due date."""
    request = _that_may(desk, request_id, Moved.EXTENSION_NOTICE_SENT)
    told_on = by_post.on if by_post else desk.today
    with desk.transaction() as db:
        happened = requests.events(db, [request_id])[request_id]
        first = clock_of(desk.policy.schedule, request, happened).due
        if first.due is None or first.clock_start is None or told_on > first.due:
            raise TooLate(f"{request_id}: the notice had to go out by its due date; the first due date stands")
        extended = _extended_to(desk, request, happened, told_on)
        letter = notices.written(
            desk,
            db,
            request,
            Template.EXTENSION,
            because=f"the {because.value} of what you asked for",
            extended_to=extended.isoformat(),
        )
    notice = notices.tell(desk, mailer, request, letter, by_post)
    with desk.transaction() as db:
        requests.move(db, request_id, Moved.EXTENSION_NOTICE_SENT.value, on=told_on, by=by, notice=notice)
        move(db, desk, request_id, Moved.EXTEND, by=by, notice=notice, role=audit.Role.DPO)
    return extended


def refuse(
    desk: Desk,
    mailer: Mailer | None,
    request_id: str,
    reasons: Sequence[RefusalReason],
    by: str,
    by_post: ByPost | None = None,
) -> str:
    """Refuse a request on grounds of law, told with the ways to complain (Art. 12(4)); returns the state.

    What is refused for a time only (a statute, a claim) is put off: it is looked at again when that ends.
    """
    request = _that_may(desk, request_id, Moved.REFUSAL_NOTICE_SENT)
    if _TOO_MUCH.intersection(reasons):
        with desk.transaction() as db:
            if requests.excess_reason(db, request_id) is None:
                raise NotJudged(
                    f"{request_id}: say first that it asks too much, and where it is shown: `request judge`"
                )
    is_put_off = bool(_BACK_AGAIN.intersection(reasons)) and request.asks_for is clocks.Right.ERASURE
    with desk.transaction() as db:
        letter = notices.written(
            desk, db, request, Template.REFUSAL, reasons=[IN_WORDS[reason] for reason in reasons], reopened=is_put_off
        )
    notice = notices.tell(desk, mailer, request, letter, by_post)
    with desk.transaction() as db:
        requests.note_refusal(db, request_id, [reason.value for reason in reasons])
        move(db, desk, request_id, Moved.REFUSAL_NOTICE_SENT, by=by, notice=notice, role=audit.Role.DPO)
        state = move(db, desk, request_id, Moved.REFUSE, by=by, notice=notice, role=audit.Role.DPO)
        return move(db, desk, request_id, Moved.DEFER, by=by, role=audit.Role.DPO) if is_put_off else state


def withdraw(desk: Desk, request_id: str, by: str) -> bool:
    """Take a request back; returns whether every call let go for it before has ended.

    No step of an approved plan starts for it any more. Requests that had joined it stand by themselves again.
    """
    with desk.transaction() as db:
        move(db, desk, request_id, Moved.WITHDRAW, by=by)
        for joined in requests.joined_to(db, request_id):
            move(db, desk, joined, Moved.PART, by=by)
    return hold_lock.calls_have_ended(desk.engine, PATIENCE_SECONDS)


def pause(desk: Desk, request_id: str, by: str) -> str:
    """Wait for the subject to say what is meant. Whether the clock stops is for the clock to say."""
    with desk.transaction() as db:
        return move(db, desk, request_id, Moved.PAUSE, by=by, what="clarification")


def resume(desk: Desk, request_id: str, by: str) -> str:
    """Go on: the subject answered, or paid."""
    with desk.transaction() as db:
        happened = requests.events(db, [request_id])[request_id]
        waited_for = next((h.what for h in reversed(happened) if h.event == Moved.PAUSE), "")
        if waited_for == "fee":
            requests.note_paid(db, request_id)
        return move(db, desk, request_id, Moved.RESUME, by=by)


def weigh(desk: Desk, request_id: str, upheld: bool, by: str) -> None:
    """Say what became of an objection; one that is outweighed ends its restriction only after the notice (`lift`)."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        if request.asks_for is not clocks.Right.OBJECTION or request.to_marketing:
            raise IllegalMove("only an objection is weighed, and one to marketing never: it is absolute (Art. 21(3))")
        requests.note_weighed(db, request_id, "upheld" if upheld else "overridden")
        requests.note_event(db, request_id, "weighed", on=desk.today, by=by, what="upheld" if upheld else "overridden")


def lift(
    desk: Desk, mailer: Mailer | None, request_id: str, because: str, by: str, by_post: ByPost | None = None
) -> str:
    """Tell the subject that the restriction will end, then end it; the next sweep releases the records."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        if request.restriction_id is None or request.lifted_at is not None:
            raise IllegalMove(f"{request_id} has no restriction in force")
        letter = notices.written(
            desk, db, request, Template.LIFTING, because=LIFTED_BECAUSE[because], lifted_from=desk.today.isoformat()
        )
    notice = notices.tell(desk, mailer, request, letter, by_post)
    with desk.transaction() as db:
        told_on = by_post.on if by_post else desk.today
        restrictions.notice_sent(db, request.restriction_id, told_on, by)
        requests.note_lifted(db, request_id, notice, desk.now())
        restrictions.lift(db, request.restriction_id, by)
        entry = desk.entry(
            audit.Event.RESTRICTION_LIFTED,
            run=request_id,
            reference=request.restriction_id,
            actor=by,
            role=audit.Role.DPO,
        )
        audit_log.append(db, [entry])
        restricted = [one for one in request_recipients.of_request(db, request_id) if one.what is What.RESTRICTED]
        systems = dict.fromkeys((one.system for one in restricted), What.RELEASED)
        recipients.ask_by_the_next_run(db, desk, request, systems)
    return notice


LIFTED_BECAUSE = {
    "accuracy-settled": "whether the data is right has been settled",
    "claim-ended": "the legal claim for which you needed the data is over",
    "you-agreed": "you agreed",
    "overridden": "our legitimate grounds come before your objection, which we weighed (Article 21(1))",
}
"""Why a restriction ends, in the words of the letter."""


def _that_may(desk: Desk, request_id: str, moved: Moved) -> Request:
    """A request that can be moved so; asked before a letter goes out that could not be followed."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
    if moved not in REQUEST[request.state]:
        raise IllegalMove(f"{request_id} is {request.state}: {moved.value} is no move from there")
    return request


def _extended_to(desk: Desk, request: Request, happened: Sequence[requests.Happened], told_on: date) -> date:
    told = [*happened, requests.Happened(Moved.EXTENSION_NOTICE_SENT, told_on, "", "")]
    due = clocks.response_due(
        inputs(desk.policy.schedule, request, told), working_days(desk.policy.schedule.answering.holidays)
    )
    if due.due is None:
        raise TooLate(f"{request.request_id}: no due date runs that could be extended")
    return due.due
