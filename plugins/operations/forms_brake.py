"""How is the kill switch thrown from the operations page? By whoever may start a night; only an approver lifts it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from intake.guard import CallerDep, may_run, refuse_forgery
from operations.forms_asked import asked_again, desk, done, refuse_unless_approver
from operations.looks import page
from orchestration import wiring
from retention import brake
from retention.store import overview

router = APIRouter(prefix="/brake", dependencies=[may_run])
THROW, LIFT = "throw", "lift"


@router.get("")
def form(caller: CallerDep) -> Response:
    """How the switch stands, for all and for each system."""
    with wiring.desk().transaction() as db:
        switches = overview.switches(db)
    stands = {name: switches.get(f"stop:{name}" if name else "stop", "off") != "off" for name in ("", *wiring.SYSTEMS)}
    stands[""] = switches.get("stop") != "off"  # without the global switch everything is stopped
    return page("brake.html", signed_in=caller, stands=stands)


@router.post("")
def turn(
    request: Request,
    caller: CallerDep,
    form_token: Annotated[str, Form()] = "",
    confirmed: Annotated[str, Form()] = "",
    act: Annotated[str, Form()] = "",
    system: Annotated[str, Form()] = "",
) -> Response:
    """Show what it would mean; confirmed, throw or lift it."""
    refuse_forgery(request, caller, form_token)
    if act not in (THROW, LIFT) or (system and system not in wiring.SYSTEMS):
        raise HTTPException(422, "the switch is thrown or lifted, for all systems or for one of the policy")
    if act == LIFT:
        refuse_unless_approver(caller)
    where = system or "all systems"
    if not confirmed:
        means = "the call in flight ends, none follows" if act == THROW else "what is approved may be carried out again"
        title, button = f"{act.capitalize()} the kill switch?", f"{act.capitalize()} it for {where}"
        return asked_again(caller, title, [f"For {where}: {means}."], "/brake", button, {"act": act, "system": system})
    (brake.throw if act == THROW else brake.lift)(desk(), caller.name, system)
    return done("Kill switch on" if act == THROW else "Kill switch off", [f"For {where}."], "/brake")
