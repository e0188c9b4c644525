"""How does the data-protection officer see who is behind something? By a form, with a reason, and on record before."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from intake.guard import Caller, refuse_forgery
from operations.forms_asked import ApproverDep, asked_again, desk, for_approvers
from operations.looks import page
from retention import identities
from retention.identities import Because, NoReason, NotKept, Of, Purpose, Shown
from retention.store.desk import Desk

router = APIRouter(prefix="/identities", dependencies=for_approvers)
BACK = {Of.REQUEST: "/requests", Of.STEP: "/sweeps", Of.REVIEW: "/review"}
WHAT = {
    Of.REQUEST: "The identifiers the subject gave",
    Of.STEP: "The vendor's key of the record: an id or a path, no name",
    Of.REVIEW: "The vendor's key of the record: an id or a path, no name",
}


@router.get("/{of}/{reference}")
def form(caller: ApproverDep, of: Of, reference: str) -> Response:
    """Why do you have to see it? Shows nothing of it yet."""
    gone = _gone(desk(), of, reference)
    return gone or _form(caller, of, reference, "", 200)


@router.post("/{of}/{reference}")
def show(
    request: Request,
    caller: ApproverDep,
    of: Of,
    reference: str,
    form_token: Annotated[str, Form()] = "",
    confirmed: Annotated[str, Form()] = "",
    purpose: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> Response:
    """Ask again; confirmed, write the look down and show it, this once."""
    refuse_forgery(request, caller, form_token)
    here = desk()
    if gone := _gone(here, of, reference):
        return gone
    try:
        because = _because(purpose, words)
    except NoReason as error:
        return _form(caller, of, reference, str(error), 422)
    if not confirmed:
        said = [
            f"{reference}. {WHAT[of]}.",
            "That you looked, at what and why stands in the audit log from then on and cannot be taken back.",
        ]
        kept = {"purpose": purpose, "words": words}
        return asked_again(caller, "Show it?", said, f"/identities/{of}/{reference}", "Write it down and show it", kept)
    try:
        shown = identities.show(here, of, reference, because, caller.name)
    except NotKept as error:
        return _not_kept(of, str(error))
    return _shown(of, reference, shown)


def _because(purpose: str, words: str) -> Because:
    if purpose not in list(Purpose):
        raise NoReason("choose what you have to see it for")
    return Because(Purpose(purpose), words)


def _gone(here: Desk, of: Of, reference: str) -> Response | None:
    """The answer where there is nothing to show."""
    try:
        identities.refuse_if_gone(here, of, reference)
    except NotKept as error:
        return _not_kept(of, str(error))
    except LookupError:
        raise HTTPException(404, "the ledger knows nothing of that id") from None
    return None


def _not_kept(of: Of, why: str) -> Response:
    return page("identity_gone.html", status=410, why=why, back=BACK[of])


def _form(caller: Caller, of: Of, reference: str, problem: str, status: int) -> Response:
    return page(
        "ask_identity.html",
        status=status,
        signed_in=caller,
        of=of.value,
        reference=reference,
        what=WHAT[of],
        problem=problem,
        purposes=list(Purpose),
        longest=identities.LONGEST_REASON,
        shortest=identities.SHORTEST_REASON,
    )


def _shown(of: Of, reference: str, shown: Shown) -> Response:
    return page("identity.html", reference=reference, lines=shown.lines, back=BACK[of])
