"""Who may send a form, and how is it asked twice? The first sending shows what would be done, the second does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.responses import Response

from intake.guard import Caller, CallerDep, may_run
from operations.looks import page
from orchestration import wiring
from retention.store.desk import Desk

REFUSED = "Nothing was done: only an approver of the policy may do this (approval.approvers in the schedule)."


def refuse_unless_approver(caller: Caller) -> None:
    """403 for whoever is not on the policy's list; the approver's database role is the other half of this."""
    if caller.name not in wiring.policy().schedule.approval.approvers:
        raise HTTPException(403, REFUSED)


def _approver(caller: CallerDep) -> Caller:
    refuse_unless_approver(caller)
    return caller


ApproverDep = Annotated[Caller, Depends(_approver)]
for_approvers = [may_run, Depends(_approver)]


def desk() -> Desk:
    """The ledger as an approver sees it: the role that may place holds and turn switches."""
    return wiring.desk(wiring.APPROVER)


def asked_again(
    caller: Caller, title: str, said: Sequence[str], action: str, button: str, kept: Mapping[str, str | Sequence[str]]
) -> Response:
    """What would be done, with everything that was typed in kept for the second sending."""
    fields = [(name, one) for name, value in kept.items() for one in ([value] if isinstance(value, str) else value)]
    return page("asked.html", title=title, said=said, action=action, button=button, fields=fields, signed_in=caller)


def done(title: str, said: Sequence[str], back: str) -> Response:
    """That it was done, and what to know about it."""
    return page("done.html", status=201, title=title, said=said, back=back)
