"""Do workers stay under HubSpot's allowances, and repeat only what may be repeated? Time here is made up."""

from __future__ import annotations

import json
import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from connectors.hubspot.answers import Answer, refusal
from connectors.hubspot.pace import DAY_ASKED_AGAIN, DayIsSpent, Pace
from connectors.hubspot.patience import ATTEMPTS, LONGEST_WAIT, Lost, NoAnswer, patiently
from connectors.turns import OwnTurns
from retention.contract import AccessDenied, ConnectorError, Incomplete, Throttled, Unavailable

LATENCY = 0.05
ADDRESS = "ann@example.com"


@dataclass
class Timeline:
    """A clock that moves only when somebody waits."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@dataclass
class Account:
    """The vendor's side of an allowance: a rolling window over the times at which calls arrive."""

    most: int
    interval: float
    arrivals: deque[float] = field(default_factory=deque)
    answered: int = 0
    refused: int = 0

    def call(self, at: float) -> Mapping[str, str]:
        while self.arrivals and self.arrivals[0] + self.interval <= at:
            self.arrivals.popleft()
        if len(self.arrivals) >= self.most:
            self.refused += 1
        else:
            self.answered += 1
            self.arrivals.append(at)
        return {
            "x-hubspot-ratelimit-max": str(self.most),
            "x-hubspot-ratelimit-remaining": str(self.most - len(self.arrivals)),
            "x-hubspot-ratelimit-interval-milliseconds": str(int(self.interval * 1000)),
        }


class Waiting(Exception):
    """A worker that has to wait lets the others go on."""


class Worker:
    """One worker in a simulation where several share the time, and draw their turns from one place."""

    def __init__(
        self, account: Account, turns: OwnTurns | None = None, *, search: bool = False, learns: bool = True
    ) -> None:
        self.now = 0.0
        self._account = account
        self._search = search
        self._learns = learns
        self._turns = turns if turns is not None else OwnTurns()
        self._pace = Pace(self._turns, clock=lambda: self.now, pause=self._wait)
        self._has_turn = False

    def go_on(self) -> None:
        """Draw a turn and wait for it, or make the call it was drawn for."""
        if not self._has_turn:
            self._turns.clock = lambda: self.now
            self._has_turn = True
            try:
                with self._pace.turn(search=self._search):
                    pass
            except Waiting:
                return
        self._has_turn = False
        headers = self._account.call(self.now + LATENCY / 2)
        self.now += LATENCY
        if self._learns:
            self._turns.clock = lambda: self.now
            self._pace.learn(headers)

    def _wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        raise Waiting


def run_until(seconds: float, *workers: Worker) -> None:
    """Let whoever is earliest go on."""
    while (worker := min(workers, key=lambda w: w.now)).now < seconds:
        worker.go_on()


@pytest.mark.parametrize(("most", "interval"), [(100, 10.0), (190, 10.0), (250, 10.0), (19, 1.0)])
def test_one_worker_is_never_refused_and_uses_nine_tenths_of_the_allowance(most: int, interval: float) -> None:
    account = Account(most, interval)
    run_until(120.0, Worker(account))
    allowed = min(most / interval, 1 / LATENCY) * 120.0
    assert account.refused == 0
    assert account.answered >= 0.9 * allowed


@pytest.mark.parametrize("how_many", [2, 8])
@pytest.mark.parametrize("most", [100, 190])
def test_workers_that_share_their_turns_are_never_refused_and_use_nine_tenths_together(
    how_many: int, most: int
) -> None:
    account, turns = Account(most, 10.0), OwnTurns()
    run_until(120.0, *(Worker(account, turns) for _ in range(how_many)))
    assert account.refused == 0
    assert account.answered >= 0.9 * most * 12


def test_before_any_header_came_the_smallest_account_is_assumed() -> None:
    account = Account(100, 10.0)
    run_until(60.0, Worker(account, learns=False))
    assert account.refused == 0
    assert account.answered >= 0.9 * 100 * 6


@pytest.mark.parametrize("how_many", [1, 2])
def test_searches_stay_at_five_a_second_although_their_answers_say_nothing(how_many: int) -> None:
    account, turns = Account(5, 1.0), OwnTurns()
    run_until(60.0, *(Worker(account, turns, search=True, learns=False) for _ in range(how_many)))
    assert account.refused == 0
    assert account.answered >= 0.9 * 5 * 60


def test_a_worker_that_is_refused_lets_all_others_wait() -> None:
    turns, time = OwnTurns(), Timeline()
    turns.clock = time.clock
    Pace(turns, clock=time.clock, pause=time.pause).hold(10.0, search=False)
    with Pace(turns, clock=time.clock, pause=time.pause).turn(search=False):
        pass
    assert time.waits == [10.0]
    with Pace(turns, clock=time.clock, pause=time.pause).turn(search=True):
        pass
    assert time.waits == [10.0]


def told(time: Timeline, **headers: str) -> Pace:
    pace = Pace(clock=time.clock, pause=time.pause)
    pace.learn({f"x-hubspot-ratelimit-{name.replace('_', '-')}": value for name, value in headers.items()})
    return pace


@pytest.mark.parametrize("nonsense", [{}, {"max": "0"}, {"max": "many"}, {"max": "-1"}, {"interval_milliseconds": "1"}])
def test_headers_that_make_no_sense_change_nothing(nonsense: dict[str, str]) -> None:
    time = Timeline()
    pace = told(time, **nonsense)
    for _ in range(20):
        with pace.turn(search=False):
            pass
    assert sum(time.waits) <= 20 * 10 / 90


def test_when_the_service_says_that_nothing_is_left_of_the_day_nothing_more_is_sent() -> None:
    time = Timeline()
    pace = told(time, daily="650000", daily_remaining="0")
    with pytest.raises(DayIsSpent), pace.turn(search=True):
        pytest.fail("a call went out")
    time.now += DAY_ASKED_AGAIN
    with pace.turn(search=True):
        pass


# --- What is sent again ---


class Line:
    """A connection that gives prepared answers, the last one for ever."""

    def __init__(self, *answers: Answer | Lost) -> None:
        self._answers = deque(answers)
        self.sent = 0

    def send(self) -> Answer:
        self.sent += 1
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Lost):
            raise answer
        return answer


def ask(line: Line, time: Timeline, *, repeatable: bool, search: bool = False) -> Answer:
    pace = Pace(clock=time.clock, pause=time.pause)
    return patiently(line.send, who="hub", what="a call", pace=pace, repeatable=repeatable, search=search)


def answer(status: int, body: object = None, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, names, b"" if body is None else json.dumps(body).encode())


def limit(policy: str, **headers: str) -> Answer:
    message = f"You have reached your limit, {ADDRESS}"
    body = {"status": "error", "message": message, "errorType": "RATE_LIMIT", "policyName": policy}
    return answer(429, body, **headers)


OK = answer(200, {"results": []})
HTML = Answer(502, {}, f"<html>{ADDRESS}</html>")


@pytest.mark.parametrize("trouble", [HTML, answer(500), answer(503), answer(524), Lost(sent=True), Lost(sent=False)])
def test_a_reading_call_is_repeated_after_trouble_that_passes(trouble: Answer | Lost) -> None:
    line, time = Line(trouble, OK), Timeline()
    assert ask(line, time, repeatable=True) is OK
    assert (line.sent, time.waits) == (2, [0.5])


@pytest.mark.parametrize("trouble", [HTML, answer(500), answer(504), Lost(sent=True), Lost(sent=True, halfway=True)])
def test_a_changing_call_is_not_repeated_when_it_may_have_taken_effect(trouble: Answer | Lost) -> None:
    line, time = Line(trouble, OK), Timeline()
    with pytest.raises(NoAnswer):
        ask(line, time, repeatable=False)
    assert (line.sent, time.waits) == (1, [])


def test_a_changing_call_that_never_left_is_repeated() -> None:
    line, time = Line(Lost(sent=False), OK), Timeline()
    assert ask(line, time, repeatable=False) is OK
    assert line.sent == 2


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (HTML, Unavailable),
        (Lost(sent=False), Unavailable),
        (Lost(sent=True), Unavailable),
        (Lost(sent=True, halfway=True), Incomplete),
        (answer(503, retry_after="3"), Throttled),
    ],
)
def test_trouble_that_stays_ends_after_a_few_attempts(trouble: Answer | Lost, error: type[ConnectorError]) -> None:
    line, time = Line(trouble), Timeline()
    with pytest.raises(error) as failed:
        ask(line, time, repeatable=True)
    assert line.sent == ATTEMPTS
    assert "hub" in str(failed.value)
    assert ADDRESS not in "".join(traceback.format_exception(failed.value))


def test_an_untrusted_certificate_is_not_tried_again() -> None:
    line, time = Line(Lost(sent=False, untrusted=True)), Timeline()
    with pytest.raises(Unavailable, match="TLS"):
        ask(line, time, repeatable=True)
    assert line.sent == 1


@pytest.mark.parametrize("repeatable", [True, False], ids=["reading", "changing"])
@pytest.mark.parametrize(
    ("refused", "search", "wait"),
    [
        (limit("TEN_SECONDLY_ROLLING"), False, 10.0),
        (limit("TEN_SECONDLY_ROLLING", retry_after="3"), False, 3.0),
        (limit("SECONDLY"), False, 1.0),
        (answer(429), True, 1.0),
        (Answer(429, {}, "<html></html>"), False, 10.0),
    ],
)
def test_a_call_over_a_short_allowance_waits_for_it_and_is_repeated(
    refused: Answer, search: bool, wait: float, repeatable: bool
) -> None:
    line, time = Line(refused, OK), Timeline()
    assert ask(line, time, repeatable=repeatable, search=search) is OK
    assert time.waits == [wait]


def test_the_allowance_of_the_day_is_not_waited_for() -> None:
    line, time = Line(limit("DAILY", retry_after="40000")), Timeline()
    with pytest.raises(Throttled) as stopped:
        ask(line, time, repeatable=True)
    assert stopped.value.retry_after == 40000
    assert (line.sent, time.waits) == (1, [])
    assert ADDRESS not in "".join(traceback.format_exception(stopped.value))


def test_waiting_for_an_allowance_has_an_end() -> None:
    line, time = Line(limit("TEN_SECONDLY_ROLLING")), Timeline()
    with pytest.raises(Throttled):
        ask(line, time, repeatable=True)
    assert sum(time.waits) <= LONGEST_WAIT


def test_a_long_wait_asked_for_is_handed_on_instead_of_slept() -> None:
    line, time = Line(limit("TEN_SECONDLY_ROLLING", retry_after="3600")), Timeline()
    with pytest.raises(Throttled) as stopped:
        ask(line, time, repeatable=True)
    assert stopped.value.retry_after == 3600
    assert time.waits == []


@pytest.mark.parametrize("repeatable", [True, False], ids=["reading", "changing"])
def test_a_lock_is_waited_for_at_least_two_seconds_and_handed_on_if_it_stays(repeatable: bool) -> None:
    line, time = Line(answer(423, retry_after="1"), OK), Timeline()
    assert ask(line, time, repeatable=repeatable) is OK
    assert time.waits == [2.0]
    locked = Line(answer(423))
    assert ask(locked, Timeline(), repeatable=repeatable).status == 423
    assert locked.sent == ATTEMPTS


def test_a_move_between_data_centres_is_left_to_the_schedule() -> None:
    line, time = Line(answer(477, retry_after="86400")), Timeline()
    with pytest.raises(Throttled) as moving:
        ask(line, time, repeatable=True)
    assert moving.value.retry_after == 86400
    assert time.waits == []


# --- What is said of an answer ---


def of(status: int, body: object) -> ConnectorError:
    return refusal("hub", "search of contacts", answer(status, body))


def test_a_missing_scope_is_named_and_the_vendors_message_is_not_repeated() -> None:
    body = {
        "status": "error",
        "message": f"This app may not read {ADDRESS}",
        "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
        "category": "MISSING_SCOPES",
        "errors": [
            {"message": ADDRESS, "context": {"requiredGranularScopes": ["crm.objects.contacts.write", ADDRESS]}}
        ],
    }
    error = of(403, body)
    assert isinstance(error, AccessDenied)
    assert "crm.objects.contacts.write" in str(error)
    assert "aeb5f871-7f07-4993-9211-075dc63e7cbf" in str(error)
    assert ADDRESS not in str(error)


def test_a_refusal_without_any_detail_is_still_a_clear_error() -> None:
    error = of(403, {"status": "error", "message": ADDRESS, "correlationId": ADDRESS, "category": ADDRESS})
    assert isinstance(error, AccessDenied)
    assert str(error).startswith("hub: search of contacts:")
    assert ADDRESS not in str(error)


@pytest.mark.parametrize(
    ("status", "error"), [(401, AccessDenied), (404, Unavailable), (423, Unavailable), (400, ConnectorError)]
)
def test_every_other_refusal_says_what_was_refused(status: int, error: type[ConnectorError]) -> None:
    refused = of(status, [ADDRESS])
    assert type(refused) is error
    assert str(status) in str(refused)
    assert ADDRESS not in str(refused)


@pytest.mark.parametrize("given", ["", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
def test_a_wait_that_is_no_number_of_seconds_is_not_believed(given: str) -> None:
    assert answer(429, retry_after=given).retry_after() is None


def test_evidence_holds_ids_and_times_and_nothing_else() -> None:
    given = answer(207, {"completedAt": "2026-11-22T02:00:00.000Z"}, x_hubspot_correlation_id="0f-1")
    assert given.evidence().request_id == "0f-1"
    assert given.evidence().http_status == 207
    assert given.evidence().vendor_time == "2026-11-22T02:00:00.000Z"
    odd = answer(200, {"completedAt": ADDRESS, "correlationId": ADDRESS}, date=ADDRESS)
    assert ADDRESS not in repr(odd.evidence())
    assert "results" not in repr(answer(200, {"results": [ADDRESS]}))
