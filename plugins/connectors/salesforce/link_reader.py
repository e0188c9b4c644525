"""How is everything that hangs on the records of a page read? Related objects by the five, in as few calls as they fit.

A page's records are named by lists of ids; those of a bulk job's page, by a semi-join over its range of ids where its
filter allows one. Which objects hang on a record is the vendor's table and, for custom ones, the org's own describe.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.salesforce import codes, soql
from connectors.salesforce.describe import FieldView, FieldViews, value_of
from connectors.salesforce.links import LATEST, Gathered, Links
from connectors.salesforce.rest import MOST_QUERIES, Answer, Part, Rest, TooLong
from connectors.salesforce.standard import ARCHIVED, Meaning, Relation, special
from retention.contract import Incomplete
from retention.vocabulary import Gap, GapCode

MOST_GROUPS = 2_000
"""Groups an aggregate query answers at most: it has no next page. One that answers as many is asked again in parts."""
_LONGEST_SEMI_JOIN = 8_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """One related object asked about some records of the page, by id of the record that each link value stands for.

    `relations` are alike but for the field that links them.
    """

    relations: tuple[Relation, ...]
    ids: Mapping[str, str]
    statement: str
    is_grouped: bool = False

    @property
    def part(self) -> Part:
        view = "queryAll" if self.relations[0].name in ARCHIVED else "query"
        return Part("GET", f"{view}?q={soql.in_url(self.statement)}")


class LinkReader:
    """Reads what hangs on the records of a page."""

    def __init__(
        self, rest: Rest, system: str, views: FieldViews, declared: Iterable[str], absent: Iterable[str]
    ) -> None:
        self._rest = rest
        self._system = system
        self._views = views
        self._declared = frozenset(declared)
        self._absent = frozenset(absent)

    def of_page(
        self, kind: str, rows: Sequence[Row], where: str, dated_by_creation: Collection[str]
    ) -> tuple[Mapping[str, Links], tuple[Gap, ...]]:
        """Links by record id, and a gap for each related object that could not be read.

        `rows` are in the order of the page; `where` is the filter that found them. What a record was converted from
        is asked for those only that nothing but their creation dates.
        """
        relations, gaps = self._relations(kind)
        if not rows or not relations:
            return {}, gaps
        gathered: dict[str, Gathered] = defaultdict(Gathered)
        unread: list[Gap] = list(gaps)
        try:
            unread += self._ask(kind, relations, rows, where, dated_by_creation, gathered)
        except TooLong:
            # The service takes less in one statement than its limits say; from now on it is asked for less.
            gathered.clear()
            unread = [*gaps, *self._ask(kind, relations, rows, where, dated_by_creation, gathered)]
        return {record_id: one.links() for record_id, one in gathered.items()}, tuple(dict.fromkeys(unread))

    def _ask(
        self,
        kind: str,
        relations: Sequence[Relation],
        rows: Sequence[Row],
        where: str,
        dated_by_creation: Collection[str],
        gathered: Mapping[str, Gathered],
    ) -> list[Gap]:
        unread: list[Gap] = []
        young = [row for row in rows if row["Id"] in dated_by_creation]
        questions = [
            question
            for alike in _alike(relations)
            for question in self._questions(kind, alike, young if alike[0].meaning is Meaning.ORIGIN else rows, where)
        ]
        while questions:
            some, questions = questions[:MOST_QUERIES], questions[MOST_QUERIES:]
            answers = self._rest.composite([one.part for one in some])
            for question, answer in zip(some, answers, strict=True):
                if question.is_grouped and _may_lack_groups(question, answer):
                    questions += self._in_parts(question)
                else:
                    unread += self._take(kind, question, answer, gathered)
        return unread

    def _in_parts(self, question: Question) -> Iterator[Question]:
        """The same about so few records at a time that their groups fit into one answer."""
        ids, most = (
            list(question.ids.items()),
            min(MOST_GROUPS - 1, soql.ids_in_statement(self._rest.longest_statement)),
        )
        one = question.relations[0]
        for start in range(0, len(ids), most):
            some = dict(ids[start : start + most])
            yield Question((one,), some, _statement((one,), soql.within(one.link, some), grouped=True), is_grouped=True)

    def _relations(self, kind: str) -> tuple[tuple[Relation, ...], tuple[Gap, ...]]:
        """What to ask about a kind, and a gap for what this user cannot see.

        What merely blocks a delete is no gap when hidden: the service then refuses the row.
        """
        view = self._views.of(kind)
        seen = {(child.name, child.field) for child in view.children}
        asked: list[Relation] = []
        gaps: list[Gap] = []
        for one in special(kind).relations:
            if one.name in self._absent or not (one.via == "Id" or view.sees(one.via)):
                continue
            if not view.asked or one.via != "Id" or (one.name, one.link) in seen:
                asked.append(one)
            elif one.meaning is not Meaning.ANCHOR:
                gaps.append(Gap(GapCode.KIND_HIDDEN, kind, one.name))
        known = {(one.name, one.link) for one in special(kind).relations}
        asked += (one for one in self._anchors(view) if (one.name, one.link) not in known)
        return tuple(asked), tuple(dict.fromkeys(gaps))

    def _anchors(self, view: FieldView) -> Iterator[Relation]:
        """Children of this org that block the delete, and custom ones that would go with it unjudged."""
        for child in view.children:
            unjudged = child.cascades and child.name.endswith("__c") and child.name not in self._declared
            if (child.restricts or unjudged) and child.name not in self._absent:
                yield Relation(child.name, child.field, Meaning.ANCHOR)

    def _questions(self, kind: str, alike: Sequence[Relation], rows: Sequence[Row], where: str) -> Iterator[Question]:
        one, most = alike[0], soql.ids_in_statement(self._rest.longest_statement)
        named = {str(value): str(row["Id"]) for row in rows if (value := value_of(row, one.via))}
        if len(alike) > 1 and 0 < len(named) * len(alike) <= most:
            those = soql.any_of(soql.within(each.link, named) for each in alike)
            yield Question(tuple(alike), named, _statement(alike, those, grouped=False))
            return
        for each in alike:
            yield from self._by_one(kind, each, rows, where)

    def _by_one(self, kind: str, one: Relation, rows: Sequence[Row], where: str) -> Iterator[Question]:
        named = [(str(value), str(row["Id"])) for row in rows if (value := value_of(row, one.via))]
        grouped = one.meaning is Meaning.ACTIVITY
        can_join = len(rows) > MOST_GROUPS and 0 < len(where) <= _LONGEST_SEMI_JOIN and "(SELECT" not in where
        most = len(named) or 1
        if not can_join:
            most = min(most, soql.ids_in_statement(self._rest.longest_statement))
        for start in range(0, len(named), most):
            ids = dict(named[start : start + most])
            those = soql.within(one.link, ids)
            if can_join:
                keys = list(ids.values())
                bounds = [f"Id >= {soql.literal(keys[0])}", f"Id <= {soql.literal(keys[-1])}", where]
                those = f"{one.link} IN ({soql.select([one.via], kind, soql.all_of(bounds))})"
            yield Question((one,), ids, _statement((one,), those, grouped), is_grouped=grouped)

    def _take(self, kind: str, question: Question, answer: Answer, gathered: Mapping[str, Gathered]) -> list[Gap]:
        relation = question.relations[0]
        if answer.status != 200:
            code = codes.of_body(answer.body)
            if code not in codes.UNREADABLE_QUERY:
                raise self._rest.refusal(answer, f"query of {relation.name}")
            hidden = GapCode.KIND_HIDDEN if code == "INVALID_TYPE" else GapCode.FIELD_HIDDEN
            return [] if relation.meaning is Meaning.ANCHOR else [Gap(hidden, kind, relation.name)]
        now = _moment(answer.vendor_time)
        for row in self._rows(relation.name, answer.body):
            for one in question.relations:
                if record_id := question.ids.get(str(row[one.link])):
                    gathered[record_id].add(one, row, now)
        return []

    def _rows(self, name: str, body: Any) -> Iterator[Row]:
        expected, count = body["totalSize"], 0
        while True:
            count += len(body["records"])
            yield from body["records"]
            if body["done"]:
                break
            body = self._rest.read("GET", body["nextRecordsUrl"]).body
        if count != expected:
            raise Incomplete(f"{self._system}: {count} of {expected} rows of {name} came; read again")


def _statement(alike: Sequence[Relation], those: str, grouped: bool) -> str:
    one = alike[0]
    if grouped:
        alive = f"IsDeleted = false AND {those}" if one.name in ARCHIVED else those
        newest = soql.select_newest(one.link, one.name, LATEST)
        return f"{newest} WHERE {alive} GROUP BY {soql.name(one.link)} LIMIT {MOST_GROUPS}"
    return soql.select(dict.fromkeys([*(each.link for each in alike), *one.fields]), one.name, those)


def _may_lack_groups(question: Question, answer: Answer) -> bool:
    """Whether more groups may exist than were answered."""
    if answer.status != 200 or len(question.ids) < MOST_GROUPS:
        return False
    return len(answer.body.get("records", ())) >= MOST_GROUPS


def _alike(relations: Iterable[Relation]) -> list[list[Relation]]:
    """Relations of one object that differ in their link only: a short list of ids is looked for in all of them."""
    groups: dict[tuple[object, ...], list[Relation]] = {}
    for number, one in enumerate(relations):
        own = number if one.meaning is Meaning.ACTIVITY else -1
        groups.setdefault((one.name, one.meaning, one.fields, one.via, own), []).append(one)
    return list(groups.values())


def _moment(http_date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(http_date)
    except ValueError:
        return None
