"""Which transactions hang on the contacts of a page? Deals, by one call for the links and one per 100 deals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from connectors.hubspot.client import MOST_ASSOCIATIONS, MOST_IDS, HubSpotClient
from connectors.hubspot.facts import DEALS, Row, day_of, is_true, properties_of, version_of
from connectors.hubspot.filters import portions
from retention.vocabulary import Gap, GapCode, RecordKind, RecordRef, Transaction

DEAL = "deal"
_PROPERTIES = ("closedate", "createdate", "hs_is_closed", "hs_is_closed_won")
_LONG_AGO = date(1970, 1, 1)


class DealReader:
    """Reads the deals of contacts."""

    def __init__(self, client: HubSpotClient, system: str) -> None:
        self._client = client
        self._system = system

    def of_page(
        self, kind: RecordKind, rows: Sequence[Row]
    ) -> tuple[Mapping[str, tuple[Transaction, ...]], tuple[Gap, ...]]:
        """Transactions by contact id.

        A contact whose deals could not all be read is a gap, and counts as having a live transaction: what was not
        read may protect a record, never destroy it.
        """
        having = {str(row["id"]): row for row in rows if _has_deals(row)}
        if not having:
            return {}, ()
        linked = self._linked(list(having))
        wanted = sorted({deal for deals in linked.values() for deal in deals}, key=int)
        read: dict[str, Row] = {}
        for ids in portions(wanted, MOST_IDS):
            read |= {str(deal["id"]): deal for deal in self._client.deals(ids, _PROPERTIES)}
        transactions: dict[str, tuple[Transaction, ...]] = {}
        gaps: list[Gap] = []
        for contact, row in having.items():
            deals = linked.get(contact, ())
            found = [_transaction(read[deal]) for deal in deals if deal in read]
            if not deals or len(found) < len(deals):
                ref = RecordRef(self._system, kind.name, contact, version_of(row))
                gaps.append(Gap(GapCode.LINK_NOT_FOLLOWED, kind.name, "deals", ref))
                found.append(Transaction(DEAL, day_of(row.get("updatedAt")) or _LONG_AGO, live=True))
            transactions[contact] = tuple(t for t in found if t is not None)
        return transactions, tuple(gaps)

    def _linked(self, contacts: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Ids of the deals by contact, all pages of them."""
        linked: dict[str, list[str]] = defaultdict(list)
        to_read = [{"id": contact} for contact in contacts]
        while to_read:
            following: list[dict[str, str]] = []
            for some in portions(to_read, MOST_ASSOCIATIONS):
                for result in self._client.deals_of(some):
                    contact = str(result["from"]["id"])
                    linked[contact] += [str(to["toObjectId"]) for to in result.get("to", ())]
                    after = ((result.get("paging") or {}).get("next") or {}).get("after")
                    if after:
                        following.append({"id": contact, "after": str(after)})
            to_read = following
        return {contact: list(dict.fromkeys(deals)) for contact, deals in linked.items()}


def _has_deals(row: Row) -> bool:
    return properties_of(row).get(DEALS) not in (None, "", "0")


def _transaction(deal: Row) -> Transaction | None:
    properties = properties_of(deal)
    is_closed = is_true(properties.get("hs_is_closed"))
    if is_closed and not is_true(properties.get("hs_is_closed_won")):
        return None  # a lost deal is no transaction
    on = day_of(properties.get("closedate")) or day_of(properties.get("createdate")) or day_of(deal.get("createdAt"))
    return Transaction(DEAL, on or _LONG_AGO, live=not is_closed)
