"""Who is to be found, page by page? One query per kind for what facts say, a few more for long lists of identifiers.

Rows come ordered by Id, so a search resumes after any page from the kind and the last Id alone. Identifiers travel in
the body of a composite call, never in an address; a query of up to 2,000 rows costs one call either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.salesforce import codes, filters, soql
from connectors.salesforce.describe import FieldView, FieldViews
from connectors.salesforce.facts import VERSION, declared, finding_of, identifiers_of, meets
from connectors.salesforce.links import NO_LINKS, LinkReader
from connectors.salesforce.rest import MOST_QUERIES, Answer, Part, Rejected, Rest
from retention.contract import ConnectorError, Incomplete
from retention.vocabulary import Criteria, Cursor, Finding, Gap, GapCode, Identifier, Page, RecordKind

LARGEST_PAGE = 2_000
SMALLEST_PAGE = 200

_BY_FACTS = "facts"


@dataclass(frozen=True)
class Run:
    """One query of a search: a kind by its facts, or a kind by some of the identifiers."""

    kind: RecordKind
    label: str
    identifiers: tuple[Identifier, ...] = ()
    earlier: frozenset[bytes] = frozenset()  # identifiers asked by earlier runs of the kind: found there already


@dataclass(frozen=True)
class Opened:
    """A query under way: its first page, the view of the fields it was made for, and its filter."""

    body: Mapping[str, Any]
    view: FieldView
    where: str


class Search:
    """Runs the queries of one search, one after the other."""

    def __init__(self, rest: Rest, system: str, kinds: Sequence[RecordKind], views: FieldViews, page_size: int) -> None:
        self._rest = rest
        self._system = system
        self._kinds = kinds
        self._views = views
        self._links = LinkReader(rest, system)
        self._page_size = page_size

    def pages(self, criteria: Criteria, after: Cursor | None) -> Iterator[Page]:
        runs = self._runs(criteria)
        start, last_id = self._resumed(runs, after)
        ready: dict[str, Answer] = {}
        told: set[str] = set()
        for number in range(start, len(runs)):
            run = runs[number]
            following = _cursor(runs[number + 1]) if number + 1 < len(runs) else None
            if run.identifiers and not ready and not last_id:
                ready = self._ahead(runs[number : number + MOST_QUERIES], criteria)
            opened = self._open(run, criteria, last_id, ready.pop(_cursor(run), None))
            gaps = () if run.kind.name in told else self._gaps(run.kind)
            told.add(run.kind.name)
            if opened is None:
                yield Page(gaps=gaps, next=following)
            else:
                yield from self._pages_of(run, criteria, opened, gaps, following)
            last_id = ""

    def _runs(self, criteria: Criteria) -> list[Run]:
        by_facts = criteria.collected_before is not None or criteria.opted_out or criteria.undated
        runs: list[Run] = []
        for kind in self._kinds if by_facts else ():
            runs.append(Run(kind, _BY_FACTS))
        for kind in self._kinds:
            asked = filters.askable(kind, criteria.identifiers)
            by_value: dict[str, list[Identifier]] = {}
            for identifier in asked:
                by_value.setdefault(identifier.value, []).append(identifier)
            earlier: frozenset[bytes] = frozenset()
            for number, values in enumerate(soql.chunks_for_url(list(by_value), times=_fields_per_value(kind))):
                some = tuple(identifier for value in values for identifier in by_value[value])
                runs.append(Run(kind, f"identifiers-{number}", some, earlier))
                earlier |= {_folded(value) for value in values}
        return runs

    def _resumed(self, runs: Sequence[Run], after: Cursor | None) -> tuple[int, str]:
        if after is None:
            return 0, ""
        kind, _, rest = after.partition("/")
        label, _, last_id = rest.partition("/")
        for number, run in enumerate(runs):
            if (run.kind.name, run.label) == (kind, label) and (not last_id or soql.is_record_id(last_id)):
                return number, last_id
        raise ConnectorError(f"{self._system}: the cursor belongs to another search; start the search again")

    def _open(self, run: Run, criteria: Criteria, last_id: str, ready: Answer | None) -> Opened | None:
        """Send the query; once more with what is visible where a name in it was refused. None: nothing to ask."""
        view = self._views.of(run.kind.name)
        while not view.hidden and (where := _where(run, criteria, view)):
            answer = ready or self._query(run, view, where, last_id)
            if answer.status == 200:
                return Opened(answer.body, view, where)
            # One sent ahead may have been refused for what is known by now.
            final = view.asked and ready is None
            if final or codes.of_body(answer.body) not in codes.UNREADABLE_QUERY:
                raise self._rest.refusal(answer, f"query of {run.kind.name}")
            view = view if view.asked else self._views.ask(run.kind.name)
            ready = None
        return None

    def _query(self, run: Run, view: FieldView, where: str, last_id: str) -> Answer:
        path = f"query?q={soql.in_url(self._statement(run, view, where, last_id))}"
        if run.identifiers or len(path) > soql.SAFE_URL:
            return self._rest.composite([Part("GET", path, headers=self._page_header())])[0]
        try:
            return self._rest.read("GET", path, headers=self._page_header())
        except Rejected as refusal:
            return Answer(refusal.status, [{"errorCode": refusal.code}])

    def _ahead(self, runs: Sequence[Run], criteria: Criteria) -> dict[str, Answer]:
        """First pages of several identifier queries in one call."""
        parts: dict[str, Part] = {}
        for run in runs:
            view = self._views.of(run.kind.name)
            if not view.hidden and (where := _where(run, criteria, view)):
                path = f"query?q={soql.in_url(self._statement(run, view, where, ''))}"
                parts[_cursor(run)] = Part("GET", path, headers=self._page_header())
        answers = self._rest.composite(list(parts.values())) if parts else []
        return dict(zip(parts, answers, strict=True))

    def _statement(self, run: Run, view: FieldView, where: str, last_id: str) -> str:
        fields = ["Id", VERSION, *(name for name in declared(run.kind) if view.sees(name))]
        if last_id:
            where = soql.all_of([f"Id > {soql.literal(last_id)}", where])
        return soql.select(dict.fromkeys(fields), run.kind.name, where, "ORDER BY Id")

    def _pages_of(
        self, run: Run, criteria: Criteria, opened: Opened, gaps: tuple[Gap, ...], following: Cursor | None
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
            findings, more_gaps = self._findings(run, criteria, opened, rows)
            yield Page(findings, gaps + more_gaps, len(rows), following if done else _cursor(run, rows[-1]["Id"]))
            if done:
                return
            gaps = ()
            body = self._rest.read("GET", str(body.get("nextRecordsUrl")), headers=self._page_header()).body

    def _findings(
        self, run: Run, criteria: Criteria, opened: Opened, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
        wanted = [row for row in rows if self._belongs(run, criteria, opened.view, row)]
        ids = [str(row["Id"]) for row in wanted]
        links, gaps = self._links.of_page(run.kind.name, ids, opened.where)
        findings = tuple(
            finding_of(self._system, run.kind, opened.view, row, links.get(row["Id"], NO_LINKS)) for row in wanted
        )
        return findings, gaps

    def _belongs(self, run: Run, criteria: Criteria, view: FieldView, row: Mapping[str, Any]) -> bool:
        """Whether this run reports the row: by what it says, and not if an earlier run of the search did."""
        by_facts = meets(criteria, finding_of(self._system, run.kind, view, row).facts)
        if not run.identifiers:
            return by_facts
        return not by_facts and run.earlier.isdisjoint(_folded(one.value) for one in identifiers_of(run.kind, row))

    def _gaps(self, kind: RecordKind) -> tuple[Gap, ...]:
        view = self._views.of(kind.name)
        if view.hidden:
            return (Gap(GapCode.KIND_HIDDEN, kind.name, kind.name),)
        return tuple(Gap(GapCode.FIELD_HIDDEN, kind.name, name) for name in declared(kind) if not view.sees(name))

    def _page_header(self) -> Mapping[str, str]:
        return {"Sforce-Query-Options": f"batchSize={self._page_size}"}


def _where(run: Run, criteria: Criteria, view: FieldView) -> str:
    if run.identifiers:
        return filters.by_identifiers(run.kind, view, run.identifiers)
    return filters.by_facts(run.kind, view, criteria)


def _fields_per_value(kind: RecordKind) -> int:
    """In how many fields one value is looked for at most."""
    kinds = [what for _, what in kind.identifiers]
    return max(kinds.count(what) for what in kinds) if kinds else 1


def _cursor(run: Run, last_id: str = "") -> Cursor:
    return Cursor(f"{run.kind.name}/{run.label}/{last_id}")


def _folded(value: str) -> bytes:
    """Equality for "an earlier run found it": narrower than the service's, so that nothing is lost by it."""
    return value.encode().lower()


def _total(body: Any, system: str) -> int:
    if not isinstance(body, dict) or not isinstance(body.get("totalSize"), int):
        raise Incomplete(f"{system}: the answer to a query cannot be read; search again")
    return int(body["totalSize"])


def _rows(body: Any, system: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(body, dict) or not isinstance(body.get("records"), list):
        raise Incomplete(f"{system}: the answer to a query cannot be read; search again")
    return list(body["records"])
