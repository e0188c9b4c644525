"""How is e-mail to an address stopped? Opt-outs hang on addresses, with or without a contact.

The opt-out of all e-mail for many addresses at once is sold with the largest edition only; else it is one call each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.hubspot.activities import CONTACT, OBJECT_TYPES, known_by
from connectors.hubspot.answers import Answer, listed
from connectors.hubspot.client import MANY_OPT_OUTS, MOST_IDS, HubSpotClient
from connectors.hubspot.facts import OF_CONTACT, addresses_of, properties_of
from connectors.hubspot.filters import may_be_address, portions
from connectors.hubspot.links import CONTACTS, Links, ends
from connectors.hubspot.records import Records, Sight, is_id
from connectors.hubspot.sending import ALREADY, DONE, FAILED, REFUSED, UNKNOWN, Outcomes, each, rejected
from retention.contract import Warrant
from retention.vocabulary import IdentifierKind, Outcome, Reason, RecordKind, Step

# Of several addresses of one step the one that went worst speaks for it.
WORST_FIRST = (UNKNOWN, FAILED, REFUSED, DONE, ALREADY)


class OptOuts:
    """Opts addresses out of all e-mail."""

    def __init__(self, client: HubSpotClient, links: Links) -> None:
        self._client = client
        self._links = links

    def suppress(
        self, kind: RecordKind, records: Records, batch: Sequence[Step], warrant: Warrant, outcomes: Outcomes
    ) -> None:
        """Opt out every address of the step, or of the record where the step names none."""
        given = {
            number: [i.value for i in step.identifiers if i.kind is IdentifierKind.EMAIL]
            for number, step in enumerate(batch)
        }
        unnamed = [number for number, values in given.items() if not values]
        if unnamed:
            names = [name for name, _ in kind.identifiers if not name.startswith(OF_CONTACT)]
            sight = records.look((batch[number].ref.key for number in unnamed), names)
            known = self.addresses(kind, sight)
            for number in unnamed:
                key = batch[number].ref.key
                if key in sight.live:
                    given[number] = list(known.get(key, ()))
                else:
                    outcomes[number] = _unseen(batch[number], sight)
        usable: dict[int, Sequence[str]] = {}
        for number, values in given.items():
            if number in outcomes:
                continue
            if fitting := [value for value in dict.fromkeys(values) if may_be_address(value)]:
                usable[number] = fitting
            else:
                outcomes[number] = Outcome(batch[number].ref, REFUSED, Reason.SUBJECT_NOT_FOUND)
        outcomes |= self.opt_out(batch, usable, warrant)

    def addresses(self, kind: RecordKind, sight: Sight) -> Mapping[str, Sequence[str]]:
        """Every address of the live records seen, by id: a contact's own, those of the people an activity is about."""
        if kind.name == CONTACT:
            return {key: addresses_of(kind, properties_of(row)) for key, row in sight.live.items()}
        linked = self._links.of(OBJECT_TYPES[kind.name], CONTACTS, list(sight.live))
        names = [name.removeprefix(OF_CONTACT) for name, _ in kind.identifiers]
        contacts = self._links.rows(CONTACTS, ends(linked), names)
        return {
            key: [
                one.value.lower()
                for contact in others
                if contact in contacts
                for one in known_by(kind, properties_of(contacts[contact]))
                if one.kind is IdentifierKind.EMAIL
            ]
            for key, others in linked.items()
        }

    def opt_out(
        self,
        batch: Sequence[Step],
        addresses: Mapping[int, Sequence[str]],
        warrant: Warrant,
        *,
        is_first: bool = True,
    ) -> Outcomes:
        """Opt out addresses by the number of their step; one outcome per step."""
        todo = [(number, address) for number, some in addresses.items() for address in some]
        steps = [batch[number] for number, _ in todo]
        ends_of: Outcomes = {}
        if MANY_OPT_OUTS in self._client.scopes and len(todo) > 1:
            self._many(steps, [address for _, address in todo], warrant, ends_of, is_first)
        else:

            def send(position: int) -> Answer:
                return self._client.unsubscribe(todo[position][1], warrant)

            for position, answer in each(steps, range(len(todo)), ends_of, send, is_first=is_first):
                ends_of[position] = _unsubscribed(steps[position], answer, listed(answer.body().get("results")))
        outcomes: Outcomes = {}
        for number in addresses:
            mine = [ends_of[position] for position, (of, _) in enumerate(todo) if of == number]
            if mine:
                outcomes[number] = min(mine, key=lambda outcome: WORST_FIRST.index(outcome.status))
        return outcomes

    def _many(
        self, steps: Sequence[Step], addresses: Sequence[str], warrant: Warrant, outcomes: Outcomes, is_first: bool
    ) -> None:
        """A hundred addresses a call; what the answer does not name is not known to be done."""
        groups = list(portions(range(len(addresses)), MOST_IDS))
        firsts = [group[0] for group in groups]
        by_first = dict(zip(firsts, groups, strict=True))

        def send(first: int) -> Answer:
            return self._client.unsubscribe_many([addresses[n] for n in by_first[first]], warrant)

        for first, answer in each(steps, firsts, outcomes, send, is_first=is_first):
            named = {
                str(row.get("subscriberIdString", "")).lower(): listed(row.get("statuses"))
                for row in listed(answer.body().get("results"))
                if isinstance(row, dict)
            }
            for n in by_first[first]:
                if not 200 <= answer.status < 300:
                    outcomes[n] = rejected(steps[n], answer)
                elif addresses[n].lower() in named:
                    outcomes[n] = _unsubscribed(steps[n], answer, named[addresses[n].lower()])
                else:
                    outcomes[n] = Outcome(steps[n].ref, REFUSED, Reason.VALIDATION, answer.evidence())
        for first, group in by_first.items():
            for n in group:
                outcomes.setdefault(n, Outcome(steps[n].ref, outcomes[first].status, outcomes[first].reason))


def _unseen(step: Step, sight: Sight) -> Outcome:
    key = step.ref.key
    if key in sight.unreadable or not is_id(key):
        return Outcome(step.ref, FAILED, Reason.NOT_PROVEN)
    if key in sight.archived:
        return Outcome(step.ref, REFUSED, Reason.RECOVERABLE)
    return Outcome(step.ref, ALREADY, Reason.GONE)


def _unsubscribed(step: Step, answer: Answer, statuses: Sequence[object]) -> Outcome:
    if not 200 <= answer.status < 300:
        return rejected(step, answer)
    results = [row for row in statuses if isinstance(row, dict)]
    if results and all(row.get("setStatusSuccessReason") == "NO_STATUS_CHANGE" for row in results):
        return Outcome(step.ref, ALREADY, Reason.SAME, answer.evidence())
    return Outcome(step.ref, DONE, Reason.OK, answer.evidence())
