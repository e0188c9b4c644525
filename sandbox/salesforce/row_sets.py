"""What do the calls over many rows answer? sObject collections: one result per row, in the order of the input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import touched
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.exchange import answer, base_of, json_object, sobject_of, store_of
from sandbox.salesforce.ids import long_id
from sandbox.salesforce.resources import reader
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.store import OrgStore

MOST_WRITTEN = 200
MOST_READ = 2_000
_ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}
Work = Callable[[Any], str]
"""Does one entry and gives the id; ApiError when it cannot be done."""


async def delete(request: Request) -> Response:
    store = store_of(request)
    ids = [one.strip() for one in request.query_params.get("ids", "").split(",") if one.strip()]
    if not ids:
        raise ApiError(400, "MISSING_ARGUMENT", "The ids parameter is required")

    def work(given: str) -> str:
        record_id = long_id(given)
        sobject = store.schema.by_id(record_id) if record_id else None
        if record_id is None or sobject is None:
            raise ApiError(400, "MALFORMED_ID", f"malformed id {given}")
        touched(request, [record_id])
        store.delete(sobject, record_id)
        return record_id

    all_or_none = request.query_params.get("allOrNone", "false").lower() == "true"
    return answer(_each(request, store, ids, work, all_or_none, name_failed=False))


async def create(request: Request) -> Response:
    store, given = store_of(request), await json_object(request)

    def work(record: Any) -> str:
        made = store.create(_type_of(store, record), record)
        touched(request, [made])
        return made

    return answer(_each(request, store, _records(given), work, given.get("allOrNone") is True, name_failed=False))


async def update(request: Request) -> Response:
    store, given = store_of(request), await json_object(request)

    def work(record: Any) -> str:
        sobject = _type_of(store, record)
        spelled = next((value for name, value in record.items() if name.lower() == "id"), None)
        if spelled is None:
            raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call")
        record_id = long_id(str(spelled))
        if record_id is None:
            raise ApiError(400, "MALFORMED_ID", f"{sobject.name} ID: id value of incorrect type: {spelled}", ["Id"])
        touched(request, [record_id])
        store.update(sobject, record_id, record)
        return record_id

    return answer(_each(request, store, _records(given), work, given.get("allOrNone") is True, name_failed=True))


async def upsert(request: Request) -> Response:
    """Rows found again by their id or by a field that is looked up by value; what is not found is created."""
    store, sobject, given = store_of(request), sobject_of(request), await json_object(request)
    key = sobject.field(request.path_params["field"])
    if key is None or not key.looked_up:
        named = request.path_params["field"]
        raise not_found(f"Provided external ID field does not exist or is not accessible: {named}")
    made: set[str] = set()

    def work(record: Any) -> str:
        if _type_of(store, record).name != sobject.name:
            raise ApiError(400, "INVALID_TYPE", f"every record of this call is a {sobject.name}")
        wanted = next((value for name, value in record.items() if name.lower() == key.name.lower()), None)
        if not wanted and key.name != "Id":
            raise ApiError(400, "MISSING_ARGUMENT", f"{key.name} not specified", [key.name])
        found = _found_by(store, sobject, key.name, str(wanted)) if wanted else []
        if len(found) > 1:
            raise ApiError(300, "DUPLICATE_EXTERNAL_ID", f"{key.name}: more than one record found", [key.name])
        if found:
            store.update(sobject, found[0], record)
        else:
            made.add(created := store.create(sobject, record))
        record_id = found[0] if found else created
        touched(request, [record_id])
        return record_id

    results = _each(request, store, _records(given), work, given.get("allOrNone") is True, name_failed=False)
    return answer([{**one, "created": one["success"] and one["id"] in made} for one in results])


def _found_by(store: OrgStore, sobject: SObject, field: str, value: str) -> list[str]:
    if field == "Id":
        record_id = long_id(value)
        if record_id is None:
            raise ApiError(400, "MALFORMED_ID", f"{sobject.name} ID: id value of incorrect type: {value}", ["Id"])
        return [record_id]
    rows = store.rows(sobject.name, deleted=False)
    return [str(row["Id"]) for row in rows if str(row.get(field) or "").lower() == value.lower()]


async def read(request: Request) -> Response:
    """Up to 2,000 ids in a body, or as many as fit an address; null stands for what is not there to be read."""
    store, sobject = store_of(request), sobject_of(request)
    if request.method == "GET":
        ids = [one for one in request.query_params.get("ids", "").split(",") if one]
        fields = [one for one in request.query_params.get("fields", "").split(",") if one]
    else:
        given = await json_object(request)
        ids, fields = given.get("ids") or [], given.get("fields") or []
    if not ids or not fields:
        raise ApiError(400, "MISSING_ARGUMENT", "The ids and fields parameters are required")
    if len(ids) > MOST_READ:
        raise _too_many(MOST_READ)
    read_one = reader(store, sobject, [str(name) for name in fields], base_of(request))
    found: list[dict[str, Any] | None] = []
    for given_id in ids:
        record_id = long_id(str(given_id))
        if record_id is None:
            raise ApiError(400, "MALFORMED_ID", f"malformed id {given_id}")
        touched(request, [record_id])
        found.append(read_one(record_id))
    return answer(found)


def _each(
    request: Request, store: OrgStore, entries: list[Any], work: Work, all_or_none: bool, *, name_failed: bool
) -> list[dict[str, Any]]:
    if len(entries) > MOST_WRITTEN:
        raise _too_many(MOST_WRITTEN)
    results: list[dict[str, Any]] = []
    with store.transaction() as roll_back:
        for entry in entries:
            try:
                results.append({"id": work(entry), "success": True, "errors": []})
            except ApiError as error:
                results.append({"success": False, "errors": [_item(error)], **_name(entry, name_failed)})
        if all_or_none and not all(one["success"] for one in results):
            roll_back()
            return [{**one, "success": False, "errors": one["errors"] or [_ROLLED_BACK]} for one in results]
    touched(request, effect=any(one["success"] for one in results))
    return results


def _item(error: ApiError) -> dict[str, Any]:
    """A row that never was there is a broken reference here, not a missing resource."""
    if error.code == "NOT_FOUND":
        return ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").item()
    return error.item()


def _name(entry: Any, wanted: bool) -> dict[str, Any]:
    if not wanted or not isinstance(entry, dict):
        return {}
    spelled = next((value for name, value in entry.items() if name.lower() == "id"), None)
    return {} if spelled is None else {"id": spelled}


def _records(given: dict[str, Any]) -> list[Any]:
    records = given.get("records")
    if not isinstance(records, list) or not records:
        raise ApiError(400, "MISSING_ARGUMENT", "The records parameter is required")
    return records


def _type_of(store: OrgStore, record: Any) -> SObject:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    name = attributes.get("type") if isinstance(attributes, dict) else None
    sobject = store.schema.get(str(name)) if name else None
    if sobject is None:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return sobject


def _too_many(most: int) -> ApiError:
    message = f"record limit reached. cannot submit more than {most} records in this operation"
    return ApiError(400, "EXCEEDED_ID_LIMIT", message)
