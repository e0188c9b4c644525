"""Who hears of alarms raised on the command line? The contact of the policy, by mail; ids and days only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from retention.cli.surroundings import mailer
from retention.store.desk import Desk


def mail_alarms(here: Desk, raised: Sequence[tuple[str, date, str]]) -> None:
    """Mail which case came to which mark and what is owed; nothing where there is none, or no mail server."""
    post = mailer()
    if not raised or post is None:
        return
    first, mark_on, _ = raised[0]
    lines = "".join(f"{case}: {owed}\n" for case, _, owed in raised)
    contact = here.policy.schedule.answering.contact
    post.send(contact, "Somebody waits for an answer", lines, f"alarm.{first}.{mark_on.isoformat()}")
