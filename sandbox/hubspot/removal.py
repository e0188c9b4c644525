"""How is a record purged for good, or a contact merged into another?"""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.control import touched
from sandbox.hubspot import exchange
from sandbox.hubspot.account import Account, Row
from sandbox.hubspot.addresses import listed
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.preferences import folded
from sandbox.hubspot.values import is_address


async def gdpr_delete(request: Request) -> Response:
    """Purge one record. An address nobody has is put on the blocklist: a typo blocks a stranger."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    key, id_property = str(given.get("objectId") or ""), given.get("idProperty")
    if not key:
        raise Refused(400, "Invalid input JSON: objectId is required", errors=[{"message": "objectId is required"}])
    if id_property == "email" and kind == "contacts":
        row = account.by_email(key) or account.archived_by_email(key)
    elif id_property in (None, "", "hs_object_id"):
        row = account.row(kind, key) or account.row(kind, key, archived=True)
    else:
        raise Refused(400, f"idProperty {id_property} is not supported: send an id, or email")
    if row is not None and not account.is_going(kind, row["id"]):
        touched(request, account.purge(kind, row), effect=True)
    elif id_property == "email":
        if not is_address(folded(key)):
            raise Refused(400, "The email address is not valid")
        touched(request, effect=folded(key) not in account.blocklist)
        account.blocklist.add(folded(key))
    else:
        touched(request, [key])
        switches = account.switches
        if (switches.repeated_purge if key in account.purged else switches.purge_of_unknown) == 404:
            raise Refused(404, "resource not found")
    return Response(status_code=204)


async def merge(request: Request) -> Response:
    """Merge one contact into another; the loser is archived, its id leads to the winner from then on."""
    account, given = exchange.account_of(request), await exchange.body_of(request)
    ids = [str(given.get(name) or "") for name in ("primaryObjectId", "objectIdToMerge")]
    winner, loser = (account.row("contacts", key) for key in ids)
    if winner is None or loser is None:
        raise Refused(404, "resource not found")
    if winner is loser:
        raise Refused(400, "A contact cannot be merged with itself")
    swallow(account, winner, loser)
    touched(request, ids, effect=True)
    return JSONResponse(exchange.written(account, "contacts", winner, ["email", "hs_additional_emails"]))


def swallow(account: Account, winner: Row, loser: Row) -> None:
    """The winner takes the loser's addresses, its links, and what it lacks itself."""
    mine, theirs = winner["properties"], loser["properties"]
    values: dict[str, str | None] = {}
    for name, value in theirs.items():
        prop = account.property("contacts", name)
        if value and not mine.get(name) and prop is not None and not prop.read_only:
            values[name] = value
    primary = mine.get("email") or theirs.get("email")
    additional = [*listed(mine.get("hs_additional_emails")), theirs.get("email")]
    additional += listed(theirs.get("hs_additional_emails"))
    values["hs_additional_emails"] = ";".join(a for a in dict.fromkeys(additional) if a and a != primary) or None
    at = account.stamp()
    stamped = f"{loser['id']}:{int(datetime.fromisoformat(at).timestamp() * 1000)}"
    values["hs_merged_object_ids"] = ";".join([*listed(mine.get("hs_merged_object_ids")), loser["id"]])
    values["hs_calculated_merged_vids"] = ";".join([*listed(mine.get("hs_calculated_merged_vids")), stamped])
    if account.switches.merge_keeps_oldest_createdate:
        winner["createdAt"] = values["createdate"] = min(mine["createdate"], theirs["createdate"])
    for kind in list(loser["associations"]):
        for other in account.linked("contacts", loser["id"], kind):
            account.link("contacts", winner["id"], kind, other)
            account.unlink("contacts", loser["id"], kind, other)
    account.archive("contacts", loser["id"])
    account.merged[loser["id"]] = winner["id"]
    account.write("contacts", winner, values)
