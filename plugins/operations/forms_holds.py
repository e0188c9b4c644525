"""How are legal holds placed and released from the operations page? By an approver, asked twice."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from intake.guard import Caller, refuse_forgery
from operations.forms_asked import ApproverDep, asked_again, desk, done, for_approvers
from operations.looks import page
from orchestration import wiring
from retention.holds import HoldReason, Reach, Scope, first_review
from retention.impediment import Impediment
from retention.naming import identifiers_in
from retention.place_hold import MATTER, PATIENCE_SECONDS, Acknowledgement, place_hold, release_hold
from retention.store import holds
from retention.store.holds import Hold
from retention.vocabulary import DataClass

router = APIRouter(prefix="/holds", dependencies=for_approvers)


class NotAHold(Impediment):
    """What was typed in cannot be a hold; nothing was placed."""


@router.get("/new")
def form(caller: ApproverDep) -> Response:
    """The empty form."""
    return _form(caller, "", 200)


@router.post("/new")
def place(
    request: Request,
    caller: ApproverDep,
    systems: Annotated[list[str], Form(default_factory=list)],
    classes: Annotated[list[str], Form(default_factory=list)],
    form_token: Annotated[str, Form()] = "",
    confirmed: Annotated[str, Form()] = "",
    matter: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    identifiers: Annotated[str, Form()] = "",
    everyone: Annotated[bool, Form()] = False,
    review_on: Annotated[str, Form()] = "",
    hold_id: Annotated[str, Form(pattern=r"^(hold-[0-9a-f]{12})?$")] = "",
) -> Response:
    """Show what would be held; confirmed, place the hold and say which calls were under way.

    The confirmation carries the id the hold will have: sent twice, it places one.
    """
    refuse_forgery(request, caller, form_token)
    here = desk()
    try:
        scope = _scope(identifiers, everyone, systems, classes)
        why, again_on = _reason(reason), _day(review_on) or first_review(here.today)
        if not MATTER.fullmatch(matter):
            raise NotAHold("the matter is a reference like case-2026-17, no free text and no names")
        if again_on <= here.today:
            raise NotAHold("the day to look at it again must lie in the future")
        if confirmed:
            placed = place_hold(
                here,
                scope,
                matter=matter,
                reason=why,
                owner=caller.name,
                placed_by=caller.name,
                review_on=again_on,
                patience=PATIENCE_SECONDS,
                hold_id=hold_id,
            )
            return done("Hold placed", _acknowledged(placed), "/holds")
    except Impediment as error:
        return _form(caller, str(error), 422)
    kept: dict[str, str | list[str]] = {
        "hold_id": holds.new_id(),
        "matter": matter,
        "reason": why.value,
        "identifiers": identifiers,
        "review_on": again_on.isoformat(),
        "everyone": ["true"] if everyone else [],
        "systems": systems,
        "classes": classes,
    }
    said = _described(matter, why, scope, again_on)
    return asked_again(caller, "Place this hold?", said, "/holds/new", "Place the hold", kept)


@router.get("/{hold_id}/release")
def ask_release(caller: ApproverDep, hold_id: str) -> Response:
    """What releasing would mean."""
    hold = _in_force(hold_id)
    said = [
        f"{hold_id}, matter {hold.matter}, over {hold.subjects or 'all'} people, placed by {hold.placed_by}.",
        "What no other hold protects is decided afresh by the next sweep, never by an older plan.",
    ]
    return asked_again(caller, "Release this hold?", said, f"/holds/{hold_id}/release", "Release the hold", {})


@router.post("/{hold_id}/release")
def release(
    request: Request,
    caller: ApproverDep,
    hold_id: str,
    form_token: Annotated[str, Form()] = "",
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """End a hold."""
    refuse_forgery(request, caller, form_token)
    if not confirmed:
        return ask_release(caller, hold_id)
    if not release_hold(desk(), hold_id, caller.name):
        raise HTTPException(404, "no such hold is in force")
    return done("Hold released", [f"{hold_id} is released."], "/holds")


def _form(caller: Caller, problem: str, status: int) -> Response:
    return page(
        "place_hold.html",
        status=status,
        signed_in=caller,
        problem=problem,
        reasons=list(HoldReason),
        systems=wiring.SYSTEMS,
        classes=list(DataClass),
    )


def _scope(identifiers: str, everyone: bool, systems: list[str], classes: list[str]) -> Scope:
    for system in systems:
        wiring.policy().refuse_unknown(system)
    people = () if everyone else identifiers_in(identifiers.splitlines())
    try:
        return Scope(people, everyone, frozenset(systems), Reach(frozenset(map(DataClass, classes))))
    except ValueError as error:
        raise NotAHold(str(error)) from None


def _reason(word: str) -> HoldReason:
    try:
        return HoldReason(word)
    except ValueError:
        raise NotAHold(f"the reason is one of {', '.join(HoldReason)}") from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotAHold("a day is written as YYYY-MM-DD") from None


def _described(matter: str, reason: HoldReason, scope: Scope, review_on: date) -> list[str]:
    people = "everybody" if scope.everyone else f"{len(scope.subjects)} people by name"
    return [
        f"Matter {matter}, for {reason.value.replace('-', ' ')}, over {people}.",
        f"Systems: {', '.join(sorted(scope.systems)) or 'all'}.",
        f"Data classes: {', '.join(sorted(scope.reach.data_classes)) or 'all'}.",
        f"To be looked at again on {review_on.isoformat()}.",
        "It beats every rule and every request from the moment it is placed.",
    ]


def _acknowledged(placed: Acknowledgement) -> list[str]:
    said = [f"{placed.hold_id} is in force: no call on what it covers starts any more."]
    if not placed.nothing_runs:
        said.append("A call that was let go before has not ended yet; look at this hold again in a few minutes.")
    said += [f"{call.system}: {call.action.value} was begun before it ({call.step_id})." for call in placed.calls]
    return said


def _in_force(hold_id: str) -> Hold:
    with desk().transaction() as db:
        found = next((one for one in holds.listed(db) if one.hold_id == hold_id and one.state == "in_force"), None)
    if found is None:
        raise HTTPException(404, "no such hold is in force")
    return found
