"""What does Graph show of a message, contact or event? Every property the published description has for it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]
_TAG = re.compile(r"<[^>]*>")


def instant(at: datetime) -> str:
    """As Graph writes an instant."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def recipient(given: str | tuple[str, str]) -> Row:
    """A person in a message: an address, or a display name and an address."""
    name, address = given if isinstance(given, tuple) else (given.partition("@")[0], given)
    return {"emailAddress": {"name": name, "address": address}}


def message(
    *,
    sender: str | tuple[str, str] | None,
    received: datetime,
    to: Iterable[str | tuple[str, str]] = (),
    cc: Iterable[str | tuple[str, str]] = (),
    bcc: Iterable[str | tuple[str, str]] = (),
    subject: str = "",
    body: str = "",
    categories: Sequence[str] = (),
    draft: bool = False,
    serial: int | str = 0,
) -> Row:
    """A message; without a sender it is a draft nobody has sent."""
    is_html = body.lstrip().startswith("<")
    row: Row = {
        "createdDateTime": instant(received),
        "lastModifiedDateTime": instant(received),
        "categories": list(categories),
        "receivedDateTime": instant(received),
        "sentDateTime": instant(received),
        "hasAttachments": False,
        "internetMessageId": f"<{serial}.{instant(received)}@mail.example>",
        "subject": subject,
        "bodyPreview": preview(body),
        "importance": "normal",
        "conversationId": _conversation(subject),
        "isDeliveryReceiptRequested": None,
        "isReadReceiptRequested": False,
        "isRead": True,
        "isDraft": draft,
        "webLink": f"https://outlook.example/owa/?ItemID={serial}",
        "inferenceClassification": "focused",
        "body": {"contentType": "html" if is_html else "text", "content": body},
        "toRecipients": [recipient(one) for one in to],
        "ccRecipients": [recipient(one) for one in cc],
        "bccRecipients": [recipient(one) for one in bcc],
        "replyTo": [],
        "flag": {"flagStatus": "notFlagged"},
    }
    if sender is not None:
        row["sender"] = row["from"] = recipient(sender)
    return row


def contact(*, name: str, addresses: Sequence[str], made: datetime, phone: str | None = None, notes: str = "") -> Row:
    """A contact."""
    first, _, last = name.partition(" ")
    return {
        "createdDateTime": instant(made),
        "lastModifiedDateTime": instant(made),
        "categories": [],
        "displayName": name,
        "givenName": first,
        "surname": last,
        "emailAddresses": [{"name": name, "address": one} for one in addresses],
        "businessPhones": [],
        "homePhones": [],
        "mobilePhone": phone,
        "personalNotes": notes,
        "companyName": None,
        "jobTitle": None,
        "fileAs": f"{last}, {first}",
        "birthday": None,
    }


def event(
    *,
    organizer: str,
    attendees: Iterable[str],
    start: datetime,
    end: datetime,
    made: datetime,
    subject: str = "",
    body: str = "",
    recurrence: Row | None = None,
) -> Row:
    """An event, or the master of a series."""
    return {
        "createdDateTime": instant(made),
        "lastModifiedDateTime": instant(made),
        "categories": [],
        "subject": subject,
        "bodyPreview": preview(body),
        "body": {"contentType": "text", "content": body},
        "hasAttachments": False,
        "start": _zoned(start),
        "end": _zoned(end),
        "location": {"displayName": ""},
        "organizer": recipient(organizer),
        "attendees": [
            {"type": "required", "status": {"response": "none", "time": "0001-01-01T00:00:00Z"}, **recipient(one)}
            for one in attendees
        ],
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "isDraft": False,
        "importance": "normal",
        "sensitivity": "normal",
        "showAs": "busy",
        "type": "seriesMaster" if recurrence else "singleInstance",
        "seriesMasterId": None,
        "recurrence": recurrence,
        "webLink": "https://outlook.example/owa/?path=/calendar/item",
    }


def file_attachment(name: str, content: bytes, made: datetime, media_type: str = "application/octet-stream") -> Row:
    """A file in a message."""
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "id": _attachment_id(name, content),
        "lastModifiedDateTime": instant(made),
        "name": name,
        "contentType": media_type,
        "size": len(content),
        "isInline": False,
        "contentId": None,
        "contentLocation": None,
        "contentBytes": base64.b64encode(content).decode("ascii"),
    }


def item_attachment(name: str, inner: Row, made: datetime) -> Row:
    """A message in a message."""
    return {
        "@odata.type": "#microsoft.graph.itemAttachment",
        "id": _attachment_id(name, repr(sorted(inner)).encode()),
        "lastModifiedDateTime": instant(made),
        "name": name,
        "contentType": None,
        "size": 2048,
        "isInline": False,
        "item": {"@odata.type": "#microsoft.graph.message", **inner},
    }


def reference_attachment(name: str, made: datetime) -> Row:
    """A link to a file that lies somewhere else."""
    return {
        "@odata.type": "#microsoft.graph.referenceAttachment",
        "id": _attachment_id(name, b"link"),
        "lastModifiedDateTime": instant(made),
        "name": name,
        "contentType": None,
        "size": 300,
        "isInline": False,
    }


def preview(body: str) -> str:
    return " ".join(_TAG.sub(" ", body).split())[:255]


def _zoned(at: datetime) -> Row:
    return {"dateTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": "UTC"}


def _conversation(subject: str) -> str:
    topic = re.sub(r"^((re|fw|fwd|aw|wg):\s*)+", "", subject, flags=re.IGNORECASE)
    return "AAQkAD" + hashlib.sha256(topic.encode()).hexdigest()[:32]


def _attachment_id(name: str, content: bytes) -> str:
    return "AAMkAE" + hashlib.sha256(name.encode() + b"\0" + content).hexdigest()[:40]
