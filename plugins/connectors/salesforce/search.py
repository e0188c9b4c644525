"""Who is to be found, page by page? The queries of a search, five first pages in a call, long answers by a bulk job.

Rows come ordered by Id, so a search resumes after any page from the query and the last Id alone. Identifiers travel in
the body of a composite call, never in an address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.salesforce import codes, runs, soql
from connectors.salesforce.bulk_query import BulkQuery
from connectors.salesforce.describe import CREATED, FieldView, FieldViews
from connectors.salesforce.facts import declared, finding_of, identifiers_of, meets, selected
from connectors.salesforce.link_reader import LinkReader
from connectors.salesforce.links import NO_LINKS
from connectors.salesforce.rest import MOST_QUERIES, Answer, Part, Rest, TooLong
from connectors.salesforce.runs import FACTS, Run
from connectors.salesforce.standard import PEOPLE, special
from retention.contract import ConnectorError, Incomplete
from retention.vocabulary import Criteria, Cursor, Facts, Finding, Gap, GapCode, Page, RecordKind

LARGEST_PAGE = 2_000
SMALLEST_PAGE = 200
MANY_ROWS = 1_000_000
"""An object of so many rows is never asked by a plain query for dates: no index serves it, and it may time out."""
_BULK_CALLS = 3

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Hunt:
    """One search under way."""

    criteria: Criteria
    large: Collection[str] = ()
    ready: dict[Cursor, Answer] = field(default_factory=dict)  # first pages read ahead
    found: set[str] = field(default_factory=set)  # ids reported by other queries than those by facts


@dataclass(frozen=True)
class Opened:
    """A query under way: its first rows, the view of the fields it was made for, and its filter."""

    body: Mapping[str, Any]
    view: FieldView
    where: str


class Wanted(NamedTuple):
    """A row that its run reports, and what it says by itself."""

    run: Run
    row: Row
    facts: Facts


class Search:
    """Runs the queries of one search, one after the other."""

    def __init__(
        self,
        rest: Rest,
        system: str,
        kinds: Sequence[RecordKind],
        views: FieldViews,
        page_size: int,
        absent: Collection[str],
        pause: Callable[[float], None],
    ) -> None:
        self._rest = rest
        self._system = system
        self._kinds = kinds
        self._views = views
        self._absent = frozenset(absent)
        self._links = LinkReader(rest, system, views, [kind.name for kind in kinds], absent)
        self._bulk = BulkQuery(rest, system, pause)
        self._page_size = page_size

    def pages(self, criteria: Criteria, after: Cursor | None) -> Iterator[Page]:
        if after is None and not (_by_facts(criteria) or criteria.identifiers):
            return
        self._views.ask_all([*(kind.name for kind in self._kinds), *self._consent_objects()])
        asked = self._runs(criteria, runs.longest_of(after, self._rest.longest_statement))
        number, last_id = self._resumed(asked, after)
        large = self._large() if _by_facts(criteria) and number < len(asked) and not asked[number].identifiers else ()
        hunt = Hunt(criteria, large)
        told: set[str] = set()
        while number < len(asked):
            run = asked[number]
            if not hunt.ready and not last_id and run.kind.name not in large:
                try:
                    hunt.ready.update(self._ahead(asked[number : number + MOST_QUERIES], hunt))
                except TooLong:
                    asked = self._runs(criteria, self._rest.longest_statement)
                    continue
            number += 1
            joining: list[Run] = []
            while run.label == FACTS and number < len(asked) and self._joins(run, asked[number], hunt):
                joining.append(asked[number])
                number += 1
            following = asked[number].cursor_start if number < len(asked) else None
            gaps = () if run.kind.name in told else self._gaps(run.kind)
            told.add(run.kind.name)
            yield from self._run(run, hunt, last_id, gaps, following, joining)
            last_id = ""

    def _runs(self, criteria: Criteria, longest: int) -> list[Run]:
        kinds = [kind for kind in self._kinds if not self.none_of(kind)]
        return [
            *runs.by_facts(kinds, self._views, criteria, self._absent),
            *runs.by_identifiers(kinds, criteria, longest),
        ]

    def none_of(self, kind: RecordKind) -> bool:
        """Whether this org cannot have records of the kind: person accounts, where they are not switched on."""
        view, only = self._views.of(kind.name), special(kind.name)
        return only.absent_without and not view.hidden and not view.knows(only.only_where)

    def _consent_objects(self) -> list[str]:
        people = any(kind.name in PEOPLE for kind in self._kinds)
        return ["ContactPointTypeConsent"] if people and "ContactPointTypeConsent" not in self._absent else []

    def _large(self) -> frozenset[str]:
        """Objects too large for a plain query by dates, by the org's own count of rows."""
        names = ",".join(kind.name for kind in self._kinds if not self._views.of(kind.name).hidden)
        counted = self._rest.read("GET", f"limits/recordCount?sObjects={names}").body if names else {}
        counts = counted.get("sObjects", ()) if isinstance(counted, dict) else ()
        return frozenset(str(one["name"]) for one in counts if one.get("count", 0) > MANY_ROWS)

    def _resumed(self, asked: Sequence[Run], after: Cursor | None) -> tuple[int, str]:
        if after is None:
            return 0, ""
        kind, _, rest = after.partition("/")
        label, _, last_id = rest.partition("/")
        for number, run in enumerate(asked):
            if (run.kind.name, run.label) == (kind, label) and (not last_id or soql.is_record_id(last_id)):
                return number, last_id
        raise ConnectorError(f"{self._system}: the cursor belongs to another search; start the search again")

    def _ahead(self, some: Sequence[Run], hunt: Hunt) -> dict[Cursor, Answer]:
        """First pages of several queries in one call."""
        parts: dict[Cursor, Part] = {}
        for run in some:
            view = self._views.of(run.kind.name)
            if not view.hidden and run.kind.name not in hunt.large and (where := run.where(hunt.criteria, view)):
                parts[run.cursor_start] = self._part(run, view, where, "")
        answers = self._rest.composite(list(parts.values())) if parts else []
        return dict(zip(parts, answers, strict=True))

    def _joins(self, run: Run, other: Run, hunt: Hunt) -> bool:
        """Whether what others say of a kind was answered whole with the kind's only page: one reading of links does."""
        both = [hunt.ready.get(one.cursor_start) for one in (run, other)]
        if other.identifiers or other.kind is not run.kind or run.kind.name in hunt.large:
            return False
        return all(one is not None and one.status == 200 and one.body.get("done") for one in both)

    def _run(
        self,
        run: Run,
        hunt: Hunt,
        last_id: str,
        gaps: tuple[Gap, ...],
        following: Cursor | None,
        joining: Sequence[Run],
    ) -> Iterator[Page]:
        view = self._views.of(run.kind.name)
        where = "" if view.hidden else run.where(hunt.criteria, view)
        if where and run.label == FACTS and run.kind.name in hunt.large:
            yield from self._in_bulk(run, hunt, Opened({}, view, where), last_id, (), gaps, following)
            return
        opened = self._open(run, hunt, last_id)
        if opened is None:
            yield Page(gaps=gaps, next=following)
            return
        yield from self._pages_of(run, hunt, opened, gaps, following, joining)

    def _open(self, run: Run, hunt: Hunt, last_id: str) -> Opened | None:
        """Send the query; once more with what is visible where a name in it was refused. None: nothing to ask."""
        view = self._views.of(run.kind.name)
        ready, asked_again = hunt.ready.pop(run.cursor_start, None), False
        while not view.hidden and (where := run.where(hunt.criteria, view)):
            answer = ready or self._rest.composite([self._part(run, view, where, last_id)])[0]
            if answer.status == 200:
                return Opened(answer.body, view, where)
            if asked_again or codes.of_body(answer.body) not in codes.UNREADABLE_QUERY:
                raise self._rest.refusal(answer, f"query of {run.kind.name}")
            # Access was changed since the describe was read.
            view, ready, asked_again = self._views.ask(run.kind.name), None, True
        return None

    def _part(self, run: Run, view: FieldView, where: str, last_id: str) -> Part:
        statement = self._statement(run, view, where, last_id)
        path = "queryAll" if special(run.kind.name).archived else "query"
        return Part("GET", f"{path}?q={soql.in_url(statement)}", headers=self._page_header())

    def _statement(self, run: Run, view: FieldView, where: str, last_id: str) -> str:
        conditions = [f"Id > {soql.literal(last_id)}"] if last_id else []
        conditions += ["IsDeleted = false"] if special(run.kind.name).archived else []
        whole = soql.all_of([*conditions, where]) if conditions else where
        return soql.select(selected(run.kind, view), run.kind.name, whole, "ORDER BY Id")

    def _pages_of(
        self,
        run: Run,
        hunt: Hunt,
        opened: Opened,
        gaps: tuple[Gap, ...],
        following: Cursor | None,
        joining: Sequence[Run],
    ) -> Iterator[Page]:
        body = opened.body
        expected, seen = _total(body, self._system), 0
        while True:
            rows, done = _rows(body, self._system), bool(body.get("done"))
            seen += len(rows)
            if done and seen != expected:
                raise Incomplete(f"{self._system}: {seen} of {expected} rows of {run.kind.name} came; search again")
            if not done and not rows:
                raise Incomplete(f"{self._system}: an empty page of {run.kind.name} before the last; search again")
            if expected - seen > _BULK_CALLS * max(self._page_size, len(rows)):
                yield from self._in_bulk(run, hunt, opened, str(rows[-1]["Id"]), rows, gaps, following)
                return
            wanted = self._wanted(run, hunt, opened.view, rows)
            read = len(rows)
            for other in joining:
                more = _rows(hunt.ready.pop(other.cursor_start).body, self._system)
                read += len(more)
                wanted += self._wanted(other, hunt, opened.view, more)
            findings, more_gaps = self._findings(hunt, opened, wanted)
            yield Page(findings, gaps + more_gaps, read, following if done else run.cursor(rows[-1]["Id"]))
            if done:
                return
            gaps = ()
            body = self._rest.read("GET", str(body.get("nextRecordsUrl")), headers=self._page_header()).body

    def _in_bulk(
        self,
        run: Run,
        hunt: Hunt,
        opened: Opened,
        last_id: str,
        first: Sequence[Row],
        gaps: tuple[Gap, ...],
        following: Cursor | None,
    ) -> Iterator[Page]:
        """What comes after an Id, by a job; `first` are rows in hand: what hangs on them is asked for with the rest."""
        statement = self._statement(run, opened.view, opened.where, last_id)
        archived = special(run.kind.name).archived
        held: list[Row] = []
        for rows in self._bulk.pages(statement, opened.view, everything=archived):
            if held:
                yield self._page(run, hunt, opened, held, gaps, run.cursor(held[-1]["Id"]))
                gaps = ()
            held, first = [*first, *rows], ()
        held = [*first, *held]
        yield self._page(run, hunt, opened, held, gaps, following)

    def _page(
        self,
        run: Run,
        hunt: Hunt,
        opened: Opened,
        rows: Sequence[Row],
        gaps: tuple[Gap, ...],
        following: Cursor | None,
    ) -> Page:
        wanted = self._wanted(run, hunt, opened.view, rows)
        findings, more_gaps = self._findings(hunt, opened, wanted)
        return Page(findings, gaps + more_gaps, len(rows), following)

    def _findings(
        self, hunt: Hunt, opened: Opened, wanted: Sequence[Wanted]
    ) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
        if not wanted:
            return (), ()
        kind, before = wanted[0].run.kind, hunt.criteria.collected_before
        rows = [one.row for one in wanted]
        by_creation = {str(one.row["Id"]) for one in wanted if _dated_by_creation(one.facts)}
        links, gaps = self._links.of_page(kind.name, rows, opened.where, by_creation)
        found: dict[str, Finding] = {}
        for run, row, _ in wanted:
            key = str(row["Id"])
            one = finding_of(self._system, kind, opened.view, row, links.get(key, NO_LINKS), before)
            by_facts = run.label == FACTS
            # What others say of a person decides only together with what hangs on the record.
            if by_facts or run.identifiers or meets(hunt.criteria, one.facts):
                found.setdefault(key, one)
                hunt.found.update(() if by_facts else (key,))
        return tuple(found.values()), gaps

    def _wanted(self, run: Run, hunt: Hunt, view: FieldView, rows: Iterable[Row]) -> list[Wanted]:
        """The rows this run reports: by what they say, and not if an earlier run of the search did."""
        wanted: list[Wanted] = []
        for row in rows:
            facts = finding_of(self._system, run.kind, view, row).facts
            by_facts = _by_facts(hunt.criteria) and meets(hunt.criteria, facts)
            if run.label == FACTS:
                belongs = by_facts
            else:
                belongs = (
                    not by_facts
                    and row["Id"] not in hunt.found
                    and run.earlier.isdisjoint(runs.folded(one.value) for one in identifiers_of(run.kind, row))
                )
            if belongs:
                wanted.append(Wanted(run, row, facts))
        return wanted

    def _gaps(self, kind: RecordKind) -> tuple[Gap, ...]:
        view = self._views.of(kind.name)
        if view.hidden:
            return (Gap(GapCode.KIND_HIDDEN, kind.name, kind.name),)
        hidden = [Gap(GapCode.FIELD_HIDDEN, kind.name, name) for name in declared(kind) if not view.sees(name)]
        return (*hidden, *self._uncovered(kind, view))

    def _uncovered(self, kind: RecordKind, view: FieldView) -> Iterator[Gap]:
        """Fields somebody added that the policy has no data class for, and consents that cannot be read."""
        known = {*declared(kind), *kind.not_personal}
        for name in view.custom_fields():
            if name not in known:
                yield Gap(GapCode.UNCLASSIFIED, kind.name, name)
        if kind.name == "Contact" and view.knows("IsPersonAccount") and "Account" not in {k.name for k in self._kinds}:
            yield Gap(GapCode.UNCLASSIFIED, kind.name, "IsPersonAccount")
        way = special(kind.name).individual
        if not way or not kind.opt_out:
            return
        if not view.sees(f"{way}Id") and "Individual" not in self._absent:
            yield Gap(GapCode.KIND_HIDDEN, kind.name, "Individual")
        elif self._views.of("ContactPointTypeConsent").hidden:
            yield Gap(GapCode.KIND_HIDDEN, kind.name, "ContactPointTypeConsent")

    def _page_header(self) -> Mapping[str, str]:
        return {"Sforce-Query-Options": f"batchSize={self._page_size}"}


def _by_facts(criteria: Criteria) -> bool:
    return criteria.collected_before is not None or criteria.opted_out or criteria.undated


def _total(body: Any, system: str) -> int:
    if not isinstance(body, dict) or not isinstance(body.get("totalSize"), int):
        raise Incomplete(f"{system}: the answer to a query cannot be read; search again")
    return int(body["totalSize"])


def _rows(body: Any, system: str) -> Sequence[Row]:
    if not isinstance(body, dict) or not isinstance(body.get("records"), list):
        raise Incomplete(f"{system}: the answer to a query cannot be read; search again")
    return list(body["records"])


def _dated_by_creation(facts: Facts) -> bool:
    """Whether nothing but a row's creation dates any of its classes."""
    dated = (one.collected for one in facts.classes)
    return any(one is not None and one.provenance.endswith(f".{CREATED}") for one in dated)
