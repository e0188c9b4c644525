"""What business is there with a contact? Deals and companies as transactions, open tickets as complaints.

These records are facts only: none of them is ever erased for one person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.hubspot.facts import COMPANY, DEALS, Row, day_of, is_filled, is_true, properties_of, version_of
from connectors.hubspot.links import CONTACTS, Links, ends
from retention.vocabulary import Gap, GapCode, RecordKind, RecordRef, Transaction

DEAL, COMPANY_KIND = "deal", "company"
CUSTOMER = "customer"
_DEAL_SHOWS = ("closedate", "createdate", "hs_is_closed", "hs_is_closed_won")
_COMPANY_SHOWS = ("lifecyclestage", "closedate", "createdate")
_TICKET_SHOWS = ("closed_date",)
_LONG_AGO = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Dealings:
    """The business with one contact."""

    transactions: tuple[Transaction, ...] = ()
    open_complaint: bool = False


NO_DEALINGS = Dealings()


class Business:
    """Reads the business with contacts."""

    def __init__(self, links: Links, system: str) -> None:
        self._links = links
        self._system = system

    def of(self, kind: RecordKind, rows: Sequence[Row]) -> tuple[Mapping[str, Dealings], tuple[Gap, ...]]:
        """Dealings by contact id, of any number of contacts at once.

        What could not all be read is a gap and counts as live or open: it may protect a record, never destroy it.
        """
        if not rows:
            return {}, ()
        gaps: list[Gap] = []
        transactions: dict[str, list[Transaction]] = {str(row["id"]): [] for row in rows}
        for row, what, found in (*self._deals(rows), *self._companies(rows)):
            if found is None:
                gaps.append(self._unread(kind, row, what))
                found = [Transaction(what, day_of(row.get("updatedAt")) or _LONG_AGO, live=True)]
            transactions[str(row["id"])] += found
        complaints: set[str] = set()
        for row, is_open in self._tickets(rows):
            complaints |= {str(row["id"])} if is_open is not False else set()
            gaps += [self._unread(kind, row, "ticket")] if is_open is None else []
        dealings = {key: Dealings(tuple(found), key in complaints) for key, found in transactions.items()}
        return dealings, tuple(gaps)

    def _deals(self, rows: Sequence[Row]) -> Iterator[tuple[Row, str, list[Transaction] | None]]:
        having = {str(row["id"]): row for row in rows if properties_of(row).get(DEALS) not in (None, "", "0")}
        if not having:
            return
        linked = self._links.of(CONTACTS, "deals", list(having))
        read = self._links.rows("deals", ends(linked), _DEAL_SHOWS)
        for key, row in having.items():
            deals = linked.get(key, ())
            yield row, DEAL, [t for deal in deals if deal in read if (t := _of_deal(read[deal]))]
            if not deals or any(deal not in read for deal in deals):
                yield row, DEAL, None

    def _companies(self, rows: Sequence[Row]) -> Iterator[tuple[Row, str, list[Transaction] | None]]:
        """The company a contact works for, where it is a customer."""
        of = {str(row["id"]): str(properties_of(row).get(COMPANY) or "") for row in rows}
        wanted = sorted({company for company in of.values() if company.isdigit()}, key=int)
        read = self._links.rows("companies", wanted, _COMPANY_SHOWS)
        for row in rows:
            company = of[str(row["id"])]
            if company in read:
                yield row, COMPANY_KIND, list(_of_company(read[company]))
            elif company:
                yield row, COMPANY_KIND, None

    def _tickets(self, rows: Sequence[Row]) -> Iterator[tuple[Row, bool | None]]:
        """Whether a contact has an open ticket; None: not all could be read."""
        linked = self._links.of(CONTACTS, "tickets", [str(row["id"]) for row in rows])
        read = self._links.rows("tickets", ends(linked), _TICKET_SHOWS)
        for row in rows:
            tickets = linked.get(str(row["id"]), ())
            if any(ticket not in read for ticket in tickets):
                yield row, None
            elif tickets:
                yield row, any(not is_filled(properties_of(read[one]).get("closed_date")) for one in tickets)

    def _unread(self, kind: RecordKind, row: Row, what: str) -> Gap:
        ref = RecordRef(self._system, kind.name, str(row["id"]), version_of(row))
        return Gap(GapCode.LINK_NOT_FOLLOWED, kind.name, what, ref)


def _of_deal(deal: Row) -> Transaction | None:
    properties = properties_of(deal)
    is_closed = is_true(properties.get("hs_is_closed"))
    if is_closed and not is_true(properties.get("hs_is_closed_won")):
        return None  # a lost deal is no transaction
    on = day_of(properties.get("closedate")) or day_of(properties.get("createdate")) or day_of(deal.get("createdAt"))
    return Transaction(DEAL, on or _LONG_AGO, live=not is_closed)


def _of_company(company: Row) -> Iterator[Transaction]:
    properties = properties_of(company)
    if properties.get("lifecyclestage") == CUSTOMER:
        on = day_of(properties.get("closedate")) or day_of(properties.get("createdate"))
        yield Transaction(COMPANY_KIND, on or _LONG_AGO, live=True)
