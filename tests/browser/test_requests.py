"""Can somebody's request be opened, approved and watched to its end with nothing but a browser?"""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from sandbox.stack import request
from tests.browser.conftest import Camera, Office, SignedIn
from tests.browser.people import form_of_new_requests, operations_page

pytestmark = pytest.mark.slow

DAG = "subject_request"


def test_a_request_is_opened_by_form_approved_by_the_dpo_and_watched_to_its_end(
    office: Office, signed_in: SignedIn, camera: Camera
) -> None:
    office.stack.airflow.person("operator").pause(DAG, paused=False)
    operator = signed_in("operator")
    request_id = open_request(operator, request.of_somebody(office.stack, office.people), camera)
    office.wait("the letter to the subject", lambda: has_letter(office, request_id))
    run = redeem_link(office, request_id)

    dpo = signed_in("dpo")
    office.wait("the question", lambda: office.stack.airflow.person("dpo").waits_for_answer(DAG, run))
    time.sleep(request.HESITATES_SECONDS)
    approve(dpo, run, camera)

    office.wait("the run to end", lambda: request.is_over_or_asks_again(office.stack.airflow.person("dpo"), run))
    operator.goto(f"/dags/{DAG}/runs/{run}/tasks/approve/details")
    to_the_plan = operator.get_by_role("link", name="Plan", exact=True)
    expect(to_the_plan).to_have_attribute("href", re.compile(f"/retention-operations/runs/{DAG}/{run}$"))
    operator.goto(str(to_the_plan.get_attribute("href")))
    expect(operator.get_by_role("heading", name="Sweep of")).to_be_visible()
    operator.goto(f"/dags/{DAG}/runs/{run}")
    expect(operator.get_by_text("Success", exact=True).first).to_be_visible()
    camera.take(operator, "request-done")
    told = office.stack.retention("request", "status", request_id, "--json")
    assert '"settling"' in told or '"answered"' in told
    approver = office.query("SELECT approver FROM approvals a JOIN sweeps s USING (sweep_id) WHERE s.run_id = %s", run)
    assert approver == [{"approver": "dpo"}]


def open_request(page: Page, address: str, camera: Camera) -> str:
    """Fill in the form of the tab; returns the id it answers with."""
    form = form_of_new_requests(page)
    form.get_by_label("What is asked for").select_option("erasure")
    form.get_by_label("How it came in").select_option("form")
    camera.take(page, "new-request")
    form.get_by_label("Who it is about").fill(address)
    form.get_by_role("button", name="Open the request").click()
    expect(form.get_by_role("heading", name="Request opened")).to_be_visible()
    return form.locator("code").first.inner_text()


def has_letter(office: Office, request_id: str) -> bool:
    """Whether the one-time link of a request was sent."""
    return any(request_id in str(letter["body"]) for letter in request.letters(office.stack))


def redeem_link(office: Office, request_id: str) -> str:
    """What the company's website does when the subject opens the link; the run that starts by it."""
    operator = office.stack.airflow.person("operator")
    done = httpx.post(
        f"{office.url}/retention-requests/api/requests/{request_id}/confirm",
        json={"token": request.token(office.stack, request_id).strip()},
        headers={"Authorization": operator.client.headers["Authorization"]},
        timeout=30,
    )
    assert done.json()["started"], done.text
    return f"{request_id}-identified"


def approve(page: Page, run: str, camera: Camera) -> None:
    """What waits is one click away from the home page, and on the operations page; both say what it would do."""
    page.goto("/")
    page.get_by_role("button", name="Required Actions").click()
    expect(page.get_by_role("dialog").get_by_text("Erasure cannot be undone")).to_be_attached()
    page.goto("/")
    operations = operations_page(page)
    expect(operations.get_by_role("heading", name="waits for an approval")).to_be_visible()
    camera.take(page, "operations")
    operations.get_by_role("button", name="Answer it in Airflow").click()
    page.wait_for_url(f"**/dags/{DAG}/runs/{run}/tasks/approve/required_actions")
    expect(page.get_by_text("Erasure cannot be undone")).to_be_visible()
    camera.take(page, "approval")
    with page.expect_response(lambda answer: answer.request.method == "PATCH" and run in answer.url) as answered:
        page.get_by_role("button", name="Approve", exact=True).click()
    assert answered.value.status == 200
