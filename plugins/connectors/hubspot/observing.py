"""What do records look like when read back, and what does that say of a call whose answer was lost?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.hubspot.activities import CONTACT, OBJECT_TYPES
from connectors.hubspot.facts import declared, filled, holds, is_true, properties_of, version_of
from connectors.hubspot.links import CONTACTS, Links, ends
from connectors.hubspot.mentions import Mentions
from connectors.hubspot.records import Records, Sight, is_id, restorable_until
from retention.vocabulary import Action, Observation, Outcome, OutcomeStatus, Presence, Reason, RecordKind, Step
from retention.vocabulary import RecordRef as Ref


class Observing:
    """Reads back one kind of record."""

    def __init__(self, links: Links, records: Records, kind: RecordKind, opt_out: str) -> None:
        self._links = links
        self._records = records
        self._kind = kind
        self._opt_out = opt_out

    def observe(self, system: str, batch: Sequence[Step]) -> list[Observation]:
        names = [*declared(self._kind), *(name for step in batch for name in step.values)]
        sight = self._records.look((step.ref.key for step in batch), tuple(dict.fromkeys(names)))
        out = self._opted_out([step for step in batch if step.action is Action.SUPPRESS], sight)
        personal = [step.ref.key for step in batch if _is_about_some(step) and step.ref.key in sight.live]
        mentions = Mentions(self._links, self._kind, personal) if personal and self._kind.name != CONTACT else None
        return [self._observation(system, step, sight, out, mentions) for step in batch]

    def _opted_out(self, steps: Sequence[Step], sight: Sight) -> Mapping[str, bool]:
        """Whether everybody an activity is about has opted out; read only where that was to be brought about."""
        if self._kind.name == CONTACT or not steps:
            return {}
        keys = [step.ref.key for step in steps if step.ref.key in sight.live]
        linked = self._links.of(OBJECT_TYPES[self._kind.name], CONTACTS, keys)
        contacts = self._links.rows(CONTACTS, ends(linked), [self._opt_out])
        return {
            key: all(is_true(properties_of(contacts[one]).get(self._opt_out)) for one in linked.get(key, ()))
            for key in keys
            if all(one in contacts for one in linked.get(key, ()))
        }

    def _observation(
        self, system: str, step: Step, sight: Sight, out: Mapping[str, bool], mentions: Mentions | None
    ) -> Observation:
        ref, kind = step.ref, self._kind
        here = Ref(system, ref.kind, ref.key)
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
            Ref(system, ref.kind, ref.key, version_of(row)),
            presence,
            sight.views(),
            filled=filled(kind, properties),
            opted_out=is_true(properties.get(kind.opt_out)) if kind.opt_out else out.get(ref.key),
            recoverable_until=until,
            mentions=mentions.are_in(step, row) if mentions is not None and _is_about_some(step) else None,
            corrected=holds(properties, step.values) if step.action is Action.RECTIFY else None,
        )


def settled(action: Action, ref: Ref, seen: Observation) -> Outcome:
    """What the record as seen says of a call whose answer was lost. Which fields were to be changed is not in a
    handle: there only an unchanged version says something."""
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
    if action in (Action.REDACT, Action.RECTIFY) and seen.ref.version != ref.version:
        return Outcome(ref, OutcomeStatus.UNKNOWN, Reason.NOT_PROVEN)
    return Outcome(ref, OutcomeStatus.FAILED, Reason.NOT_PROVEN)


def _is_about_some(step: Step) -> bool:
    return step.action is Action.REDACT and bool(step.identifiers)
