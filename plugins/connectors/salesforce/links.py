"""Which transactions and complaints hang on the contacts of a page? Three related objects in one call.

A page's contacts are named by a list of ids while that stays short, by a semi-join over the page's range of ids
otherwise. Leads have no such children.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.salesforce import codes, soql
from connectors.salesforce.rest import Part, Rest
from retention.contract import Incomplete
from retention.vocabulary import Gap, GapCode, Transaction

LONGEST_ID_LIST = 200

ORDERS = "Order"
ROLES = "OpportunityContactRole"
CASES = "Case"

_FIELDS: Mapping[str, tuple[str, ...]] = {
    ORDERS: ("BillToContactId", "StatusCode", "EffectiveDate", "EndDate"),
    ROLES: ("ContactId", "Opportunity.IsWon", "Opportunity.IsClosed", "Opportunity.CloseDate"),
    CASES: ("ContactId", "IsClosed"),
}


@dataclass(frozen=True)
class Links:
    """What hangs on one contact."""

    transactions: tuple[Transaction, ...] = ()
    open_complaint: bool = False
    undeletable: bool = False  # a case or an order blocks the delete; a deal's contact role would go with the contact


NO_LINKS = Links()


class LinkReader:
    """Reads what hangs on the contacts of a page."""

    def __init__(self, rest: Rest, system: str) -> None:
        self._rest = rest
        self._system = system

    def of_page(self, kind: str, ids: Sequence[str], where: str) -> tuple[Mapping[str, Links], tuple[Gap, ...]]:
        """Links by contact id, and a gap for each related object that could not be read.

        `ids` are in the order of the page; `where` is the filter that found them.
        """
        if kind != "Contact" or not ids:
            return {}, ()
        objects = list(_FIELDS)
        answers = self._rest.composite([self._part(name, ids, where) for name in objects])
        transactions: dict[str, list[Transaction]] = defaultdict(list)
        complaints: set[str] = set()
        anchored: set[str] = set()
        gaps: list[Gap] = []
        for name, answer in zip(objects, answers, strict=True):
            if answer.status != 200:
                code = codes.of_body(answer.body)
                if code not in codes.UNREADABLE_QUERY:
                    raise self._rest.refusal(answer, f"query of {name}")
                hidden = GapCode.KIND_HIDDEN if code == "INVALID_TYPE" else GapCode.FIELD_HIDDEN
                gaps.append(Gap(hidden, kind, name))
                continue
            for row in self._rows(name, answer.body):
                contact = row[_FIELDS[name][0]]
                if name == CASES:
                    anchored.add(contact)
                    if not row["IsClosed"]:
                        complaints.add(contact)
                elif transaction := _transaction(name, row):
                    anchored.add(contact)
                    transactions[contact].append(transaction)
        links = {
            contact: Links(tuple(transactions.get(contact, ())), contact in complaints, undeletable=True)
            for contact in anchored
        }
        return links, tuple(gaps)

    def _part(self, name: str, ids: Sequence[str], where: str) -> Part:
        link = _FIELDS[name][0]
        if len(ids) <= LONGEST_ID_LIST:
            those = soql.within(link, ids)
        else:
            bounds = [f"Id >= {soql.literal(ids[0])}", f"Id <= {soql.literal(ids[-1])}", where]
            those = f"{link} IN ({soql.select(['Id'], 'Contact', soql.all_of(bounds))})"
        statement = soql.select(_FIELDS[name], name, those)
        return Part("GET", f"query?q={soql.in_url(statement)}")

    def _rows(self, name: str, body: Any) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = []
        expected = body["totalSize"]
        while True:
            rows += body["records"]
            if body["done"]:
                break
            body = self._rest.read("GET", body["nextRecordsUrl"]).body
        if len(rows) != expected:
            raise Incomplete(f"{self._system}: {len(rows)} of {expected} rows of {name} came; read again")
        return rows


def _transaction(name: str, row: Mapping[str, Any]) -> Transaction | None:
    if name == ORDERS:
        on = row["EndDate"] or row["EffectiveDate"]
        return Transaction(ORDERS, date.fromisoformat(on), live=row["StatusCode"] in ("Activated", "A"))
    deal = row["Opportunity"]
    if not deal or (deal["IsClosed"] and not deal["IsWon"]):
        return None  # a lost deal is no transaction
    return Transaction("Opportunity", date.fromisoformat(deal["CloseDate"]), live=not deal["IsClosed"])
