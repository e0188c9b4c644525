"""How does a test fill in a form of the operations page, and what does it ask the ledger afterwards?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from retention.store.database import rows, transaction
from tests.pages.conftest import same_origin

Browse = Callable[[str], TestClient]


def send(client: TestClient, path: str, **typed: Any) -> Response:
    """Fill in the form of a page and send it from there."""
    shown = client.get(path)
    assert shown.status_code == 200, shown.text
    return client.post(path, data={**typed, "form_token": token_in(shown)}, headers=same_origin(client))


def send_twice(client: TestClient, path: str, **typed: Any) -> Response:
    """Send it, and confirm what is asked then with all that the answer carries."""
    asked = send(client, path, **typed)
    assert asked.status_code == 200, asked.text
    return confirm(client, asked)


def confirm(client: TestClient, asked: Response, **changed: str) -> Response:
    """Send what a question carries, but for what somebody changed in it."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked.text)
    kept: dict[str, list[str]] = {}
    for name, value in found:
        kept.setdefault(name, []).append(value)
    action = re.search(r'action="[^"]*?(/\w[^"]*)"', asked.text.partition("<form")[2])
    assert action is not None
    path = action[1].removeprefix("/retention-operations")
    return client.post(path, data=kept | changed, headers=same_origin(client))


def token_in(page: Response) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page.text)
    assert found is not None
    return found[1]


def ask(ledger: Engine, statement: str) -> list[tuple[Any, ...]]:
    with transaction(ledger) as db:
        return [tuple(row) for row in rows(db, statement)]


def audited(ledger: Engine) -> list[tuple[Any, ...]]:
    """What the audit log has: event and who, in order."""
    body = "convert_from(body, 'UTF8')::json"
    return ask(ledger, f"SELECT {body}->>'event', {body}->>'actor' FROM audit_entries ORDER BY seq")
