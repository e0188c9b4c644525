"""When may a row be created or changed, and what does the org fill in itself?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.salesforce import companions, values
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.own_rows import USER_ID
from sandbox.salesforce.schema import Field, SObject

if TYPE_CHECKING:
    from sandbox.salesforce.store import OrgStore

Row = dict[str, Any]
_NUMBERED = {"Case": "CaseNumber", "Order": "OrderNumber", "Contract": "ContractNumber"}
_DEFAULTS = {
    "Case": {"Status": "New", "Priority": "Medium"},
    "Lead": {"Status": "Open - Not Contacted"},
    "Task": {"Status": "Not Started", "Priority": "Normal"},
}


def create(store: OrgStore, sobject: SObject, given: Mapping[str, Any]) -> str:
    _must_be_writable(sobject)
    created = given.get("CreatedDate") if store.switches.set_audit_fields else None
    if created is not None:
        given = {name: value for name, value in given.items() if name != "CreatedDate"}
    wanted = _checked(sobject, given, creating=True)
    if sobject.name == "Account" and wanted.get("LastName"):
        wanted["Name"] = " ".join(part for part in (wanted.get("FirstName"), wanted["LastName"]) if part)
    missing = [one.name for one in sobject.fields.values() if one.required_on_create and wanted.get(one.name) is None]
    missing = [name for name in missing if name not in _DEFAULTS.get(sobject.name, {})]
    if missing:
        raise ApiError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)
    _references_hold(store, sobject, wanted)
    whole = store.full(sobject.name) or sobject
    record_id = store.new_id(sobject.prefix)
    born = values.stamp(values.moment_of(str(created)) if created is not None else store.now())
    row = blank(whole, USER_ID, born)
    row.update(_DEFAULTS.get(sobject.name, {}))
    row.update({"Id": record_id, **wanted})
    if sobject.name in _NUMBERED:
        row[_NUMBERED[sobject.name]] = f"{store.count(sobject.name) + 1:08d}"
    row.update(derived(whole, row))
    row.update(companions.archived(store, sobject, row))
    store.put(sobject.name, row)
    companions.made(store, sobject, row)
    return record_id


def update(store: OrgStore, sobject: SObject, record_id: str, given: Mapping[str, Any]) -> None:
    _must_be_writable(sobject)
    row = live_row(store, sobject, record_id)
    wanted = _checked(sobject, given, creating=False)
    emptied = [
        name for name, value in wanted.items() if value is None and (one := sobject.field(name)) and not one.nillable
    ]
    if emptied:
        raise ApiError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(emptied)}]", emptied)
    if sobject.name == "Lead" and row.get("IsConverted") and not store.switches.edit_converted_leads:
        raise ApiError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
    _references_hold(store, sobject, wanted)
    now = values.stamp(store.now())
    changed = {**wanted, "LastModifiedDate": now, "LastModifiedById": USER_ID, "SystemModstamp": now}
    companions.tracked(store, sobject, row, wanted)
    store.change(sobject.name, row, {**changed, **derived(store.full(sobject.name) or sobject, {**row, **changed})})


def live_row(store: OrgStore, sobject: SObject, record_id: str) -> Row:
    """The row, or the reason why it cannot be worked on."""
    if record_id[:3] != sobject.prefix:
        raise ApiError(400, "MALFORMED_ID", f"{sobject.name} ID: id value of incorrect type: {record_id}", ["Id"])
    row = store.row(sobject.name, record_id)
    if row is None and record_id not in store.gone:
        raise not_found()
    if row is None or row.get("IsDeleted"):
        raise ApiError(store.switches.deleted_again_status, "ENTITY_IS_DELETED", "entity is deleted", [])
    return row


def blank(sobject: SObject, user_id: str, created: str) -> Row:
    """What a new row holds before anybody writes to it: flags are false, never null."""
    row: Row = {one.name: False for one in sobject.fields.values() if one.type == "boolean"}
    stamps = {
        "OwnerId": user_id,
        "CreatedDate": created,
        "CreatedById": user_id,
        "LastModifiedDate": created,
        "LastModifiedById": user_id,
        "SystemModstamp": created,
    }
    row.update({name: value for name, value in stamps.items() if sobject.field(name) is not None})
    return row


def derived(sobject: SObject, row: Mapping[str, Any]) -> Row:
    """Fields that follow from others: the whole name, and whether something is closed or won."""
    found: Row = {}
    if row.get("LastName") and sobject.field("LastName") is not None and sobject.field("Name") is not None:
        found["Name"] = " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)
    if sobject.name == "Case":
        closed = row.get("Status") == "Closed"
        found.update(IsClosed=closed, ClosedDate=(row.get("ClosedDate") or row["SystemModstamp"]) if closed else None)
    if sobject.name == "Opportunity":
        stage = row.get("StageName")
        found.update(IsClosed=stage in ("Closed Won", "Closed Lost"), IsWon=stage == "Closed Won")
    if sobject.name == "Order" and row.get("Status") in ("Draft", "Activated"):
        found["StatusCode"] = row["Status"]
    if sobject.name == "Account" and row.get("LastName"):
        found["IsPersonAccount"] = True
    if sobject.name == "Task":
        found["IsClosed"] = row.get("Status") == "Completed"
    return found


def _must_be_writable(sobject: SObject) -> None:
    if not sobject.writable:
        raise ApiError(
            400,
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            f"entity type cannot be inserted or updated: {sobject.name}",
            [],
        )


def _checked(sobject: SObject, given: Mapping[str, Any], *, creating: bool) -> Row:
    wanted: Row = {}
    refused: list[str] = []
    for name, value in given.items():
        if name.lower() in ("attributes", "id"):
            continue
        one = sobject.field(name)
        if one is None:
            raise ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
        if not (one.createable if creating else one.updateable):
            refused.append(one.name)
            continue
        wanted[one.name] = values.accepted(one, value)
    if refused:
        raise ApiError(
            400,
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set.",
            refused,
        )
    return wanted


def _references_hold(store: OrgStore, sobject: SObject, wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        one = sobject.field(name)
        if one is not None and one.type == "reference" and value is not None:
            _reference_holds(store, one, value)


def _reference_holds(store: OrgStore, field: Field, record_id: str) -> None:
    known = [target for name in field.reference_to if (target := store.schema.get(name)) is not None]
    target = next((one for one in known if one.prefix == record_id[:3]), None)
    if target is None:
        if not known:
            return
        raise ApiError(
            400, "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: id value of incorrect type: {record_id}", [field.name]
        )
    row = store.row(target.name, record_id)
    if row is None:
        raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    if row.get("IsDeleted"):
        raise ApiError(400, "ENTITY_IS_DELETED", "entity is deleted", [])
