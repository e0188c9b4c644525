"""May this be done to these people? The consent resource: all rows of a person are asked, the most restrictive wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import touched
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.exchange import answer, store_of
from sandbox.salesforce.ids import long_id
from sandbox.salesforce.store import OrgStore
from sandbox.salesforce.values import moment_of

Row = dict[str, Any]
PEOPLE = ("Contact", "Lead")
_OF_PERSON = {"email": "HasOptedOutOfEmail", "fax": "HasOptedOutOfFax", "phone": "DoNotCall"}
_OF_INDIVIDUAL = {
    "geotrack": "HasOptedOutGeoTracking",
    "process": "HasOptedOutProcessing",
    "profile": "HasOptedOutProfiling",
    "solicit": "HasOptedOutSolicit",
    "track": "HasOptedOutTracking",
}
_CONTACT_POINTS = {"email": "Email", "phone": "Phone"}


async def action(request: Request) -> Response:
    """GET consent/action/{action}?ids=: by record id, or by an address that stands on records."""
    store, asked = store_of(request), str(request.path_params["action"])
    if not store.switches.privacy_permission:
        raise ApiError(403, "INSUFFICIENT_ACCESS", "the user may not read privacy data")
    if asked not in _OF_PERSON and asked not in _OF_INDIVIDUAL:
        raise ApiError(400, "INVALID_INPUT", f"the action {asked} is not known")
    given = [one.strip() for one in request.query_params.get("ids", "").split(",") if one.strip()]
    if not given:
        raise ApiError(400, "MISSING_ARGUMENT", "The ids parameter is required")
    verbose = request.query_params.get("verbose", "false").lower() == "true"
    return answer({one: _verdict(request, store, asked, one, verbose=verbose) for one in given})


def _verdict(request: Request, store: OrgStore, asked: str, given: str, *, verbose: bool) -> dict[str, Any]:
    consulted = list(_consulted(store, asked, given))
    touched(request, [said["recordId"] for said in consulted])
    proceed = bool(consulted) and not any(said["value"] == "true" for said in consulted)
    told = {
        "result": "Success",
        "proceed": {asked: "true" if proceed else "false", f"{asked}Result": "Success"},
    }
    return {**told, "explanation": consulted} if verbose else told


def _consulted(store: OrgStore, asked: str, given: str) -> Iterator[dict[str, str]]:
    """Every stored flag that speaks of the person, `true` meaning opted out."""
    seen: set[str] = set()
    for name, row in _people(store, given):
        if asked in _OF_PERSON:
            yield _said(name, _OF_PERSON[asked], row)
        individual = store.row("Individual", str(row.get("IndividualId")))
        if individual is None or individual.get("IsDeleted") or individual["Id"] in seen:
            continue
        seen.add(individual["Id"])
        if asked in _OF_INDIVIDUAL:
            yield _said("Individual", _OF_INDIVIDUAL[asked], individual)
        for consent in store.pointing_at("ContactPointTypeConsent", "PartyId", individual["Id"]):
            if consent.get("ContactPointType") == _CONTACT_POINTS.get(asked) and _in_force(store, consent):
                out = "true" if consent.get("PrivacyConsentStatus") == "OptOut" else "false"
                yield {**_said("ContactPointTypeConsent", "PrivacyConsentStatus", consent), "value": out}


def _people(store: OrgStore, given: str) -> Iterator[tuple[str, Row]]:
    """The rows behind an id or an address; converted leads are left out."""
    record_id = None if "@" in given else long_id(given)
    for name in PEOPLE:
        for row in store.rows(name, deleted=False):
            named = row["Id"] == record_id if record_id else str(row.get("Email") or "").lower() == given.lower()
            if named and not row.get("IsConverted"):
                yield name, row


def _in_force(store: OrgStore, consent: Mapping[str, Any]) -> bool:
    now, start, end = store.now(), consent.get("EffectiveFrom"), consent.get("EffectiveTo")
    begun = start is None or moment_of(str(start)) <= now
    return not consent.get("IsDeleted") and begun and (end is None or now < moment_of(str(end)))


def _said(name: str, field: str, row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "objectConsulted": name,
        "field": field,
        "recordId": str(row["Id"]),
        "value": "true" if row.get(field) else "false",
    }
