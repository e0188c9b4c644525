"""How is a person stored in Salesforce? Rows with the API's field names, valid ids, and links between them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sandbox.population.days import at
from sandbox.population.people import Person

Row = dict[str, Any]

KEY_PREFIXES = {
    "Contact": "003",
    "Lead": "00Q",
    "Account": "001",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "Order": "801",
    "Case": "500",
}
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def salesforce_id(prefix: str, number: int, pod: str = "Sb") -> str:
    """An 18-character id: 15 case-sensitive characters and three that say which of them are capitals."""
    digits = ""
    for _ in range(10):
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    short = prefix + pod + digits
    chunks = (short[0:5], short[5:10], short[10:15])
    suffix = "".join(
        _CHECK[sum(1 << i for i, c in enumerate(chunk) if c.isascii() and c.isupper())] for chunk in chunks
    )
    return short + suffix


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class SalesforceRows:
    """Collects rows by object. Every row gets its own id; ids count up in the order of making."""

    def __init__(self, seed: int) -> None:
        self._pod = _BASE62[seed // 62 % 62] + _BASE62[seed % 62]
        self.rows: dict[str, list[Row]] = {name: [] for name in KEY_PREFIXES}

    def contact(
        self,
        person: Person,
        created: date | datetime,
        *,
        collected: date | None = None,
        account: str | None = None,
        touched: date | None = None,
        **fields: Any,
    ) -> Row:
        row = self._person(person, created, collected, touched)
        row.update(Title=None, Description=None, AccountId=account, MasterRecordId=None)
        row.update(fields)
        return self._add("Contact", row)

    def lead(
        self,
        person: Person,
        created: date | datetime,
        *,
        company: str,
        collected: date | None = None,
        touched: date | None = None,
        **fields: Any,
    ) -> Row:
        row = self._person(person, created, collected, touched)
        row.update(Title=None, Company=company, Status="Open - Not Contacted", MasterRecordId=None)
        row.update(IsConverted=False, ConvertedDate=None, ConvertedContactId=None, ConvertedAccountId=None)
        row.update(fields)
        return self._add("Lead", row)

    def account(self, name: str, created: date) -> str:
        return str(self._add("Account", {"Name": name, **self._stamps(created, None)})["Id"])

    def won_opportunity(self, account: str, contact: str, closed: date, amount: float = 1200.0) -> str:
        """A won sale with this contact in it by role: the role row is what goes with the contact on deletion."""
        opportunity = self._add(
            "Opportunity",
            {
                "Name": f"Sale {len(self.rows['Opportunity']) + 1:05d}",
                "AccountId": account,
                "ContactId": None,
                "StageName": "Closed Won",
                "IsClosed": True,
                "IsWon": True,
                "CloseDate": closed.isoformat(),
                "Amount": amount,
                **self._stamps(closed, None),
            },
        )
        role = {"OpportunityId": opportunity["Id"], "ContactId": contact, "Role": "Decision Maker", "IsPrimary": True}
        self._add("OpportunityContactRole", {**role, **self._stamps(closed, None)})
        return str(opportunity["Id"])

    def order(self, account: str, contact: str, begun: date, ended: date | None = None) -> str:
        """An order billed to the contact (which blocks the contact's deletion): activated, or over since `ended`."""
        status = "Expired" if ended else "Activated"
        order = self._add(
            "Order",
            {
                "OrderNumber": f"{len(self.rows['Order']) + 1:08d}",
                "AccountId": account,
                "BillToContactId": contact,
                "ShipToContactId": None,
                "Status": status,
                "StatusCode": status,
                "EffectiveDate": begun.isoformat(),
                "EndDate": ended.isoformat() if ended else None,
                "TotalAmount": 480.0,
                **self._stamps(begun, ended),
            },
        )
        return str(order["Id"])

    def case(self, account: str | None, contact: str, opened: date, closed: date | None = None) -> str:
        case = self._add(
            "Case",
            {
                "CaseNumber": f"{len(self.rows['Case']) + 1:08d}",
                "AccountId": account,
                "ContactId": contact,
                "Subject": "Complaint about a delivery",
                "Status": "Closed" if closed else "Working",
                "IsClosed": closed is not None,
                "ClosedDate": instant(at(closed)) if closed else None,
                **self._stamps(opened, closed),
            },
        )
        return str(case["Id"])

    def _person(self, person: Person, created: date | datetime, collected: date | None, touched: date | None) -> Row:
        return {
            "FirstName": person.first,
            "LastName": person.last,
            "Email": person.emails[0] if person.emails else None,
            "Phone": person.phone,
            "HasOptedOutOfEmail": False,
            "HasOptedOutOfFax": False,
            "DoNotCall": False,
            "Collected_On__c": collected.isoformat() if collected else None,
            "Migrated__c": False,
            "Marketing_Consent_On__c": None,
            "Opted_Out_On__c": None,
            "Interests__c": None,
            "Lead_Score__c": None,
            "Last_Form_On__c": None,
            "Last_Form_Message__c": None,
            "Processing_Restricted__c": False,
            **self._stamps(created, touched),
        }

    def _stamps(self, created: date | datetime, touched: date | None) -> Row:
        """Integrations write to old rows all the time: without `touched`, the row was last written when it was made."""
        born = created if isinstance(created, datetime) else at(created)
        modified = max(born, at(touched, 3, 15)) if touched else born
        return {
            "CreatedDate": instant(born),
            "LastModifiedDate": instant(modified),
            "SystemModstamp": instant(modified),
            "IsDeleted": False,
        }

    def _add(self, name: str, row: Row) -> Row:
        rows = self.rows[name]
        added = {"Id": salesforce_id(KEY_PREFIXES[name], len(rows) + 1, self._pod), **row}
        rows.append(added)
        return added
