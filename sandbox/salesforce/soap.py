"""What does the SOAP API answer? Only calls that REST does not do as well: delete, emptyRecycleBin, merge."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import touched
from sandbox.salesforce.access import Access
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.exchange import store_of
from sandbox.salesforce.ids import long_id
from sandbox.salesforce.merging import merge
from sandbox.salesforce.schema import HISTORIES
from sandbox.salesforce.store import OrgStore

MOST_EMPTIED = MOST_MERGES = 200
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_PARTNER = "urn:partner.soap.sforce.com"


async def call(request: Request) -> Response:
    """POST /services/Soap/u/{version}"""
    store, access = store_of(request), request.app.state.access
    content = await request.body()
    if b"<!DOCTYPE" in content:
        return _fault("soapenv:Client", "DTDs are not allowed")
    try:
        envelope = ElementTree.fromstring(content)  # noqa: S314 - without a DTD there is nothing to expand
    except ElementTree.ParseError:
        return _fault("soapenv:Client", "The envelope cannot be parsed")
    session = envelope.findtext(f".//{{{_PARTNER}}}SessionHeader/{{{_PARTNER}}}sessionId", "")
    if not _admitted(access, request, session):
        return _fault("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader")
    store.calls_at.append(store.now())
    calls = {
        name: envelope.find(f".//{{{_ENVELOPE}}}Body/{{{_PARTNER}}}{name}")
        for name in ("emptyRecycleBin", "delete", "merge")
    }
    verb, asked = next(((name, one) for name, one in calls.items() if one is not None), ("", None))
    if asked is None:
        return _fault("sf:INVALID_OPERATION", "INVALID_OPERATION: the call is not known here")
    if verb == "emptyRecycleBin" and not store.switches.empty_bin_permission:
        return _fault("sf:INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS: the user may not empty the Recycle Bin")
    if verb == "merge":
        return _merges(request, store, asked)
    ids = [one.text or "" for one in asked.findall(f"{{{_PARTNER}}}ids")]
    if len(ids) > MOST_EMPTIED:
        return _fault("sf:EXCEEDED_ID_LIMIT", f"EXCEEDED_ID_LIMIT: more than {MOST_EMPTIED} ids")
    results = []
    for given in ids:
        record_id = long_id(given)
        try:
            if record_id is None:
                raise ApiError(400, "MALFORMED_ID", "bad id")
            gone = store.empty_bin(record_id) if verb == "emptyRecycleBin" else _deleted(store, record_id)
            touched(request, gone, effect=True)
            results.append(f"<result><id>{record_id}</id><success>true</success></result>")
        except ApiError as error:
            results.append(_failed(given, error))
    return _answer(f"<{verb}Response>{''.join(results)}</{verb}Response>", 200)


def _merges(request: Request, store: OrgStore, asked: ElementTree.Element) -> Response:
    """Each request on its own: a master with the fields it takes over, and the rows that go into it."""
    merges = asked.findall(f"{{{_PARTNER}}}request")
    if len(merges) > MOST_MERGES:
        return _fault("sf:EXCEEDED_ID_LIMIT", f"EXCEEDED_ID_LIMIT: more than {MOST_MERGES} requests")
    results = []
    for one in merges:
        master = one.find(f"{{{_PARTNER}}}masterRecord")
        fields = {field.tag.rpartition("}")[2]: field.text for field in (master if master is not None else ())}
        named, spelled = fields.pop("type", "") or "", fields.pop("Id", "") or ""
        try:
            sobject = store.schema.get(named)
            ids = [long_id(each.text or "") for each in one.findall(f"{{{_PARTNER}}}recordToMergeIds")]
            master_id, loser_ids = long_id(spelled), [each for each in ids if each is not None]
            if sobject is None:
                raise ApiError(400, "INVALID_TYPE", f"sObject type '{named}' is not supported.")
            if master_id is None or len(loser_ids) < len(ids):
                raise ApiError(400, "MALFORMED_ID", "bad id")
            moved = merge(store, sobject, master_id, fields, loser_ids)
            touched(request, [master_id, *loser_ids, *moved], effect=True)
            merged = "".join(f"<mergedRecordIds>{each}</mergedRecordIds>" for each in loser_ids)
            related = "".join(f"<updatedRelatedIds>{each}</updatedRelatedIds>" for each in moved)
            results.append(f"<result><id>{master_id}</id>{merged}<success>true</success>{related}</result>")
        except ApiError as error:
            results.append(_failed(spelled, error))
    return _answer(f"<mergeResponse>{''.join(results)}</mergeResponse>", 200)


def _failed(given: str, error: ApiError) -> str:
    said = f"<message>{escape(error.message)}</message><statusCode>{error.code}</statusCode>"
    return f"<result><errors>{said}</errors><id>{escape(given)}</id><success>false</success></result>"


def _deleted(store: OrgStore, record_id: str) -> list[str]:
    """Into the bin; rows of field history have none and are gone."""
    sobject = store.schema.by_id(record_id)
    if sobject is None:
        raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    return store.hard_delete(sobject, record_id) if sobject.name in HISTORIES else store.delete(sobject, record_id)


def _admitted(access: Access, request: Request, session: str) -> bool:
    store = store_of(request)
    return access.admits(f"Bearer {session}", store.now(), store.switches.session_seconds)


def _fault(code: str, text: str) -> Response:
    fault = f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{escape(text)}</faultstring></soapenv:Fault>"
    return _answer(fault, 500)


def _answer(body: str, status: int) -> Response:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_ENVELOPE}" xmlns="{_PARTNER}" '
        f'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )
    return Response(text, status, media_type="text/xml")
