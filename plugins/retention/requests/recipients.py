"""Who has what we erased, restricted or corrected from us, and do they know (Art. 19)? Told by letter, or by a person.

Whom a system's data is passed to stands in the policy (`recipients`). That they are to be told is written in the same
transaction as the answer; the letters go after it and are repeated each morning until they are taken. A letter names
nobody. Where the policy does not say who they are, or gives no address, a person tells them, with owner and due date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retention import audit, clocks
from retention.for_people import owner_of
from retention.policy.recipients import RecipientPolicy
from retention.requests import notices
from retention.requests.mailer import Mailer, NotSent
from retention.requests.notices import ByPost, Template
from retention.store import audit_log, request_recipients, request_runs, requests, tasks
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.request_recipients import How, Recipient, What
from retention.store.requests import Request
from retention.tasks import RECIPIENTS, Need
from retention.vocabulary import Action

IN_WORDS = {
    What.ERASED: "erased",
    What.RESTRICTED: "restricted the use of",
    What.CORRECTED: "corrected",
    What.RELEASED: "ended the restriction of",
}
_OF_ACTION = {Action.RESTRICT.value: What.RESTRICTED, Action.RECTIFY.value: What.CORRECTED}


def what_they_do(asks_for: clocks.Right, done: Mapping[str, int]) -> What:
    """What recipients of a system's data have to do as well, by what was done there."""
    if not done and asks_for is clocks.Right.RECTIFICATION:
        return What.CORRECTED
    kinds = {_OF_ACTION.get(action, What.ERASED) for action in done if action != Action.SUPPRESS.value}
    return What.ERASED if not kinds or What.ERASED in kinds else sorted(kinds)[0]


def ask(db: Connection, desk: Desk, request: Request, systems: Mapping[str, What], *, by_mail: bool) -> None:
    """Note whom to tell what was done in these systems; in the transaction in which the subject is answered."""
    for system, what in systems.items():
        declared = _declared(desk, system)
        for recipient, told in declared.items() if declared is not None else ((_UNKNOWN, None),):
            how = How.MAIL if by_mail and told is not None and told.address else How.PERSON
            request_recipients.ask(db, request.request_id, system, recipient, what, how, desk.today)
            if how is How.PERSON:
                _give_to_a_person(db, desk, request.request_id, system, recipient)


def ask_by_the_next_run(db: Connection, desk: Desk, request: Request, systems: Mapping[str, What]) -> None:
    """The same under the approver's role, which opens no tasks: the next morning's run writes, or asks a person."""
    for system, what in systems.items():
        for recipient in _declared(desk, system) or (_UNKNOWN,):
            request_recipients.ask(db, request.request_id, system, recipient, what, How.MAIL, desk.today)


def tell(desk: Desk, mailer: Mailer | None, request_id: str = "") -> list[Recipient]:
    """Write to everybody who waits for it; returns those whom the mail server did not take a letter for."""
    with desk.transaction() as db:
        waiting = request_recipients.to_be_written_to(db, request_id)
    left: list[Recipient] = []
    for one in waiting:
        known = (_declared(desk, one.system) or {}).get(one.recipient)
        if mailer is None or known is None or not known.address:
            with desk.transaction() as db:
                request_recipients.hand_over(db, one)
                _give_to_a_person(db, desk, one.request_id, one.system, one.recipient)
            continue
        try:
            notice_id = notices.send(desk, mailer, one.request_id, _letter(desk, one, known), (known.address,))
        except NotSent:
            left.append(one)
            continue
        with desk.transaction() as db:
            request_recipients.note_told(db, one, notice_id, desk.today)
    return left


def name_to_subject(desk: Desk, mailer: Mailer | None, request_id: str, by_post: ByPost | None = None) -> str:
    """Tell the subject who the recipients are, as they may ask (Art. 19); returns the notice's id."""
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        named = [said(desk, one) for one in request_recipients.of_request(db, request_id)]
        letter = notices.written(
            desk, db, request, Template.RECIPIENTS_NAMED, recipients=named or ["nobody: we passed nothing on"]
        )
    return notices.tell(desk, mailer, request, letter, by_post)


def said(desk: Desk, one: Recipient) -> str:
    """One recipient, for the person whose data they have."""
    how = {"told": "told", "waiting": "being told", "not-told": "not told: it proved impossible or disproportionate"}
    when = f" on {one.told_on.isoformat()}" if one.told_on else ""
    return f"{name_of(desk, one)} (data of our system {one.system}): {how[one.state]}{when}"


def name_of(desk: Desk, one: Recipient) -> str:
    """What a recipient is called; by the policy's word for them where it names them no more."""
    known = (_declared(desk, one.system) or {}).get(one.recipient)
    return known.name if known else one.recipient or "recipients whom a person of ours looks up"


_UNKNOWN = ""


def _declared(desk: Desk, system: str) -> Mapping[str, RecipientPolicy] | None:
    declared = desk.policy.systems.get(system)
    return declared.recipients if declared else None


def _letter(desk: Desk, one: Recipient, known: RecipientPolicy) -> notices.Letter:
    rules = desk.policy.schedule.answering
    values = {
        "request_id": one.request_id,
        "what_we_did": IN_WORDS[one.what],
        "done_on": one.asked_on.isoformat(),
        "role": known.role,
        "contact": rules.contact,
        "controller": rules.controller,
    }
    return notices.letter(Template.RECIPIENTS, values)


def _give_to_a_person(db: Connection, desk: Desk, request_id: str, system: str, recipient: str) -> None:
    runs: Sequence[str] = request_runs.runs_of(db, request_id)
    need = Need(RECIPIENTS, recipient, request_id, owner=owner_of(desk))
    if new := tasks.file(db, runs[0], desk.today, system, (), [need], [request_id]):
        audit_log.append(db, [desk.entry(audit.Event.TASK_OPENED, run=runs[0], system=system, count=new)])
