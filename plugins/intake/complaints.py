"""Which routes has the intake of complaints? A form for people, and an endpoint for the company's own website.

A complaint starts no run: a hold stands from the first moment, and a person answers (docs/requests.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from intake.answering import moment, page, refuse_cookie, said
from intake.given import GivenComplaint
from intake.guard import CallerDep, refuse_forgery
from orchestration import wiring
from retention.complaints import answering
from retention.complaints.taking_in import ComplaintOpened, take_in
from retention.impediment import Impediment

SECONDS_FOR_CALLS = 5.0
"""How long a form waits for calls under way to end; the hold counts from before that."""

routes = APIRouter()


@routes.get("/complaint", response_class=HTMLResponse)
def form(caller: CallerDep) -> Response:
    """The empty form."""
    return page("complaint.html", caller=caller, problem="", status=200)


@routes.post("/complaint", response_class=HTMLResponse)
def send(
    request: Request,
    caller: CallerDep,
    form_token: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
    received_at: Annotated[str, Form()] = "",
    identifiers: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
    about_request: Annotated[str, Form()] = "",
) -> Response:
    """Write the complaint down, hold what it is about, and acknowledge it."""
    refuse_forgery(request, caller, form_token)
    told = {
        "channel": channel,
        "received_at": moment(received_at),
        "identifiers": [line for line in identifiers.splitlines() if line.strip()],
        "words": words,
        "about_request": about_request.strip() or None,
    }
    try:
        opened, acknowledged = _open(GivenComplaint.model_validate(told), caller.name)
    except (ValidationError, Impediment, LookupError) as error:
        return page("complaint.html", caller=caller, problem=said(error), status=422)
    return page("complained.html", status=201, opened=opened, acknowledged=acknowledged)


@routes.post("/api/complaints", status_code=201)
def take(request: Request, caller: CallerDep, given: GivenComplaint) -> Mapping[str, Any]:
    """The same for the website: 201 with the complaint's id once the hold stands."""
    refuse_cookie(request, caller.by_header)
    try:
        opened, acknowledged = _open(given, caller.name)
    except (Impediment, LookupError) as error:
        raise HTTPException(422, str(error)) from None
    return {"complaint_id": opened.complaint_id, "hold": opened.hold.hold_id, "acknowledged": acknowledged}


def _open(given: GivenComplaint, by: str) -> tuple[ComplaintOpened, bool]:
    desk = wiring.desk()
    opened = take_in(desk, given.intake(), by, SECONDS_FOR_CALLS)
    try:
        answering.acknowledge(desk, wiring.mailer(), opened.complaint_id, by)
    except (Impediment, wiring.NotConnected):
        return opened, False  # its alarms see to it that a person does it within the thirty days
    return opened, True
