"""What does a search on HubSpot make of what comes, and of what does not?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from connectors.hubspot import HubSpotConnector
from connectors.hubspot.facts import declared
from retention.contract import ConnectorError, Incomplete
from retention.vocabulary import Criteria, Cursor, GapCode, Page, Transaction
from tests.contract.hubspot_wire import (
    ADDRESS,
    Wire,
    answers,
    client_on,
    hits,
    row,
)
from tests.contract.hubspot_world import EXPIRED, KINDS


@pytest.fixture
def connector(wire: Wire) -> HubSpotConnector:
    client = client_on(wire).named("crm")
    return HubSpotConnector(client, "crm", client.tenant, KINDS)


PROPERTIES = answers({"results": [{"name": name, "type": "string"} for name in declared(KINDS[0])]})
ASKED = Criteria(opted_out=True)
NOTHING = answers({"results": []})


def unread(page: Page) -> list[tuple[GapCode, str]]:
    """What could not be read, apart from what never can be deleted."""
    return [(gap.code, gap.what) for gap in page.gaps if gap.code is not GapCode.NO_DELETE_API]


def test_a_page_short_of_its_own_total_is_incomplete(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(PROPERTIES, hits("1", "2", total=3))
    with pytest.raises(Incomplete, match="2 of 3"):
        list(connector.find(ASKED))


@pytest.mark.parametrize("keys", [("2", "1"), ("1", "1"), ("x",), ("0",)])
def test_a_page_out_of_order_is_incomplete(wire: Wire, connector: HubSpotConnector, keys: tuple[str, ...]) -> None:
    wire.says(PROPERTIES, hits(*keys, total=len(keys)))
    with pytest.raises(Incomplete, match="order"):
        list(connector.find(ASKED))


@pytest.mark.parametrize("cursor", ["", "7/1", "x/y", "0/-1", ADDRESS])
def test_a_cursor_of_another_search_is_refused(wire: Wire, connector: HubSpotConnector, cursor: str) -> None:
    wire.says(PROPERTIES)
    with pytest.raises(ConnectorError, match="another search"):
        list(connector.find(ASKED, Cursor(cursor)))


def test_deals_that_cannot_be_read_are_a_gap_and_protect_the_contact(wire: Wire, connector: HubSpotConnector) -> None:
    buyer = row("1", hs_email_optout="true", num_associated_deals="2", email=ADDRESS)
    linked = answers({"results": [{"from": {"id": "1"}, "to": [{"toObjectId": 70}, {"toObjectId": "71"}]}]})
    won = row("70", hs_is_closed="true", hs_is_closed_won="true", closedate="2025-03-04T10:00:00Z")
    found = answers({"total": 1, "results": [buyer]})
    wire.says(PROPERTIES, found, linked, answers({"results": [won]}, "207 Mixed"), NOTHING)
    (page,) = connector.find(ASKED)
    assert unread(page) == [(GapCode.LINK_NOT_FOLLOWED, "deal")]
    assert page.findings[0].facts.transactions == (
        Transaction("deal", date(2025, 3, 4), live=False),
        Transaction("deal", date(2026, 11, 20), live=True),
    )


def test_a_won_deal_is_a_transaction_an_open_one_is_live_and_a_lost_one_is_none(
    wire: Wire, connector: HubSpotConnector
) -> None:
    buyer = row("1", hs_email_optout="true", num_associated_deals="3", email=ADDRESS)
    linked = {"from": {"id": "1"}, "to": [{"toObjectId": key} for key in (70, 71, 72)]}
    closed = {"hs_is_closed": "true", "closedate": "2025-03-04T10:00:00Z"}
    deals = [
        row("70", hs_is_closed_won="true", **closed),
        row("71", hs_is_closed_won="false", **closed),
        row("72", hs_is_closed="false", createdate="2026-10-01T10:00:00Z"),
    ]
    found = answers({"total": 1, "results": [buyer]})
    wire.says(PROPERTIES, found, answers({"results": [linked]}), answers({"results": deals}), NOTHING)
    (page,) = connector.find(ASKED)
    assert unread(page) == []
    assert page.findings[0].facts.transactions == (
        Transaction("deal", date(2025, 3, 4), live=False),
        Transaction("deal", date(2026, 10, 1), live=True),
    )


def test_a_property_the_account_does_not_show_is_a_gap_and_leaves_no_date_instead_of_a_worse_one(
    wire: Wire, connector: HubSpotConnector
) -> None:
    shown = [name for name in declared(KINDS[0]) if name != "collected_on"]
    properties = answers({"results": [{"name": name, "type": "datetime"} for name in shown]})
    known = row("1", email=ADDRESS, createdate="2019-01-01T00:00:00Z", hs_email_optout="true")
    wire.says(properties, answers({"total": 1, "results": [known]}), NOTHING)
    (page,) = connector.find(replace(EXPIRED, opted_out=True))
    assert unread(page) == [(GapCode.FIELD_HIDDEN, "collected_on")]
    assert [one.collected for one in page.findings[0].facts.classes] == [None]
    assert "createdate" not in wire.requests[1].partition("properties")[0]


def test_all_pages_of_a_contacts_deals_are_read(wire: Wire, connector: HubSpotConnector) -> None:
    buyer = row("1", hs_email_optout="true", num_associated_deals="2", email=ADDRESS)
    first = {"from": {"id": "1"}, "to": [{"toObjectId": 70}], "paging": {"next": {"after": "500"}}}
    second = {"from": {"id": "1"}, "to": [{"toObjectId": 71}]}
    deals = [row(key, hs_is_closed="false", closedate="2026-12-01T10:00:00Z") for key in ("70", "71")]
    wire.says(
        PROPERTIES,
        answers({"total": 1, "results": [buyer]}),
        *(answers({"results": [some]}) for some in (first, second)),
        answers({"results": deals}),
        NOTHING,
    )
    (page,) = connector.find(ASKED)
    assert len(page.findings[0].facts.transactions) == 2
    assert '"after": "500"' in wire.requests[3]
