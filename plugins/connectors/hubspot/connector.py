"""What can be done to the contacts of one HubSpot account and to the activities about them? The contract's verbs,
each handed to the module for it.

RESTRICT stops e-mail to every address of a contact and sets the policy's own property, by which workflows, lists and
ads exclude. RELEASE puts the property back and leaves the opt-out: the API takes nobody back without a legal basis per
kind of mail, and only the subject can consent again. The outcome says so (`OPT_OUT_STAYS`), for a person to ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from connectors.hubspot.acting import Acting
from connectors.hubspot.activities import CONTACT, OBJECT_TYPES
from connectors.hubspot.client import MOST_IDS, HubSpotClient
from connectors.hubspot.coverage import gaps_of
from connectors.hubspot.exporting import export
from connectors.hubspot.links import Links
from connectors.hubspot.observing import Observing, settled
from connectors.hubspot.records import Records, is_id
from connectors.hubspot.search import LARGEST_PAGE, Search
from retention.contract import Check, ConnectorError, Unsupported, Warrant
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Document,
    GapCode,
    Handle,
    Observation,
    Outcome,
    Page,
    RecordKind,
    RecordRef,
    Step,
    Token,
)

TYPE_NUMBERS: Mapping[str, str] = {
    CONTACT: "0-1",
    "note": "0-46",
    "email": "0-49",
    "call": "0-48",
    "meeting": "0-47",
    "task": "0-27",
    "communication": "0-18",
}


class HubSpotConnector:
    """The records of one account. `tenant` is the account's id, `client.tenant`."""

    catalogued = False

    def __init__(
        self,
        client: HubSpotClient,
        system: str,
        tenant: str,
        kinds: Sequence[RecordKind],
        *,
        page_size: int = LARGEST_PAGE,
    ) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        if foreign := sorted(set(self._kinds) - set(OBJECT_TYPES)):
            raise ConnectorError(f"{system}: no records of kind {', '.join(foreign)} are served: mend systems.yaml")
        if CONTACT not in self._kinds:
            raise ConnectorError(f"{system}: activities are known by their contacts: add {CONTACT} to systems.yaml")
        self.system = system
        self.tenant = tenant
        self._client = client.named(system)
        self._page_size = page_size
        links = Links(self._client)
        self._records = {name: Records(self._client, OBJECT_TYPES[name]) for name in self._kinds}
        self._acting = {
            name: Acting(self._client, links, self._records[name], kind) for name, kind in self._kinds.items()
        }
        opt_out = self._kinds[CONTACT].opt_out
        self._observing = {
            name: Observing(links, self._records[name], kind, opt_out) for name, kind in self._kinds.items()
        }
        supports = {Action.ERASE, Action.REDACT, Action.RECTIFY}
        if all(kind.restricted for kind in kinds):
            supports |= {Action.RESTRICT, Action.RELEASE}
        if opt_out:
            supports |= {Action.SUPPRESS}
        self.supports = frozenset(supports)
        # A purge is one call per record; its batch is that of the reading before it.
        self.batch_size: Mapping[Action, int] = dict.fromkeys(sorted(supports), MOST_IDS)

    def checks(self) -> Iterator[Check]:
        yield Check("scopes of the private app")  # without one of them there is no connector
        for name, kind in self._kinds.items():
            definitions = self._client.definitions(OBJECT_TYPES[name])
            unseen = [gap.what for gap in gaps_of(kind, definitions) if gap.code is GapCode.FIELD_HIDDEN]
            lacking = f"no property {', '.join(unseen)}: grant it (sensitive data has scopes of its own)"
            yield Check(f"read the declared properties of {name}", lacking if unseen else "")

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        search = Search(self._client, self.system, tuple(self._kinds.values()), self._page_size)
        return search.pages(criteria, after)

    def changes(self, since: Token | None) -> Iterator[Page]:
        raise Unsupported(f"{self.system} is not catalogued; search it")

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        if action not in self.supports:
            raise Unsupported(f"{self.system} cannot {action}; give the step to a person")
        outcomes: list[Outcome] = []
        for kind, steps in groupby(batch, key=lambda step: step.ref.kind):
            outcomes += self._acting[kind].act(action, list(steps), warrant)
        return outcomes

    def settle(self, handle: Handle) -> Sequence[Outcome]:
        """There are no jobs to ask: how a call ended is seen in the records."""
        seen = self.read_back([Step("settle", ref, handle.action) for ref in handle.refs])
        outcomes = [settled(handle.action, ref, one) for ref, one in zip(handle.refs, seen, strict=True)]
        if not handle.previous:
            return outcomes
        return [
            Outcome(o.ref, o.status, o.reason, o.evidence, o.settle_on, previous)
            for o, previous in zip(outcomes, handle.previous, strict=True)
        ]

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        seen: list[Observation] = []
        for kind, steps in groupby(batch, key=lambda step: step.ref.kind):
            seen += self._observing[kind].observe(self.system, list(steps))
        return seen

    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        for kind, refs in groupby(batch, key=lambda ref: ref.kind):
            yield from export(self._client, self.system, self._kinds[kind], self._records[kind], list(refs))

    def link(self, ref: RecordRef) -> str | None:
        if not is_id(ref.key):
            return None
        return f"https://app.hubspot.com/contacts/{self.tenant}/record/{TYPE_NUMBERS[ref.kind]}/{ref.key}"
