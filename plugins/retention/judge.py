"""What does the schedule want done with a found record? Facts of all systems → items → decisions → one verdict.

This is where a finding is put before `decide`: per data class and, in files about several people, per person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from retention import clocks
from retention.asking import Asking, asking
from retention.decide import decide
from retention.holds import part
from retention.item import Exemption, IdentityMatch, Item, LegalHold, Objection, Periods, Regime, Restriction, Trigger
from retention.knowledge import Consent, Known
from retention.policy import Schedule, SystemPolicy
from retention.record_verdict import RecordVerdict, of_record
from retention.restriction import objection_of, restriction_of
from retention.review import Choice, heed
from retention.situation import IN_FORCE, THE_PERSON_SPEAKS
from retention.verdicts import Decision, Disposition, FollowUp, PersonsReason, ReasonCode
from retention.vocabulary import Action, ClassFacts, DataClass, Dated, LawfulBasis

RESTS_ON_OPT_OUT = frozenset({ReasonCode.UNSUB_MARKETING, ReasonCode.CONSENT_WITHDRAWN})
SUBJECTS_RESTRICTION = frozenset(
    {ReasonCode.R18_ACCURACY, ReasonCode.R18_UNLAWFUL, ReasonCode.R18_CLAIMS, ReasonCode.R18_OBJECTION}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a record, and everything an auditor needs to know why."""

    name: str  # erase | redact | restrict | release | keep | review | task | held
    action: Action | None
    fields: tuple[str, ...]
    data_classes: tuple[str, ...]  # what enters the erasure register
    reasons: tuple[str, ...]
    touches: tuple[DataClass, ...] = ()  # the classes that lose something; empty: the whole record is meant
    subject_keys: tuple[bytes, ...] = ()
    stop_marketing: bool = False
    asks: frozenset[str] = frozenset()  # why a person is asked about it, whatever else is done to it
    asks_about: tuple[str, ...] = ()  # the data classes in question
    answered: bool = False  # the person's answer was heeded

    @property
    def rests_on_opt_out(self) -> bool:
        """Whether it would not be so without somebody's opt-out."""
        return not RESTS_ON_OPT_OUT.isdisjoint(self.reasons)


@dataclass(frozen=True, slots=True)
class Bench:
    """What is the same for all records of a system in one sweep."""

    schedule: Schedule
    system: SystemPolicy
    today: date
    consent_unread: bool

    @property
    def periods(self) -> Periods:
        """The schedule's numbers as `decide` takes them."""
        return Periods(years=self.schedule.retention_years)


@dataclass(frozen=True, slots=True)
class Decided:
    """What is ordered for one data class of a record and, in a file about several people, for one of them."""

    subject: bytes | None
    facts: ClassFacts
    decision: Decision


def decided(known: Known, bench: Bench) -> list[Decided]:
    """Every decision the verdict on a record is made of."""
    if known.facts.several_people:
        people: Sequence[bytes | None] = known.subjects or (None,)
        facts = known.facts.classes[0]
        several = len(people) > 1 and not facts.fields  # where one person's part can be taken out, that part is judged
        copies = tuple(one for every in known.said.values() for one in every if not one.acts)

        def of(key: bytes) -> Decision:
            asked = asking((*known.said.get(key, ()), *copies))
            return _decide(known, facts, known.consent.get(key, Consent()), asked, bench, several=several)

        return [Decided(key, facts, of(key or b"")) for key in people]
    consent, asked = _of_one_person(known), asking(one for every in known.said.values() for one in every)
    return [Decided(None, c, _decide(known, c, consent, asked, bench, several=False)) for c in known.facts.classes]


def judge(known: Known, bench: Bench) -> Verdict:
    """The verdict on one record: by the rules, and where they ask a person, by the answer if there is one that fits."""
    if known.answer is None:
        return _judge(known, bench)
    by_the_rules = _judge(replace(known, answer=None), bench)
    if not known.answer.fits(by_the_rules.asks, known.version, bench.today):
        return by_the_rules
    verdict = _judge(known, bench)
    if verdict.name == "review":
        verdict = _in_its_systems_verb(known, bench, _of_whole_record(known.answer.choice, known, verdict))
    # A date, or "not the person", can lead to another question: then both are asked, and the answer has lapsed.
    left = frozenset[str]() if known.answer.choice is Choice.ERASE else verdict.asks
    return replace(
        verdict,
        asks=by_the_rules.asks | left,
        asks_about=tuple(sorted({*by_the_rules.asks_about, *(verdict.asks_about if left else ())})),
        answered=not left,
    )


def _of_whole_record(choice: Choice, known: Known, verdict: Verdict) -> Verdict:
    """A person keeps or restricts a record of which the system can give up no part; such a record is not erased."""
    if choice is Choice.RESTRICT and not known.facts.restricted:
        return Verdict("restrict", Action.RESTRICT, (), (), (PersonsReason.PERSON_RESTRICTS,))
    if choice in (Choice.KEEP, Choice.RESTRICT):
        return replace(verdict, name="keep", reasons=(PersonsReason.PERSON_KEEPS,), asks=frozenset())
    return verdict


def _judge(known: Known, bench: Bench) -> Verdict:
    verdict = _judge_file(known, bench) if known.facts.several_people else _judge_record(known, bench)
    return _in_its_systems_verb(known, bench, verdict)


def _in_its_systems_verb(known: Known, bench: Bench, verdict: Verdict) -> Verdict:
    """The verdict in the verb that the record's system takes for it; where it takes none, a person is asked."""
    if verdict.action is None or (action := bench.system.verbs.for_action(verdict.action)) is verdict.action:
        return verdict
    if action is None:
        return replace(
            verdict,
            name="review",
            action=None,
            fields=(),
            data_classes=(),
            subject_keys=(),
            asks=verdict.asks | set(map(str, verdict.reasons)),
            asks_about=tuple(sorted({c.data_class.value for c in known.facts.classes})),
        )
    return replace(verdict, name=action.value, action=action, fields=_all_fields(known))


def _judge_record(known: Known, bench: Bench) -> Verdict:
    decisions = [(d.facts, d.decision) for d in decided(known, bench)]
    if not decisions:
        return Verdict("keep", None, (), (), (ReasonCode.ALREADY_ERASED,))
    held = [is_held(known, c, ZoneInfo(bench.system.zone)) for c in known.facts.classes]
    whole = of_record(
        [(c.fields, d) for c, d in decisions],
        restricted=known.facts.restricted,
        held=all(held),
        held_in_part=any(held),
    )
    whole = _where_we_restrict(known, whole, [d for _, d in decisions], bench)
    stop = any(FollowUp.STOP_MARKETING in d.follow_ups for _, d in decisions)
    if whole.action is Action.ERASE and known.facts.undeletable:  # the empty shell stays, with what hangs on it
        whole = replace(whole, action=Action.REDACT, fields=_all_fields(known))
    return _verdict(known, decisions, whole, stop)


def _where_we_restrict(
    known: Known, whole: RecordVerdict, decisions: Sequence[Decision], bench: Bench
) -> RecordVerdict:
    """Release what we restricted once nothing restricts it any more; restrict nobody for having a like address."""
    restricting = {d.reason_code for d in decisions if d.disposition is Disposition.RESTRICT}
    standing = [matter for matter in known.restricting if not matter.lifted]
    if whole.action is Action.RESTRICT and restricting <= SUBJECTS_RESTRICTION and standing:
        return whole if any(m.surely for m in standing) else replace(whole, action=None, needs_review=True)
    ours = known.facts.restricted and known.restricted_by_us
    if not ours or whole.action is not None or known.held or bench.consent_unread:
        return whole
    free = bool(decisions) and all(d.disposition is Disposition.KEEP for d in decisions)
    return replace(whole, action=Action.RELEASE) if free else whole


def _verdict(
    known: Known, decisions: Sequence[tuple[ClassFacts, Decision]], whole: RecordVerdict, stop_marketing: bool
) -> Verdict:
    verdict = _act(known, decisions, whole, stop_marketing)
    asking = [(c, d) for c, d in decisions if d.disposition is Disposition.REVIEW]
    if not asking and verdict.name == "review":
        asking = list(decisions)
    return replace(
        verdict,
        asks=frozenset(d.reason_code.value for _, d in asking),
        asks_about=tuple(sorted({c.data_class.value for c, _ in asking})),
    )


def _act(
    known: Known, decisions: Sequence[tuple[ClassFacts, Decision]], whole: RecordVerdict, stop_marketing: bool
) -> Verdict:
    action = whole.action
    going = [(c, d) for c, d in decisions if d.disposition in (Disposition.ERASE, Disposition.ANONYMISE)]
    restricting = any(d.disposition is Disposition.RESTRICT for _, d in decisions)
    if action is Action.REDACT and restricting and not known.facts.restricted and not whole.held_in_part:
        action = Action.RESTRICT  # what stays is restricted in the same step that clears what goes
    if whole.blocked_by_hold:
        return Verdict("held", None, (), (), _reasons(d for _, d in decisions), stop_marketing=stop_marketing)
    if action is None:
        name = "review" if whole.needs_review else "keep"
        return Verdict(name, None, (), (), _reasons(d for _, d in decisions), stop_marketing=stop_marketing)
    concerned = going if action in (Action.ERASE, Action.REDACT) else decisions
    cleared = () if action is Action.ERASE else tuple(sorted(whole.fields))
    # Only what goes wholly enters the erasure register: a class of which a shared field stays was not erased.
    gone = {c.data_class for c, _ in going if action is Action.ERASE or (c.fields and set(c.fields) <= set(cleared))}
    touches = tuple(dict.fromkeys(c.data_class for c, _ in going)) if action is Action.REDACT else ()
    reasons = _reasons(d for _, d in concerned)
    return Verdict(action.value, action, cleared, tuple(sorted(gone)), reasons, touches, stop_marketing=stop_marketing)


def _judge_file(known: Known, bench: Bench) -> Verdict:
    """A file: what is true of everybody in it may be done to it; what is true of some only to their parts."""
    facts = known.facts.classes[0]
    fates = [(d.subject, d.decision) for d in decided(known, bench)]
    decisions = [(facts, d) for _, d in fates]
    going = [(key, d) for key, d in fates if d.disposition is Disposition.ERASE]
    reasons = _reasons(d for _, d in going)
    if len(going) == len(fates) and known.shared and not RESTS_ON_OPT_OUT.isdisjoint(reasons):
        # One person's word does not reach a file that names others whom we cannot key (a telephone, a role address).
        return _mixed(facts, reasons)
    held = is_held(known, facts, ZoneInfo(bench.system.zone))
    if held or not going or len(going) == len(fates):
        whole = of_record([((), d) for _, d in fates], restricted=known.facts.restricted, held=held)
        return _verdict(known, decisions, _where_we_restrict(known, whole, [d for _, d in fates], bench), False)
    if not facts.fields:  # the parts of one person cannot be taken out of this kind of file
        return _mixed(facts, reasons)
    keys = tuple(key for key, _ in going if key is not None)
    return Verdict("redact", Action.REDACT, facts.fields, (), reasons, (facts.data_class,), subject_keys=keys)


def is_held(known: Known, facts: ClassFacts, zone: ZoneInfo) -> bool:
    """Whether a legal hold covers one class of a record."""
    return known.held and any(reach.covers(facts.data_class, _day(facts.collected, zone)) for reach in known.reaches)


def parts_of(known: Known, zone: ZoneInfo, touched: Collection[DataClass] = ()) -> tuple[str, ...]:
    """By which classes and days a legal hold finds a step just before its call; none given: the whole record."""
    classes = [c for c in known.facts.classes if not touched or c.data_class in touched]
    return tuple(sorted({part(c.data_class, _day(c.collected, zone)) for c in classes}))


def _all_fields(known: Known) -> tuple[str, ...]:
    return tuple(sorted({name for c in known.facts.classes for name in c.fields}))


def _mixed(facts: ClassFacts, reasons: Sequence[str]) -> Verdict:
    whole = (*reasons, ReasonCode.MIXED_SUBJECTS)
    return Verdict("review", None, (), (), whole, asks=frozenset(map(str, whole)), asks_about=(facts.data_class.value,))


def _decide(
    known: Known, facts: ClassFacts, consent: Consent, asked: Asking, bench: Bench, *, several: bool
) -> Decision:
    item = _item(known, facts, consent, asked, bench, several=several)
    decision = _by_the_rules(item, bench)
    if known.answer is None or decision.disposition is not Disposition.REVIEW:
        return decision
    return heed(known.answer, item, decision, bench.periods, bench.today)


def _by_the_rules(item: Item, bench: Bench) -> Decision:
    decision = decide(item, bench.periods, bench.today)
    if bench.consent_unread and decision.reason_code in RESTS_ON_OPT_OUT and item.trigger not in THE_PERSON_SPEAKS:
        without = item._replace(unsubscribed_on=None, trigger=Trigger.NIGHTLY)
        waiting = decide(without, bench.periods, bench.today)
        return replace(waiting, follow_ups=waiting.follow_ups | decision.follow_ups - {FollowUp.NOTIFY_RECIPIENTS})
    return decision


def _item(known: Known, facts: ClassFacts, consent: Consent, asked: Asking, bench: Bench, *, several: bool) -> Item:
    zone = ZoneInfo(bench.system.zone)
    transactions = known.facts.transactions
    keeps = [clocks.tax_keep_until(t.on, bench.schedule.accounting_year_end) for t in transactions]
    only_marketing = (
        not known.facts.several_people
        and not transactions
        and not known.facts.open_complaint
        and facts.lawful_basis is LawfulBasis.CONSENT
    )
    objection = asked.objection or objection_of(known.restricting)
    return Item(
        data_class=facts.data_class,
        lawful_basis=facts.lawful_basis,
        regime=Regime(bench.system.regime),
        trigger=asked.trigger or _trigger(known, consent),
        collected_on=_day(facts.collected, zone),
        unsubscribed_on=consent.opted_out_on if consent.opted_out else None,
        fresh_consent_on=consent.consented_on,
        transaction_keep_until=max(keeps, default=None),
        contract_live=any(t.live for t in transactions),
        erased_on=_erased_on(known, facts, consent),
        legal_hold=LegalHold.ACTIVE if is_held(known, facts, zone) else LegalHold.NONE,
        restriction=_restriction(known),
        objection=objection,
        lift_notice_sent=objection is Objection.OVERRIDDEN,  # no lift without its notice: see `life_cycles`
        identity_match=_identity(known) if asked.surely else _weaker(_identity(known)),
        request_state=asked.request_state,
        flag_excessive=asked.is_excessive,
        exemption=Exemption.CLAIMS if known.facts.open_complaint else Exemption.NONE,
        other_subjects=several,
        consent_for_marketing=only_marketing,
    )


def _trigger(known: Known, consent: Consent) -> Trigger:
    if consent.opted_out and consent.opted_out_on is None:
        return Trigger.UNSUBSCRIBE
    ours = known.facts.restricted and known.restricted_by_us
    lifted = bool(known.restricting) and all(matter.lifted for matter in known.restricting)
    return Trigger.RESTRICTION_LIFT if ours and lifted else Trigger.NIGHTLY


def _restriction(known: Known) -> Restriction:
    ground = restriction_of(known.restricting)
    if ground in IN_FORCE:
        return ground
    # Restricted in the system, and not by us: somebody's Art. 18 ground that we do not know, so we protect.
    theirs = known.facts.restricted and not known.restricted_by_us
    return Restriction.ACCURACY if theirs else ground


def _erased_on(known: Known, facts: ClassFacts, consent: Consent) -> date | None:
    """When this was erased here before; data given again under a newer consent was not "restored"."""
    erased = known.erased.get(facts.data_class)
    return None if erased and consent.consented_on and consent.consented_on > erased else erased


def _identity(known: Known) -> IdentityMatch:
    if known.facts.several_people:
        return IdentityMatch.EXACT  # each person in a file is judged for themselves; role addresses are not among them
    if known.shared:
        return IdentityMatch.SHARED
    surely = any(consent.opted_out for consent in known.consent.values())
    return IdentityMatch.AMBIGUOUS if known.weak_opt_out and not surely else IdentityMatch.EXACT


def _weaker(match: IdentityMatch) -> IdentityMatch:
    """A record that a request reaches by a weak likeness is nobody's for sure."""
    return IdentityMatch.AMBIGUOUS if match is IdentityMatch.EXACT else match


def grounds_to_stop(known: Known) -> ReasonCode:
    """Why marketing is stopped; says so where the match would be too weak to erase by."""
    grounds = {IdentityMatch.SHARED: ReasonCode.ID_SHARED, IdentityMatch.AMBIGUOUS: ReasonCode.ID_AMBIGUOUS}
    return grounds.get(_identity(known), ReasonCode.UNSUB_MARKETING)


def _of_one_person(known: Known) -> Consent:
    """Consent over all of a person's addresses, and what the record itself says where it has none."""
    facts = known.facts
    own = Consent(facts.opted_out, facts.opted_out_on, facts.consented_on)
    voices = [own, *known.consent.values()]
    if known.weak_opt_out:
        voices.append(Consent(opted_out=True))
    out = [v for v in voices if v.opted_out]
    days = [v.opted_out_on for v in out]
    consents = [v.consented_on for v in voices if v.consented_on]
    latest = None if None in days else max((d for d in days if d), default=None)
    return Consent(bool(out), latest, max(consents, default=None))


def _day(dated: Dated | None, zone: ZoneInfo) -> date | None:
    if dated is None:
        return None
    return clocks.local_day(dated.value, zone) if isinstance(dated.value, datetime) else dated.value


def _reasons(decisions: Iterable[Decision]) -> tuple[str, ...]:
    return tuple(sorted({d.reason_code.value for d in decisions}))
