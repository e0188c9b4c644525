"""Which routes has the intake? A form and its answer for people, four endpoints for the company's own website.

Nothing about a person is ever in an address or a log line; an answer holds the opaque id and the state of a request,
and for whoever comes with the link to a copy the encrypted file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from pydantic import ValidationError

from intake import complaints, runs
from intake.answering import HEADERS, PREFIX, moment, page, refuse_cookie, said
from intake.given import Confirmation, Given
from intake.guard import CallerDep, may_trigger, refuse_forgery
from orchestration import wiring
from retention.impediment import Impediment
from retention.life_cycles import REQUEST_ACTS_IN
from retention.requests import copies, identity
from retention.requests.case_file import corrections_in
from retention.requests.due import clocks_of
from retention.requests.intake import Opened, take_in
from retention.store import requests

__all__ = ["PREFIX", "app"]

app = FastAPI(
    title="Requests of data subjects", dependencies=[may_trigger], docs_url=None, redoc_url=None, openapi_url=None
)
app.include_router(complaints.routes)


@app.get("/new", response_class=HTMLResponse)
def form(caller: CallerDep) -> Response:
    """The empty form."""
    return page("form.html", caller=caller, problem="", status=200)


@app.post("/new", response_class=HTMLResponse)
def send(
    request: Request,
    caller: CallerDep,
    form_token: Annotated[str, Form()] = "",
    right: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
    received_at: Annotated[str, Form()] = "",
    identifiers: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
    corrections: Annotated[str, Form()] = "",
    deliver_to: Annotated[str, Form()] = "",
    ground: Annotated[str, Form()] = "",
    to_marketing: Annotated[bool, Form()] = False,
) -> Response:
    """Write the request down and start its run. Refused as a whole, with what was wrong, while the DAG is paused."""
    refuse_forgery(request, caller, form_token)
    told: dict[str, Any] = {
        "right": right,
        "channel": channel,
        "received_at": moment(received_at),
        "identifiers": [line for line in identifiers.splitlines() if line.strip()],
        "words": words,
        "ground": ground or None,
        "to_marketing": to_marketing,
        "deliver_to": deliver_to,
    }
    try:
        told["corrections"] = [
            {"system": one.system, "kind": one.kind, "field": one.name, "value": one.value}
            for one in corrections_in(corrections.splitlines())
        ]
        given = Given.model_validate(told)
        runs.refuse_if_paused(caller)
        opened = _open(given, caller.name)
        if opened.joined_to is None:
            runs.start(caller, opened.request_id)
    except (ValidationError, Impediment, runs.NotStarted) as error:
        return page("form.html", caller=caller, problem=said(error), status=422)
    return page("opened.html", status=201, opened=opened)


@app.post("/api/requests", status_code=201)
def take(request: Request, caller: CallerDep, given: Given) -> Mapping[str, Any]:
    """The same for the website: written down first, then started; 201 with the id also where a run has to wait."""
    refuse_cookie(request, caller.by_header)
    try:
        opened = _open(given, caller.name)
    except Impediment as error:
        raise HTTPException(422, str(error)) from None
    started = True
    try:
        if opened.joined_to is None:
            runs.refuse_if_paused(caller)
            runs.start(caller, opened.request_id)
    except runs.NotStarted:
        started = False
    told = {"request_id": opened.request_id, "state": opened.state, "joined_to": opened.joined_to, "started": started}
    # Who joins the request of somebody else has not shown to be them, and learns nothing that belongs to it.
    if given.shows_passphrase and opened.joined_to is None:
        told["passphrase"] = copies.tell_passphrase(wiring.desk(), opened.request_id, caller.name)
    return told


@app.get("/api/requests/{request_id}")
def stand(request_id: str) -> Mapping[str, Any]:
    """Where a request stands and until when it has to be answered."""
    desk = wiring.desk()
    try:
        with desk.transaction() as db:
            found = requests.get(db, request_id)
    except LookupError:
        raise HTTPException(404, "no such request") from None
    (clock,) = clocks_of(desk, [found])
    return {"request_id": request_id, "state": found.state, "due": str(clock.due.due), "clock": clock.due.status.value}


@app.post("/api/requests/{request_id}/confirm")
def confirm(request: Request, caller: CallerDep, request_id: str, given: Confirmation) -> Mapping[str, Any]:
    """Redeem the one-time link of a subject; every refused one is on record."""
    refuse_cookie(request, caller.by_header)
    try:
        state = identity.confirm(wiring.desk(), request_id, given.token)
    except (Impediment, LookupError) as error:
        raise HTTPException(410, str(error)) from None
    started = state in REQUEST_ACTS_IN
    if started:
        try:
            runs.refuse_if_paused(caller)
            runs.start(caller, request_id, "identified")
        except runs.NotStarted:
            started = False
    return {"request_id": request_id, "state": state, "started": started}


@app.post("/api/requests/{request_id}/copy")
def hand_out(request: Request, caller: CallerDep, request_id: str, given: Confirmation) -> Response:
    """Stream the encrypted copy a link leads to, once; every refused link is on record."""
    refuse_cookie(request, caller.by_header)
    desk = wiring.desk()
    try:
        fetched = copies.fetch(desk, request_id, given.token, wiring.copies_folder())
        content = fetched.path.open("rb")
    except (Impediment, LookupError) as error:
        raise HTTPException(410, str(error)) from None
    except OSError:
        raise HTTPException(
            503, "the folder of copies cannot be read here: see the connection retention_copies"
        ) from None
    named = {
        "Content-Disposition": 'attachment; filename="copy.enc"',
        "Content-Length": str(fetched.path.stat().st_size),
    }
    stream = copies.pieces(desk, request_id, fetched, content)
    return StreamingResponse(stream, media_type="application/octet-stream", headers=HEADERS | named)


@app.exception_handler(RequestValidationError)
async def _not_valid(request: Request, error: Exception) -> Response:
    """Which field is wrong and why, never what stood in it; a field that we do not have was typed in as well."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    return JSONResponse({"detail": [{"loc": _place(one), "msg": one["msg"]} for one in problems]}, 422)


def _place(problem: Mapping[str, Any]) -> list[Any]:
    place = list(problem["loc"])
    return place[:-1] if problem["type"] == "extra_forbidden" else place


def _open(given: Given, by: str) -> Opened:
    (opened,) = take_in(wiring.desk(), [given.intake()], by)
    return opened
