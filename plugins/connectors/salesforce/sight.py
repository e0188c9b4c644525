"""What do the org's views show of these records? Live rows in bulk, and the strict view that sees the recycle bin.

`queryAll` is the only REST view of deleted rows. Its "nothing there" counts only beside a control row of the same
object that it did show: an object hidden from us looks exactly like an erased record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.salesforce import codes, soql
from connectors.salesforce.describe import FieldViews
from connectors.salesforce.rest import MOST_QUERIES, Answer, Part, Rejected, Rest, TooLong
from retention.contract import Incomplete
from retention.vocabulary import Presence

QUERY_ALL = "queryAll"
LIVE_READ = 2_000  # ids in one collections read
IDS_PER_QUERY = 2_000  # as many rows come in one page
STRICT_READ = IDS_PER_QUERY * (MOST_QUERIES - 1)  # ids in one composite call, of whose queries one is the control

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Sight:
    """One record in the strict view. `row` is empty unless it was there."""

    presence: Presence
    row: Row = field(default_factory=dict, repr=False)


def short(key: str) -> str:
    """The part of an id that names the record: 15 characters, the same in both forms of an id."""
    return key[:15]


class Sights:
    """Reads records by id."""

    def __init__(self, rest: Rest, system: str, views: FieldViews) -> None:
        self._rest = rest
        self._system = system
        self._views = views

    def live(self, kind: str, keys: Sequence[str], fields: Iterable[str]) -> dict[str, Row]:
        """Live rows by short id, 2,000 a call. Missing: absent, deleted, or not for us to see."""
        rows: dict[str, Row] = {}
        wanted = _distinct(keys)
        for start in range(0, len(wanted), LIVE_READ):
            some = wanted[start : start + LIVE_READ]
            answer = self._live(kind, some, list(dict.fromkeys(["Id", *fields])))
            if answer is None:
                return {}
            if not isinstance(answer.body, list) or len(answer.body) != len(some):
                raise Incomplete(f"{self._system}: a reading of {kind} rows came back short; read again")
            rows.update({short(str(row["Id"])): row for row in answer.body if row})
        return rows

    def strict(self, kind: str, keys: Sequence[str], fields: Iterable[str]) -> dict[str, Sight]:
        """Every record by short id as queryAll shows it, 8,000 a call, the control row among them."""
        sights: dict[str, Sight] = {}
        wanted = _distinct(keys)
        names = list(dict.fromkeys(["Id", "IsDeleted", *fields]))
        while len(sights) < len(wanted):
            per_query = min(IDS_PER_QUERY, soql.ids_in_statement(self._rest.longest_statement))
            start = len(sights)
            try:
                some = wanted[start : start + per_query * (MOST_QUERIES - 1)]
                sights.update(self._strict(kind, some, names, per_query))
            except TooLong:
                continue  # the service takes less in one statement than its limits say: `longest_statement` is less now
        return sights

    def _live(self, kind: str, keys: Sequence[str], names: Sequence[str]) -> Answer | None:
        view = self._views.of(kind)
        while not view.hidden:
            asked = {"ids": list(keys), "fields": [name for name in names if view.sees(name)]}
            try:
                return self._rest.read("POST", f"composite/sobjects/{kind}", json=asked)
            except Rejected as refusal:
                if view.asked or (refusal.code not in codes.UNREADABLE_QUERY and refusal.status != 404):
                    raise
                view = self._views.ask(kind)
        return None

    def _strict(self, kind: str, keys: Sequence[str], names: Sequence[str], per_query: int) -> dict[str, Sight]:
        chunks = [keys[start : start + per_query] for start in range(0, len(keys), per_query)]
        view = self._views.of(kind)
        if view.hidden:
            return {short(key): Sight(Presence.UNREADABLE) for key in keys}
        visible = [name for name in names if view.sees(name)]
        statements = [soql.select(visible, kind, soql.within("Id", chunk)) for chunk in chunks]
        control = soql.select(["Id"], kind, "IsDeleted = false", "LIMIT 1")
        *answers, controlled = self._rest.composite(
            [Part("GET", f"{QUERY_ALL}?q={soql.in_url(one)}") for one in (*statements, control)]
        )
        if not view.asked and any(_names_refused(answer) for answer in answers):
            self._views.ask(kind)
            return self._strict(kind, keys, names, per_query)
        absent = Presence.ABSENT
        if not _whole(controlled) or (not controlled.body["records"] and not self._is_truly_empty(kind)):
            absent = Presence.UNREADABLE
        sights: dict[str, Sight] = {}
        for chunk, answer in zip(chunks, answers, strict=True):
            sights.update({short(key): Sight(absent if _whole(answer) else Presence.UNREADABLE) for key in chunk})
            for row in answer.body["records"] if _whole(answer) else ():
                gone = Presence.RECOVERABLE if row["IsDeleted"] else Presence.PRESENT
                sights[short(str(row["Id"]))] = Sight(gone, row)
        return sights

    def _is_truly_empty(self, kind: str) -> bool:
        """No live row came: is there none, or are they hidden from us? Two further calls, only in this case.

        The organization's own row shows that we can read at all; the org's row count knows no sharing rules.
        """
        organization = self._rest.read("GET", f"query?q={soql.in_url(soql.select(['Id'], 'Organization'))}").body
        counts = self._rest.read("GET", f"limits/recordCount?sObjects={kind}").body
        known = {one.get("name"): one.get("count") for one in (counts or {}).get("sObjects", ())}
        return bool(organization and organization.get("records")) and not known.get(kind)


def _distinct(keys: Sequence[str]) -> list[str]:
    return list({short(key): key for key in keys}.values())


def _names_refused(answer: Answer) -> bool:
    return answer.status != 200 and codes.of_body(answer.body) in codes.UNREADABLE_QUERY


def _whole(answer: Answer) -> bool:
    """Whether a query's answer holds all its rows."""
    body = answer.body
    if answer.status != 200 or not isinstance(body, dict) or not isinstance(body.get("records"), list):
        return False
    return bool(body.get("done")) and len(body["records"]) == body.get("totalSize")
