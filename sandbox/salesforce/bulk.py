"""What do the Bulk API 2.0 resources answer? Jobs from creation to their result files."""

from __future__ import annotations

import base64
import csv
import io

from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import touched
from sandbox.salesforce import bulk_work
from sandbox.salesforce.bulk_job import Job
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.exchange import answer, json_object, no_content, store_of, version_of
from sandbox.salesforce.own_rows import USER_ID
from sandbox.salesforce.store import OrgStore
from sandbox.salesforce.values import stamp

OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
LARGEST_FILE = 150 * 1024 * 1024
DEFAULT_PAGE = 50_000
_JOB_PREFIX = "750"


async def create_ingest(request: Request) -> Response:
    store, given = store_of(request), await json_object(request)
    operation = str(given.get("operation", ""))
    sobject = store.schema.get(str(given.get("object", "")))
    if sobject is None:
        raise ApiError(400, "INVALIDENTITY", f"Entity '{given.get('object')}' is not supported by the Bulk API.")
    if operation not in OPERATIONS:
        raise ApiError(400, "INVALIDOPERATION", f"Unsupported operation: {operation}")
    if operation == "hardDelete" and not store.switches.hard_delete_permission:
        raise ApiError(
            400,
            store.switches.hard_delete_refusal,
            "hardDelete operation requires special user profile permission, please contact your system administrator",
        )
    external = given.get("externalIdFieldName")
    if operation == "upsert" and not external:
        raise ApiError(400, "INVALIDJOB", "External ID was blank for upsert operation")
    job = _new_job(request, store, operation, sobject.name, given, "Open")
    job.external_id_field = str(external) if external else None
    return answer(job.info())


async def create_query(request: Request) -> Response:
    store, given = store_of(request), await json_object(request)
    operation, text = str(given.get("operation", "")), given.get("query")
    if operation not in ("query", "queryAll") or not isinstance(text, str):
        raise ApiError(400, "INVALIDJOB", "A query job needs an operation, query or queryAll, and a query")
    found = bulk_work.query_rows(store, text, f"/services/data/v{version_of(request)}", operation == "queryAll")
    touched(request, found.named_ids)
    job = _new_job(request, store, operation, found.sobject, given, "UploadComplete")
    job.query = text
    job.columns, job.succeeded = list(found.columns), found.rows
    return answer(job.info())


def _new_job(
    request: Request, store: OrgStore, operation: str, sobject: str, given: dict[str, object], state: str
) -> Job:
    if given.get("contentType", "CSV") != "CSV":
        raise ApiError(400, "INVALIDJOB", "contentType must be CSV")
    delimiter, ending = str(given.get("columnDelimiter", "COMMA")), str(given.get("lineEnding", "LF"))
    if delimiter not in bulk_work.DELIMITERS or ending not in bulk_work.LINE_ENDINGS:
        raise ApiError(400, "INVALIDJOB", "Unsupported columnDelimiter or lineEnding")
    job = Job(
        id=store.new_id(_JOB_PREFIX),
        operation=operation,
        object=sobject,
        version=version_of(request),
        created=stamp(store.now()),
        created_by=USER_ID,
        state=state,
        line_ending=ending,
        delimiter=delimiter,
        polls_left=store.switches.polls_before_complete,
    )
    store.jobs[job.id] = job
    touched(request, [job.id], effect=True)
    return job


async def upload(request: Request) -> Response:
    """The data of a job, once; bodies of any framing."""
    store, job = store_of(request), _job(request)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_FILE:
            raise ApiError(400, "INVALIDJOB", "The file is larger than 150 MB")
    if job.state != "Open":
        raise _invalid_state(job, "upload data to")
    if job.upload is not None and store.switches.second_upload_refused:
        raise ApiError(
            400,
            "INVALIDJOBSTATE",
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job then "
            "create a new Job and make sure you only do 'PUT' once on a given Job.",
        )
    job.upload = bytes(content)
    touched(request, effect=True)
    return Response(status_code=201)


async def change_state(request: Request) -> Response:
    """Close a job, which sets it to work, or abort it."""
    store, job = store_of(request), _job(request)
    wanted = (await json_object(request)).get("state")
    if wanted == "UploadComplete" and job.state == "Open" and not job.is_query:
        job.state = "UploadComplete"
        changed = bulk_work.process(store, job)
        touched(request, changed, effect=True)
    elif wanted == "Aborted" and not job.ended:
        if job.state == "Open":
            bulk_work.leave_unprocessed(job)
        job.state = "Aborted"
        touched(request, effect=True)
    else:
        raise _invalid_state(job, f"change to {wanted}")
    return answer(job.info())


async def state(request: Request) -> Response:
    job = _job(request)
    job.look()
    return answer(job.info())


async def listing(request: Request) -> Response:
    wants_queries = request.url.path.rstrip("/").endswith("query")
    jobs = [job for job in store_of(request).jobs.values() if job.is_query == wants_queries]
    return answer({"done": True, "records": [job.info() for job in jobs], "nextRecordsUrl": None})


async def remove(request: Request) -> Response:
    job = _job(request)
    if not job.ended and job.state != "UploadComplete":
        raise _invalid_state(job, "delete")
    del store_of(request).jobs[job.id]
    touched(request, effect=True)
    return no_content()


async def results(request: Request) -> Response:
    """successfulResults, failedResults or unprocessedrecords of an ingest job, in any spelling."""
    job, which = _job(request), request.path_params["which"].lower()
    lead = {"successfulresults": ["sf__Id", "sf__Created"], "failedresults": ["sf__Id", "sf__Error"]}
    if which not in (*lead, "unprocessedrecords"):
        raise not_found()
    if not job.ended:
        raise _not_complete(job)
    rows = {"successfulresults": job.succeeded, "failedresults": job.failed}.get(which, job.unprocessed)
    if not store_of(request).switches.bulk_results_in_order:
        rows = rows[::-1]
    return _csv(job, [*lead.get(which, []), *job.columns], rows)


async def query_results(request: Request) -> Response:
    """One page of a query job's rows; the locator of the last page is the word null."""
    job = _job(request)
    if job.version != version_of(request):
        raise ApiError(409, "API_ERROR", f"The job was created with API version {job.version}")
    if job.state != "JobComplete":
        raise _not_complete(job)
    start = _start(request.query_params.get("locator"))
    most = request.query_params.get("maxRecords", str(DEFAULT_PAGE))
    if not most.isdigit() or int(most) < 1 or start is None or start > len(job.succeeded):
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid locator or maxRecords")
    end = start + int(most)
    answered = _csv(job, job.columns, job.succeeded[start:end])
    answered.headers["Sforce-NumberOfRecords"] = str(len(job.succeeded[start:end]))
    answered.headers["Sforce-Locator"] = _locator(end) if end < len(job.succeeded) else "null"
    return answered


def _job(request: Request) -> Job:
    given = str(request.path_params["job_id"])
    job = next((one for key, one in store_of(request).jobs.items() if key == given or key[:15] == given), None)
    if job is None or job.is_query != ("/jobs/query/" in request.url.path):
        raise not_found()
    touched(request, [job.id])
    return job


def _locator(start: int) -> str:
    return base64.urlsafe_b64encode(str(start).encode()).decode().rstrip("=")


def _start(locator: str | None) -> int | None:
    """Where a page begins; None when the locator is none of ours."""
    if not locator:
        return 0
    try:
        return int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except ValueError:
        return None


def _not_complete(job: Job) -> ApiError:
    return ApiError(400, "JOB_NOT_COMPLETE", f"Job {job.id} is not complete: its state is {job.state}")


def _invalid_state(job: Job, what: str) -> ApiError:
    return ApiError(400, "INVALIDJOBSTATE", f"Job {job.id} is in state {job.state}: cannot {what} it")


def _csv(job: Job, columns: list[str], rows: list[list[str]]) -> Response:
    lines = io.StringIO()
    writer = csv.writer(
        lines,
        delimiter=bulk_work.DELIMITERS[job.delimiter],
        lineterminator=bulk_work.LINE_ENDINGS[job.line_ending],
        quoting=csv.QUOTE_ALL,
    )
    writer.writerow(columns)
    writer.writerows(rows)
    return Response(lines.getvalue(), media_type="text/csv")
