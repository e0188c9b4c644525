"""What do the sObject resources and the org's own facts answer? Rows one by one, describes, limits and counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import touched
from sandbox.salesforce import describe as descriptions
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.exchange import (
    LATEST_VERSION,
    OLDEST_VERSION,
    answer,
    base_of,
    json_object,
    no_content,
    record_id_of,
    sobject_of,
    store_of,
)
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.language import Path
from sandbox.salesforce.soql.names import Names
from sandbox.salesforce.soql.shape import attributes
from sandbox.salesforce.store import BIN_DAYS, OrgStore
from sandbox.salesforce.values import moment_of, stamp

_SEASONS = ("Winter", "Spring", "Summer")


async def versions(request: Request) -> Response:
    """GET /services/data: three releases a year; the winter one carries the number of the next year."""
    listed = []
    for number in range(OLDEST_VERSION, LATEST_VERSION + 1):
        season, year = _SEASONS[(number - 62) % 3], 25 + (number - 62) // 3
        url = f"/services/data/v{number}.0"
        listed.append({"label": f"{season} '{year:02d}", "url": url, "version": f"{number}.0"})
    return answer(listed)


async def resources(request: Request) -> Response:
    base = base_of(request)
    names = ("query", "queryAll", "sobjects", "limits", "composite", "jobs")
    return answer({**{name: f"{base}/{name}" for name in names}, "identity": request.app.state.access.identity_url()})


async def global_describe(request: Request) -> Response:
    return answer(descriptions.global_describe(store_of(request).schema, base_of(request)))


async def describe(request: Request) -> Response:
    return answer(descriptions.describe(sobject_of(request), base_of(request)))


async def basic_information(request: Request) -> Response:
    sobject = sobject_of(request)
    return answer({"objectDescribe": descriptions.summary(sobject, base_of(request)), "recentItems": []})


async def create(request: Request) -> Response:
    store, sobject = store_of(request), sobject_of(request)
    made = store.create(sobject, await json_object(request))
    touched(request, [made], effect=True)
    return answer({"id": made, "success": True, "errors": []}, 201)


async def read(request: Request) -> Response:
    store, sobject = store_of(request), sobject_of(request)
    record_id = record_id_of(request, sobject)
    touched(request, [record_id])
    wanted = request.query_params.get("fields")
    found = reader(store, sobject, wanted.split(",") if wanted else None, base_of(request))(record_id)
    if found is None:
        raise not_found()
    return answer(found)


async def update(request: Request) -> Response:
    store, sobject = store_of(request), sobject_of(request)
    record_id = record_id_of(request, sobject)
    touched(request, [record_id])
    store.update(sobject, record_id, await json_object(request))
    touched(request, effect=True)
    return no_content()


async def delete(request: Request) -> Response:
    store, sobject = store_of(request), sobject_of(request)
    record_id = record_id_of(request, sobject)
    touched(request, [record_id])
    touched(request, store.delete(sobject, record_id), effect=True)
    return no_content()


def reader(
    store: OrgStore, sobject: SObject, fields: list[str] | None, base: str
) -> Callable[[str], dict[str, Any] | None]:
    """A function from an id to the record as the row resources show it: None when deleted or not to be seen."""
    store.expire()
    names = Names("", store.schema, store, sobject, None)
    columns = [names.column(Path((one.name,), 0)) for one in chosen_fields(sobject, fields)]

    def read_one(record_id: str) -> dict[str, Any] | None:
        row = store.row(sobject.name, record_id)
        if row is None or row.get("IsDeleted"):
            return None
        shown = {column.field.name: column.get(row) for column in columns}
        return {"attributes": attributes(sobject.name, base, record_id), **shown}

    return read_one


def chosen_fields(sobject: SObject, names: list[str] | None) -> list[Field]:
    """The named fields, or all; an unknown name refuses the whole call."""
    if names is None:
        return list(sobject.fields.values())
    found: list[Field] = []
    for name in (*names, "Id"):
        one = sobject.field(name.strip())
        if one is None:
            raise ApiError(400, "INVALID_FIELD", f"No such column '{name.strip()}' on sobject of type {sobject.name}")
        if one not in found:
            found.append(one)
    return found


async def deleted(request: Request) -> Response:
    store, sobject = store_of(request), sobject_of(request)
    start, end = _window(request, store)
    store.expire()
    found = [
        {"id": record_id, "deletedDate": stamp(at)}
        for record_id, at in sorted(store.deleted_at.items(), key=lambda entry: entry[1])
        if record_id[:3] == sobject.prefix and start <= at <= end
    ]
    earliest = stamp(store.now() - timedelta(days=BIN_DAYS))
    return answer({"deletedRecords": found, "earliestDateAvailable": earliest, "latestDateCovered": stamp(end)})


async def updated(request: Request) -> Response:
    store, sobject = store_of(request), sobject_of(request)
    start, end = _window(request, store)
    rows = store.rows(sobject.name, deleted=False)
    ids = [row["Id"] for row in rows if stamp(start) <= row["SystemModstamp"] <= stamp(end)]
    return answer({"ids": ids, "latestDateCovered": stamp(end)})


def _window(request: Request, store: OrgStore) -> tuple[datetime, datetime]:
    try:
        start = moment_of(request.query_params["start"].replace(" ", "+"))
        end = moment_of(request.query_params["end"].replace(" ", "+"))
    except (KeyError, ValueError):
        raise ApiError(400, "INVALID_REPLICATION_DATE", "start and end must be date-times") from None
    if end - start <= timedelta(minutes=1):
        raise ApiError(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    if start < store.now() - timedelta(days=BIN_DAYS):
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"startDate cannot be more than {BIN_DAYS} days ago")
    return start, min(end, store.now())


async def limits(request: Request) -> Response:
    store = store_of(request)
    allowed = store.switches.daily_api_requests
    day = store.now() - timedelta(days=1)
    jobs = [job for job in store.jobs.values() if moment_of(job.created) > day]
    queries = sum(job.is_query for job in jobs)
    return answer(
        {
            "DailyApiRequests": {"Max": allowed, "Remaining": max(0, allowed - len(store.calls_at))},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000 - (len(jobs) - queries)},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000 - queries},
            "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
        }
    )


async def record_count(request: Request) -> Response:
    """Approximate in the real org, and blind to sharing."""
    store = store_of(request)
    wanted = request.query_params.get("sObjects")
    known = [one.name for one in store.schema.all()]
    asked = [name.strip().lower() for name in wanted.split(",")] if wanted else [name.lower() for name in known]
    found = [{"count": store.count(name), "name": name} for name in known if name.lower() in asked]
    return answer({"sObjects": found})
