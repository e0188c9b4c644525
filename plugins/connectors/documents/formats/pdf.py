"""What does a PDF say: its pages, and every string of its objects, from annotations and forms to attached files?

Two libraries, as each sees what the other does not: one lays out the text of the pages, one walks the objects. A page
that shows a picture and no text is a scan: nobody knows what it says.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
from pypdfium2 import raw

from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode

MOST_PAGES = 10_000
_DEEPEST = 50
_PASSWORD = 4
_HYPHEN_AT_LINE_END = str.maketrans({"\ufffe": "-\n", "\x02": "-\n"})
_INFO_DATES = {"/CreationDate": "document properties: created", "/ModDate": "document properties: modified"}
_XMP_DATE = re.compile(r"(?:xmp|xap):(CreateDate|ModifyDate|MetadataDate)(?:>|=\")([^<\"]{4,40})")
_XMP_NAMES = {"CreateDate": "created", "ModifyDate": "modified", "MetadataDate": "metadata changed"}


def read(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """The text of all pages, the strings of all objects, and attached files as what they are."""
    try:
        with pikepdf.open(io.BytesIO(content)) as file:
            stamps = _objects(file, emit, budget)
    except pikepdf.PasswordError:
        raise Unreadable(GapCode.ENCRYPTED) from None
    except (pikepdf.PdfError, pikepdf.DataDecodingError, ValueError, TypeError, OSError, RuntimeError):
        raise Unreadable(GapCode.DAMAGED) from None
    _pages(content, emit, budget)
    return stamps


# --- Pages ---


def _pages(content: bytes, emit: Emit, budget: Budget) -> None:
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == _PASSWORD
        raise Unreadable(GapCode.ENCRYPTED if locked else GapCode.DAMAGED) from None
    try:
        pages = len(document)
        if pages > MOST_PAGES:
            raise Unreadable(GapCode.TOO_LARGE, "pages")
        scans = 0
        for number in range(pages):
            text, is_scan = _page(document, number)
            budget.expand(len(text))
            scans += is_scan
            emit(text.translate(_HYPHEN_AT_LINE_END))
    except pypdfium2.PdfiumError:
        raise Unreadable(GapCode.DAMAGED) from None
    finally:
        document.close()
    if not pages:
        raise Unreadable(GapCode.DAMAGED, "no-pages")
    if scans == pages:
        raise Unreadable(GapCode.UNKNOWN_FORMAT, "no-text-layer")
    if scans:
        budget.unread(GapCode.UNKNOWN_FORMAT, "page-without-text")


def _page(document: pypdfium2.PdfDocument, number: int) -> tuple[str, bool]:
    page = document[number]
    layer = page.get_textpage()
    try:
        text = layer.get_text_range()
        if text.strip():
            return text, False
        shown = page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM, raw.FPDF_PAGEOBJ_PATH])
        return text, next(iter(shown), None) is not None
    finally:
        layer.close()
        page.close()


# --- Objects ---


def _objects(file: pikepdf.Pdf, emit: Emit, budget: Budget) -> Stamps:
    stamps = Stamps()
    for key, where in _INFO_DATES.items():
        if key in file.docinfo:
            stamps.add_pdf(where, str(file.docinfo[key]))
    for one in file.objects:
        for text in _strings(one):
            emit(text)
        if isinstance(one, pikepdf.Stream):
            stamps.merge(_inside(one, emit, budget))
    for name, attached in file.attachments.items():
        emit(name)
        stamps.merge(_attached(name, attached, emit, budget))
    return stamps


def _strings(value: object) -> Iterator[str]:
    """Every string of one object; what it only refers to is an object of its own."""
    waiting: list[tuple[object, int]] = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, pikepdf.String):
            yield str(one)
        elif depth > _DEEPEST:
            raise Unreadable(GapCode.TOO_LARGE, "depth")
        elif isinstance(one, pikepdf.Array):
            waiting += [(inner, depth + 1) for inner in one.as_list() if _may_hold_text(inner)]
        elif isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            values = one.stream_dict if isinstance(one, pikepdf.Stream) else one
            waiting += [(inner, depth + 1) for inner in values.as_dict().values() if _may_hold_text(inner)]


def _may_hold_text(value: object) -> bool:
    return isinstance(value, pikepdf.Object) and (isinstance(value, pikepdf.String) or not value.is_indirect)


def _inside(stream: pikepdf.Stream, emit: Emit, budget: Budget) -> Stamps:
    """Streams that are text: metadata, and the XML of a form."""
    stamps = Stamps()
    if stream.stream_dict.get("/Type") != "/Metadata" and stream.stream_dict.get("/Subtype") != "/XML":
        return stamps
    content = stream.read_bytes()
    budget.expand(len(content))
    text = content.decode("utf-8", errors="replace")
    emit(text)
    for name, value in _XMP_DATE.findall(text):
        stamps.add(f"document properties: {_XMP_NAMES[name]}", value)
    return stamps


def _attached(name: str, attached: pikepdf.AttachedFileSpec, emit: Emit, budget: Budget) -> Stamps:
    budget.member()
    content = attached.get_file().read_bytes()
    budget.expand(len(content))
    return budget.nested(name, content, emit)
