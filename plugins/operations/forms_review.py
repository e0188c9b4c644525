"""How is a record of the review queue decided from the operations page? By an approver, on what was shown."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from intake.guard import Caller, refuse_forgery
from operations.forms_asked import ApproverDep, asked_again, desk, done, for_approvers
from operations.looks import page
from retention import answer_review
from retention.answer_review import Decided, NotDecided
from retention.impediment import Impediment
from retention.review import Choice, can_answer
from retention.store import review
from retention.store.desk import Desk
from retention.store.review import Item, Wanted

router = APIRouter(prefix="/review", dependencies=for_approvers)


@router.get("/{item_id}/decide")
def form(caller: ApproverDep, item_id: str) -> Response:
    """One record that waits, and what may be decided about it."""
    here = desk()
    return _form(here, caller, _waiting(here, item_id), "", 200)


@router.post("/{item_id}/decide")
def decide(
    request: Request,
    caller: ApproverDep,
    item_id: str,
    form_token: Annotated[str, Form()] = "",
    confirmed: Annotated[str, Form()] = "",
    decision: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    collected_on: Annotated[str, Form()] = "",
    shown: Annotated[str, Form()] = "",
) -> Response:
    """Show what was chosen; confirmed, write it down, unless the record is asked about anew by then."""
    refuse_forgery(request, caller, form_token)
    here = desk()
    item = _waiting(here, item_id)
    try:
        decided = _decided(decision, until, collected_on).on(here.today)
        answer_review.listed(here, Wanted(item_id), decided.choice)
        if confirmed:
            answer_review.decide(here, Wanted(item_id), shown, decided, caller.name)
            said = [f"{item.item_id}: {decided.choice.value}.", "The next sweep acts on it."]
            return done("Decision recorded", said, "/review")
    except Impediment as error:
        return _form(here, caller, item, str(error), 422)
    kept = {"decision": decision, "until": until, "collected_on": collected_on, "shown": review.digest([item])}
    return asked_again(
        caller, "Decide this?", _described(item, decided), f"/review/{item_id}/decide", "Record the decision", kept
    )


def _form(here: Desk, caller: Caller, item: Item, problem: str, status: int) -> Response:
    choices = [choice for choice in Choice if can_answer(choice, frozenset(item.reasons))]
    days = (here.today - item.first_seen).days
    return page(
        "decide_review.html", status=status, signed_in=caller, item=item, days=days, problem=problem, choices=choices
    )


def _waiting(here: Desk, item_id: str) -> Item:
    with here.transaction() as db:
        found = review.items(db, Wanted(item_id)) if item_id else []
    if not found:
        raise HTTPException(404, "no such record waits for a decision")
    return found[0]


def _decided(decision: str, until: str, collected_on: str) -> Decided:
    try:
        return Decided(Choice(decision), _day(until), _day(collected_on))
    except ValueError:
        raise NotDecided("choose one of the decisions, and write days as YYYY-MM-DD") from None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _described(item: Item, decided: Decided) -> list[str]:
    said = [f"{item.item_id} in {item.system}: {decided.choice.value}. It waits for: {', '.join(item.reasons)}."]
    said += [f"Until {decided.until.isoformat()}; then the question is put again."] if decided.until else []
    said += [f"Collected on {decided.collected_on.isoformat()}."] if decided.collected_on else []
    if decided.choice is Choice.ERASE:
        said.append("It becomes a step of the next plan, which needs its own approval.")
    return [*said, "A hold, a restriction, an open access request and a statutory keep outrank every decision."]
