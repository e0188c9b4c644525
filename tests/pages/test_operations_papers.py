"""Can the papers be read and taken along by whoever may read the page, and do they name nobody?"""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import Engine

from orchestration import wiring
from tests.pages.filling import Browse
from tests.requesting import identified

pytestmark = pytest.mark.usefixtures("connected")


def test_the_record_of_processing_is_a_page_a_table_and_a_document(browse: Browse) -> None:
    onlooker = browse("onlooker")

    shown = onlooker.get("/papers/processing")
    table = onlooker.get("/papers/processing?form=csv")
    document = onlooker.get("/papers/processing?form=json")

    assert "Record of processing activities" in shown.text
    assert "not stated" in shown.text
    assert table.headers["content-disposition"].startswith('attachment; filename="record-of-processing-')
    assert [line["data"] for line in csv.DictReader(io.StringIO(table.text))] == [
        line["data"] for line in document.json()["activities"]
    ]


def test_the_register_lists_requests_by_their_id_and_names_nobody(browse: Browse, ledger: Engine) -> None:
    desk = wiring.desk()
    request_id = identified(desk, "ann@home.example")
    asked = f"?first={desk.today.replace(month=1, day=1)}&last={desk.today.replace(month=12, day=31)}"

    for form in ("page", "csv", "json"):
        told = browse("onlooker").get(f"/papers/requests{asked}&form={form}")
        assert told.status_code == 200
        assert request_id in told.text
        assert "home.example" not in told.text


def test_the_report_of_a_month_is_a_page_and_a_file(browse: Browse) -> None:
    onlooker = browse("onlooker")

    assert "October 2026" in onlooker.get("/papers/month?which=2026-10").text
    figures = list(csv.DictReader(io.StringIO(onlooker.get("/papers/month?which=2026-10&form=csv").text)))
    assert {"figure": "requests over their due date", "month": "0", "before": "0"} in figures
    assert onlooker.get("/papers/month?which=2026-10&form=json").json()["first"] == "2026-10-01"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/papers/month?which=October", 422),
        ("/papers/requests?first=2026-02-01&last=2026-01-01", 422),
        ("/papers/requests?first=yesterday&last=2026-01-01", 422),
        ("/papers/processing?form=exe", 422),
    ],
)
def test_a_paper_that_cannot_be_drawn_is_refused(browse: Browse, path: str, status: int) -> None:
    assert browse("onlooker").get(path).status_code == status


def test_the_papers_are_one_click_from_every_page(browse: Browse) -> None:
    home = browse("onlooker").get("/").text

    assert 'href="/retention-operations/papers"' in home
    assert "Register of requests" in browse("onlooker").get("/papers").text
