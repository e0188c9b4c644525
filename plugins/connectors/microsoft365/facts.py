"""What may policy know of a message, contact or event, and whom does it name? A row of Graph's → a finding.

Participants count by their address alone: display names are no identifiers. Of what is found in subject and body every
address counts. Our own people are no subjects of this policy, so an item that names nobody else is none of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.documents.identifiers import addresses, mentions
from connectors.microsoft365.keys import CONTACT, EVENT, MESSAGE, is_id
from connectors.microsoft365.scope import Scope
from retention.vocabulary import ClassFacts, DataClass, Dated, Facts, Identifier, IdentifierKind, LawfulBasis

Row = Mapping[str, Any]

SELECTED = {
    MESSAGE: "id,changeKey,receivedDateTime,from,sender,toRecipients,ccRecipients,bccRecipients,replyTo,subject,body,"
    "categories,hasAttachments,parentFolderId",
    CONTACT: "id,changeKey,createdDateTime,emailAddresses,businessPhones,homePhones,mobilePhone,personalNotes,"
    "categories,parentFolderId",
    EVENT: "id,changeKey,createdDateTime,start,end,type,seriesMasterId,organizer,attendees,subject,body,categories,"
    "hasAttachments,recurrence",
}
NEEDED = {
    MESSAGE: frozenset({"changeKey", "receivedDateTime", "toRecipients", "body"}),
    CONTACT: frozenset({"changeKey", "createdDateTime", "emailAddresses"}),
    EVENT: frozenset({"changeKey", "createdDateTime", "attendees", "body"}),
}
"""Without these a row of changes names only what changed: the item is read once more, whole."""

_CLASSES = {
    MESSAGE: DataClass.EMAIL_MESSAGE,
    CONTACT: DataClass.CONTACT_IDENTITY,
    EVENT: DataClass.CONTACT_NOTES,
}
_TAG = re.compile(r"<[^<>]*>")
_OCCURRENCES = frozenset({"occurrence", "exception"})


def version_of(row: Row) -> str:
    """What moves on whenever the item does."""
    version = row.get("changeKey")
    return version if isinstance(version, str) else ""


def series_of(row: Row) -> str | None:
    """The series an occurrence belongs to, whose record it shares."""
    master = row.get("seriesMasterId")
    return master if row.get("type") in _OCCURRENCES and is_id(master) else None


def collected(kind: str, row: Row) -> Dated | None:
    """From when the item is: mail from its receipt, an event from its end, anything else from its making."""
    name = "receivedDateTime" if kind == MESSAGE else "createdDateTime"
    made = moment(row.get(name))
    if kind == EVENT:
        end = last_end(row)
        if made is not None and end is not None and end > made:
            return Dated(end, "end")
    return None if made is None else Dated(made, name)


def last_end(row: Row) -> datetime | None:
    """When an event is over, a series with its last occurrence; None where it has no end."""
    recurrence = row.get("recurrence")
    if isinstance(recurrence, dict):
        span = recurrence.get("range")
        if not isinstance(span, dict) or span.get("type") != "endDate":
            return None
        return moment(f"{span.get('endDate')}T23:59:59Z")
    end = row.get("end")
    return moment(end.get("dateTime")) if isinstance(end, dict) else None


def moment(value: object) -> datetime | None:
    """An instant as Graph writes it; events without a zone are in UTC, as asked."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def people_in(kind: str, row: Row) -> list[Identifier]:
    """Everybody from outside that an item names, attachments aside."""
    if kind == CONTACT:
        own = [_email(one.get("address")) for one in _rows(row.get("emailAddresses"))]
        numbers = "\n".join(_texts(row.get("businessPhones"), row.get("homePhones"), row.get("mobilePhone")))
        return [*(one for one in own if one), *(one for one in mentions(numbers) if one.kind is IdentifierKind.PHONE)]
    return [*participants(row), *in_text(row)]


def participants(row: Row) -> Iterator[Identifier]:
    """Senders, recipients, organisers and attendees, by their address."""
    given = [row.get(name) for name in ("from", "sender", "organizer")]
    for name in ("toRecipients", "ccRecipients", "bccRecipients", "replyTo", "attendees"):
        given += _rows(row.get(name))
    for one in given:
        address = one.get("emailAddress") if isinstance(one, dict) else None
        found = _email(address.get("address")) if isinstance(address, dict) else None
        if found is not None:
            yield found


def in_text(row: Row) -> Iterator[Identifier]:
    """Addresses in subject and body, with and without the marks of HTML between their letters."""
    body = row.get("body")
    content = body.get("content") if isinstance(body, dict) else None
    for text in _texts(row.get("subject"), content, row.get("personalNotes")):
        yield from addresses(text)
        if "<" in text:
            yield from addresses(_TAG.sub("", text))


def outside(scope: Scope, people: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Without our own people, each once."""
    foreign = (one for one in people if one.kind is not IdentifierKind.EMAIL or not scope.is_own(one.value))
    return tuple(dict.fromkeys(foreign))


def facts_of(
    scope: Scope, kind: str, row: Row, people: Iterable[Identifier], *, folder: str, restricted: bool, is_read: bool
) -> Facts:
    """The facts of an item. What was not read wholly has no proven date and may be about anybody: that protects it."""
    categories = _texts(row.get("categories"))
    if scope.is_transaction(folder, categories):
        data_class, basis = DataClass.TRANSACTION_RECORD, LawfulBasis.CONTRACT
    else:
        data_class, basis = _CLASSES[kind], scope.lawful_basis
    if kind == CONTACT:
        several = any(True for one in outside(scope, in_text(row)) if one not in set(people))
    else:
        several = len({one.value.casefold() for one in people}) > 1
    dated = collected(kind, row) if is_read else None
    return Facts(
        (ClassFacts(data_class, basis, (), dated),), restricted=restricted, several_people=several or not is_read
    )


def _email(address: object) -> Identifier | None:
    """An internet address; what the directory uses inside (X.500) is none."""
    if not isinstance(address, str) or "@" not in address or address.startswith("/"):
        return None
    return Identifier(IdentifierKind.EMAIL, address.strip())


def _rows(value: object) -> list[Any]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(*values: object) -> list[str]:
    found: list[str] = []
    for value in values:
        many = value if isinstance(value, list) else [value]
        found += [one for one in many if isinstance(one, str) and one]
    return found
