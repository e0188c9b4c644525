"""What does a merge leave? One row that takes over what hung on the others; those lie in the bin and name it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.salesforce import values
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.writing import live_row

if TYPE_CHECKING:
    from sandbox.salesforce.store import OrgStore

MERGED = ("Account", "Contact", "Lead")
MOST_LOSERS = 2


def merge(
    store: OrgStore, sobject: SObject, master_id: str, given: Mapping[str, Any], loser_ids: Sequence[str]
) -> list[str]:
    """Merge one or two rows of an object into another, all or nothing; the ids of children that moved."""
    if sobject.name not in MERGED:
        raise ApiError(400, "INVALID_TYPE", f"{sobject.name} cannot be merged", [])
    if not 1 <= len(loser_ids) <= MOST_LOSERS or master_id in loser_ids:
        raise ApiError(400, "INVALID_NUMBER_FIELD", "one or two other records are merged into the master", [])
    if not store.switches.delete_permission:
        raise ApiError(400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [])
    with store.transaction() as roll_back:
        try:
            return _merged(store, sobject, master_id, given, loser_ids)
        except ApiError:
            roll_back()
            raise


def _merged(
    store: OrgStore, sobject: SObject, master_id: str, given: Mapping[str, Any], loser_ids: Sequence[str]
) -> list[str]:
    master = live_row(store, sobject, master_id)
    losers = [live_row(store, sobject, loser_id) for loser_id in loser_ids]
    store.update(sobject, master_id, given)
    moved = [child_id for loser_id in loser_ids for child_id in _move_children(store, sobject, loser_id, master_id)]
    if store.switches.merge_keeps_oldest_creation:
        oldest = min(str(row["CreatedDate"]) for row in (master, *losers))
        store.change(sobject.name, master, {"CreatedDate": oldest})
    stamp = values.stamp(store.now())
    for row in losers:
        gone = {"IsDeleted": True, "MasterRecordId": master_id, "LastModifiedDate": stamp, "SystemModstamp": stamp}
        store.change(sobject.name, row, gone)
        store.mark_deleted(row["Id"], store.now())
    return moved


def _move_children(store: OrgStore, sobject: SObject, loser_id: str, master_id: str) -> list[str]:
    moved: list[str] = []
    for relationship in sobject.children:
        for row in store.children(relationship.child, relationship.field, loser_id):
            if not row.get("IsDeleted"):
                store.change(relationship.child, row, {relationship.field: master_id})
                moved.append(str(row["Id"]))
    return moved
