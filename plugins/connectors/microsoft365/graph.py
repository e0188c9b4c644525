"""Which calls to Graph does this package make, and which may be sent again? The only place here that repeats anything.

What the service refused unread (429) is always repeated, after its Retry-After and within a budget. What failed on the
way (503, 504, no answer) is repeated where it reads, or where doing it twice is the same as once. A batch answers 200
while its parts fail: each part is judged and repeated by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.microsoft365.answers import (
    FAILED_DEPENDENCY,
    NOT_FOUND,
    TIMED_OUT,
    TOO_MANY,
    UNAUTHORIZED,
    Answer,
    refusal,
    rows_of,
)
from connectors.microsoft365.pace import Pace
from connectors.microsoft365.transport import IMMUTABLE, Lost, Transport
from retention.contract import ConnectorError, Incomplete, Stopped, Throttled, Unavailable, Warrant

BATCH = 20
ATTEMPTS = 4
FIRST_WAIT = 0.5
LONGEST_WAIT = 120.0
"""Seconds, all waits of one call together."""

NO_ANSWER = Answer(0)
"""Stands for the answer of a part that was sent and never answered: it may have taken effect."""


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch. `after` is the number of the part of the same batch that has to succeed first."""

    verb: str
    path: str = field(repr=False)
    mailbox: str = field(repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    prefer: str = IMMUTABLE
    after: int | None = None


class Graph:
    """One tenant's Graph, called patiently."""

    def __init__(self, transport: Transport, pace: Pace) -> None:
        self.who = transport.who
        self._transport = transport
        self._pace = pace

    def token(self) -> str:
        """The token that the next request would carry."""
        return self._transport.token()

    def get(self, path: str, *, what: str, mailbox: str = "", prefer: str = IMMUTABLE) -> Answer:
        """Read one thing; whatever status waiting cannot better is the caller's to judge."""
        return self._patiently("GET", path, what=what, parts={mailbox: 1}, prefer=prefer)

    def post(self, path: str, body: Mapping[str, Any], *, what: str, mailbox: str, warrant: Warrant) -> Answer:
        """Change one thing; `NO_ANSWER` where it may have taken effect."""
        try:
            return self._patiently("POST", path, what=what, parts={mailbox: 1}, body=body, warrant=warrant)
        except _Unanswered:
            return NO_ANSWER

    def pages(self, path: str, *, what: str, mailbox: str = "", prefer: str = IMMUTABLE) -> Iterator[dict[str, Any]]:
        """The rows of a whole list, page after page; `Incomplete` where it breaks off."""
        at: str | None = path
        while at is not None:
            answer = self.get(at, what=what, mailbox=mailbox, prefer=prefer)
            yield from rows_of(self.who, what, answer)
            at = self.next_page(answer)

    def next_page(self, answer: Answer) -> str | None:
        """Where a list goes on, at the configured host only."""
        link = answer.body().get("@odata.nextLink")
        return None if link is None else self._transport.below(link)

    def position(self, answer: Answer) -> str | None:
        """From where a list of changes is read the next time."""
        link = answer.body().get("@odata.deltaLink")
        return None if link is None else self._transport.below(link)

    def read_all(self, parts: Sequence[Part], *, what: str) -> list[Answer]:
        """The answers to any number of reading parts, 20 to a request, in order."""
        return [a for at in range(0, len(parts), BATCH) for a in self.batch(parts[at : at + BATCH], what=what)]

    def batch(self, parts: Sequence[Part], *, what: str, warrant: Warrant | None = None) -> list[Answer]:
        """One answer per part, in order. With a warrant: parts that change something, each safe to do twice.

        `Stopped` and errors only where nothing changed; later on, what was not repeated keeps its last answer.
        """
        answers: dict[int, Answer] = {}
        todo = list(range(len(parts)))
        waited, rounds, renewed = 0.0, 0, False
        while todo:
            try:
                fresh = self._batch_once(parts, todo, what, warrant)
            except (Stopped, ConnectorError):
                if not answers or warrant is None:
                    raise
                break
            answers |= fresh
            rounds += 1
            again = [n for n in todo if answers[n].is_worth_repeating()]
            if not renewed and any(answers[n].status == UNAUTHORIZED for n in todo):
                self._transport.renew()
                renewed = True
                again = sorted({*again, *(n for n in todo if answers[n].status == UNAUTHORIZED)})
            todo = sorted({*again, *(n for n in todo if _waits_for(parts[n], answers[n], again))})
            throttled = [n for n in todo if answers[n].status == TOO_MANY]
            delay = self._delay([answers[n] for n in todo], rounds)
            if not todo or waited + delay > LONGEST_WAIT or (rounds >= ATTEMPTS and len(throttled) < len(todo)):
                break
            for n in throttled:
                self._pace.hold(parts[n].mailbox, answers[n].retry_after() or FIRST_WAIT)
            self._pace.pause(delay)
            waited += delay
        return [answers[n] for n in range(len(parts))]

    def _batch_once(
        self, parts: Sequence[Part], todo: Sequence[int], what: str, warrant: Warrant | None
    ) -> dict[int, Answer]:
        requests = [_request(n, parts[n], todo) for n in todo]
        counted = Counter(parts[n].mailbox for n in todo)
        try:
            answer = self._patiently(
                "POST", "/$batch", what=what, parts=counted, body={"requests": requests}, warrant=warrant
            )
        except _Unanswered:
            return dict.fromkeys(todo, NO_ANSWER)
        if answer.status == NOT_FOUND and warrant is None:  # the service hides everything: so it does each part
            return dict.fromkeys(todo, answer)
        if not answer.is_fine:
            raise refusal(self.who, what, answer)
        found = self._parts_in(answer)
        if missing := [n for n in todo if n not in found]:
            if warrant is None:
                raise Incomplete(f"{self.who}: {what}: parts of a batch were not answered; read again later")
            found |= dict.fromkeys(missing, NO_ANSWER)
        return {n: found[n] for n in todo}

    def _parts_in(self, answer: Answer) -> dict[int, Answer]:
        """The answers of a batch by the number of their part, in whatever order they came."""
        found: dict[int, Answer] = {}
        responses = answer.body().get("responses")
        for given in responses if isinstance(responses, list) else []:
            if not isinstance(given, dict) or not str(given.get("id")).isdigit():
                continue
            status, headers = given.get("status"), given.get("headers")
            names = {str(k).lower(): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {}
            for shared in ("date", "request-id"):
                if shared in answer.headers:
                    names.setdefault(shared, answer.headers[shared])
            parsed = given.get("body")
            found[int(given["id"])] = Answer(status if isinstance(status, int) else 0, names, b"", parsed or {})
        return found

    def _delay(self, answers: Sequence[Answer], rounds: int) -> float:
        asked = [wait for a in answers if (wait := a.retry_after()) is not None]
        return max(asked, default=0.0 if not answers else FIRST_WAIT * 2.0 ** (rounds - 1))

    def _patiently(
        self,
        verb: str,
        path: str,
        *,
        what: str,
        parts: Mapping[str, int],
        prefer: str = IMMUTABLE,
        body: Mapping[str, Any] | None = None,
        warrant: Warrant | None = None,
    ) -> Answer:
        waited, attempts = 0.0, 0
        may_have_acted = False
        while True:
            self._pace.wait(parts)
            try:
                if warrant is not None:
                    warrant.check()
            except Stopped:
                if may_have_acted:
                    raise _Unanswered from None
                raise
            attempts += 1
            try:
                with self._pace.alone(parts):
                    answer = self._transport.send(verb, path, prefer=prefer, body=body)
            except Lost as lost:
                if lost.untrusted:
                    raise Unavailable(
                        f"{self.who}: no trusted TLS connection; check the host and the CA bundle"
                    ) from None
                if warrant is not None and (lost.sent or may_have_acted):
                    raise _Unanswered from None
                if attempts == ATTEMPTS:
                    raise Unavailable(f"{self.who}: {what}: does not answer; try again later") from None
                delay = FIRST_WAIT * 2.0 ** (attempts - 1)
            else:
                if not answer.is_worth_repeating():
                    return answer
                may_have_acted = may_have_acted or answer.status != TOO_MANY
                asked = answer.retry_after()
                delay = FIRST_WAIT * 2.0 ** (attempts - 1) if asked is None else asked
                if warrant is not None and may_have_acted and (attempts == ATTEMPTS or waited + delay > LONGEST_WAIT):
                    raise _Unanswered
                if waited + delay > LONGEST_WAIT:
                    raise Throttled(f"{self.who}: {what}: the allowance stays used up", retry_after=delay)
                if answer.status == TIMED_OUT and attempts == ATTEMPTS:
                    raise TimedOut(f"{self.who}: {what}: takes too long at the service; try again later")
                if answer.status != TOO_MANY and attempts == ATTEMPTS:
                    raise refusal(self.who, what, answer)
                if answer.status == TOO_MANY:
                    for mailbox in parts:
                        self._pace.hold(mailbox, delay)
            self._pace.pause(delay)
            waited += delay


class TimedOut(Unavailable):
    """The service needs longer for an answer than it gives itself; a smaller page may do."""


class _Unanswered(Exception):
    """A call that changes something was sent, and no whole answer came."""


def _waits_for(part: Part, answer: Answer, again: Sequence[int]) -> bool:
    return answer.status == FAILED_DEPENDENCY and part.after in again


def _request(number: int, part: Part, sent: Sequence[int]) -> dict[str, Any]:
    """A part as the service takes it; one whose forerunner has succeeded before goes alone."""
    headers = {"Prefer": part.prefer}
    request: dict[str, Any] = {"id": str(number), "method": part.verb, "url": part.path, "headers": headers}
    if part.body is not None:
        headers["Content-Type"] = "application/json"
        request["body"] = dict(part.body)
    if part.after is not None and part.after in sent:
        request["dependsOn"] = [str(part.after)]
    return request
