"""How far is a bulk job, and what has it to show? The record of one ingest or query job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Job:
    """One Bulk API 2.0 job; rows of results are kept as they will be written to the result files."""

    id: str
    operation: str
    object: str
    version: str
    created: str
    created_by: str
    state: str
    line_ending: str = "LF"
    delimiter: str = "COMMA"
    external_id_field: str | None = None
    query: str | None = None
    upload: bytes | None = None
    error: str | None = None
    aborted: bool = False
    """Ended early by somebody else, which the next look shows."""
    polls_left: int = 0
    columns: list[str] = field(default_factory=list)
    succeeded: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    unprocessed: list[list[str]] = field(default_factory=list)

    @property
    def is_query(self) -> bool:
        return self.query is not None

    def info(self) -> dict[str, Any]:
        """The body that describes the job; counts are shown once it has ended."""
        kind = "query" if self.is_query else "ingest"
        info: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.created_by,
            "createdDate": self.created,
            "systemModstamp": self.created,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "jobType": "V2Query" if self.is_query else "V2Ingest",
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }
        if self.is_query:
            info["query"] = self.query
        else:
            info["contentUrl"] = f"services/data/v{self.version}/jobs/{kind}/{self.id}/batches"
        if self.external_id_field:
            info["externalIdFieldName"] = self.external_id_field
        if self.error:
            info["errorMessage"] = self.error
        if self.state in ("JobComplete", "Failed", "Aborted", "InProgress"):
            shown = self.state != "InProgress"
            info["numberRecordsProcessed"] = len(self.succeeded) + len(self.failed) if shown else 0
            if not self.is_query:
                info["numberRecordsFailed"] = len(self.failed) if shown else 0
                info["apexProcessingTime"] = 0
                info["apiActiveProcessingTime"] = 0
            info.update(retries=0, totalProcessingTime=0)
        return info

    @property
    def ended(self) -> bool:
        return self.state in ("JobComplete", "Failed", "Aborted")

    def look(self) -> None:
        """Somebody asks for the state: work that is done becomes visible after the polls the org takes."""
        if self.state in ("UploadComplete", "InProgress"):
            if self.polls_left > 0:
                self.polls_left -= 1
                self.state = "InProgress"
            else:
                self.state = "Aborted" if self.aborted else "Failed" if self.error else "JobComplete"
