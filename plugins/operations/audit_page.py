"""Is the audit log all right, since when is that known, and by whom? What checks found, and a button that asks for one.

The check is a run of the DAG `audit_check`, started in Airflow under the rights of whoever asks: a million entries
take some ten seconds, and a page waits for nobody.
"""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from intake import runs
from intake.guard import CallerDep, may_read, may_run, refuse_forgery
from operations.forms_asked import done
from operations.looks import page
from orchestration import wiring
from retention.store import audit_check, audit_log

DAG = "audit_check"
router = APIRouter(prefix="/audit")


@router.get("", dependencies=[may_read])
def audit(caller: CallerDep) -> Response:
    """The head of the log and the newest checks of it."""
    with wiring.desk().transaction() as db:
        head, checks = audit_log.head(db), audit_check.newest(db)
    return page("audit.html", signed_in=caller, head=head, root=head.root().hex(), checks=checks)


@router.post("/verify", dependencies=[may_run])
def verify(request: Request, caller: CallerDep, form_token: Annotated[str, Form()] = "") -> Response:
    """Start a check of the whole log."""
    refuse_forgery(request, caller, form_token)
    try:
        runs.start_dag(caller, DAG, f"asked-{uuid.uuid4().hex[:12]}")
    except runs.NotStarted as error:
        raise HTTPException(409, str(error)) from None
    said = [
        "Its result stands on the page of the audit log once it is through: a million entries take some ten seconds."
    ]
    return done("The check was started", said, "/audit")
