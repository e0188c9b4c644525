"""How are up to a hundred records read, created, changed or archived in one call?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import touched
from sandbox.hubspot import exchange, records
from sandbox.hubspot.account import Account, Row
from sandbox.hubspot.errors import Refused
from sandbox.hubspot.preferences import folded


async def read(request: Request) -> Response:
    """What is not there is an error inside a 207, never an HTTP error."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    history = exchange.names_in(given, "propertiesWithHistory")
    inputs = exchange.inputs_of(given, exchange.LARGEST_BATCH_WITH_HISTORY if history else exchange.LARGEST_BATCH)
    wanted, names = [exchange.id_in(one) for one in inputs], exchange.names_in(given, "properties")
    archived = exchange.wants_archived(request)
    rows: dict[str, Row] = {}
    missing: list[str] = []
    for key in wanted:
        row = records.named(account, kind, key, given.get("idProperty"), archived=archived)
        if row is None:
            missing.append(key)
        else:
            rows[row["id"]] = row
    touched(request, [*rows, *(missing if not given.get("idProperty") else ())])
    results = [exchange.shown(account, kind, row, names, history) for row in rows.values()]
    return exchange.batch_answer(request, results, exchange.absent(account, kind, missing))


async def create(request: Request) -> Response:
    """All or nothing."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    inputs = exchange.inputs_of(given)
    planned = [(exchange.checked(account, kind, one.get("properties")), one) for one in inputs]
    _refuse_shared_addresses([values for values, _ in planned])
    for values, _ in planned:
        records.refuse_taken(account, kind, values)
    targets = [records.targets_in(account, kind, one) for _, one in planned]
    rows = [account.create(kind, values) for values, _ in planned]
    for row, others in zip(rows, targets, strict=True):
        for target, other in others:
            account.link(kind, row["id"], target, other)
    touched(request, [row["id"] for row in rows], effect=bool(rows))
    results = [exchange.written(account, kind, row, values) for row, (values, _) in zip(rows, planned, strict=True)]
    return exchange.batch_answer(request, results, status=201)


async def update(request: Request) -> Response:
    """Nothing is written when one input is not valid; absent ids are errors inside a 207."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    inputs = exchange.inputs_of(given)
    _refuse_repeated(inputs)
    planned: list[tuple[Row, dict[str, str | None]]] = []
    missing: list[str] = []
    for one in inputs:
        _refuse_record_id_as_property(one)
        key, values = exchange.id_in(one), exchange.checked(account, kind, one.get("properties"))
        row = records.named(account, kind, key, one.get("idProperty"))
        if row is None:
            missing.append(key)
        else:
            records.refuse_taken(account, kind, values, row)
            planned.append((row, values))
    _refuse_shared_addresses([values for _, values in planned])
    if missing and account.switches.batch_update_of_absent == 404:
        (error,) = exchange.absent(account, kind, missing)
        raise Refused(404, error["message"], context=error["context"])
    for row, values in planned:
        account.write(kind, row, values)
    touched(request, [row["id"] for row, _ in planned], effect=bool(planned))
    results = [exchange.written(account, kind, row, values) for row, values in planned]
    return exchange.batch_answer(request, results, exchange.absent(account, kind, missing))


async def upsert(request: Request) -> Response:
    """Change what is there, create what is not, by a property that is unique."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    inputs = exchange.inputs_of(given)
    _refuse_repeated(inputs)
    planned: list[tuple[Row | None, dict[str, str | None]]] = []
    for one in inputs:
        _refuse_record_id_as_property(one)
        if not one.get("idProperty"):
            raise Refused(400, "idProperty is required to upsert")
        key, named = exchange.id_in(one), str(one["idProperty"])
        values = exchange.checked(account, kind, one.get("properties"))
        row = records.named(account, kind, key, named)
        if row is None:
            values = exchange.checked(account, kind, {named: key}) | values
        records.refuse_taken(account, kind, values, row)
        planned.append((row, values))
    _refuse_shared_addresses([values for _, values in planned])
    results = [_upserted(account, kind, row, values) for row, values in planned]
    touched(request, [one["id"] for one in results], effect=bool(results))
    return exchange.batch_answer(request, results)


def _upserted(account: Account, kind: str, row: Row | None, values: dict[str, str | None]) -> dict[str, Any]:
    is_new = row is None
    if row is None:
        row = account.create(kind, values)
    else:
        account.write(kind, row, values)
    return exchange.written(account, kind, row, values) | {"new": is_new}


async def archive(request: Request) -> Response:
    """No answer per item."""
    account, kind, given = exchange.account_of(request), exchange.kind_of(request), await exchange.body_of(request)
    keys = [exchange.id_in(one) for one in exchange.inputs_of(given)]
    archived = [account.archive(kind, key) for key in keys]
    touched(request, keys, effect=any(archived))
    return Response(status_code=204)


def _refuse_repeated(inputs: Sequence[Mapping[str, Any]]) -> None:
    """A batch that writes names each record once; addresses are the same in any case."""
    seen = Counter(folded(exchange.id_in(one)) for one in inputs)
    if repeated := [key for key, times in seen.items() if times > 1]:
        message = f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique"
        raise Refused(400, message, context={"ids": repeated})


def _refuse_shared_addresses(planned: Sequence[Mapping[str, str | None]]) -> None:
    """No two inputs give the same address to two contacts."""
    emails = [email for values in planned if (email := values.get("email"))]
    if len(set(emails)) != len(emails):
        raise Refused(400, "Duplicate email addresses found in the inputs of this batch")


def _refuse_record_id_as_property(given: Mapping[str, Any]) -> None:
    """The record's own number is no unique property to a write: it goes without `idProperty`."""
    if given.get("idProperty") == "hs_object_id":
        raise Refused(400, "Unable to perform update/upsert by non-unique property hs_object_id")
