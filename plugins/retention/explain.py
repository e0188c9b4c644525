"""Why is this one record due, or not? Its newest facts with their provenance, the verdict per data class, the law."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from retention.articles import in_words
from retention.judge import Bench, Decided, Verdict, decided, judge
from retention.knowledge import Known
from retention.store import estate, sweeps
from retention.store.desk import Desk
from retention.store.estate import Seen
from retention.vocabulary import Dated, RecordRef


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that spoke for or against a record. Field names, dates and codes; no personal data, no record id."""

    seen: Seen
    today: date
    known: Known
    verdict: Verdict
    parts: tuple[Decided, ...]
    suppressed: bool | None  # None: not known any more
    rules: dict[str, tuple[str, str]]  # data class -> rule, because

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        facts = self.known.facts
        return {
            "seen_in": self.seen.sweep_id,
            "seen_as_of": self.seen.as_of.isoformat(),
            "decided_as_of": self.today.isoformat(),
            "kind": self.known.kind,
            "verdict": self.verdict.name,
            "reasons": list(self.verdict.reasons),
            "on_hold": self.known.held,
            "suppressed": self.suppressed,
            "restricted": facts.restricted,
            "restricted_by_us": self.known.restricted_by_us,
            "opted_out_here": facts.opted_out,
            "opted_out_anywhere": facts.opted_out or any(c.opted_out for c in self.known.consent.values()),
            "opted_out_on": _latest(facts.opted_out_on, *(c.opted_out_on for c in self.known.consent.values())),
            "consented_on": _latest(facts.consented_on, *(c.consented_on for c in self.known.consent.values())),
            "opt_out_is_a_weak_match": self.known.weak_opt_out,
            "address_is_shared": self.known.shared,
            "complaint_open": facts.open_complaint,
            "cannot_be_deleted": facts.undeletable,
            "transactions": [{"kind": t.kind, "on": t.on.isoformat(), "live": t.live} for t in facts.transactions],
            "erased_before": {name: on.isoformat() for name, on in self.known.erased.items()},
            "people": max(1, len(self.known.subjects)) if facts.several_people else 1,
            "classes": [self._part(number, part) for number, part in enumerate(self.parts, 1)],
        }

    def _part(self, number: int, part: Decided) -> dict[str, Any]:
        rule, because = self.rules.get(part.facts.data_class, (part.facts.data_class.value, "ruled by law alone"))
        return {
            "data_class": part.facts.data_class.value,
            "person": number if self.known.facts.several_people else None,
            "verdict": part.decision.disposition.value.lower(),
            "reason": part.decision.reason_code.value,
            "says": part.decision.rule,
            "articles": list(part.decision.articles),
            "law": in_words(part.decision.articles),
            "rule": rule,
            "because": because,
            "fields": list(part.facts.fields),
            "lawful_basis": part.facts.lawful_basis.value,
            "collected_on": _day(part.facts.collected),
            "collected_from": part.facts.collected.provenance if part.facts.collected else None,
            "follow_ups": sorted(part.decision.follow_ups),
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        told = self.as_json()
        yield f"verdict       {told['verdict']} ({', '.join(told['reasons']) or 'nothing speaks against keeping it'})"
        yield f"seen          as of {told['seen_as_of']} in {told['seen_in']}; decided as of {told['decided_as_of']}"
        yield f"legal hold    {_yes(told['on_hold'])}"
        yield f"suppressed    {_yes(told['suppressed'])}"
        yield f"restricted    {_yes(told['restricted'])}{', by us' if told['restricted_by_us'] else ''}"
        yield f"opted out     {_yes(told['opted_out_anywhere'])}{_on(told['opted_out_on'])}"
        yield f"consented     {_yes(bool(told['consented_on']))}{_on(told['consented_on'])}"
        for deal in told["transactions"]:
            yield f"transaction   {deal['kind']} of {deal['on']}{', live' if deal['live'] else ''}"
        for what in ("opt_out_is_a_weak_match", "address_is_shared", "complaint_open", "cannot_be_deleted"):
            if told[what]:
                yield f"note          {what.replace('_', ' ')}"
        for name, on in told["erased_before"].items():
            yield f"erased before {name} on {on}"
        for part in told["classes"]:
            person = f" (person {part['person']})" if part["person"] else ""
            yield ""
            yield f"{part['data_class']}{person}: {part['verdict']}, {part['reason']}: {part['says']}"
            yield f"  rule        {part['rule']}: {part['because']}"
            dated = f"{part['collected_on']}, from {part['collected_from']}"
            yield f"  collected   {dated if part['collected_on'] else 'no provable date'}"
            yield f"  basis       {part['lawful_basis']}; fields {', '.join(part['fields']) or 'the whole item'}"
            yield from (f"  Art. {law}" for law in part["law"])


def explain(desk: Desk, ref: RecordRef) -> Explanation | None:
    """Decide one record afresh on what the newest sweep that met it knew; None if no sweep met it."""
    record_key = desk.keyring.record_key(ref)
    with desk.transaction() as db:
        seen = estate.last_seen(db, ref.system, record_key)
        known = estate.record(db, seen.sweep_id, ref.system, record_key) if seen else None
        if seen is None or known is None:
            return None
        unread = sweeps.unread_consent_sources(db, seen.sweep_id, list(desk.policy.systems))
        suppressed = estate.is_suppressed(db, desk.keyring, seen.sweep_id, ref.system, record_key)
    bench = Bench(desk.policy.schedule, desk.policy.systems[ref.system], desk.today, bool(unread))
    rules = {
        data_class.value: (rule.rule, rule.because)
        for rule in desk.policy.schedule.rules
        for data_class in rule.applies_to
    }
    parts = tuple(decided(known, bench))
    return Explanation(seen, desk.today, known, judge(known, bench), parts, suppressed, rules)


def _latest(*days: date | None) -> str | None:
    known = [day for day in days if day is not None]
    return max(known).isoformat() if known else None


def _day(dated: Dated | None) -> str | None:
    if dated is None:
        return None
    return (dated.value.date() if isinstance(dated.value, datetime) else dated.value).isoformat()


def _yes(so: bool | None) -> str:
    if so is None:
        return "not known any more: the addresses were wiped when the sweep was sealed"
    return "yes" if so else "no"


def _on(day: str | None) -> str:
    return f" on {day}" if day else ""
