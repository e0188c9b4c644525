"""Each trap of Graph's, and each query it refuses: does the connector walk into it?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from retention.vocabulary import Action, GapCode, Presence
from tests.contract.microsoft365.asking import (
    DONE,
    HELD,
    OUTSIDER,
    RECOVERABLE,
    act,
    found,
    gaps,
    mail,
    names,
    outcomes,
    pages,
    presence,
    seen,
    step,
    tenant_with,
    token_of,
)
from tests.contract.microsoft365_tenant import PURGES, Tenant, message, person
from tests.contract.microsoft365_world import SCOPE, connect
from tests.leave import Leave


def test_a_204_from_permanent_delete_is_not_erasure_but_recoverable_until_a_day() -> None:
    tenant, (item,) = tenant_with(*mail(), granted=False)
    (outcome,) = outcomes(tenant, Action.ERASE, step(tenant, item))
    assert (outcome.status, outcome.reason) == RECOVERABLE
    assert outcome.settle_on == date(2026, 12, 7)
    assert tenant.boxes["u1"].items[item].folder == PURGES


def test_what_the_mailbox_item_api_may_delete_for_good_is_erased_and_in_no_view() -> None:
    tenant, (item, other) = tenant_with(*mail(2))
    erasing = step(tenant, item)
    assert act(tenant, Action.ERASE, erasing) == [DONE]
    assert list(tenant.boxes["u1"].items) == [other]
    observed = seen(tenant, erasing)
    assert observed.presence is Presence.ABSENT
    assert {"mail-api", "recoverableitemsdeletions", "recoverableitemspurges"} <= set(observed.views)


def test_without_that_api_the_views_of_an_absence_do_not_name_what_nobody_read() -> None:
    tenant, (item,) = tenant_with(*mail(), granted=False)
    erasing = step(tenant, item)
    act(tenant, Action.ERASE, erasing)
    assert not any("recoverable" in view for view in seen(tenant, erasing).views)


def test_a_hold_gives_no_error_on_permanent_delete_and_is_told_by_the_hard_delete_alone() -> None:
    tenant, (item,) = tenant_with(*mail())
    tenant.boxes["u1"].on_hold = True
    erasing = step(tenant, item)
    assert act(tenant, Action.ERASE, erasing) == [HELD]
    assert presence(tenant, erasing) is Presence.RECOVERABLE
    assert item in tenant.boxes["u1"].items


def test_a_mailbox_the_policy_knows_to_be_on_hold_is_not_touched() -> None:

    tenant, (item,) = tenant_with(*mail())
    scope = replace(SCOPE, on_hold=frozenset({"sales@ours.example"}))
    assert act(tenant, Action.ERASE, step(tenant, item), scope=scope) == [HELD]
    assert not [path for verb, path in tenant.parts if verb != "GET"]


def test_an_archive_mailbox_is_a_gap_of_its_mailbox_and_never_nothing_found() -> None:

    tenant, _ = tenant_with(*mail())
    tenant.add_box("u2", "info@ours.example")
    for archives, expected in ((None, 2), (frozenset({"info@ours.example"}), 1), (frozenset[str](), 0)):
        read = pages(connect(tenant, replace(SCOPE, archives=archives)))
        told = [gap.ref.key for page in read for gap in page.gaps if gap.ref and gap.what == "archive-mailbox"]
        assert len(told) == expected
    assert (GapCode.NOT_REACHABLE, "archive-mailbox") in gaps(pages(connect(tenant, replace(SCOPE, archives=None))))


def test_display_names_that_a_search_would_match_never_lead_to_anybody() -> None:
    tenant, (item,) = tenant_with(message("bob@example.com", "sales@ours.example", toRecipients=[]))
    tenant.touch("u1", item, **{"from": person("bob@example.com", name=OUTSIDER)})
    tenant.touch("u1", item, toRecipients=[person("sales@ours.example", name=OUTSIDER)])
    assert names(found(pages(connect(tenant)))[item]) == {"bob@example.com"}


def test_immutable_ids_are_asked_for_on_every_call_and_every_part() -> None:
    tenant, (item, other) = tenant_with(*mail(2))
    asked: list[str] = []
    tenant.before = lambda request: asked.append(request.headers["prefer"])  # type: ignore[assignment,func-returns-value]
    a_whole_life(tenant, item, other)
    assert asked  # and the tenant itself asserts it of every part
    assert all('IdType="ImmutableId"' in one for one in asked)


def test_parts_of_a_batch_that_fail_are_repeated_alone_after_their_own_wait() -> None:
    tenant, items = tenant_with(*mail(5))
    refused = [items[1], items[3]]

    def throttle(verb: str, path: str) -> tuple[int, None] | None:
        for item in refused:
            if verb == "POST" and item.rstrip("=") in path:
                refused.remove(item)
                return 429, None
        return None

    tenant.twist = throttle
    waits: list[float] = []
    steps = [step(tenant, item) for item in items]
    assert act(tenant, Action.ERASE, *steps, waits=waits) == [DONE] * 5
    deletes = [path for verb, path in tenant.parts if path.endswith("/permanentDelete")]
    assert len(deletes) == 7
    assert len(set(deletes)) == 5
    assert 7.0 in waits


def test_every_list_asks_for_named_properties_only() -> None:
    tenant, (item, other) = tenant_with(*mail(2))
    a_whole_life(tenant, item, other)
    lists = [path for verb, path in tenant.parts if verb == "GET" and "deltatoken" not in path]
    bare = [
        path for path in lists if "$select=" not in path and not re.search(r"calendarView|/settings/|/\$value", path)
    ]
    assert bare == []


REFUSED = {
    "sender filter sorted by a date that is not in the filter": r"\$filter=[^&]*from/",
    "recipient by filter": r"\$filter=[^&]*(to|cc|bcc)Recipients",
    "address in a list, by its end or by a part of it": r"\$filter=[^&]*( in |endswith|contains)",
    "search with orderby": r"\$search=.*\$orderby=|\$orderby=.*\$search=",
    "search with filter": r"\$search=.*\$filter=|\$filter=.*\$search=",
    "search with skip": r"\$search=.*\$skip=|\$skip=.*\$search=",
    "a skip of our own making": r"\$skip=",
    "changes by another filter than the date of receipt": r"delta\?.*(\$filter|\$search|\$orderby)=",
    "attendees by filter": r"\$filter=[^&]*attendees",
}


@pytest.mark.parametrize("query", REFUSED)
def test_a_query_that_the_service_refuses_is_never_sent(query: str) -> None:
    tenant, (item, other) = tenant_with(*mail(2))
    a_whole_life(tenant, item, other)
    assert not [path for _, path in tenant.parts if re.search(REFUSED[query], path)]


def a_whole_life(tenant: Tenant, item: str, other: str) -> None:
    """Two nights, and every verb on something that is there."""
    connector = connect(tenant)
    token = token_of(pages(connector))
    pages(connector, token)
    restricting = step(tenant, other, Action.RESTRICT)
    assert [o.status for o in connector.act(Action.RESTRICT, [restricting], Leave())] == [DONE[0]]
    assert list(connector.export([restricting.ref]))
    erasing = step(tenant, item)
    assert [o.status for o in connector.act(Action.ERASE, [erasing], Leave())] == [DONE[0]]
    assert [o.presence for o in connector.read_back([erasing, restricting])] == [Presence.ABSENT, Presence.RESTRICTED]
