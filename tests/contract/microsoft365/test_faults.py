"""What does the connector do when Graph refuses, breaks off or is not itself?"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.microsoft365.graph import LONGEST_WAIT
from connectors.microsoft365.transport import Transport
from retention.contract import AccessDenied, Incomplete, Throttled, Unavailable
from retention.vocabulary import Action, OutcomeStatus, Presence, Reason
from tests.contract.microsoft365.asking import (
    DONE,
    act,
    found,
    mail,
    pages,
    presence,
    step,
    tenant_with,
    token_of,
)
from tests.contract.microsoft365_tenant import Row, Tenant, error
from tests.contract.microsoft365_world import SYSTEM, Tokens, connect

UNKNOWN = (OutcomeStatus.UNKNOWN, Reason.NO_ANSWER)


def test_a_token_that_expires_in_the_middle_is_replaced_once_and_the_work_goes_on() -> None:
    tenant, items = tenant_with(*mail(30))
    steps = [step(tenant, item) for item in items]
    tenant.after = lambda request: tenant.refused_tokens.add("Bearer token-1") if len(tenant.calls) == 3 else None
    assert act(tenant, Action.ERASE, *steps) == [DONE] * 30


def test_a_token_that_is_refused_again_is_access_denied() -> None:
    tenant, _ = tenant_with(*mail())
    tenant.refused_tokens |= {f"Bearer token-{n}" for n in range(1, 9)}
    with pytest.raises(AccessDenied, match=f"{SYSTEM}.*token"):
        pages(connect(tenant))
    assert len(tenant.calls) == 2


def test_a_token_refused_for_single_parts_of_a_batch_is_replaced_too() -> None:
    tenant, (item, other) = tenant_with(*mail(2))
    left = [1]

    def refuse(verb: str, path: str) -> tuple[int, Row] | None:
        if "permanentDelete" in path and item.rstrip("=") in path and left:
            left.pop()
            return 401, error("InvalidAuthenticationToken")
        return None

    tenant.twist = refuse
    assert act(tenant, Action.ERASE, step(tenant, item), step(tenant, other)) == [DONE, DONE]


def test_a_wait_that_is_asked_for_is_waited_before_the_call_is_repeated() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.before = answers_first(httpx.Response(429, headers={"Retry-After": "11"}))
    waits: list[float] = []
    assert set(found(pages(connect(tenant, waits=waits)))) == {item}
    assert 11.0 in waits


def test_a_wait_beyond_the_budget_is_handed_to_whoever_schedules() -> None:
    tenant, _ = tenant_with(*mail())
    wait = str(int(LONGEST_WAIT) + 1)
    tenant.before = answers_first(httpx.Response(429, headers={"Retry-After": wait}))
    with pytest.raises(Throttled) as throttled:
        pages(connect(tenant))
    assert throttled.value.retry_after == float(wait)


def test_a_part_that_stays_throttled_is_not_sent_and_the_others_are_done() -> None:
    tenant, (item, other) = tenant_with(*mail(2))
    tenant.twist = lambda verb, path: (429, None) if verb == "POST" and item.rstrip("=") in path else None
    told = act(tenant, Action.ERASE, step(tenant, item), step(tenant, other))
    assert told == [(OutcomeStatus.FAILED, Reason.NOT_SENT), DONE]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_reading_that_fails_without_a_body_is_repeated(status: int) -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.before = answers_first(httpx.Response(status), times=3)
    assert set(found(pages(connect(tenant)))) == {item}


def test_a_change_that_fails_without_a_body_is_repeated_since_twice_is_the_same_as_once() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.before = answers_first(httpx.Response(503), times=3, holding=b"permanentDelete")
    assert act(tenant, Action.ERASE, step(tenant, item)) == [DONE]


def test_a_change_that_never_gets_an_answer_is_unknown_and_read_back_as_it_is() -> None:
    tenant, (item,) = tenant_with(*mail())
    erasing = step(tenant, item)
    tenant.before = answers_first(httpx.Response(503), times=99, holding=b"permanentDelete")
    assert act(tenant, Action.ERASE, erasing) == [UNKNOWN]
    assert presence(tenant, erasing) is Presence.PRESENT


def test_a_page_that_takes_too_long_is_asked_for_in_smaller_ones() -> None:
    tenant, items = tenant_with(*mail(40))
    tenant.before = lambda request: httpx.Response(504) if "maxpagesize=100" in request.headers["prefer"] else None
    assert set(found(pages(connect(tenant)))) == set(items)


def test_a_page_that_takes_too_long_however_small_is_unavailable() -> None:
    tenant, _ = tenant_with(*mail())
    tenant.before = lambda request: httpx.Response(504) if "delta" in str(request.url) else None
    with pytest.raises(Unavailable, match="takes too long"):
        pages(connect(tenant))


def test_an_item_that_is_damaged_for_good_is_not_asked_for_again_and_again() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.twist = lambda verb, path: (500, error("ErrorCorruptData")) if item.rstrip("=") in path else None
    assert act(tenant, Action.ERASE, step(tenant, item)) == [(OutcomeStatus.FAILED, Reason.NOT_PROVEN)]
    assert len([path for _, path in tenant.parts if item.rstrip("=") in path]) == 1


@pytest.mark.parametrize("content", [b"<html>busy</html>", b"", b"{", b"[]", b'{"value": 1}', b'{"value": [1]}'])
def test_an_answer_that_is_no_list_is_incomplete_and_never_empty(content: bytes) -> None:
    tenant, _ = tenant_with(*mail())
    tenant.before = lambda request: httpx.Response(200, content=content) if "delta" in str(request.url) else None
    with pytest.raises(Incomplete, match=SYSTEM):
        pages(connect(tenant))


def test_a_batch_that_leaves_out_a_reading_is_incomplete() -> None:
    tenant, _ = tenant_with(*mail())
    token = token_of(pages(connect(tenant)))
    empty = httpx.Response(200, json={"responses": []})
    tenant.before = lambda request: empty if "batch" in str(request.url) else None
    with pytest.raises(Incomplete, match="not answered"):
        pages(connect(tenant), token)


def test_a_batch_that_leaves_out_a_change_leaves_it_unknown() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.before = answers_first(httpx.Response(200, json={"responses": []}), holding=b"permanentDelete")
    assert act(tenant, Action.ERASE, step(tenant, item)) == [UNKNOWN]


def test_a_service_that_knows_no_batches_changes_nothing_and_is_not_believed_to_have_erased() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.before = answers_first(httpx.Response(404), times=9, holding=b"permanentDelete")
    with pytest.raises(Unavailable, match="not found at this address"):
        act(tenant, Action.ERASE, step(tenant, item))
    assert tenant.boxes["u1"].items[item].folder == "u1-inbox"


def test_what_was_done_before_the_service_gave_up_keeps_its_outcome() -> None:
    tenant, (item, other) = tenant_with(*mail(2))
    tenant.twist = lambda verb, path: (429, None) if verb == "POST" and item.rstrip("=") in path else None
    left = [1]

    def give_up(request: httpx.Request) -> httpx.Response | None:
        if b"permanentDelete" not in request.content:
            return None
        left[0] -= 1
        return httpx.Response(400) if left[0] < 0 else None

    tenant.before = give_up
    told = act(tenant, Action.ERASE, step(tenant, item), step(tenant, other))
    assert told == [(OutcomeStatus.FAILED, Reason.NOT_SENT), DONE]


def test_the_message_of_an_error_which_may_echo_a_person_is_in_no_exception() -> None:
    tenant, _ = tenant_with(*mail())
    tenant.before = lambda request: httpx.Response(400, json=error("BadRequest"))
    with pytest.raises(Exception, match="badrequest") as failed:
        pages(connect(tenant))
    assert "somebody@example.com" not in str(failed.value)


def test_no_call_goes_to_a_host_without_tls() -> None:
    with pytest.raises(AccessDenied, match="https"):
        Transport(httpx.Client(), Tokens(), SYSTEM, "http://graph.test/v1.0")


def answers_first(given: httpx.Response, *, times: int = 1, holding: bytes = b"") -> Any:
    """Answer so the first calls, of those whose body holds some bytes."""
    left = [times]

    def answer(request: httpx.Request) -> httpx.Response | None:
        if left[0] and holding in request.content:
            left[0] -= 1
            return httpx.Response(given.status_code, headers=given.headers, content=given.content)
        return None

    return answer


def test_every_call_bears_an_id_of_its_own() -> None:
    tenant = Tenant()
    tenant.add_box()
    ids: list[str] = []
    tenant.before = lambda request: ids.append(request.headers["client-request-id"])  # type: ignore[func-returns-value]
    pages(connect(tenant))
    assert len(ids) == len(set(ids)) == len(tenant.calls)
