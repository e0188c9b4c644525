"""Whom does a stored message name, in headers, every part of its text, and every attachment?"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from connectors.documents.formats import plain_text, web_page
from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode

_LOCKED = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
_FROM_LINE = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\r\n\r\n))From [^\r\n]*\r?\n")
_WITHOUT_TEXT = ("image/", "audio/", "video/")


def read(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """One message."""
    stamps = Stamps()
    message = email.message_from_bytes(content)
    if not message.keys():
        raise Unreadable(GapCode.DAMAGED, "no-headers")
    for part in message.walk():
        budget.member()
        for name, value in part.items():
            emit(_decoded_header(str(value)))
            if name.lower() == "date":
                stamps.add_mail("mail: Date", str(value))
        if part.get_content_type() in _LOCKED:
            budget.unread(GapCode.ENCRYPTED, "encrypted-part")
        elif not part.is_multipart():
            stamps.merge(_part(part, emit, budget))
        elif part.preamble or part.epilogue:
            emit(f"{part.preamble or ''}\n\n{part.epilogue or ''}")
    return stamps


def read_mailbox(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Every message of a mailbox."""
    stamps = Stamps()
    for message in messages_in(content):
        stamps.merge(budget.nested("message.eml", message, emit))
    return stamps


def messages_in(content: bytes) -> Iterator[bytes]:
    """A mailbox cut where a line begins with "From " after an empty one; whatever stands before is a message too."""
    starts = list(_FROM_LINE.finditer(content))
    if not starts or content[: starts[0].start()].strip():
        raise Unreadable(GapCode.DAMAGED, "no-mailbox")
    ends = [*(start.start() for start in starts[1:]), len(content)]
    for start, end in zip(starts, ends, strict=True):
        yield content[start.end() : end]


def _part(part: Message, emit: Emit, budget: Budget) -> Stamps:
    kind, name = part.get_content_type(), _file_name(part)
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    budget.expand(len(content))
    if kind.startswith("text/") and (not name or part.get_content_disposition() != "attachment"):
        text = _text(part, content)
        if kind == "text/html":
            return web_page.read_text(text, emit)
        emit(plain_text.unfolded(text))
        return Stamps()
    if not content or (kind.startswith(_WITHOUT_TEXT) and part.get_content_disposition() != "attachment"):
        return Stamps()
    return budget.nested(name or "attachment", content, emit)


def _text(part: Message, content: bytes) -> str:
    try:
        return content.decode(part.get_content_charset() or "")
    except (LookupError, UnicodeDecodeError):
        return plain_text.decoded(content)[2]


def _file_name(part: Message) -> str:
    try:
        return _decoded_header(part.get_filename() or "")
    except (ValueError, TypeError, LookupError):  # a parameter in an encoding that does not exist
        return "attachment"


def _decoded_header(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeDecodeError, ValueError):
        return value
