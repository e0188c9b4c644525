"""Whose account is it, what may the token do, and how many calls are left today?"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.hubspot import exchange
from sandbox.hubspot.account import APP_ID, HUB_ID, TOKEN, USER_ID
from sandbox.hubspot.allowance import midnight
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.values import instant


async def token_info(request: Request) -> Response:
    """What a private app's token may do; the token itself is all one needs to ask."""
    given = await exchange.body_of(request)
    if given.get("tokenKey") != TOKEN:
        raise Refused(404, "The access token was not found")
    scopes = exchange.account_of(request).switches.granted()
    return JSONResponse({"userId": USER_ID, "hubId": HUB_ID, "appId": APP_ID, "scopes": scopes})


async def usage(request: Request) -> Response:
    """How much of the daily allowance is used."""
    account = exchange.account_of(request)
    now = account.now()
    row = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": account.switches.per_day,
        "currentUsage": account.allowance.used_today(account.switches, now),
        "collectedAt": instant(now),
        "fetchStatus": "SUCCESS",
        "resetsAt": instant(midnight(account.switches, now)),
    }
    return JSONResponse({"results": [row]})


async def details(request: Request) -> Response:
    """The account itself."""
    account = exchange.account_of(request)
    offset = account.now().astimezone(ZoneInfo(account.switches.time_zone)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    return JSONResponse(
        {
            "portalId": HUB_ID,
            "accountType": "STANDARD",
            "timeZone": account.switches.time_zone,
            "companyCurrency": "GBP",
            "additionalCurrencies": [],
            "utcOffset": f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}",
            "utcOffsetMilliseconds": minutes * 60_000,
            "uiDomain": "app-eu1.hubspot.com",
            "dataHostingLocation": "eu1",
        }
    )
