"""Which properties are there, and how are new ones made? The properties API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.control import touched
from sandbox.hubspot import exchange
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.properties import Property, changed, custom
from sandbox.hubspot.values import instant


async def listing(request: Request) -> Response:
    """Every definition; archived ones are not kept."""
    known = exchange.account_of(request).definitions[exchange.kind_of(request)]
    found = [] if exchange.wants_archived(request) else [prop.definition() for prop in known.values()]
    return JSONResponse({"results": found})


async def read(request: Request) -> Response:
    """One definition."""
    return JSONResponse(_named(request).definition())


async def create(request: Request) -> Response:
    """A new custom property; 409 where the name is taken."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    prop = custom(given, instant(account.now()))
    if account.property(kind, prop.name) is not None:
        raise Refused(409, f"A property named '{prop.name}' already exists.", category="OBJECT_ALREADY_EXISTS")
    account.definitions[kind][prop.name] = prop
    touched(request, effect=True)
    return JSONResponse(prop.definition(), 201)


async def update(request: Request) -> Response:
    """A custom property's label, group, description or options."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    prop = _own(request)
    account.definitions[kind][prop.name] = changed(prop, given)
    touched(request, effect=True)
    return JSONResponse(account.definitions[kind][prop.name].definition())


async def archive(request: Request) -> Response:
    """From then on nobody sees the property or its values; none is as good."""
    account, kind, name = exchange.account_of(request), exchange.kind_of(request), request.path_params["name"]
    if account.property(kind, name) is not None:
        _own(request)
    touched(request, effect=account.drop_property(kind, name))
    return Response(status_code=204)


def _named(request: Request) -> Property:
    name = request.path_params["name"]
    prop = exchange.account_of(request).property(exchange.kind_of(request), name)
    if prop is None:
        raise Refused(404, f"Property '{name}' does not exist")
    return prop


def _own(request: Request) -> Property:
    prop = _named(request)
    if not prop.custom:
        raise Refused(400, f"{prop.name} is defined by HubSpot: it cannot be changed or archived")
    return prop
