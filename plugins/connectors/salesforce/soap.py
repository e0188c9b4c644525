"""How is a SOAP call written and its results read? For the few calls that REST does not have."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from connectors.salesforce.patience import NoAnswer
from connectors.salesforce.rest import Answer, Rest
from connectors.salesforce.sight import short
from retention.contract import ConnectorError, Warrant

MOST_IDS = 200
EMPTY_RECYCLE_BIN = "emptyRecycleBin"
DELETE = "delete"
_PARTNER = "urn:partner.soap.sforce.com"


def told(rest: Rest, verb: str, ids: Iterable[str], warrant: Warrant) -> tuple[set[str] | None, Answer]:
    """Short ids for which the verb succeeded, None where the call failed as a whole; and the answer itself."""
    named = "".join(f"<ids>{escape(one)}</ids>" for one in ids)

    def envelope(session: str) -> str:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns="{_PARTNER}">'
            f"<env:Header><SessionHeader><sessionId>{escape(session)}</sessionId></SessionHeader></env:Header>"
            f"<env:Body><{verb}>{named}</{verb}></env:Body></env:Envelope>"
        )

    try:
        answer = rest.soap(envelope, warrant)
    except (NoAnswer, ConnectorError):
        return None, Answer(0, None)
    return _succeeded(answer), answer


def _succeeded(answer: Answer) -> set[str] | None:
    if answer.status != 200 or "<!DOCTYPE" in answer.text:
        return None
    try:
        envelope = ElementTree.fromstring(answer.text)  # noqa: S314 - without a DTD there is nothing to expand
    except ElementTree.ParseError:
        return None
    results = envelope.iter(f"{{{_PARTNER}}}result")
    return {
        short(one.findtext(f"{{{_PARTNER}}}id", ""))
        for one in results
        if one.findtext(f"{{{_PARTNER}}}success") == "true"
    }
