"""How is one case told on the command line, a request or a complaint? Its clock, what happened to it, its letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from retention.cli.answers import tell
from retention.store.request_notices import Notice
from retention.store.requests import Happened


def tell_case(
    line: Mapping[str, Any],
    more: Mapping[str, Any],
    happened: Iterable[Happened],
    letters: Sequence[Notice],
    as_json: bool,
) -> None:
    """In words `line` and what happened; as JSON all of it."""
    events = list(happened)
    answer = {
        **line,
        **more,
        "events": [{"event": h.event, "on": h.on_day, "what": h.what} for h in events],
        "notices": [{"template": n.template, "sent_on": n.sent_on, "digest": n.digest} for n in letters],
    }
    lines = [f"{name}: {value if value is not None else '-'}" for name, value in line.items()]
    lines += [f"{h.on_day.isoformat()}  {h.event} {h.what}".rstrip() for h in events]
    tell(answer, as_json, "\n".join(lines))
