"""Who wants which mail, as v4 asks and answers? By address, one at a time or, with the largest edition, in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.control import touched
from sandbox.hubspot import exchange
from sandbox.hubspot.account import Account
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.preferences import LEGAL_BASES, STATES, SUBSCRIBED, UNSUBSCRIBED, Choice, folded
from sandbox.hubspot.subscription_types import SUBSCRIPTION_TYPES
from sandbox.hubspot.values import is_address

NAMES = {one.id: one.name for one in SUBSCRIPTION_TYPES}
NO_CHANGE, CHANGED = "NO_STATUS_CHANGE", "REQUESTED_CHANGE_OCCURRED"
RESUBSCRIBED, OUT_OF_ALL = "RESUBSCRIBE_OCCURRED", "UNSUBSCRIBE_FROM_ALL_OCCURRED"


async def definitions(request: Request) -> Response:
    """Every kind of mail."""
    return exchange.batch_answer(request, [one.definition() for one in SUBSCRIPTION_TYPES])


async def statuses(request: Request) -> Response:
    """Per kind of mail, what an address wants."""
    account, address = _asked(request)
    return exchange.batch_answer(request, _all(account, address))


async def set_status(request: Request) -> Response:
    """Set one kind. Who opted out of everything is taken back in, if a legal basis is given."""
    account, address, given = exchange.account_of(request), _address(request), await exchange.body_of(request)
    return exchange.batch_answer(request, [_set(request, account, address, given)])


async def opted_out(request: Request) -> Response:
    """Whether an address opted out of everything: no results mean no."""
    account, address = _asked(request)
    return exchange.batch_answer(request, _wide(account, address))


async def opt_out(request: Request) -> Response:
    """Opt an address out of everything, with or without a contact; statuses only come when asked for."""
    account, address = _asked(request)
    results = _opt_out(request, account, address)
    return exchange.batch_answer(request, results if exchange.is_true(request, "verbose") else [])


async def batch_read(request: Request) -> Response:
    """What up to 100 addresses want."""
    account, addresses = await _asked_many(request)
    return _per_address(request, account, addresses, lambda one: {"statuses": _all(account, one)})


async def batch_opted_out(request: Request) -> Response:
    """Which of up to 100 addresses opted out of everything."""
    account, addresses = await _asked_many(request)
    return _per_address(request, account, addresses, lambda one: {"wideStatuses": _wide(account, one)})


async def batch_opt_out(request: Request) -> Response:
    """Opt up to 100 addresses out of everything."""
    account, addresses = await _asked_many(request)
    verbose = exchange.is_true(request, "verbose")

    def done(one: str) -> dict[str, Any]:
        found = _opt_out(request, account, one)
        return {"statuses": found} if verbose else {}

    return _per_address(request, account, addresses, done)


async def batch_write(request: Request) -> Response:
    """Set up to 100 single choices."""
    account, given = exchange.account_of(request), await exchange.body_of(request)
    inputs = exchange.inputs_of(given)
    for one in inputs:
        _checked(account, _valid(str(one.get("subscriberIdString") or "")), one)
    results = [_set(request, account, str(one["subscriberIdString"]), one) for one in inputs]
    return exchange.batch_answer(request, results)


async def links(request: Request) -> Response:
    """Where an address can manage its preferences itself."""
    _channel(request)
    given = await exchange.body_of(request)
    address = _valid(str(given.get("subscriberIdString") or ""))
    page = "https://hs-sandbox.example/preferences"
    answer = {"managePreferencesUrl": f"{page}/manage", "unsubscribeAllUrl": f"{page}/all"}
    return JSONResponse(answer | {"subscriberIdString": address})


def _set(request: Request, account: Account, address: str, given: Mapping[str, Any]) -> dict[str, Any]:
    choice, number = _checked(account, address, given)
    before = account.preferences.wants(address, number)
    reason = NO_CHANGE
    if before != choice.state:
        reason = RESUBSCRIBED if before == UNSUBSCRIBED and choice.state == SUBSCRIBED else CHANGED
        account.preferences.choose(address, number, choice)
        account.show_preferences(address)
    touched(request, account.holders(address), effect=reason != NO_CHANGE)
    return _status(account, address, number) | {"setStatusSuccessReason": reason}


def _checked(account: Account, address: str, given: Mapping[str, Any]) -> tuple[Choice, int]:
    state, number, basis = given.get("statusState"), given.get("subscriptionId"), given.get("legalBasis")
    if given.get("channel") != "EMAIL":
        raise Refused(400, "channel is required: EMAIL")
    if state not in STATES:
        raise Refused(400, f"statusState is required: one of {', '.join(STATES)}")
    if not isinstance(number, int) or number not in NAMES:
        raise Refused(400, "subscriptionId is required and names a known subscription type")
    if basis is not None and basis not in LEGAL_BASES:
        raise Refused(400, f"legalBasis is one of {', '.join(LEGAL_BASES)}")
    if state == SUBSCRIBED and account.preferences.wants(address, number) == UNSUBSCRIBED and basis is None:
        raise Refused(400, "legalBasis is required to subscribe an address again that has unsubscribed")
    explanation = given.get("legalBasisExplanation")
    return Choice(state, account.stamp(), "API", basis, str(explanation) if explanation else None), number


def _opt_out(request: Request, account: Account, address: str) -> list[dict[str, Any]]:
    changed = account.opt_out(address)
    touched(request, account.holders(address), effect=changed)
    reason = OUT_OF_ALL if changed else NO_CHANGE
    return [one | {"setStatusSuccessReason": reason} for one in _all(account, address)]


def _all(account: Account, address: str) -> list[dict[str, Any]]:
    return [_status(account, address, one.id) for one in SUBSCRIPTION_TYPES]


def _status(account: Account, address: str, number: int) -> dict[str, Any]:
    known, choice = account.preferences, account.preferences.choice(address, number)
    out_since = known.opted_out.get(folded(address))
    found: dict[str, Any] = {
        "channel": "EMAIL",
        "subscriberIdString": address,
        "subscriptionId": number,
        "subscriptionName": NAMES[number],
        "status": known.wants(address, number),
        "source": "PORTAL_WIDE_STATUS" if out_since else choice.source,
        "timestamp": out_since or choice.at,
    }
    if choice.legal_basis and not out_since:
        found |= {"legalBasis": choice.legal_basis, "legalBasisExplanation": choice.explanation or ""}
    return found


def _wide(account: Account, address: str) -> list[dict[str, Any]]:
    since = account.preferences.opted_out.get(folded(address))
    if since is None:
        return []
    status = {"channel": "EMAIL", "status": UNSUBSCRIBED, "subscriberIdString": address, "timestamp": since}
    return [status | {"wideStatusType": "PORTAL_WIDE"}]


def _per_address(request: Request, account: Account, addresses: list[str], show: Any) -> Response:
    """One result per address; those that are none are errors inside a 207."""
    results, errors = [], []
    for address in addresses:
        if is_address(address):
            results.append({"subscriberIdString": address} | show(address))
        else:
            message = "The email address is not valid"
            errors.append(exchange.batch_error(account, "VALIDATION_ERROR", message, {"subscriberId": [address]}))
    return exchange.batch_answer(request, results, errors)


def _asked(request: Request) -> tuple[Account, str]:
    _channel(request)
    account, address = exchange.account_of(request), _address(request)
    return account, address


async def _asked_many(request: Request) -> tuple[Account, list[str]]:
    _channel(request)
    account, inputs = exchange.account_of(request), (await exchange.body_of(request)).get("inputs")
    if not isinstance(inputs, list):
        raise Refused(400, "Invalid input JSON: inputs is required")
    exchange.limit_batch(inputs, exchange.LARGEST_BATCH)
    return account, [str(one).strip() for one in inputs]


def _channel(request: Request) -> None:
    if request.query_params.get("channel") != "EMAIL":
        raise Refused(400, "The query parameter channel is required: EMAIL")


def _address(request: Request) -> str:
    return _valid(request.path_params["address"])


def _valid(address: str) -> str:
    if not is_address(address.strip()):
        raise Refused(400, "The email address is not valid")
    return address.strip()
