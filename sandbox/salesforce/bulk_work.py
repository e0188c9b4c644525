"""What does a bulk job do with its rows? Each is done or refused on its own; the job completes all the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.bulk_job import Job
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.ids import long_id
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql.language import Function, Query, SelectedChildren
from sandbox.salesforce.soql.parser import parse
from sandbox.salesforce.soql.run import run
from sandbox.salesforce.store import OrgStore
from sandbox.salesforce.values import csv_text

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_NULL = "#N/A"


class _Invalid(Exception):
    """The file cannot be processed at all: the job fails with this text."""


def process(store: OrgStore, job: Job) -> list[str]:
    """Work through the uploaded rows; the ids changed. The outcome is shown when the job is looked at."""
    sobject = store.schema.get(job.object)
    try:
        if sobject is None:
            raise _Invalid(f"InvalidEntity : Entity '{job.object}' is not supported by the Bulk API.")
        rows = _rows(job)
        _check_columns(job, sobject)
    except _Invalid as invalid:
        job.error = str(invalid)
        leave_unprocessed(job)
        return []
    changed: list[str] = []
    breaks_after, store.job_breaks_after = store.job_breaks_after, None
    for number, row in enumerate(rows):
        if breaks_after is not None and number >= breaks_after:
            job.aborted = store.switches.job_breaks_as == "Aborted"
            job.error = None if job.aborted else "InternalServerError : the job was stopped by the service"
            job.unprocessed = rows[number:]
            break
        given = dict(zip(job.columns, row, strict=False))
        try:
            record_id, created, touched = _do(store, sobject, job, given)
        except ApiError as error:
            named = next((value for name, value in given.items() if name.lower() == "id"), "")
            job.failed.append([named, _sentence(error), *row])
        else:
            job.succeeded.append([record_id, "true" if created else "false", *row])
            changed += touched
    return changed


def leave_unprocessed(job: Job) -> None:
    """Keep what was uploaded for the list of rows that nobody looked at."""
    try:
        job.unprocessed = _rows(job)
    except _Invalid:
        job.unprocessed = []


def _rows(job: Job) -> list[list[str]]:
    if not job.upload:
        return []
    try:
        text = job.upload.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Invalid("ClientInputError : The file is not encoded in UTF-8") from None
    if ("\r\n" in text.partition("\n")[0] + "\n") != (job.line_ending == "CRLF"):
        raise _Invalid(
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is " + job.line_ending
        )
    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[job.delimiter]))
    job.columns = [name.strip() for name in read[0]] if read else []
    return [row for row in read[1:] if row]


def _check_columns(job: Job, sobject: SObject) -> None:
    names = [name.lower() for name in job.columns]
    if job.operation in ("delete", "hardDelete") and names not in ([], ["id"]):
        raise _Invalid(f"InvalidBatch : The '{job.operation}' batch must contain only ids")
    for name in job.columns:
        if sobject.field(name) is None:
            raise _Invalid(f"InvalidBatch : Field name not found : {name}")
    if job.operation == "update" and names and "id" not in names:
        raise _Invalid("InvalidBatch : The 'update' batch must contain ids")


def _do(store: OrgStore, sobject: SObject, job: Job, given: Mapping[str, str]) -> tuple[str, bool, list[str]]:
    """One row: the id it stands for, whether that is new, and all ids changed."""
    values = _values(given)
    spelled = next((value for name, value in given.items() if name.lower() == "id"), "")
    if job.operation == "insert" or (job.operation == "upsert" and not spelled):
        made = store.create(sobject, values)
        return made, True, [made]
    record_id = long_id(spelled)
    if record_id is None or record_id[:3] != sobject.prefix:
        raise ApiError(400, "MALFORMED_ID", f"{sobject.name} ID: id value of incorrect type: {spelled}", ["Id"])
    if job.operation == "delete":
        return record_id, False, store.delete(sobject, record_id)
    if job.operation == "hardDelete":
        return record_id, False, store.hard_delete(sobject, record_id)
    store.update(sobject, record_id, values)
    return record_id, False, [record_id]


def _values(given: Mapping[str, str]) -> dict[str, Any]:
    """An empty cell leaves a field alone; `#N/A` empties it."""
    cells = ((name, value) for name, value in given.items() if value != "" and name.lower() != "id")
    return {name: None if value == _NULL else value for name, value in cells}


def _sentence(error: ApiError) -> str:
    if error.code == "NOT_FOUND":
        return ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").row()
    return error.row()


@dataclass(frozen=True)
class QueryRows:
    columns: tuple[str, ...]
    rows: list[list[str]]
    sobject: str
    named_ids: tuple[str, ...]


def query_rows(store: OrgStore, text: str, base: str, deleted: bool) -> QueryRows:
    """The whole result of a query job, as text; refuses what the Bulk API does not query."""
    _check_bulk(parse(text))
    session = store.session(base, deleted=deleted)
    found = run(text, session)
    sobject = session.schema.get(found.sobject)
    for name, _ in found.columns:
        field = sobject.field(name) if sobject else None
        if field is not None and field.type == "address":
            raise ApiError(400, "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query")
    rows = [[csv_text(get(row)) for _, get in found.columns] for row in found.rows]
    return QueryRows(tuple(name for name, _ in found.columns), rows, found.sobject, found.named_ids)


def _check_bulk(query: Query) -> None:
    refused = None
    if query.group_by or any(isinstance(getattr(one, "what", None), Function) for one in query.select):
        refused = "Aggregate Relationships not supported in Bulk Query"
    elif query.offset is not None:
        refused = "OFFSET not supported in Bulk Query"
    elif any(isinstance(one, SelectedChildren) for one in query.select):
        refused = "Parent-to-child subqueries not supported in Bulk Query"
    if refused:
        raise ApiError(400, "FEATURENOTENABLED", refused)
