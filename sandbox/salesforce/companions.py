"""Which rows does the org write by itself beside one that a client wrote? Halves of people, documents, history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.salesforce import values
from sandbox.salesforce.own_rows import USER_ID
from sandbox.salesforce.schema import SObject

if TYPE_CHECKING:
    from sandbox.salesforce.store import OrgStore

Row = dict[str, Any]

ARCHIVED_AFTER = timedelta(days=365)
_TRACKED = ("FirstName", "LastName", "Email", "Phone", "PersonEmail")
_HALF = {"PersonEmail": "Email", "FirstName": "FirstName", "LastName": "LastName", "PersonMobilePhone": "Phone"}


def archived(store: OrgStore, sobject: SObject, row: Mapping[str, Any]) -> Row:
    """Closed tasks and events older than a year are archived."""
    if sobject.name == "Event":
        end = row.get("EndDateTime") or row.get("StartDateTime") or row.get("ActivityDate") or row["CreatedDate"]
        return {"IsArchived": values.moment_of(end) < store.now() - ARCHIVED_AFTER}
    if sobject.name == "Task":
        end = row.get("ActivityDate") or row["CreatedDate"]
        return {"IsArchived": bool(row.get("IsClosed")) and values.moment_of(end) < store.now() - ARCHIVED_AFTER}
    return {}


def made(store: OrgStore, sobject: SObject, row: Row) -> None:
    """What comes into being together with a row that was just created."""
    if sobject.name == "Account" and row.get("IsPersonAccount"):
        half = {"AccountId": row["Id"], "IsPersonAccount": True, "Name": row.get("Name")}
        half.update({there: row.get(here) for here, there in _HALF.items()})
        store.change("Account", row, {"PersonContactId": _put(store, "Contact", row, half)})
    if sobject.name == "ContentVersion" and not row.get("ContentDocumentId"):
        document = _put(
            store, "ContentDocument", row, {"Title": row.get("Title"), "LatestPublishedVersionId": row["Id"]}
        )
        store.change("ContentVersion", row, {"ContentDocumentId": document, "IsLatest": True})
        if row.get("FirstPublishLocationId"):
            link = {"ContentDocumentId": document, "LinkedEntityId": row["FirstPublishLocationId"], "ShareType": "V"}
            _put(store, "ContentDocumentLink", row, link)
    if sobject.name == "EmailMessage":
        _named_in_message(store, row)
    if sobject.name == "CampaignMember":
        person = (
            store.stored("Contact", str(row.get("ContactId"))) or store.stored("Lead", str(row.get("LeadId"))) or {}
        )
        copied = {name: person.get(name) for name in ("Email", "FirstName", "LastName")}
        store.change("CampaignMember", row, copied)


def _named_in_message(store: OrgStore, message: Row) -> None:
    """A row for each address of a message, with the person or user behind it where exactly that address is known."""
    for kind in ("From", "To", "Cc", "Bcc"):
        for address in filter(None, (part.strip() for part in str(message.get(f"{kind}Address") or "").split(";"))):
            known = (
                row["Id"]
                for name in ("Contact", "Lead", "User")
                for row in store.rows(name, deleted=False)
                if str(row.get("Email") or "").lower() == address.lower()
            )
            relation = {
                "EmailMessageId": message["Id"],
                "RelationId": next(known, None),
                "RelationType": f"{kind}Address",
                "RelationAddress": address,
            }
            _put(store, "EmailMessageRelation", message, relation)


def tracked(store: OrgStore, sobject: SObject, row: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """One row of history for each tracked field that changes, with its old value."""
    history = store.full(f"{sobject.name}History") if store.switches.field_history else None
    if history is None:
        return
    for name in _TRACKED:
        if name in wanted and wanted[name] != row.get(name):
            change = {
                f"{sobject.name}Id": row["Id"],
                "Field": name,
                "OldValue": row.get(name),
                "NewValue": wanted[name],
            }
            _put(store, history.name, {"CreatedDate": values.stamp(store.now())}, change)


def _put(store: OrgStore, name: str, beside: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    from sandbox.salesforce.writing import blank

    sobject = store.full(name)
    if sobject is None:
        raise ValueError(f"this org has no {name}")
    row = {**blank(sobject, USER_ID, str(beside["CreatedDate"])), "Id": store.new_id(sobject.prefix), **given}
    store.put(name, row)
    return str(row["Id"])
