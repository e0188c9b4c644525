"""What does a message look like as text (RFC 822)? Written by the standard library from what the row says."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

Row = dict[str, Any]


def written(row: Row, attachments: Sequence[Row] = ()) -> bytes:
    """A message with its attachments."""
    mail = EmailMessage()
    if row.get("from"):
        mail["From"] = _address(row["from"])
    for header, name in (("To", "toRecipients"), ("Cc", "ccRecipients"), ("Bcc", "bccRecipients")):
        if people := [_address(one) for one in row.get(name) or ()]:
            mail[header] = ", ".join(people)
    mail["Subject"] = str(row.get("subject") or "").replace("\n", " ")
    mail["Message-ID"] = str(row.get("internetMessageId"))
    mail["Date"] = datetime.fromisoformat(row["sentDateTime"])
    body = row["body"]
    mail.set_content(str(body["content"]), subtype="html" if body["contentType"] == "html" else "plain")
    for one in attachments:
        if "contentBytes" in one:
            content = base64.b64decode(one["contentBytes"])
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=one["name"])
    return mail.as_bytes()


def of_attachment(one: Row) -> bytes:
    """What an attachment holds."""
    if "item" in one:
        return written(one["item"])
    return base64.b64decode(one.get("contentBytes") or "")


def _address(given: Row) -> str:
    person = given["emailAddress"]
    try:
        return str(Address(person["name"], addr_spec=person["address"]))
    except ValueError:  # an address that no header can hold as it is
        return str(person["address"])
