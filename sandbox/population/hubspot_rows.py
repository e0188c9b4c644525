"""How is a person stored in HubSpot? Contacts and deals with string properties, as the CRM API gives them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sandbox.population.days import at
from sandbox.population.people import Person

Row = dict[str, Any]


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def day_text(day: date | None) -> str | None:
    return day.isoformat() if day else None


class HubSpotRows:
    """Collects contacts and deals. Addresses are lower-cased: HubSpot stores them so."""

    def __init__(self) -> None:
        self.contacts: list[Row] = []
        self.deals: list[Row] = []

    def contact(
        self,
        person: Person,
        created: date,
        *,
        collected: date | None = None,
        touched: date | None = None,
        email: str | None = None,
        **properties: str | None,
    ) -> Row:
        """A contact; without `email` it is known by the person's first address and has the others as additional."""
        contact_id = str(30_000_001 + len(self.contacts))
        known = email or (person.emails[0] if person.emails else None)
        others = [] if email else [address.lower() for address in person.emails[1:]]
        born = at(created)
        modified = max(born, at(touched, 3, 20)) if touched else born
        values: dict[str, str | None] = {
            "email": known.lower() if known else None,
            "firstname": person.first,
            "lastname": person.last,
            "phone": person.phone,
            "jobtitle": None,
            "company": None,
            "city": None,
            "createdate": instant(born),
            "lastmodifieddate": instant(modified),
            "hs_object_id": contact_id,
            "hs_additional_emails": ";".join(others) or None,
            "hs_email_optout": None,
            "num_associated_deals": None,
            "recent_conversion_date": None,
            "message": None,
            "collected_on": day_text(collected),
            "migrated": "",
            "marketing_consent_on": None,
            "opted_out_on": None,
            "interests": None,
            "lead_score": None,
            "processing_restricted": "",
        }
        values.update(properties)
        row: Row = {
            "id": contact_id,
            "properties": values,
            "createdAt": instant(born),
            "updatedAt": instant(modified),
            "associations": {"deals": []},
        }
        self.contacts.append(row)
        return row

    def deal(self, contact: Row, closed: date, *, won: bool = True) -> str:
        """A closed deal of a contact; the contact's own count of deals follows."""
        deal_id = str(70_000_001 + len(self.deals))
        stage = "closedwon" if won else "closedlost"
        self.deals.append(
            {
                "id": deal_id,
                "properties": {
                    "dealname": f"Deal {len(self.deals) + 1:05d}",
                    "dealstage": stage,
                    "pipeline": "default",
                    "amount": "640",
                    "closedate": instant(at(closed)),
                    "createdate": instant(at(closed)),
                    "hs_lastmodifieddate": instant(at(closed)),
                    "hs_is_closed": "true",
                    "hs_is_closed_won": "true" if won else "false",
                    "hs_object_id": deal_id,
                },
                "createdAt": instant(at(closed)),
                "updatedAt": instant(at(closed)),
                "associations": {"contacts": [contact["id"]]},
            }
        )
        deals = contact["associations"]["deals"]
        deals.append(deal_id)
        contact["properties"]["num_associated_deals"] = str(len(deals))
        return deal_id
