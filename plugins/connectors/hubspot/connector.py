"""What can be done to the contacts of one HubSpot account? The contract's verbs, each handed to the module for it.

RESTRICT sets the policy's own property (workflows, lists and sends exclude by it) and nothing else. It does not opt
the person out of e-mail, although that would stop use at once: an opt-out of all e-mail cannot be put back exactly
through the API (subscribing again needs a legal basis per subscription, and "never asked" cannot be set), while RELEASE
must leave the contact as it was. Stopping e-mail is SUPPRESS, which nothing here undoes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from connectors.hubspot.acting import Acting
from connectors.hubspot.client import MOST_IDS, HubSpotClient
from connectors.hubspot.facts import declared, filled, is_filled, is_true, properties_of, version_of
from connectors.hubspot.filters import portions
from connectors.hubspot.records import Records, Sight, is_id, is_merged, restorable_until
from connectors.hubspot.search import LARGEST_PAGE, Search
from retention.contract import ConnectorError, Unsupported, Warrant
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Document,
    Handle,
    Observation,
    Outcome,
    OutcomeStatus,
    Page,
    Presence,
    Reason,
    RecordKind,
    RecordRef,
    Step,
    Token,
)

CONTACT = "contact"


class HubSpotConnector:
    """The contacts of one account. `tenant` is the account's id, `client.tenant`."""

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
        foreign = sorted(kind.name for kind in kinds if kind.name != CONTACT)
        if foreign:
            raise ConnectorError(f"{system}: only records of kind {CONTACT} are served, not {', '.join(foreign)}")
        self.system = system
        self.tenant = tenant
        self._client = client.named(system)
        self._kinds = {kind.name: kind for kind in kinds}
        self._page_size = page_size
        self._records = Records(self._client)
        self._acting = Acting(self._client, self._records, self._kinds)
        supports = {Action.ERASE, Action.REDACT}
        if all(kind.restricted for kind in kinds):
            supports |= {Action.RESTRICT, Action.RELEASE}
        if all(kind.opt_out for kind in kinds):
            supports |= {Action.SUPPRESS}
        self.supports = frozenset(supports)
        # A purge is one call per contact; its batch is that of the reading before it.
        self.batch_size: Mapping[Action, int] = dict.fromkeys(sorted(supports), MOST_IDS)

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        search = Search(self._client, self.system, tuple(self._kinds.values()), self._page_size)
        return search.pages(criteria, after)

    def changes(self, since: Token | None) -> Iterator[Page]:
        raise Unsupported(f"{self.system} is not catalogued; search it")

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        if action not in self.supports:
            raise Unsupported(f"{self.system} cannot {action}; give the step to a person")
        return self._acting.act(action, batch, warrant) if batch else []

    def settle(self, handle: Handle) -> Sequence[Outcome]:
        """There are no jobs to ask: how a call ended is seen in the records."""
        steps = [Step("settle", ref, handle.action) for ref in handle.refs]
        outcomes = [
            _settled(handle.action, step, seen) for step, seen in zip(steps, self.read_back(steps), strict=True)
        ]
        if not handle.previous:
            return outcomes
        return [
            Outcome(o.ref, o.status, o.reason, o.evidence, o.settle_on, previous)
            for o, previous in zip(outcomes, handle.previous, strict=True)
        ]

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        names = tuple(dict.fromkeys(name for kind in self._kinds.values() for name in declared(kind)))
        sight = self._records.look((step.ref.key for step in batch), names)
        return [self._observation(step.ref, sight) for step in batch]

    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        """Every property the token may see, as JSON; what was never filled is left out."""
        if not batch:
            return
        names = sorted(self._client.properties())
        for refs in portions(batch, MOST_IDS):
            live = self._records.live((ref.key for ref in refs), names)
            for ref in refs:
                row = live.get(ref.key)
                if row is None or is_merged(ref.key, row):
                    continue
                stored = {name: value for name, value in properties_of(row).items() if is_filled(value)}
                content = {"id": ref.key, "createdAt": row.get("createdAt"), "properties": stored}
                text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1)
                here = RecordRef(self.system, ref.kind, ref.key, version_of(row))
                yield Document(here, "application/json", text.encode())

    def link(self, ref: RecordRef) -> str | None:
        if not is_id(ref.key):
            return None
        return f"https://app.hubspot.com/contacts/{self.tenant}/record/0-1/{ref.key}"

    def _observation(self, ref: RecordRef, sight: Sight) -> Observation:
        kind = self._kinds[ref.kind]
        here = RecordRef(self.system, ref.kind, ref.key)
        row = sight.live.get(ref.key) or sight.archived.get(ref.key)
        if row is None:
            unknown = not is_id(ref.key) or ref.key in sight.unreadable
            return Observation(here, Presence.UNREADABLE if unknown else Presence.ABSENT, sight.views())
        properties = properties_of(row)
        presence, until = Presence.PRESENT, None
        if ref.key in sight.archived:
            presence, until = Presence.RECOVERABLE, restorable_until(row)
        elif kind.restricted and is_true(properties.get(kind.restricted)):
            presence = Presence.RESTRICTED
        return Observation(
            RecordRef(self.system, ref.kind, ref.key, version_of(row)),
            presence,
            sight.views(),
            filled=filled(kind, properties),
            opted_out=is_true(properties.get(kind.opt_out)) if kind.opt_out else None,
            recoverable_until=until,
        )


def _settled(action: Action, step: Step, seen: Observation) -> Outcome:
    """What the record as seen says of a call whose answer was lost. Which fields were to be cleared is not in a
    handle: there only an unchanged version says something."""
    ref = step.ref
    if seen.presence is Presence.UNREADABLE:
        return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN)
    if seen.presence is Presence.ABSENT:
        gone = OutcomeStatus.DONE if action is Action.ERASE else OutcomeStatus.ALREADY_DONE
        if action is Action.SUPPRESS:
            gone = OutcomeStatus.UNKNOWN  # the opt-out hangs on the address, which only the step knows
        return Outcome(ref, gone, Reason.OK if action is Action.ERASE else Reason.GONE)
    if seen.presence is Presence.RECOVERABLE:
        return Outcome(ref, OutcomeStatus.FAILED, Reason.RECOVERABLE)
    is_restricted = seen.presence is Presence.RESTRICTED
    if (
        (action is Action.RESTRICT and is_restricted)
        or (action is Action.RELEASE and not is_restricted)
        or (action is Action.SUPPRESS and seen.opted_out)
    ):
        return Outcome(ref, OutcomeStatus.DONE)
    if action is Action.REDACT and seen.ref.version != ref.version:
        return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN)
    return Outcome(ref, OutcomeStatus.FAILED, Reason.NOT_PROVEN)
