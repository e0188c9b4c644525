"""How does a row leave the org for good? One Bulk 2.0 hardDelete job per object and batch, resumed by its id.

The job's id is noted before anything is uploaded, so that a crash finds the job again instead of doubling it. A job
that completed says nothing of its rows: each is looked up in the three result files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from connectors.salesforce import codes, soql
from connectors.salesforce.patience import NoAnswer
from connectors.salesforce.rest import Rejected, Rest
from connectors.salesforce.sight import Sight, Sights, short
from retention.contract import Check, ConnectorError, Incomplete, Stopped, Warrant
from retention.vocabulary import (
    Action,
    Evidence,
    Handle,
    Outcome,
    OutcomeStatus,
    Presence,
    Reason,
    RecordRef,
)

LARGEST_JOB = 10_000  # one internal batch of the service
BIN_DAYS = 15
_POLLS = (1.0, 1.0, 2.0, 4.0, 8.0, *(15.0,) * 20)  # seconds before each look; after the last the job is left to settle
PERMISSION = "PermissionsBulkApiHardDelete"
OWN_RIGHT = "SELECT PermissionsBulkApiHardDelete FROM UserPermissionAccess"
ALLOWED = "delete for good (Bulk API Hard Delete)"
LACKING = (
    "the permission Bulk API Hard Delete, which no profile has at first: give it by a permission set; without it rows"
    " stay in the Recycle Bin until it is emptied or 15 days are over"
)
_RUNNING = ("UploadComplete", "InProgress")


class HardDelete:
    """Runs and settles hardDelete jobs."""

    def __init__(self, rest: Rest, system: str, sights: Sights, pause: Callable[[float], None]) -> None:
        self._rest = rest
        self._system = system
        self._sights = sights
        self._pause = pause

    def check(self) -> Check:
        """Whether the integration user may hard-delete, by what the service tells each user of its own permissions."""
        asked = soql.in_url(OWN_RIGHT)
        try:
            body = self._rest.read("GET", f"query?q={asked}").body
        except Rejected as refusal:
            return Check(ALLOWED, f"this org does not tell ({refusal.code}): look at the permission sets", to_act=True)
        records = (body.get("records") if isinstance(body, dict) else None) or [{}]
        held = records[0].get(PERMISSION) is True
        return Check(ALLOWED, "" if held else LACKING, to_act=True)

    def run(
        self, kind: str, refs: Sequence[RecordRef], warrant: Warrant, noted: Sequence[RecordRef]
    ) -> list[Outcome] | None:
        """Erase rows of one object; an outcome per ref, in order. None: it is not allowed here.

        `noted` are the records in whose name the job's id is made durable.
        """
        asked = {"object": kind, "operation": "hardDelete", "contentType": "CSV", "lineEnding": "LF"}
        try:
            created = self._rest.effect("POST", "jobs/ingest", warrant, json=asked)
        except Rejected as refusal:
            # The right to hard-delete, or an object the bulk API does not serve; the codes are not documented.
            if refusal.status in (400, 403):
                return None
            return _all(refs, OutcomeStatus.REFUSED, Reason.VENDOR_ERROR, Evidence(http_status=refusal.status))
        except (Stopped, NoAnswer):
            # A job without data erases nothing, wherever it is.
            return _all(refs, OutcomeStatus.FAILED, Reason.NOT_SENT, Evidence())
        job = self._job_id(created.body)
        warrant.note(Handle(Action.ERASE, job, tuple(noted)))
        upload = "Id\n" + "".join(f"{key}\n" for key in dict.fromkeys(ref.key for ref in refs))
        try:
            self._rest.effect("PUT", f"jobs/ingest/{job}/batches", None, csv=upload.encode())
            self._rest.effect("PATCH", f"jobs/ingest/{job}", warrant, json={"state": "UploadComplete"})
        except Stopped:
            return self._abandon(job, refs)
        except (NoAnswer, ConnectorError):
            return _all(refs, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER, Evidence(job))
        return self._awaited(job, refs)

    def settle(self, job: str, refs: Sequence[RecordRef]) -> list[Outcome] | None:
        """How a noted job ended. None: the org does not know it (any more)."""
        try:
            state = self._state(job)
        except Rejected as refusal:
            if refusal.status != 404:
                raise
            return None
        if state["state"] == "Open":
            return self._abandon(job, refs)
        return self._result(state, refs)

    def _abandon(self, job: str, refs: Sequence[RecordRef]) -> list[Outcome]:
        """End a job that was never closed, so that it cannot start later."""
        try:
            self._rest.effect("PATCH", f"jobs/ingest/{job}", None, json={"state": "Aborted"})
        except NoAnswer:
            return _all(refs, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER, Evidence(job))
        return _all(refs, OutcomeStatus.FAILED, Reason.NOT_SENT, Evidence(job))

    def _awaited(self, job: str, refs: Sequence[RecordRef]) -> list[Outcome]:
        """Look until the job is over. From here on it runs, whatever happens to us: no exception leaves."""
        state: Mapping[str, Any] = {"id": job, "state": "UploadComplete"}
        try:
            for wait in _POLLS:
                self._pause(wait)
                state = self._state(job)
                if state["state"] not in _RUNNING:
                    break
            return self._result(state, refs)
        except ConnectorError:
            return _all(refs, OutcomeStatus.UNKNOWN, Reason.NO_ANSWER, Evidence(job))

    def _result(self, state: Mapping[str, Any], refs: Sequence[RecordRef]) -> list[Outcome]:
        job = str(state["id"])
        evidence = Evidence(job, 200, str(state.get("systemModstamp") or state.get("createdDate") or ""))
        if state["state"] in _RUNNING:
            settle_on = _day(evidence.vendor_time)
            return _all(refs, OutcomeStatus.ACCEPTED, Reason.PENDING, evidence, settle_on)
        if state["state"] == "Open":
            # Closing it was answered with success and is not to be seen.
            return _all(refs, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN, evidence)
        done = {short(row["sf__Id"]) for row in self._rows(job, "successfulResults", {"sf__Id"})}
        refused = self._rows(job, "failedResults", {"Id", "sf__Error"})
        failed = {short(row["Id"]): codes.of_bulk_row(row["sf__Error"]) for row in refused}
        untouched = {short(row["Id"]) for row in self._rows(job, "unprocessedrecords", {"Id"})}
        ended_early = state["state"] in ("Failed", "Aborted")
        gone = self._seen(refs, {key for key, code in failed.items() if code == codes.DELETED})
        outcomes = []
        for ref in refs:
            key = short(ref.key)
            if key in done:
                outcomes.append(Outcome(ref, OutcomeStatus.DONE, Reason.OK, evidence))
            elif key in gone:
                outcomes.append(_of_deleted(ref, gone[key], evidence))
            elif key in failed:
                outcomes.append(Outcome(ref, *codes.verdict(failed[key]), evidence))
            elif key in untouched or ended_early:
                outcomes.append(Outcome(ref, OutcomeStatus.FAILED, Reason.NOT_SENT, evidence))
            else:
                outcomes.append(Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN, evidence))
        return outcomes

    def _seen(self, refs: Sequence[RecordRef], deleted: set[str]) -> dict[str, Sight]:
        """The strict view of rows the job calls deleted: gone, or still in the bin?"""
        keys = [ref.key for ref in refs if short(ref.key) in deleted]
        return self._sights.strict(refs[0].kind, keys, ["SystemModstamp"]) if keys else {}

    def _state(self, job: str) -> Mapping[str, Any]:
        body = self._rest.read("GET", f"jobs/ingest/{job}").body
        if not isinstance(body, dict) or not isinstance(body.get("state"), str):
            raise Incomplete(f"{self._system}: the state of a job cannot be read; settle again")
        return {**body, "id": job}

    def _rows(self, job: str, which: str, columns: set[str]) -> list[dict[str, str]]:
        reader = csv.DictReader(io.StringIO(self._rest.read("GET", f"jobs/ingest/{job}/{which}").text))
        rows = list(reader)
        if rows and not columns <= set(reader.fieldnames or ()):
            raise Incomplete(f"{self._system}: a job's {which} cannot be read; settle again")
        return rows

    def _job_id(self, body: Any) -> str:
        job = body.get("id") if isinstance(body, dict) else None
        if not isinstance(job, str) or not job.isalnum():
            raise Incomplete(f"{self._system}: a created job has no id")
        return job


def _of_deleted(ref: RecordRef, sight: Sight, evidence: Evidence) -> Outcome:
    if sight.presence is Presence.ABSENT:
        return Outcome(ref, OutcomeStatus.ALREADY_DONE, Reason.GONE, evidence)
    if sight.presence is Presence.RECOVERABLE:
        # A bin's row was last written when it was deleted; the bin lets go of it 15 days later.
        deleted_on = _day(str(sight.row.get("SystemModstamp", "")))
        settle_on = deleted_on + timedelta(days=BIN_DAYS + 1) if deleted_on else None
        return Outcome(ref, OutcomeStatus.ACCEPTED, Reason.RECOVERABLE, evidence, settle_on)
    return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN, evidence)


def _all(
    refs: Sequence[RecordRef], status: OutcomeStatus, reason: Reason, evidence: Evidence, settle_on: date | None = None
) -> list[Outcome]:
    return [Outcome(ref, status, reason, evidence, settle_on) for ref in refs]


def _day(instant: str) -> date | None:
    try:
        return datetime.fromisoformat(instant).date()
    except ValueError:
        return None
