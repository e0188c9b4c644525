"""Where may an address hide in a stored message?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import format_datetime

from sandbox.corpus import office
from sandbox.corpus.person import MADE, Person
from sandbox.population.office_files import compound_file

_STREAM = 4096


def _message(person: Person | None = None) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ann Example <ann@x.example>"
    message["To"] = f"{person.name} <{person.email}>" if person else "desk@x.example"
    message["Subject"] = "Your enquiry"
    message["Date"] = format_datetime(MADE)
    message.set_content("Thank you for writing.\n")
    return message


def _closed(message: EmailMessage) -> bytes:
    if message.is_multipart():
        message.set_boundary("=-boundary-of-the-corpus")
    return message.as_bytes()


def _to(person: Person) -> bytes:
    return _closed(_message(person))


def _encoded_subject(person: Person) -> bytes:
    message = _message()
    message.replace_header("Subject", f"Grüße von {person.email}")
    return _closed(message)


def _quoted_printable(person: Person) -> bytes:
    message = _message()
    message.set_content("ä" * 40 + f" {person.email}\n", cte="quoted-printable")
    return _closed(message)


def _page_in_base64(person: Person) -> bytes:
    message = _message()
    page = f"<p>{person.local}<b>@{person.domain}</b></p>"
    message.add_alternative(page, subtype="html", cte="base64")
    return _closed(message)


def _attached(person: Person) -> bytes:
    message = _message()
    content = office.MAKERS["split-over-runs.docx"](person)
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename="letter.docx")
    return _closed(message)


def _forwarded(person: Person) -> bytes:
    message = _message()
    message.add_attachment(_message(person))
    return _closed(message)


def _mailbox(person: Person) -> bytes:
    first, second = _closed(_message()), _page_in_base64(person)
    return b"".join(b"From ann@x.example Thu Mar  4 10:30:00 2021\n" + one + b"\n\n" for one in (first, second))


def _outlook(tag: str, text: Callable[[Person], bytes]) -> Callable[[Person], bytes]:
    def write(person: Person) -> bytes:
        streams = {"__properties_version1.0": b"", tag: text(person)}
        return compound_file({name: content.ljust(_STREAM, b"\0") for name, content in streams.items()})

    return write


MAKERS: Mapping[str, Callable[[Person], bytes]] = {
    "recipient.eml": _to,
    "encoded-subject.eml": _encoded_subject,
    "quoted-printable.eml": _quoted_printable,
    "page-in-base64.eml": _page_in_base64,
    "attached.eml": _attached,
    "forwarded.eml": _forwarded,
    "second-message.mbox": _mailbox,
    "saved-page.mht": _page_in_base64,
    "body.msg": _outlook("__substg1.0_1000001F", lambda p: f"write to {p.email}".encode("utf-16-le")),
    "narrow.msg": _outlook("__substg1.0_0C1F001E", lambda p: p.email.encode()),
    "page.msg": _outlook("__substg1.0_10130102", lambda p: f"<p>{p.local}<b>@</b>{p.domain}</p>".encode()),
}
