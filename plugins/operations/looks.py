"""How is a page drawn? One set of templates, one strict policy of what a page may load, and the charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jinja2
import pygal  # type: ignore[import-untyped]
from fastapi.responses import HTMLResponse, Response
from pygal.style import Style  # type: ignore[import-untyped]

PREFIX = "/retention-operations"
HERE = Path(__file__).parent
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " form-action 'self'; frame-ancestors 'self'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
CHARTED = {
    "done": "records acted on",
    "failed": "failed steps",
    "gaps": "not readable",
    "review": "put to a person",
}
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="#6b7280",
    foreground_strong="#6b7280",
    foreground_subtle="#9ca3af",
    colors=("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#0891b2"),
    font_family="system-ui, sans-serif",
)


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return "-" if value is None else str(value)


_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters["shown"] = _shown


def page(name: str, *, status: int = 200, **values: Any) -> Response:
    """A page as HTML; every value is escaped."""
    body = _PAGES.get_template(name).render(prefix=PREFIX, here=name.removesuffix(".html"), **values)
    return HTMLResponse(body, status, HEADERS)


def chart(title: str, days: Sequence[date], lines: Mapping[str, Sequence[int | None]]) -> Response:
    """A figure per system over the nights, as a picture. The page beside it has the same numbers as a table."""
    drawn = pygal.Line(
        title=title,
        style=_STYLE,
        js=[],
        height=260,
        width=800,
        show_minor_x_labels=False,
        x_labels_major_every=max(1, len(days) // 8),
        truncate_label=-1,
        dots_size=2,
        explicit_size=True,
        disable_xml_declaration=False,
    )
    drawn.x_labels = [day.isoformat() for day in days]
    for system, values in lines.items():
        drawn.add(system, list(values))
    return Response(drawn.render(), media_type="image/svg+xml", headers=_PICTURE)


_PICTURE = {**HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
