"""Who wants which mail, as v3 asks and answers? By address, one kind of mail at a time."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.control import touched
from sandbox.hubspot import exchange
from sandbox.hubspot.account import Account
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.preferences import LEGAL_BASES, SUBSCRIBED, UNSUBSCRIBED, Choice
from sandbox.hubspot.subscription_types import SUBSCRIPTION_TYPES, SubscriptionType
from sandbox.hubspot.values import is_address


async def definitions(request: Request) -> Response:
    """Every kind of mail."""
    return JSONResponse({"subscriptionDefinitions": [one.definition() for one in SUBSCRIPTION_TYPES]})


async def status(request: Request) -> Response:
    """Per kind of mail, what an address wants."""
    account, address = exchange.account_of(request), request.path_params["address"].strip()
    _refuse_invalid(address)
    touched(request, account.holders(address))
    statuses = [_status(account, address, one) for one in SUBSCRIPTION_TYPES]
    return JSONResponse({"recipient": address, "subscriptionStatuses": statuses})


async def subscribe(request: Request) -> Response:
    """Subscribe to one kind; nobody is taken back here who has unsubscribed."""
    account, address, kind, choice = await _asked(request, SUBSCRIBED)
    if account.preferences.wants(address, kind.id) == UNSUBSCRIBED:
        message = f"{address} cannot be updated because it has unsubscribed from subscription {kind.id}"
        raise Refused(400, message)
    return _chosen(request, account, address, kind, choice)


async def unsubscribe(request: Request) -> Response:
    """Unsubscribe from one kind; a second time is an error."""
    account, address, kind, choice = await _asked(request, UNSUBSCRIBED)
    if account.preferences.wants(address, kind.id) == UNSUBSCRIBED:
        if account.switches.already_unsubscribed == 400:
            raise Refused(400, f"{address} is already unsubscribed from subscription {kind.id}")
        return JSONResponse(_status(account, address, kind))
    return _chosen(request, account, address, kind, choice)


def _chosen(request: Request, account: Account, address: str, kind: SubscriptionType, choice: Choice) -> Response:
    account.preferences.choose(address, kind.id, choice)
    account.show_preferences(address)
    touched(request, account.holders(address), effect=True)
    return JSONResponse(_status(account, address, kind))


async def _asked(request: Request, state: str) -> tuple[Account, str, SubscriptionType, Choice]:
    account, given = exchange.account_of(request), await exchange.body_of(request)
    address, number = str(given.get("emailAddress") or "").strip(), str(given.get("subscriptionId") or "")
    _refuse_invalid(address)
    kind = next((one for one in SUBSCRIPTION_TYPES if str(one.id) == number), None)
    if kind is None:
        raise Refused(400, "subscriptionId is required and names a known subscription type")
    basis, explanation = given.get("legalBasis"), given.get("legalBasisExplanation")
    if basis is not None and basis not in LEGAL_BASES:
        raise Refused(400, f"legalBasis is one of {', '.join(LEGAL_BASES)}")
    return account, address, kind, Choice(state, account.stamp(), "API", basis, explanation)


def _status(account: Account, address: str, kind: SubscriptionType) -> dict[str, Any]:
    known, choice = account.preferences, account.preferences.choice(address, kind.id)
    is_out = known.is_out(address)
    found: dict[str, Any] = {
        "id": str(kind.id),
        "name": kind.name,
        "description": kind.description,
        "status": "SUBSCRIBED" if known.wants(address, kind.id) == SUBSCRIBED else "NOT_SUBSCRIBED",
        "sourceOfStatus": "PORTAL_WIDE_STATUS" if is_out else "SUBSCRIPTION_STATUS",
    }
    if choice.legal_basis and not is_out:
        found |= {"legalBasis": choice.legal_basis, "legalBasisExplanation": choice.explanation or ""}
    return found


def _refuse_invalid(address: str) -> None:
    if not is_address(address):
        raise Refused(400, "The email address is not valid")
