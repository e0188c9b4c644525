"""How does the intake answer a browser? Pages with strict headers, problems in plain words, moments at their place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from orchestration import wiring
from retention.clocks import Right
from retention.restriction import Ground
from retention.store.requests import Channel

PREFIX = "/retention-requests"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


def page(name: str, *, status: int, **values: Any) -> Response:
    """A page, with the lists its fields choose from."""
    values |= {"prefix": PREFIX, "rights": list(Right), "channels": list(Channel), "grounds": list(Ground)}
    return HTMLResponse(_PAGES.get_template(name).render(**values), status, HEADERS)


def said(error: Exception) -> str:
    """What was wrong, never what stood in the field."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the form'}: {one['msg']}" for one in error.errors())
    return str(error)


def moment(text: str) -> str:
    """A moment without an offset is one of the controller's place; nothing stands for now."""
    if not text:
        return datetime.now(UTC).isoformat()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = ZoneInfo(wiring.policy().schedule.answering.zone)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()


def refuse_cookie(request: Request, by_header: bool) -> None:
    """403 for a call to an endpoint that carries nothing but a browser's cookie."""
    if not by_header:
        raise HTTPException(403, "the endpoint takes a token in the header Authorization, not a browser's cookie")
