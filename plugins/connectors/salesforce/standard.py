"""What is special about the vendor's own objects? Which rows of them count, how they are seen, and who they are about.

The policy names fields; what is true of an object in every org stands here. Restricting and cascading children of
custom objects are not here: they are read from each org's describe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Meaning(Enum):
    """What a related row says about the record it hangs on."""

    ORDER = "order"
    DEAL = "deal"
    CONTRACT = "contract"
    EVIDENCE = "evidence"  # proves a transaction and would go or block: assets, service contracts
    CASE = "case"
    ANCHOR = "anchor"  # only blocks the delete
    ACTIVITY = "activity"  # goes with the record, and is data of its own date
    FILE = "file"
    ORIGIN = "origin"  # the lead a contact was converted from
    CONSENT = "consent"


@dataclass(frozen=True)
class Relation:
    """Rows of another object that hang on a record. `via` is the record's field whose value `link` holds."""

    name: str
    link: str
    meaning: Meaning
    fields: tuple[str, ...] = ()
    via: str = "Id"


@dataclass(frozen=True)
class Special:
    """One object of the vendor's."""

    only: str = ""  # condition under which a row of the object is a record of this kind
    only_where: str = ""  # field that the condition needs; without it the org has no such rows, or no others
    absent_without: bool = False  # without that field there are no such records at all
    archived: bool = False  # old rows are seen by queryAll only
    marks: tuple[str, ...] = ()  # the vendor's own "do not contact", beside the configured field
    individual: str = ""  # the way to the Individual
    relations: tuple[Relation, ...] = ()
    several_people: bool = False
    addressed_by: tuple[str, str, str] = ("", "", "")  # object, its link and the field that holds one address a row
    history: tuple[str, str] = ("", "")  # object with old values, and its link
    opened: str = ""  # field that says the record itself is a closed complaint


_ORDER = ("StatusCode", "EffectiveDate", "EndDate")
_DEAL = ("IsWon", "IsClosed", "CloseDate")
_CONTRACT = ("Status", "StartDate", "EndDate", "CreatedDate")
_CONSENT = ("PrivacyConsentStatus", "EffectiveFrom", "EffectiveTo")

CONTACT = Special(
    only="IsPersonAccount = false",
    only_where="IsPersonAccount",
    marks=("HasOptedOutOfEmail", "DoNotCall", "HasOptedOutOfFax"),
    individual="Individual",
    history=("ContactHistory", "ContactId"),
    relations=(
        Relation("Order", "BillToContactId", Meaning.ORDER, _ORDER),
        Relation("OpportunityContactRole", "ContactId", Meaning.DEAL, tuple(f"Opportunity.{one}" for one in _DEAL)),
        Relation("Case", "ContactId", Meaning.CASE, ("IsClosed",)),
        Relation("Order", "ShipToContactId", Meaning.ORDER, _ORDER),
        Relation("Order", "CustomerAuthorizedById", Meaning.ORDER, _ORDER),
        Relation("Opportunity", "ContactId", Meaning.DEAL, _DEAL),
        Relation("Contract", "CustomerSignedId", Meaning.CONTRACT, _CONTRACT),
        Relation("Asset", "ContactId", Meaning.EVIDENCE, ("PurchaseDate", "InstallDate", "CreatedDate")),
        Relation("ServiceContract", "ContactId", Meaning.EVIDENCE, ("EndDate", "StartDate", "CreatedDate")),
        Relation("User", "ContactId", Meaning.ANCHOR),
        Relation("Lead", "ConvertedContactId", Meaning.ORIGIN, ("CreatedDate",)),
        Relation("Task", "WhoId", Meaning.ACTIVITY),
        Relation("Event", "WhoId", Meaning.ACTIVITY),
        Relation("Attachment", "ParentId", Meaning.ACTIVITY),
        Relation("Note", "ParentId", Meaning.ACTIVITY),
        Relation("ContentDocumentLink", "LinkedEntityId", Meaning.FILE, ("ContentDocument.CreatedDate",)),
        Relation("AuthorizationFormConsent", "ConsentGiverId", Meaning.ANCHOR),
        Relation(
            "CommSubscriptionConsent",
            "ConsentGiverId",
            Meaning.CONSENT,
            ("PrivacyConsentStatus", "EffectiveFromDate"),
        ),
        Relation("ContactPointTypeConsent", "PartyId", Meaning.CONSENT, _CONSENT, via="IndividualId"),
    ),
)
LEAD = Special(
    marks=CONTACT.marks,
    individual="Individual",
    history=("LeadHistory", "LeadId"),
    relations=(
        Relation("Task", "WhoId", Meaning.ACTIVITY),
        Relation("Event", "WhoId", Meaning.ACTIVITY),
        Relation("Attachment", "ParentId", Meaning.ACTIVITY),
        Relation("Note", "ParentId", Meaning.ACTIVITY),
        Relation("ContentDocumentLink", "LinkedEntityId", Meaning.FILE, ("ContentDocument.CreatedDate",)),
        Relation("ContactPointTypeConsent", "PartyId", Meaning.CONSENT, _CONSENT, via="IndividualId"),
    ),
)
PERSON_ACCOUNT = Special(
    only="IsPersonAccount = true",
    only_where="IsPersonAccount",
    absent_without=True,
    marks=("PersonHasOptedOutOfEmail", "PersonDoNotCall", "PersonHasOptedOutOfFax"),
    individual="PersonIndividual",
    history=("AccountHistory", "AccountId"),
    relations=(
        Relation("Order", "AccountId", Meaning.ORDER, _ORDER),
        Relation("Opportunity", "AccountId", Meaning.DEAL, _DEAL),
        Relation("Case", "AccountId", Meaning.CASE, ("IsClosed",)),
        Relation("Contract", "AccountId", Meaning.CONTRACT, _CONTRACT),
        Relation("Asset", "AccountId", Meaning.EVIDENCE, ("PurchaseDate", "InstallDate", "CreatedDate")),
        Relation("ServiceContract", "AccountId", Meaning.EVIDENCE, ("EndDate", "StartDate", "CreatedDate")),
        Relation(
            "OpportunityContactRole",
            "ContactId",
            Meaning.DEAL,
            tuple(f"Opportunity.{one}" for one in _DEAL),
            via="PersonContactId",
        ),
        Relation("Case", "ContactId", Meaning.CASE, ("IsClosed",), via="PersonContactId"),
        Relation("Order", "BillToContactId", Meaning.ORDER, _ORDER, via="PersonContactId"),
        Relation("Task", "WhoId", Meaning.ACTIVITY, via="PersonContactId"),
        Relation("Event", "WhoId", Meaning.ACTIVITY, via="PersonContactId"),
        Relation("Task", "WhatId", Meaning.ACTIVITY),
        Relation("Attachment", "ParentId", Meaning.ACTIVITY),
        Relation("Note", "ParentId", Meaning.ACTIVITY),
        Relation("ContentDocumentLink", "LinkedEntityId", Meaning.FILE, ("ContentDocument.CreatedDate",)),
        Relation("AuthorizationFormConsent", "ConsentGiverId", Meaning.ANCHOR),
        Relation(
            "CommSubscriptionConsent",
            "ConsentGiverId",
            Meaning.CONSENT,
            ("PrivacyConsentStatus", "EffectiveFromDate"),
        ),
        Relation("ContactPointTypeConsent", "PartyId", Meaning.CONSENT, _CONSENT, via="PersonIndividualId"),
    ),
)
CASE = Special(
    history=("CaseHistory", "CaseId"),
    opened="IsClosed",
    relations=(
        Relation("CaseComment", "ParentId", Meaning.ACTIVITY),
        Relation("EmailMessage", "ParentId", Meaning.ACTIVITY),
        Relation("Task", "WhatId", Meaning.ACTIVITY),
        Relation("Event", "WhatId", Meaning.ACTIVITY),
        Relation("ContentDocumentLink", "LinkedEntityId", Meaning.FILE, ("ContentDocument.CreatedDate",)),
    ),
)

SPECIAL: Mapping[str, Special] = {
    "Contact": CONTACT,
    "Lead": LEAD,
    "Account": PERSON_ACCOUNT,
    "Case": CASE,
    "Task": Special(archived=True),
    "Event": Special(archived=True),
    "EmailMessage": Special(
        several_people=True, addressed_by=("EmailMessageRelation", "EmailMessageId", "RelationAddress")
    ),
}
PLAIN = Special()
PEOPLE = frozenset({"Contact", "Lead", "Account"})
ARCHIVED = frozenset(name for name, one in SPECIAL.items() if one.archived)


def special(name: str) -> Special:
    return SPECIAL.get(name, PLAIN)
