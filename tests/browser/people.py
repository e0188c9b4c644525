"""What does a person do in Airflow's own pages? Sign in, find a form on a DAG's page, answer a question."""

from __future__ import annotations

from enum import Enum

from playwright.sync_api import FrameLocator, Page, expect


class Screen(Enum):
    """How much somebody sees at once."""

    DESK = (1280, 800)
    PHONE = (360, 740)

    @property
    def width(self) -> int:
        """In CSS pixels."""
        return self.value[0]

    @property
    def height(self) -> int:
        """In CSS pixels."""
        return self.value[1]


def sign_in(page: Page, name: str, password: str) -> None:
    """By Airflow's own form."""
    page.goto("/")
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("input[name=password]")).to_have_count(0)


def form_of_new_requests(page: Page) -> FrameLocator:
    """The tab on the DAG's page."""
    page.goto("/dags/subject_request")
    page.get_by_role("link", name="New request").click()
    return page.frame_locator("iframe")


def operations_page(page: Page) -> FrameLocator:
    """By its place in the navigation."""
    page.get_by_role("link", name="Retention", exact=True).click()
    return page.frame_locator("iframe")
