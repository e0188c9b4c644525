"""What goes when a row goes? Restricted children stop it, cascading ones follow, other lookups lose their link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.salesforce import values
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import HISTORIES, ChildRelationship, SObject
from sandbox.salesforce.writing import live_row

if TYPE_CHECKING:
    from sandbox.salesforce.store import OrgStore

Row = dict[str, Any]
_NAMED_AT_MOST = 5


def to_bin(store: OrgStore, sobject: SObject, record_id: str) -> list[str]:
    """Mark the row and all that cascades as deleted, with one time for all; the ids, the named one first."""
    _must_be_deletable(store, sobject, record_id)
    live_row(store, sobject, record_id)
    going = _going(store, sobject, record_id, deleted=False)
    _must_be_free(store, sobject, record_id, going)
    now = store.now()
    stamp = values.stamp(now)
    for one_id, one in going.items():
        row = store.stored(one.name, one_id) or {}
        store.change(one.name, row, {"IsDeleted": True, "LastModifiedDate": stamp, "SystemModstamp": stamp})
        store.mark_deleted(one_id, now)
    _unlink(store, going)
    return list(going)


def for_good(store: OrgStore, sobject: SObject, record_id: str) -> list[str]:
    """Remove the row and all that cascades without a stay in the bin."""
    _must_be_deletable(store, sobject, record_id)
    row = store.row(sobject.name, record_id)
    if row is None or not row.get("IsDeleted"):
        live_row(store, sobject, record_id)
    elif not store.switches.hard_delete_of_binned:
        raise ApiError(400, "ENTITY_IS_DELETED", "entity is deleted", [])
    going = _going(store, sobject, record_id, deleted=True)
    _must_be_free(store, sobject, record_id, going)
    _unlink(store, going)
    for one_id, one in going.items():
        store.drop(one.name, one_id)
        store.mark_deleted(one_id, None)
    return list(going)


def purge(store: OrgStore, sobject: SObject, record_id: str) -> None:
    """The bin forgets one row; what was deleted with it has its own time."""
    store.drop(sobject.name, record_id)
    store.mark_deleted(record_id, None)


def out_of_bin(store: OrgStore, record_id: str) -> list[str]:
    """Empty the bin of one row and of what was deleted with it; a row that is not there is refused."""
    sobject = store.schema.by_id(record_id)
    row = store.row(sobject.name, record_id) if sobject else None
    if sobject is None or row is None or not row.get("IsDeleted"):
        raise ApiError(400, "INVALID_ID_FIELD", "cannot empty: the row is not in the Recycle Bin", [])
    at = store.deleted_at.get(record_id)
    going = _going(store, sobject, record_id, deleted=True)
    gone = [one_id for one_id in going if one_id == record_id or store.deleted_at.get(one_id) == at]
    for one_id in gone:
        purge(store, going[one_id], one_id)
    return gone


def _must_be_deletable(store: OrgStore, sobject: SObject, record_id: str) -> None:
    row = store.row(sobject.name, record_id) or {}
    if sobject.name == "Contact" and row.get("IsPersonAccount"):
        raise ApiError(400, "DELETE_FAILED", "A person account's contact is deleted with its account", [])
    if sobject.name in store.switches.delete_refused_by_trigger:
        raise ApiError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "a trigger of the org refused the delete", [])
    writable = sobject.writable or (sobject.name in HISTORIES and store.switches.history_deletable)
    if not writable or not store.switches.delete_permission:
        raise ApiError(400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [])


def _children(
    store: OrgStore, sobject: SObject, record_id: str, kind: str
) -> list[tuple[ChildRelationship, SObject, Row]]:
    found = []
    for relationship in sobject.children:
        child = store.full(relationship.child) if relationship.on_delete == kind else None
        if child is not None:
            rows = store.children(child.name, relationship.field, record_id)
            found += [(relationship, child, row) for row in rows]
    return found


def _going(store: OrgStore, sobject: SObject, record_id: str, *, deleted: bool) -> dict[str, SObject]:
    """The row and everything that cascades from it, with or without what lies in the bin already."""
    going = {record_id: sobject}
    waiting = [(sobject, record_id)]
    while waiting:
        parent, parent_id = waiting.pop(0)
        for _, child, row in _children(store, parent, parent_id, "cascade"):
            if row["Id"] not in going and (deleted or not row.get("IsDeleted")):
                going[row["Id"]] = child
                waiting.append((child, row["Id"]))
    return going


def _must_be_free(store: OrgStore, sobject: SObject, record_id: str, going: dict[str, SObject]) -> None:
    for one_id, one in going.items():
        blocking = [
            (child, row)
            for _, child, row in _children(store, one, one_id, "restrict")
            if not row.get("IsDeleted") and row["Id"] not in going
        ]
        if blocking:
            kind = blocking[0][0]
            names = [str(row.get(kind.name_field)) for child, row in blocking if child is kind]
            row = store.stored(sobject.name, record_id) or {}
            raise ApiError(
                400,
                "DELETE_FAILED",
                f"Your attempt to delete {row.get(sobject.name_field)} could not be completed because it is "
                f"associated with the following {kind.label_plural.lower()}.: "
                f"{', '.join(names[:_NAMED_AT_MOST])}\n",
                [],
            )


def _unlink(store: OrgStore, going: dict[str, SObject]) -> None:
    for one_id, one in going.items():
        for relationship, child, row in _children(store, one, one_id, "clear"):
            if row["Id"] not in going:
                store.change(child.name, row, {relationship.field: None})
