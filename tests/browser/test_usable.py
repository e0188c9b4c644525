"""Can everybody use the pages that are ours: by keyboard and screen reader, on a phone, by day and by night?"""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import SignedIn
from tests.browser.people import Screen

pytestmark = pytest.mark.slow

OPERATIONS = "/retention-operations"
READ = (
    "/",
    "/sweeps",
    "/requests",
    "/review",
    "/tasks",
    "/holds",
    "/incidents",
    "/trend",
    "/papers",
    "/papers/processing",
    "/audit",
)
FORMS = ("/holds/new", "/brake")
PAGES = ("/retention-requests/new", *(OPERATIONS + path for path in READ + FORMS))
SEEN_ON: tuple[tuple[Screen, Literal["light", "dark"]], ...] = ((Screen.DESK, "light"), (Screen.PHONE, "dark"))
GRAVE = ("serious", "critical")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_on_a_page_of_ours_keeps_anybody_from_using_it_at_a_desk_by_day_or_on_a_phone_by_night(
    signed_in: SignedIn, axe: str, path: str
) -> None:
    page = signed_in("dpo")
    answer = page.goto(path)

    assert answer is not None
    assert answer.status == 200
    page.evaluate(axe)
    for screen, colours in SEEN_ON:
        page.set_viewport_size({"width": screen.width, "height": screen.height})
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # no colours between the two
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= screen.width


def test_a_field_that_nobody_can_name_would_be_found(signed_in: SignedIn, axe: str) -> None:
    page = signed_in("dpo")
    page.set_content("<html lang='en'><title>t</title><main><h1>t</h1><input name='who'></main></html>")
    page.evaluate(axe)

    assert [found.split()[0] for found in violations(page)] == ["label"]


def violations(page: Page) -> list[str]:
    """What is grave, with the places; axe was put in beside the page's own policy, which would keep it out."""
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes']]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]
