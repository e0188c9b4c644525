"""Who wants no more mail? Communication preferences hang on the address, not on the contact."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.control import touched
from sandbox.hubspot.account import Account
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.records import account_of, batch_answer, body_of, inputs_of

DEFINITIONS = ({"id": "101", "name": "Newsletter"}, {"id": "102", "name": "Product news"})


def _definition(given: dict[str, str]) -> dict[str, Any]:
    return {
        "id": given["id"],
        "name": given["name"],
        "description": f"{given['name']} by e-mail",
        "purpose": "Marketing",
        "communicationMethod": "Email",
        "isActive": True,
        "isDefault": False,
        "isInternal": False,
        "createdAt": "2019-01-01T00:00:00.000Z",
        "updatedAt": "2019-01-01T00:00:00.000Z",
    }


def _channel(request: Request) -> None:
    if request.query_params.get("channel") != "EMAIL":
        raise Refused(400, "channel is required: EMAIL")


def _answer(account: Account, results: list[Any]) -> Response:
    stamp = account.stamp()
    return JSONResponse({"status": "COMPLETE", "results": results, "startedAt": stamp, "completedAt": stamp})


def _wide(account: Account, address: str) -> dict[str, Any]:
    return {
        "channel": "EMAIL",
        "status": "UNSUBSCRIBED",
        "subscriberIdString": address,
        "timestamp": account.stamp(),
        "wideStatusType": "PORTAL_WIDE",
    }


def _status(account: Account, address: str, number: int, **more: Any) -> dict[str, Any]:
    out = address.lower() in account.opted_out
    status = account.subscriptions.get((address.lower(), number), "NOT_SPECIFIED")
    return {
        "channel": "EMAIL",
        "subscriberIdString": address,
        "subscriptionId": number,
        "status": "UNSUBSCRIBED" if out else status,
        "source": "API",
        "timestamp": account.stamp(),
        **more,
    }


def _contacts(account: Account, address: str) -> list[str]:
    row = account.by_email(address)
    return [row["id"]] if row else []


async def definitions_v4(request: Request) -> Response:
    """Every subscription type."""
    return _answer(account_of(request), [_definition(one) for one in DEFINITIONS])


async def definitions_v3(request: Request) -> Response:
    """Every subscription type, as v3 wraps it."""
    return JSONResponse({"subscriptionDefinitions": [_definition(one) for one in DEFINITIONS]})


async def statuses_v4(request: Request) -> Response:
    """Per subscription type, what an address wants."""
    _channel(request)
    account, address = account_of(request), request.path_params["address"]
    return _answer(account, [_status(account, address, int(one["id"])) for one in DEFINITIONS])


async def set_status_v4(request: Request) -> Response:
    """Set one subscription; v4 takes an address back in even after it opted out of everything."""
    account, given, address = account_of(request), await body_of(request), request.path_params["address"]
    wanted, number = given.get("statusState"), given.get("subscriptionId")
    if given.get("channel") != "EMAIL" or wanted not in ("SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"):
        raise Refused(400, "channel and statusState are required")
    if not isinstance(number, int):
        raise Refused(400, "subscriptionId is required")
    account.subscriptions[(address.lower(), number)] = wanted
    reason = "REQUESTED_CHANGE_OCCURRED"
    if wanted == "SUBSCRIBED" and address.lower() in account.opted_out:
        account.opt_in(address)
        reason = "RESUBSCRIBE_OCCURRED"
    touched(request, _contacts(account, address), effect=True)
    return _answer(account, [_status(account, address, number, setStatusSuccessReason=reason)])


async def opted_out_v4(request: Request) -> Response:
    """Whether an address opted out of everything: no results mean no."""
    _channel(request)
    account, address = account_of(request), request.path_params["address"]
    return _answer(account, [_wide(account, address)] if address.lower() in account.opted_out else [])


async def opt_out_v4(request: Request) -> Response:
    """Opt an address out of everything."""
    _channel(request)
    account, address = account_of(request), request.path_params["address"]
    changed = account.opt_out(address)
    touched(request, _contacts(account, address), effect=changed)
    if request.query_params.get("verbose", "false").lower() != "true":
        return _answer(account, [])
    reason = "UNSUBSCRIBE_FROM_ALL_OCCURRED" if changed else "NO_STATUS_CHANGE"
    numbers = [int(one["id"]) for one in DEFINITIONS]
    return _answer(account, [_status(account, address, n, setStatusSuccessReason=reason) for n in numbers])


async def batch_opt_out_v4(request: Request) -> Response:
    """Opt up to 100 addresses out of everything; an Enterprise feature."""
    _channel(request)
    account = account_of(request)
    if not account.switches.enterprise:
        raise Refused(403, "This account has no access to batch subscription calls: Marketing Hub Enterprise is needed")
    given = dict(await body_of(request))
    addresses = [str(one) for one in given.get("inputs") or []]
    inputs_of({"inputs": [{"id": one} for one in addresses]})
    for address in addresses:
        touched(request, _contacts(account, address), effect=account.opt_out(address))
    return batch_answer(account, [{"channel": "EMAIL", "subscriberIdString": a, "status": []} for a in addresses], [])


async def status_v3(request: Request) -> Response:
    """What an address wants, as v3 says it."""
    account, address = account_of(request), request.path_params["address"]
    out = address.lower() in account.opted_out
    statuses = [
        {
            "id": one["id"],
            "name": one["name"],
            "description": f"{one['name']} by e-mail",
            "status": "NOT_SUBSCRIBED"
            if out or account.subscriptions.get((address.lower(), int(one["id"]))) != "SUBSCRIBED"
            else "SUBSCRIBED",
            "sourceOfStatus": "PORTAL_WIDE_STATUS" if out else "SUBSCRIPTION_STATUS",
        }
        for one in DEFINITIONS
    ]
    return JSONResponse({"recipient": address, "subscriptionStatuses": statuses})


async def change_v3(request: Request) -> Response:
    """Subscribe to or unsubscribe from one type; v3 takes nobody back who opted out of everything."""
    account, given = account_of(request), await body_of(request)
    address, number = str(given.get("emailAddress") or ""), str(given.get("subscriptionId") or "")
    known = {one["id"]: one for one in DEFINITIONS}
    if not address or number not in known:
        raise Refused(400, "emailAddress and subscriptionId are required")
    wanted = "SUBSCRIBED" if request.url.path.endswith("/subscribe") else "UNSUBSCRIBED"
    key = (address.lower(), int(number))
    if wanted == "SUBSCRIBED" and address.lower() in account.opted_out:
        raise Refused(400, "The contact has opted out of all communication and cannot be subscribed")
    if wanted == "UNSUBSCRIBED" and account.subscriptions.get(key) == wanted:
        raise Refused(400, f"The contact is already unsubscribed from subscription {number}")
    account.subscriptions[key] = wanted
    touched(request, _contacts(account, address), effect=True)
    return JSONResponse(
        {
            "id": number,
            "name": known[number]["name"],
            "description": "",
            "status": "SUBSCRIBED" if wanted == "SUBSCRIBED" else "NOT_SUBSCRIBED",
            "sourceOfStatus": "SUBSCRIPTION_STATUS",
        }
    )
