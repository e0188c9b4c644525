"""Which call may be sent again, and after what wait? The only place in this package that repeats anything.

A call that never left this machine, or that the service refused unread (429, 423), may always be repeated. One whose
answer was lost is repeated only where it reads: a POST that changes something may have taken effect.
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.hubspot.answers import LOCKED, MOVING, TOO_MANY, TRANSIENT, Answer, refusal
from connectors.hubspot.pace import DayIsSpent, Pace
from retention.contract import Incomplete, Throttled, Unavailable

ATTEMPTS = 4
FIRST_WAIT = 0.5
LOCK_WAIT = 2.0  # seconds a lock by a heavy synchronisation lasts, by the vendor's word
DAY_SPENT = "the allowance of the day is used up; resume after the account's midnight"
LONGEST_WAIT = 60.0  # seconds, all waits of one call together


class NoAnswer(Exception):
    """The call was sent and its answer lost, or the answer does not say whether it took effect."""


class Lost(Exception):
    """No answer, or half of one, came. Raised by a transport; carries nothing of the call."""

    def __init__(self, *, sent: bool, halfway: bool = False, untrusted: bool = False) -> None:
        super().__init__("no answer")
        self.sent = sent
        self.halfway = halfway
        self.untrusted = untrusted


def patiently(
    send: Callable[[], Answer], *, who: str, what: str, pace: Pace, repeatable: bool, search: bool = False
) -> Answer:
    """Send until an answer comes that waiting cannot better; whoever gets it judges the status.

    Raises `Unavailable` or `Incomplete` where nothing can have taken effect, `NoAnswer` where something may have.
    """
    attempts = 0
    waited = 0.0
    while True:
        attempts += 1
        try:
            with pace.turn(search=search):
                answer = send()
        except DayIsSpent:
            raise Throttled(f"{who}: {what}: {DAY_SPENT}") from None
        except Lost as lost:
            delay = _after_loss(lost, who, what, repeatable, attempts)
        else:
            pace.learn(answer.headers)
            wanted = _after_answer(answer, who, what, pace, repeatable, attempts, search)
            if wanted is None:
                return answer
            delay = wanted
            if waited + delay > LONGEST_WAIT:
                if answer.status == TOO_MANY:
                    raise Throttled(f"{who}: {what}: the allowance stays used up", retry_after=delay)
                raise refusal(who, what, answer)
            if answer.status == TOO_MANY:
                pace.hold(delay, search=search)  # the next turn is that far away, for every worker
                waited += delay
                continue
        pace.pause(delay)
        waited += delay


def _after_loss(lost: Lost, who: str, what: str, repeatable: bool, attempts: int) -> float:
    if lost.untrusted:
        raise Unavailable(f"{who}: no trusted TLS connection; check the host and the CA bundle") from None
    if lost.sent and not repeatable:
        raise NoAnswer(f"{who}: {what}: the answer was lost") from None
    if attempts == ATTEMPTS:
        if lost.halfway:
            raise Incomplete(f"{who}: {what}: the answer broke off; read again later") from None
        raise Unavailable(f"{who}: {what}: does not answer; try again later") from None
    return _backoff(attempts)


def _after_answer(
    answer: Answer, who: str, what: str, pace: Pace, repeatable: bool, attempts: int, search: bool
) -> float | None:
    """Seconds to wait before the call is repeated; None: the answer stands."""
    if answer.status == TOO_MANY:
        return _after_429(answer, who, what, pace, search)
    if answer.status == MOVING:
        said = "the account is being moved between data centres; schedule the task again after the wait"
        raise Throttled(f"{who}: {what}: {said}", retry_after=answer.retry_after())
    if answer.status == LOCKED:
        return None if attempts == ATTEMPTS else max(LOCK_WAIT, answer.retry_after() or 0.0)
    if answer.status not in TRANSIENT:
        return None
    if not repeatable:
        raise NoAnswer(f"{who}: {what}: answered {answer.status}, which does not say whether it took effect")
    if attempts == ATTEMPTS:
        raise refusal(who, what, answer)
    asked = answer.retry_after()
    return _backoff(attempts) if asked is None else asked


def _after_429(answer: Answer, who: str, what: str, pace: Pace, search: bool) -> float:
    """The daily allowance comes back at midnight; the others within their interval."""
    asked = answer.retry_after()
    policy = answer.limit_policy()
    if policy == "DAILY":
        raise Throttled(f"{who}: {what}: {DAY_SPENT}", retry_after=asked)
    if asked is not None:
        return asked
    return pace.search_interval if search or policy == "SECONDLY" else pace.interval


def _backoff(attempts: int) -> float:
    return FIRST_WAIT * 2.0 ** (attempts - 1)
