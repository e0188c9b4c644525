"""What do people see? One real Airflow for all of these tests, and a browser in which its people sign in.

Both end with the last of these tests: a browser that is driven keeps an event loop running in this process.
Pictures for the documentation are kept only where KEEP_SCREENSHOTS is set.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright
from psycopg.rows import dict_row

from sandbox.population import Population, build
from sandbox.stack.local import LocalStack
from tests.browser.people import Screen, sign_in
from tests.conftest import ROOT
from tests.node import installed

AS_OF = date(2026, 11, 22)
PICTURES = ROOT / "docs" / "screenshots"
PATIENCE_MILLISECONDS = 15_000
COLOURS = 64
"""Enough for a page without photographs; a picture is a third of its size by it."""

SignedIn = Callable[..., Page]


@dataclass
class Office:
    """The running stack, allowed to act on its own machine, and the made-up people in its systems."""

    stack: LocalStack
    people: Population
    signed_in: dict[str, StorageState] = field(default_factory=dict)  # the cookies of who signed in before

    @property
    def url(self) -> str:
        """Where its people go."""
        return self.stack.airflow.url

    def wait(self, what: str, so: Callable[[], bool], seconds: float = 120) -> None:
        """Poll."""
        self.stack.processes.wait_until(what, so, seconds)

    def query(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the ledger, as the auditor."""
        with psycopg.connect(self.stack.ledger_url("auditor"), row_factory=dict_row) as ledger:
            return ledger.execute(statement.encode(), values).fetchall()


@dataclass
class Camera:
    """Keeps a picture of a page under a name, if pictures are asked for."""

    folder: Path
    keeps: bool
    taken: list[str] = field(default_factory=list)

    def take(self, page: Page, name: str) -> None:
        """Once nothing moves any more; the writing cursor is no part of it."""
        if self.keeps:
            self.folder.mkdir(parents=True, exist_ok=True)
            seen = page.screenshot(animations="disabled", caret="hide")
            Image.open(BytesIO(seen)).quantize(COLOURS).save(self.folder / f"{name}.png", optimize=True)
            self.taken.append(name)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser of this machine; none is ever downloaded."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no chromium here: these tests drive the browser of the machine")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="package")
def office(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The stack; asks for the browser first, so that nothing is started where there is none."""
    stack = LocalStack(tmp_path_factory.mktemp("office"), AS_OF)
    try:
        stack.start()
        stack.approve_policy()
        stack.retention("mode", "rehearsal", "--by", "dpo", role="migrator")
        yield Office(stack, build(seed=1, scale=1, as_of=AS_OF))
    finally:
        stack.stop()


@pytest.fixture
def signed_in(chromium: Browser, office: Office) -> Iterator[SignedIn]:
    """Somebody signs in, or did before, each in a browser window of their own."""
    windows = []

    def as_user(name: str) -> Page:
        window = chromium.new_context(
            base_url=office.url,
            storage_state=office.signed_in.get(name),
            viewport={"width": Screen.DESK.width, "height": Screen.DESK.height},
            locale="en-GB",
            timezone_id="Europe/London",
        )
        windows.append(window)
        window.set_default_timeout(PATIENCE_MILLISECONDS)
        page = window.new_page()
        if name not in office.signed_in:
            sign_in(page, name, office.stack.airflow.passwords[name])
            office.signed_in[name] = window.storage_state()
        return page

    yield as_user
    for window in windows:
        window.close()


@pytest.fixture(scope="package")
def camera() -> Camera:
    """Takes the pictures of the documentation."""
    return Camera(PICTURES, bool(os.environ.get("KEEP_SCREENSHOTS")))


@pytest.fixture(scope="package")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script that judges whether a page can be used by everybody; not ours."""
    folder = installed(Path(__file__).parent / "axe", tmp_path_factory.mktemp("axe"))
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
