"""Who is to be found, and what is known of each? Contacts and activities by their facts, or by identifiers.

What one query cannot express is asked for by several, merged by id. Links are read for up to a thousand contacts
at once, so some pages are read ahead of the one that is handed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.hubspot.activities import CONTACT, OBJECT_TYPES, Activities, assumed_types
from connectors.hubspot.business import NO_DEALINGS, Business, Dealings
from connectors.hubspot.client import MOST_ASSOCIATIONS, HubSpotClient
from connectors.hubspot.coverage import by_hand, gaps_of
from connectors.hubspot.definitions import types_of
from connectors.hubspot.facts import COMPANY, DEALS, Row, Types, declared, finding_of, identifiers_of, meets
from connectors.hubspot.facts import properties_of as values
from connectors.hubspot.filters import Query, by_facts, by_identifiers, queries
from connectors.hubspot.links import Links
from connectors.hubspot.reading import Stream, merged
from retention.contract import ConnectorError
from retention.vocabulary import Criteria, Cursor, Finding, Gap, Identifier, Page, RecordKind

LARGEST_PAGE = 200
OPT_OUT_OF = "hs_email_optout_"


@dataclass(frozen=True)
class Run:
    """Queries read side by side: what facts say, or some of the identifiers."""

    kind: RecordKind
    types: Types
    queries: tuple[Query, ...]
    by_facts: bool


Pages = list[tuple[list[Row], int | None]]


class Search:
    """One search: its runs, one after the other."""

    def __init__(self, client: HubSpotClient, system: str, kinds: Sequence[RecordKind], page_size: int) -> None:
        self._client = client
        self._system = system
        self._contact = next(kind for kind in kinds if kind.name == CONTACT)
        self._activity_kinds = [kind for kind in kinds if kind.name != CONTACT]
        self._page_size = min(page_size, LARGEST_PAGE)
        links = Links(client)
        self._business = Business(links, system)
        self._activities = Activities(links, self._business, system, self._contact)
        self._marketing: tuple[str, ...] = ()
        self._asked: frozenset[tuple[str, str]] = frozenset()
        self._reported: set[tuple[str, str]] = set()

    def pages(self, criteria: Criteria, after: Cursor | None) -> Iterator[Page]:
        if criteria == Criteria():
            return
        self._asked = frozenset(_folded(identifier) for identifier in criteria.identifiers)
        runs, gaps = self._runs(criteria)
        start, last_id = self._resumed(runs, after)
        if not runs:
            yield Page(gaps=tuple(gaps))
            return
        for number in range(start, len(runs)):
            following = Cursor(f"{number + 1}/0") if number + 1 < len(runs) else None
            for pages in self._read_ahead(runs[number], last_id):
                for rows, frontier, findings, more in self._findings(runs[number], criteria, pages):
                    resume = following if frontier is None else Cursor(f"{number}/{frontier}")
                    yield Page(tuple(findings), (*gaps, *more), len(rows), resume)
                    gaps = []
            last_id = 0

    def _runs(self, criteria: Criteria) -> tuple[list[Run], list[Gap]]:
        """What to read, and what of the account is not covered."""
        about_everybody = criteria != Criteria(identifiers=criteria.identifiers)
        kinds = [self._contact, *(self._activity_kinds if about_everybody else ())]
        runs: list[Run] = []
        gaps: list[Gap] = []
        for kind in kinds:
            definitions = self._client.definitions(OBJECT_TYPES[kind.name])
            types = types_of(definitions)
            gaps += gaps_of(kind, definitions)
            if kind is self._contact:
                self._marketing = self._kinds_of_marketing(types)
            if conditions := by_facts(kind, types, criteria, self._marketing if kind is self._contact else ()):
                runs.append(Run(kind, types, queries(conditions), by_facts=True))
            if kind is self._contact:
                for some in by_identifiers(kind, types, criteria.identifiers):
                    runs.append(Run(kind, types, queries(some), by_facts=False))
        return runs, [*gaps, *(by_hand() if about_everybody else ())]

    def _kinds_of_marketing(self, types: Types) -> tuple[str, ...]:
        """The opt-outs of every kind of marketing mail, where the account has more than the one from all mail."""
        if not any(name.startswith(OPT_OUT_OF) for name in types):
            return ()
        names = [
            f"{OPT_OUT_OF}{one.get('id')}"
            for one in self._client.subscription_types()
            if str(one.get("purpose", "")).lower() == "marketing" and one.get("isActive", True)
        ]
        return tuple(names) if names and all(name in types for name in names) else ()

    def _resumed(self, runs: Sequence[Run], after: Cursor | None) -> tuple[int, int]:
        if after is None:
            return 0, 0
        run, _, last_id = after.partition("/")
        if not (run.isdigit() and last_id.isdigit() and int(run) < len(runs)):
            raise ConnectorError(f"{self._system}: the cursor belongs to another search; start the search again")
        return int(run), int(last_id)

    def _read_ahead(self, run: Run, last_id: int) -> Iterator[Pages]:
        """Some pages at once, of up to a thousand rows where pages are as large as they may be."""
        shown = [name for name in declared(run.kind) if name in run.types]
        if run.kind is self._contact:
            shown += [DEALS, COMPANY, *self._marketing]
        object_type = OBJECT_TYPES[run.kind.name]
        streams = [Stream(self._client, object_type, query, shown, self._page_size, last_id) for query in run.queries]
        most = MOST_ASSOCIATIONS if self._page_size == LARGEST_PAGE else 1
        waiting: Pages = []
        for rows, frontier in merged(streams):
            waiting.append((rows, frontier))
            if sum(len(page) for page, _ in waiting) >= most or frontier is None:
                yield waiting
                waiting = []

    def _findings(
        self, run: Run, criteria: Criteria, pages: Pages
    ) -> Iterator[tuple[list[Row], int | None, list[Finding], list[Gap]]]:
        wanted = {str(row["id"]): row for rows, _ in pages for row in rows if self._is_wanted(run, criteria, row)}
        self._reported |= {(run.kind.name, key) for key in wanted}
        if run.kind is self._contact:
            dealings, unread = self._business.of(run.kind, list(wanted.values()))
            found = {key: self._of_contact(run, row, dealings[key]) for key, row in wanted.items()}
            more, unseen = self._through_contacts(run, wanted, dealings)
        else:
            about, unseen = self._activities.findings(run.kind, run.types, list(wanted.values()), self._marketing)
            found, more, unread = {finding.ref.key: finding for finding in about}, [], ()
        for number, (rows, frontier) in enumerate(pages):
            mine = [found[key] for row in rows if (key := str(row["id"])) in found]
            is_last = number == len(pages) - 1
            yield rows, frontier, [*mine, *(more if is_last else ())], [*unread, *unseen] if is_last else []

    def _is_wanted(self, run: Run, criteria: Criteria, row: Row) -> bool:
        """The answer is compared with what was asked: no token, wildcard or folding of the service's widens it."""
        if (run.kind.name, str(row["id"])) in self._reported:
            return False
        if run.by_facts:
            return meets(criteria, finding_of(self._system, run.kind, run.types, row, self._marketing).facts)
        return any(_folded(one) in self._asked for one in identifiers_of(run.kind, values(row)))

    def _of_contact(self, run: Run, row: Row, dealings: Dealings) -> Finding:
        finding = finding_of(self._system, run.kind, run.types, row, self._marketing)
        facts = replace(finding.facts, transactions=dealings.transactions, open_complaint=dealings.open_complaint)
        return replace(finding, facts=facts)

    def _through_contacts(
        self, run: Run, contacts: Mapping[str, Row], dealings: Mapping[str, Dealings]
    ) -> tuple[list[Finding], list[Gap]]:
        """The activities of people who were asked for; those of everybody else fall due by their own date."""
        findings: list[Finding] = []
        gaps: list[Gap] = []
        if run.by_facts or not contacts:
            return findings, gaps
        known = {key: (row, dealings.get(key, NO_DEALINGS)) for key, row in contacts.items()}
        for kind in self._activity_kinds:
            rows = self._activities.of_contacts(kind, list(contacts))
            new = [row for row in rows if (kind.name, str(row["id"])) not in self._reported]
            self._reported |= {(kind.name, str(row["id"])) for row in new}
            found, unread = self._activities.findings(kind, assumed_types(kind), new, self._marketing, known)
            findings += found
            gaps += unread
        return findings, gaps


def _folded(identifier: Identifier) -> tuple[str, str]:
    """How the service compares: letter case does not count."""
    return identifier.kind.value, identifier.value.lower()
