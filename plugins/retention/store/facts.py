"""How are facts kept in the ledger? As JSON without payloads: dates, field names, bases; never what the fields hold."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from retention.vocabulary import ClassFacts, DataClass, Dated, Facts, LawfulBasis, Transaction

Json = dict[str, Any]


def encode(facts: Facts) -> Json:
    """Facts as JSON."""
    return {
        "classes": [
            {
                "data_class": c.data_class,
                "lawful_basis": c.lawful_basis,
                "fields": list(c.fields),
                "collected": [c.collected.value.isoformat(), c.collected.provenance] if c.collected else None,
            }
            for c in facts.classes
        ],
        "opted_out": facts.opted_out,
        "opted_out_on": facts.opted_out_on.isoformat() if facts.opted_out_on else None,
        "consented_on": facts.consented_on.isoformat() if facts.consented_on else None,
        "transactions": [[t.kind, t.on.isoformat(), t.live] for t in facts.transactions],
        "open_complaint": facts.open_complaint,
        "restricted": facts.restricted,
        "several_people": facts.several_people,
        "undeletable": facts.undeletable,
    }


def decode(raw: Json) -> Facts:
    """The opposite of `encode`."""
    return Facts(
        classes=tuple(
            ClassFacts(
                DataClass(c["data_class"]), LawfulBasis(c["lawful_basis"]), tuple(c["fields"]), _dated(c["collected"])
            )
            for c in raw["classes"]
        ),
        opted_out=raw["opted_out"],
        opted_out_on=_day(raw["opted_out_on"]),
        consented_on=_day(raw["consented_on"]),
        transactions=tuple(Transaction(kind, date.fromisoformat(on), live) for kind, on, live in raw["transactions"]),
        open_complaint=raw["open_complaint"],
        restricted=raw["restricted"],
        several_people=raw["several_people"],
        undeletable=raw["undeletable"],
    )


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _dated(raw: list[str] | None) -> Dated | None:
    if raw is None:
        return None
    value, provenance = raw
    return Dated(datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value), provenance)
