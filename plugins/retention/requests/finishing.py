"""When is a request answered, and when is it over? The run sealed, the subject told, the case closed and its key gone.

Answered is what every system finished, or keeps for a reason that is told. Where something is put off (a hold, a
statute) the case stays; where a system deletes in two steps it settles. At the close nobody can read whom it was about.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path

from retention import audit
from retention.asking import COPIES
from retention.clocks import Right
from retention.decide import PRECEDENCE
from retention.for_people import owner_of
from retention.impediment import Impediment
from retention.requests import notices, recipients
from retention.requests.mailer import Mailer
from retention.requests.moves import Moved, move
from retention.requests.notices import ByPost, Template
from retention.requests.results import OfSystem, Result, of_request, unfinished
from retention.seal import Report
from retention.seal import seal as seal_sweep
from retention.store import (
    audit_log,
    corrections,
    request_copies,
    request_recipients,
    request_results,
    request_runs,
    requests,
    steps,
    sweeps,
    tasks,
)
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.requests import Request
from retention.store.sweeps import Sweep
from retention.tasks import COPY, Need
from retention.verdicts import ReasonCode
from retention.vocabulary import Action

PUT_OFF = frozenset({ReasonCode.HOLD_ACTIVE, ReasonCode.STAT_KEEP, ReasonCode.EX_CLAIMS})
"""Why erasure is only put off: once it ends, the request is looked at again without being asked."""

BY_HAND: dict[Right, str] = {
    Right.ACCESS: COPY,
    Right.PORTABILITY: COPY,
    Right.RECTIFICATION: Action.RECTIFY.value,
    Right.ERASURE: Action.ERASE.value,
    Right.RESTRICTION: Action.RESTRICT.value,
    Right.OBJECTION: Action.SUPPRESS.value,
    Right.CONSENT_WITHDRAWAL: Action.SUPPRESS.value,
}
"""What a person does in a system that has no connector."""

DONE_IN_WORDS = {
    Action.ERASE: "erased",
    Action.REDACT: "erased in part",
    Action.RESTRICT: "restricted",
    Action.RELEASE: "released from restriction",
    Action.RECTIFY: "corrected",
    Action.SUPPRESS: "marked: no marketing",
}


class Unfinished(Impediment):
    """A request cannot be answered or closed yet; the text names the systems and what they wait for."""


def give_to_people(desk: Desk, run: Sweep, connected: Collection[str]) -> int:
    """Ask a person for what a run's requests need in systems without a connector; returns how many tasks are new.

    So are corrections that the pipeline could not make: see `store.corrections`.
    """
    opened = 0
    with desk.transaction() as db:
        found = [requests.get(db, request_id) for request_id in request_runs.requests_of(db, run.sweep_id)]
        for system in desk.policy.systems:
            given = request_results.given_to_people(db, [r.request_id for r in found], system)
            asking = [r for r in found if system not in connected or _corrects_by_hand(db, desk, run, r, system)]
            asking = [r for r in asking if r.request_id not in given]
            if not asking:
                continue
            owner = owner_of(desk)
            needs = [Need(BY_HAND[r.asks_for], "", r.request_id, owner=owner) for r in asking]
            new = tasks.file(db, run.sweep_id, run.as_of, system, (), needs, [r.request_id for r in found])
            if new:
                entry = desk.entry(audit.Event.TASK_OPENED, run=run.sweep_id, system=system, count=new)
                audit_log.append(db, [entry])
            opened += new
    return opened


def _corrects_by_hand(db: Connection, desk: Desk, run: Sweep, request: Request, system: str) -> bool:
    """Whether a correction is left to a person in a system; a request that names no values is about all of them."""
    if request.asks_for is not Right.RECTIFICATION:
        return False
    named = requests.read_file(db, desk.keyring, request.request_id).corrections
    theirs = {(one.kind, one.name) for one in named if one.system == system}
    if named and not theirs:
        return False
    if not sweeps.read_wholly(db, run.sweep_id, system) or corrections.waits(
        db, run.sweep_id, request.request_id, system
    ):
        return False  # the next run goes on with it
    return not theirs or not theirs <= corrections.by_pipeline(db, request.request_id, system)


def seal(desk: Desk, run: Sweep, key: audit.SigningKey, outside: Path) -> Report:
    """End a run as a night ends; whom it was about is wiped, and stays in the case files alone."""
    report = seal_sweep(desk, run, key, outside)
    with desk.transaction() as db:
        request_runs.forget_identifiers(db, run.sweep_id)
    return report


def answer(desk: Desk, mailer: Mailer | None, request_id: str, by: str, by_post: ByPost | None = None) -> str:
    """Tell the subject what came of a request that every system has finished; returns the state.

    Raises `Unfinished` with the systems that have not: the request stays open, and says so.
    """
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        found = of_request(db, desk, request_id)
        if left := unfinished(found):
            said = ", ".join(f"{one.system}: {one.result.value}" for one in left)
            raise Unfinished(f"{request_id} is not finished ({said}); the next run goes on with it")
        if request.asks_for in COPIES and (owed := request_copies.not_given_yet(db, request_id)):
            raise Unfinished(f"{request_id}: {owed}")
        letter = _outcome(desk, db, request, found)
    notice = notices.tell(desk, mailer, request, letter, by_post)
    with desk.transaction() as db:
        state = move(db, desk, request_id, Moved.OUTCOME_NOTICE_SENT, by=by, notice=notice)
        passed_on = [one for one in found if _may_have_been_passed_on(one)]
        tell = {one.system: recipients.what_they_do(request.asks_for, one.counted.done) for one in passed_on}
        recipients.ask(db, desk, request, tell, by_mail=mailer is not None)
        if _is_put_off(request, found):
            state = move(db, desk, request_id, Moved.DEFER, by=by)
        elif any(one.result is Result.SETTLING for one in found) or _restricts(request):
            state = move(db, desk, request_id, Moved.SETTLE, by=by)
    recipients.tell(desk, mailer, request_id)
    return state


def reopen(desk: Desk, request_id: str, by: str) -> str:
    """Look at a request that was put off again: a hold ended, a statute asks no longer."""
    with desk.transaction() as db:
        return move(db, desk, request_id, Moved.REOPEN, by=by)


def close(desk: Desk, request_id: str, by: str) -> list[str]:
    """Close a case and those that joined it: their keys are destroyed. Returns which were closed.

    Refused while a system still settles, a person still has to do something, or a restriction is in force.
    """
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        _refuse_unless_over(db, desk, request)
        closed = [request_id, *requests.joined_to(db, request_id)]
        for one in closed:
            move(db, desk, one, Moved.CLOSE, by=by)
            requests.destroy_key(db, one, desk.now())
            audit_log.append(db, [desk.entry(audit.Event.KEY_DESTROYED, run=one, case_key=one, actor=by)])
        for sweep_id in request_runs.runs_of(db, request_id):
            steps.forget_locators(db, sweep_id)
            request_runs.forget_identifiers(db, sweep_id)
    return closed


def _refuse_unless_over(db: Connection, desk: Desk, request: Request) -> None:
    if there := request_copies.standing(db, request.request_id):
        raise Unfinished(f"{request.request_id}: {len(there)} copies are not destroyed yet: they end by themselves")
    if busy := request_runs.unsealed(db, [request.request_id]):
        raise Unfinished(f"{request.request_id} is worked on in {next(iter(busy.values()))}: let that run be sealed")
    if waiting := request_results.open_tasks(db, request.request_id):
        raise Unfinished(f"{request.request_id}: {waiting} tasks for people are open: see `tasks list`")
    if untold := request_recipients.to_be_written_to(db, request.request_id):
        raise Unfinished(f"{request.request_id}: {len(untold)} recipients could not be written to: tried each morning")
    if _restricts(request):
        raise Unfinished(f"{request.request_id}: its restriction is in force: `request lift` tells the subject first")
    settling = [o for o in of_request(db, desk, request.request_id) if o.counted.settling or o.counted.under_way]
    if settling and request.state not in ("refused", "withdrawn"):
        said = ", ".join(f"{one.system} by {one.counted.settles_on or 'a day not known'}" for one in settling)
        raise Unfinished(f"{request.request_id} still settles ({said})")


def _restricts(request: Request) -> bool:
    return request.restriction_id is not None and request.lifted_at is None and request.weighed != "upheld"


def _is_put_off(request: Request, found: Sequence[OfSystem]) -> bool:
    return request.asks_for is Right.ERASURE and any(not PUT_OFF.isdisjoint(one.counted.kept) for one in found)


def _outcome(desk: Desk, db: Connection, request: Request, found: Sequence[OfSystem]) -> notices.Letter:
    kept = sorted({reason for one in found for reason in one.counted.kept})
    settles_on = max((one.counted.settles_on for one in found if one.counted.settles_on), default=None)
    backups = desk.today + timedelta(days=desk.policy.schedule.answering.backups_end_after_days)
    return notices.written(
        desk,
        db,
        request,
        Template.OUTCOME,
        lines=[_line(one) for one in found],
        kept=[in_words(reason) for reason in kept],
        settles_on=settles_on.isoformat() if settles_on else "",
        backups_end_on=backups.isoformat(),
        recipients=any(map(_may_have_been_passed_on, found)),
    )


def _line(one: OfSystem) -> str:
    done = [f"{n} records {DONE_IN_WORDS[Action(action)]}" for action, n in sorted(one.counted.done.items())]
    done += [f"{one.counted.settling} records on their way out"] if one.counted.settling else []
    done += [f"{sum(one.counted.kept.values())} records kept"] if one.counted.kept else []
    done += ["done by hand"] if one.counted.proofs else []
    return f"{one.system}: {', '.join(done) or 'nothing found'}"


def in_words(reason: str) -> str:
    """Why something stays, for the person it is about."""
    row = next((row for row in PRECEDENCE if row.reason.value == reason), None)
    return f"{row.says} ({row.articles.replace(';', ', ')})" if row else reason


def _may_have_been_passed_on(one: OfSystem) -> bool:
    """Whether recipients of what this system held have to do the same (Art. 19)."""
    return bool(one.counted.settling or set(one.counted.done) - {Action.SUPPRESS.value})
