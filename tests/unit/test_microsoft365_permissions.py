"""Does the doctor read from the app's own token which permissions it was granted?"""

from __future__ import annotations

import base64
import json

from connectors.microsoft365.permissions import checks, granted

ALL = ("User.Read.All", "Mail.ReadWrite", "Contacts.ReadWrite", "Calendars.ReadWrite", "MailboxItem.ReadWrite.All")


def token(*roles: str) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"roles": roles}).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


def lacking(*roles: str) -> list[str]:
    return [check.what for check in checks(token(*roles)) if check.lacking]


def test_an_app_with_all_permissions_lacks_nothing() -> None:
    assert lacking(*ALL) == []


def test_every_permission_that_is_missing_is_named() -> None:
    told = [check.lacking for check in checks(token(*ALL[:-1])) if check.lacking]
    assert len(told) == 1
    assert "MailboxItem.ReadWrite.All" in told[0]


def test_an_app_that_may_only_read_lacks_only_what_acting_needs() -> None:
    reading = [c for c in checks(token("User.Read.All", "Mail.Read", "Contacts.Read", "Calendars.Read")) if c.lacking]
    assert reading
    assert all(check.to_act for check in reading)


def test_a_token_that_cannot_be_read_grants_nothing() -> None:
    for opaque in ("", "opaque", "a.b.c", "a.bnVsbA.c"):
        assert granted(opaque) == frozenset()
