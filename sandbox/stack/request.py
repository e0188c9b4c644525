"""One subject's request, watched from the letter to the closed case: erasure in every connected system."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from sandbox.population import Population
from sandbox.stack.airflow import Person
from sandbox.stack.local import LocalStack

DAG = "subject_request"
HESITATES_SECONDS = 5
_ENDED = ("success", "failed")


def of_somebody(stack: LocalStack, people: Population) -> str:
    """The address of an ordinary person whom both sales systems know, who is no customer and stands in lists only.

    A letter with a telephone number is put before a person, since nobody can say whose the number is.
    """
    letters = [one.content for one in people.documents if not one.path.endswith(".csv")]
    contacts = stack.emulators["salesforce"].state()["objects"]["Contact"]
    known = {row["Email"] for row in contacts if not row["IsDeleted"] and row["AccountId"] is None}
    rows = stack.emulators["hubspot"].state()["objects"]["contacts"]
    known &= {row["properties"]["email"] for row in rows if not row.get("archived")}
    ordinary = (one.email for one in people.people if not one.cases and one.emails)
    return next(one for one in ordinary if one in known and not any(one.encode() in text for text in letters))


def carry_through(stack: LocalStack, address: str) -> dict[str, Any]:
    """Open a request, prove who asks by the link in the letter, run, approve; what is known of it at the end."""
    began = time.monotonic()
    operator, dpo = stack.airflow.person("operator"), stack.airflow.person("dpo")
    operator.pause(DAG, paused=False)
    asked = ["request", "open", "--right", "erasure", "--channel", "email", "--by", "clerk", "--json"]
    opened = json.loads(stack.retention(*asked, stdin=f"{address}\n"))
    request_id = str(opened[0]["request"] if isinstance(opened, list) else opened["request"])
    page = ["request", "identity", request_id, "--page", "https://privacy.harbour-ltd.example/confirm", "--by", "clerk"]
    stack.retention(*page)
    stack.retention("request", "identity", request_id, "--confirm", "--by", "clerk", stdin=token(stack, request_id))
    run_id = operator.trigger(DAG, dag_run_id=request_id, conf={"request_id": request_id})
    wait = stack.processes.wait_until
    wait("the question about the request", lambda: dpo.waits_for_answer(DAG, run_id) or _is_over(dpo, run_id), 150)
    time.sleep(HESITATES_SECONDS)
    dpo.answer(DAG, run_id, "Approve")
    wait("the request's run to end", lambda: is_over_or_asks_again(dpo, run_id), 180)
    answered = _state(stack, request_id)
    _tell_recipients(stack)
    closing = operator.trigger(DAG)  # as each morning: closes what nothing waits for any more
    wait("the closing run to end", lambda: _is_over(operator, closing), 120)
    status = json.loads(stack.retention("request", "status", request_id, "--json"))
    return {
        "request_id": request_id,
        "answered": answered,
        "state": status["state"],
        "run": operator.state(DAG, run_id),
        "letters": len(letters(stack)),
        "seconds": round(time.monotonic() - began, 1),
    }


def token(stack: LocalStack, request_id: str) -> str:
    """What the one-time link in the latest letter carries, as a line."""
    body = str(letters(stack)[-1]["body"])
    found = re.search(rf"{re.escape(request_id)}/(\S+)", body)
    if found is None:
        raise LookupError("the letter to the subject has no link")
    return f"{found[1]}\n"


def _state(stack: LocalStack, request_id: str) -> str:
    return str(json.loads(stack.retention("request", "status", request_id, "--json"))["state"])


def _tell_recipients(stack: LocalStack) -> None:
    """What is left to people: those who got the data from us hear of the erasure (Art. 19)."""
    for task in json.loads(stack.retention("tasks", "list", "--json")):
        if task["what"] == "tell-recipients":
            stack.retention("tasks", "done", task["task"], "--proof", "LETTER-1", "--by", "dpo", role="approver")


def letters(stack: LocalStack) -> list[dict[str, str]]:
    """All letters the mail server took, in order."""
    if stack.mail is None:
        raise LookupError("no mail server is running")
    return list(stack.mail.state()["letters"])


def _is_over(person: Person, run_id: str) -> bool:
    return person.state(DAG, run_id) in _ENDED


def is_over_or_asks_again(person: Person, run_id: str) -> bool:
    """Whether a run is over; if the question comes up again (Airflow lost a quick answer), answer it again."""
    if person.waits_for_answer(DAG, run_id):
        time.sleep(HESITATES_SECONDS)
        person.answer(DAG, run_id, "Approve")
    return _is_over(person, run_id)
