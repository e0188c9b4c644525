"""What do the rows that hang on a record say of it? Orders, deals, cases, activities, files, consents, and its origin.

Reading them is `link_reader`; here rows become facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from connectors.salesforce.describe import value_of
from connectors.salesforce.standard import Meaning, Relation
from retention.vocabulary import DataClass, Transaction

Row = Mapping[str, Any]

LATEST = "latest"
_CLASSES: Mapping[str, DataClass] = {
    "EmailMessage": DataClass.EMAIL_MESSAGE,
    "Attachment": DataClass.DOCUMENT,
    "ContentDocumentLink": DataClass.DOCUMENT,
}


@dataclass(frozen=True)
class Consent:
    """The newest word in the org's consent objects."""

    opted_out: bool
    since: datetime | None


@dataclass(frozen=True)
class Links:
    """What hangs on one record."""

    transactions: tuple[Transaction, ...] = ()
    open_complaint: bool = False
    undeletable: bool = False  # something blocks the delete, or evidence of a transaction would go with the record
    activities: Mapping[DataClass, datetime] = field(default_factory=dict)  # the newest of each class
    born: datetime | None = None  # when the lead it was converted from was made
    consent: Consent | None = None


NO_LINKS = Links()


class Gathered:
    """Collects the rows of one record."""

    def __init__(self) -> None:
        self._transactions: list[Transaction] = []
        self._complaint = False
        self._anchored = False
        self._activities: dict[DataClass, datetime] = {}
        self._born: datetime | None = None
        self._consents: list[Consent] = []

    def add(self, relation: Relation, row: Row, now: datetime | None) -> None:
        match relation.meaning:
            case Meaning.CASE:
                self._anchored = True
                self._complaint = self._complaint or not row["IsClosed"]
            case Meaning.ANCHOR:
                self._anchored = True
            case Meaning.ACTIVITY:
                self._active(relation.name, row.get(LATEST))
            case Meaning.FILE:
                self._active(relation.name, value_of(row, relation.fields[0]))
            case Meaning.ORIGIN:
                made = instant(row["CreatedDate"])
                self._born = made if self._born is None or (made and made < self._born) else self._born
            case Meaning.CONSENT:
                self._consents += _consent(relation, row, now)
            case _:
                # An order or contract blocks the delete whatever its state; of a deal, only one that was not lost.
                self._anchored = self._anchored or relation.meaning is not Meaning.DEAL
                if transaction := _transaction(relation, row):
                    self._anchored = True
                    self._transactions.append(transaction)

    def links(self) -> Links:
        newest = max(self._consents, key=lambda one: one.since or datetime.min.replace(tzinfo=UTC), default=None)
        return Links(
            tuple(dict.fromkeys(self._transactions)),
            self._complaint,
            self._anchored,
            self._activities,
            self._born,
            newest,
        )

    def _active(self, name: str, at: object) -> None:
        data_class = _CLASSES.get(name, DataClass.CONTACT_NOTES)
        moment = instant(at)
        if moment is not None:
            self._activities[data_class] = max(moment, self._activities.get(data_class, moment))


def instant(value: object) -> datetime | None:
    """A vendor's date or date-time as an instant."""
    if not isinstance(value, str) or not value:
        return None
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _consent(relation: Relation, row: Row, now: datetime | None) -> Iterable[Consent]:
    """One decided row that is in force; what is neither in nor out, or not yet or no longer valid, says nothing."""
    status = row.get("PrivacyConsentStatus")
    since = instant(row.get("EffectiveFrom") or row.get("EffectiveFromDate"))
    until = instant(row.get("EffectiveTo"))
    if status not in ("OptIn", "OptOut"):
        return
    if now is not None and ((since is not None and since > now) or (until is not None and until <= now)):
        return
    yield Consent(status == "OptOut", since)


def _transaction(relation: Relation, row: Row) -> Transaction | None:
    match relation.meaning:
        case Meaning.ORDER:
            on, live = row["EndDate"] or row["EffectiveDate"], row["StatusCode"] in ("Activated", "A")
        case Meaning.CONTRACT:
            on = row["EndDate"] or row["StartDate"] or row["CreatedDate"]
            live = row["Status"] == "Activated"
        case Meaning.DEAL:
            prefix = relation.fields[0].rpartition(".")[0]
            deal = row.get(prefix) if prefix else row
            if not deal or (deal["IsClosed"] and not deal["IsWon"]):
                return None  # a lost deal is no transaction
            on, live = deal["CloseDate"], not deal["IsClosed"]
        case _:
            on, live = next(row[name] for name in relation.fields if row.get(name)), False
    name = "Opportunity" if relation.meaning is Meaning.DEAL else relation.name
    return Transaction(name, date.fromisoformat(str(on)[:10]), live=live)
