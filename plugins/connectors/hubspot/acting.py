"""How is one action done to the records of a batch, and what became of each? One outcome per step, in order.

Every action but SUPPRESS reads the records first, 100 a call: what changed since it was planned is left alone, what is
gone is said to be, and only an id that was just read is ever purged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.hubspot.activities import CONTACT
from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.facts import Row, declared, holds, is_filled, is_true, properties_of, version_of
from connectors.hubspot.filters import may_be_address
from connectors.hubspot.links import CONTACTS, Links
from connectors.hubspot.mentions import Mentions
from connectors.hubspot.opt_outs import OptOuts
from connectors.hubspot.purging import purge
from connectors.hubspot.records import Records, Sight, is_id, is_merged
from connectors.hubspot.sending import ALREADY, DONE, FAILED, REFUSED, Outcomes, each, rejected
from connectors.hubspot.updating import Updating, Values
from retention.contract import Warrant
from retention.vocabulary import Action, Handle, Outcome, Reason, RecordKind, Scalar, Step

YES = "true"


class Acting:
    """Carries out actions on one kind of record."""

    def __init__(self, client: HubSpotClient, links: Links, records: Records, kind: RecordKind) -> None:
        self._client = client
        self._links = links
        self._records = records
        self._kind = kind
        self._opt_outs = OptOuts(client, links)
        self._updating = Updating(client, records.object_type, kind.restricted)

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> list[Outcome]:
        outcomes: Outcomes = {}
        if action is Action.SUPPRESS:
            self._opt_outs.suppress(self._kind, self._records, batch, warrant, outcomes)
            return [outcomes[number] for number in range(len(batch))]
        names = [*declared(self._kind), *(name for step in batch for name in (*step.fields, *step.values))]
        sight = self._records.look((step.ref.key for step in batch), tuple(dict.fromkeys(names)))
        judged = {number: self._judged(action, step, sight) for number, step in enumerate(batch)}
        outcomes |= {number: outcome for number, outcome in judged.items() if outcome is not None}
        todo = [number for number, outcome in judged.items() if outcome is None]
        match action:
            case Action.ERASE:
                purge(self._client, self._records, batch, todo, warrant, outcomes)
            case Action.REDACT:
                self._redact(batch, todo, sight, warrant, outcomes)
            case Action.RESTRICT:
                self._restrict(batch, todo, sight, warrant, outcomes)
            case Action.RECTIFY:
                self._rectify(batch, todo, sight, warrant, outcomes)
            case _:
                self._release(batch, todo, sight, warrant, outcomes)
        return [outcomes[number] for number in range(len(batch))]

    def _judged(self, action: Action, step: Step, sight: Sight) -> Outcome | None:
        """The outcome of a step for which nothing needs to be sent; None: go on."""
        key = step.ref.key
        if not is_id(key):
            return Outcome(step.ref, REFUSED, Reason.VALIDATION)
        if key in sight.unreadable:
            return Outcome(step.ref, FAILED, Reason.NOT_PROVEN)
        if key in sight.live:
            row = sight.live[key]
            if is_merged(key, row) or version_of(row) != step.ref.version:
                return Outcome(step.ref, REFUSED, Reason.CHANGED)
            return Outcome(step.ref, ALREADY, Reason.SAME) if self._is_as_wanted(action, step, row) else None
        if key in sight.archived:
            # Archived by somebody else: still all there. It can be purged, but not be edited.
            return None if action is Action.ERASE else Outcome(step.ref, REFUSED, Reason.RECOVERABLE)
        return Outcome(step.ref, REFUSED if action in (Action.RELEASE, Action.RECTIFY) else ALREADY, Reason.GONE)

    def _is_as_wanted(self, action: Action, step: Step, row: Row) -> bool:
        properties = properties_of(row)
        is_minimised = not any(is_filled(properties.get(name)) for name in step.fields)
        match action:
            case Action.REDACT:
                return is_minimised and not step.identifiers
            case Action.RESTRICT:
                return is_minimised and is_true(properties.get(self._kind.restricted))
            case Action.RECTIFY:
                return holds(properties, step.values)
            case Action.RELEASE:
                return all(text(properties.get(name)) == value for name, value in self._writable(step).items())
            case _:
                return False

    def _redact(
        self, batch: Sequence[Step], todo: Sequence[int], sight: Sight, warrant: Warrant, outcomes: Outcomes
    ) -> None:
        """Clear the named fields; of an activity about several people, take one of them out."""
        personal = [number for number in todo if batch[number].identifiers and self._kind.name != CONTACT]
        values: dict[int, Values] = {n: dict.fromkeys(batch[n].fields, "") for n in todo if n not in personal}
        self._updating.update(batch, values, warrant, outcomes)
        if personal:
            self._take_out(batch, personal, sight, warrant, outcomes)

    def _take_out(
        self, batch: Sequence[Step], todo: Sequence[int], sight: Sight, warrant: Warrant, outcomes: Outcomes
    ) -> None:
        mentions = Mentions(self._links, self._kind, [batch[n].ref.key for n in todo])
        values = {n: mentions.without(batch[n], sight.live[batch[n].ref.key]) for n in todo}
        is_first = not any(n not in todo for n in outcomes)
        changing = {n: some for n, some in values.items() if some}
        self._updating.update(batch, changing, warrant, outcomes, is_first=is_first)
        fine = [n for n in todo if n not in outcomes or outcomes[n].status is DONE]
        people = {n: mentions.contacts(batch[n]) for n in fine}
        for n in todo:
            outcomes.setdefault(n, Outcome(batch[n].ref, ALREADY, Reason.SUBJECT_NOT_FOUND))
        linked = [n for n, some in people.items() if some]
        for n, answer in each(
            batch,
            linked,
            outcomes,
            lambda n: self._client.unlink(self._records.object_type, CONTACTS, batch[n].ref.key, people[n], warrant),
            is_first=is_first and not changing,
        ):
            is_done = 200 <= answer.status < 300
            done = Outcome(batch[n].ref, DONE, Reason.OK, answer.evidence())
            outcomes[n] = done if is_done else rejected(batch[n], answer)

    def _restrict(
        self, batch: Sequence[Step], todo: Sequence[int], sight: Sight, warrant: Warrant, outcomes: Outcomes
    ) -> None:
        """Set the property by which the account excludes, then stop e-mail to every address."""
        if not todo:
            return
        rows = {n: properties_of(sight.live[batch[n].ref.key]) for n in todo}
        own = [name for name in (self._kind.restricted, self._kind.opt_out) if name]
        previous: dict[int, Mapping[str, Scalar]] = {n: {name: text(rows[n].get(name)) for name in own} for n in todo}
        warrant.note(Handle(Action.RESTRICT, "", tuple(batch[n].ref for n in todo), tuple(previous[n] for n in todo)))
        values: dict[int, Values] = {
            n: {**dict.fromkeys(batch[n].fields, ""), self._kind.restricted: YES} for n in todo
        }
        self._updating.update(batch, values, warrant, outcomes, previous)
        done = [n for n in todo if outcomes[n].status is DONE]
        if done and self._kind.opt_out:
            known = self._opt_outs.addresses(self._kind, sight)
            usable = {n: [one for one in known[batch[n].ref.key] if may_be_address(one)] for n in done}
            for n, stopped in self._opt_outs.opt_out(batch, usable, warrant, is_first=False).items():
                if stopped.status not in (DONE, ALREADY):
                    outcomes[n] = replace(outcomes[n], reason=Reason.MAIL_NOT_STOPPED)

    def _rectify(
        self, batch: Sequence[Step], todo: Sequence[int], sight: Sight, warrant: Warrant, outcomes: Outcomes
    ) -> None:
        if not todo:
            return
        values: dict[int, Values] = {n: {name: text(v) for name, v in batch[n].values.items()} for n in todo}
        rows = {n: properties_of(sight.live[batch[n].ref.key]) for n in todo}
        before = tuple({name: text(rows[n].get(name)) for name in values[n]} for n in todo)
        warrant.note(Handle(Action.RECTIFY, "", tuple(batch[n].ref for n in todo), before))
        self._updating.update(batch, values, warrant, outcomes)

    def _release(
        self, batch: Sequence[Step], todo: Sequence[int], sight: Sight, warrant: Warrant, outcomes: Outcomes
    ) -> None:
        """Put back what was there, but for the opt-out of e-mail: only the subject can consent to that again."""
        self._updating.update(batch, {n: self._writable(batch[n]) for n in todo}, warrant, outcomes)
        for n in todo:
            now = properties_of(sight.live[batch[n].ref.key])
            was_out = is_true(batch[n].values.get(self._kind.opt_out, YES))
            if outcomes[n].status is DONE and is_true(now.get(self._kind.opt_out)) and not was_out:
                outcomes[n] = Outcome(batch[n].ref, DONE, Reason.OPT_OUT_STAYS, outcomes[n].evidence)

    def _writable(self, step: Step) -> Values:
        return {name: text(value) for name, value in step.values.items() if name != self._kind.opt_out}


def text(value: object) -> str:
    """A value as a property holds it: texts only, nothing being the empty one."""
    if isinstance(value, bool):
        return YES if value else "false"
    return "" if value is None else str(value)
