"""What does the next pass cost, and what becomes of a position that no longer holds?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.microsoft365.positions import Positions
from retention.contract import ConnectorError, Incomplete
from tests.contract.microsoft365.asking import (
    found,
    mail,
    names,
    pages,
    tenant_with,
    token_of,
)
from tests.contract.microsoft365_tenant import HOST, Row, Tenant, error
from tests.contract.microsoft365_world import SCOPE, connect

# --- What a night costs ---


def test_a_night_with_nothing_new_costs_one_question_per_folder_that_holds_anything_twenty_a_request() -> None:
    tenant = Tenant()
    for number in range(10):
        tenant.add_box(f"u{number}", f"box-{number}@ours.example")
        tenant.add("message", mail()[0], box=f"u{number}")
    first = pages(connect(tenant))
    tenant.parts.clear()
    tenant.calls.clear()
    second = pages(connect(tenant), token_of(first))
    assert found(second) == {}
    asked = [path for _, path in tenant.parts if "delta" in path]
    places = 10 * 3  # one folder that is not empty, contacts and calendar a mailbox
    recoverable = 10
    assert len(asked) == places + recoverable
    assert all("deltatoken" in path for path in asked)
    batches = [path for _, path in tenant.calls if path == "/$batch"]
    assert len(batches) == len(tenant.calls) - 1  # and one list of users
    assert len(batches) == 2 + 1 + 1  # changes, folders, contact folders


def test_a_first_pass_that_broke_off_goes_on_where_it_was_saved() -> None:
    tenant, items = tenant_with(*mail(120))
    connector = connect(tenant, page_size=2)
    seen: set[str] = set()
    token = None
    for page in connector.changes(None):
        seen |= set(found([page]))
        if page.next is not None:
            token = page.next
            break
    assert isinstance(token, bytes)
    assert 0 < len(seen) < 120
    rest = list(connect(tenant, page_size=2).changes(token))  # type: ignore[arg-type]
    assert seen | set(found(rest)) == set(items)
    assert seen & set(found(rest)) == set()
    assert not rest[-1].whole, "what the first part named was not named again"


def test_a_row_that_names_only_what_changed_is_read_whole() -> None:
    tenant, (item,) = tenant_with(*mail())
    first = pages(connect(tenant))
    whole = tenant.boxes["u1"].items[item].row
    tenant.touch("u1", item)

    def partly(verb: str, path: str) -> tuple[int, Row] | None:
        if "deltatoken" in path and "/mailFolders/u1-inbox/" in path:
            link = f"{HOST}/v1.0/users/u1/mailFolders/u1-inbox/messages/delta?$deltatoken=99"
            return 200, {"value": [{"id": item, "isRead": True}], "@odata.deltaLink": link}
        return None

    tenant.twist = partly
    finding = found(pages(connect(tenant), token_of(first)))[item]
    assert finding.ref.version == whole["changeKey"]
    assert names(finding) == {"ann-0@example.com"}


def test_another_meaning_of_the_items_reads_everything_anew() -> None:
    tenant, items = tenant_with(*mail(3))
    token = token_of(pages(connect(tenant)))
    scope = replace(SCOPE, transaction_categories=frozenset({"order"}))
    assert set(found(pages(connect(tenant, scope), token))) == set(items)


# --- Positions ---


def test_an_expired_position_reads_its_folder_anew_and_no_other() -> None:
    tenant, (item,) = tenant_with(*mail())
    sent = tenant.add("message", mail()[0], folder="sent")
    token = token_of(pages(connect(tenant)))

    def expire(verb: str, path: str) -> tuple[int, Row] | None:
        is_old = "deltatoken" in path and "/mailFolders/u1-inbox/" in path
        return (410, error("SyncStateNotFound")) if is_old else None

    tenant.twist = expire
    read = pages(connect(tenant), token)
    assert set(found(read)) == {item}
    assert sent not in found(read)
    assert set(found(pages(connect(tenant), token_of(read)))) == {item}


def test_a_position_that_expires_between_two_pages_begins_its_folder_again_once() -> None:
    tenant, items = tenant_with(*mail(5))
    left = [1]

    def expire(verb: str, path: str) -> tuple[int, Row] | None:
        if "skiptoken" in path and left:
            left.pop()
            return 410, error("resyncRequired")
        return None

    tenant.twist = expire
    assert set(found(pages(connect(tenant, page_size=2)))) == set(items)
    tenant.twist = lambda _, path: (410, error("resyncRequired")) if "skiptoken" in path else None
    with pytest.raises(ConnectorError, match="410"):
        pages(connect(tenant, page_size=2))


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://graph.evil.example/v1.0/users",
        "http://graph.test/v1.0/users",
        "https://graph.test:444/v1.0/users",
        "//x",
    ],
)
@pytest.mark.parametrize("name", ["@odata.nextLink", "@odata.deltaLink"])
def test_a_page_that_points_to_another_host_is_refused(name: str, elsewhere: str) -> None:
    tenant, _ = tenant_with(*mail())

    def lure(verb: str, path: str) -> tuple[int, Row] | None:
        return (200, {"value": [], name: elsewhere}) if "/messages/delta" in path else None

    tenant.twist = lure
    with pytest.raises(Incomplete, match="another host"):
        pages(connect(tenant))


def test_a_list_without_its_end_is_no_list() -> None:
    tenant, _ = tenant_with(*mail())
    tenant.twist = lambda verb, path: (200, {"value": []}) if "/messages/delta" in path else None
    with pytest.raises(Incomplete, match="without its end"):
        pages(connect(tenant))


@pytest.mark.parametrize("token", [b"", b"M365-1:", b"M365-1:AAAA", b"KF\x01\x01", b"M365-1:eJyrrgUAAXUA-Q=="])
def test_a_token_that_cannot_be_read_is_none(token: bytes) -> None:
    assert Positions.parse(token, "m").places == {}  # type: ignore[arg-type]
