"""Who is in the directory, and what kind of mailbox has each?"""

from __future__ import annotations

from sandbox.microsoft365 import ids, listing
from sandbox.microsoft365.errors import Refused
from sandbox.microsoft365.exchange import Exchange, Reply, Row, picked
from sandbox.microsoft365.tenant import TENANT, User


def listing_all(exchange: Exchange) -> Reply:
    """GET /users: 100 a page, 999 at most."""
    if "$search" in exchange.query or "$filter" in exchange.query:
        raise Refused(400, "Request_UnsupportedQuery", "Unsupported query.")
    select = exchange.selected()
    found = (picked(_row(one), select) for one in exchange.tenant.users.values())
    return listing.plain(exchange, "users", found, default=100)


def one(exchange: Exchange) -> Reply:
    """GET /users/{id}"""
    return Reply(200, picked(_row(exchange.tenant.user(exchange.parameters["user"])), exchange.selected()))


def settings(exchange: Exchange) -> Reply:
    """GET /users/{id}/mailboxSettings: the way to tell shared mailboxes."""
    box = exchange.mailbox()
    return Reply(200, {"userPurpose": box.purpose, "timeZone": "UTC", "archiveFolder": None})


def exchange_settings(exchange: Exchange) -> Reply:
    """GET /users/{id}/settings/exchange: the id the mailbox-item API names the mailbox by."""
    return Reply(200, {"primaryMailboxId": ids.mailbox_id(exchange.mailbox().user, TENANT)})


def _row(one: User) -> Row:
    addresses = [f"SMTP:{one.address}", *(f"smtp:{alias}" for alias in one.aliases)]
    return {
        "id": one.user,
        "displayName": one.name,
        "mail": one.address,
        "userPrincipalName": one.address,
        "userType": "Guest" if one.guest else "Member",
        "accountEnabled": one.enabled,
        "proxyAddresses": addresses if one.box is not None else [],
    }
