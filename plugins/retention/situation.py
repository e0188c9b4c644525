"""What is true of an item today? Its dates turned into the plain statements that the tables in `decide` are about.

Two items in the same situation get the same decision; that is why situations can be compared, counted and remembered.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from retention.clocks import last_kept_day
from retention.item import (
    AnonymousProfile,
    Exemption,
    IdentityMatch,
    Item,
    LegalHold,
    Objection,
    Periods,
    Regime,
    RequestState,
    Restriction,
    SoftOptIn,
    Trigger,
)
from retention.vocabulary import DataClass, LawfulBasis

IN_FORCE = (Restriction.ACCURACY, Restriction.UNLAWFUL, Restriction.CLAIMS)
THE_PERSON_SPEAKS = (Trigger.ERASURE_REQUEST, Trigger.OBJECTION, Trigger.CONSENT_WITHDRAWAL)


class StatutoryKeep(StrEnum):
    """Whether a statute asks for the data. Marketing and technical classes are never kept by one."""

    NONE = "none"
    RUNNING = "running"  # its last day included
    ENDED = "ended"


class Collection(StrEnum):
    """What the collection date is worth."""

    DATED = "dated"
    MISSING = "missing"
    IN_FUTURE = "in_future"


# Names for what is compared of every item: looking a member up in its enum costs more than the comparison.
HELD, UNSUBSCRIBED, PAPERS_AWAITED = LegalHold.ACTIVE, Trigger.UNSUBSCRIBE, RequestState.ID_PENDING
NO_BASIS, CHARITY, SIGNUP = LawfulBasis.NONE, SoftOptIn.CHARITY, DataClass.MARKETING_SIGNUP
DATED, NO_KEEP = Collection.DATED, StatutoryKeep.NONE


class Situation(NamedTuple):
    """The statements. The first block is the item's own; then what its dates come to; last what judging adds."""

    data_class: DataClass
    marketing: bool
    lawful_basis: LawfulBasis
    regime: Regime
    trigger: Trigger
    hold: bool
    restriction: Restriction
    objection: Objection
    request_state: RequestState
    identity: IdentityMatch
    exemption: Exemption
    soft_opt_in: SoftOptIn
    anon_profile: AnonymousProfile
    contract_live: bool
    erasure_duty: bool
    child_iss: bool
    flag_excessive: bool
    other_subjects: bool
    is_staff: bool
    verified: bool
    special_category: bool
    present: bool
    lift_notice_sent: bool
    consent_for_marketing: bool

    collection: Collection
    past_period: bool
    statutory_keep: StatutoryKeep
    opted_out: bool  # and no newer consent with proof
    resubscribed: bool  # opted out once, newer consent since
    restored: bool  # collected on or before its recorded erasure
    new_since_erasure: bool
    basis_cannot_exist: bool

    erase_ground: bool = False
    only_ground_is_a_word: bool = False
    restriction_stands: bool = True

    @property
    def asked_to_erase(self) -> bool:
        """An erasure request, or a deferred one until it is answered."""
        return self.trigger is Trigger.ERASURE_REQUEST or self.request_state is RequestState.DEFERRED

    @property
    def subject_trigger(self) -> bool:
        """The person has spoken on more than marketing mail and is owed an answer."""
        return self.asked_to_erase or self.trigger in THE_PERSON_SPEAKS

    @property
    def objects_to_marketing(self) -> bool:
        """Absolute: nothing is weighed (Art. 21(2)-(3))."""
        return self.objection is Objection.MARKETING

    @property
    def lift_untold(self) -> bool:
        """A restriction is over but the subject has not been told (Art. 18(3))."""
        overridden = self.objection is Objection.OVERRIDDEN and not self.lift_notice_sent
        return self.restriction is Restriction.ENDED_UNTOLD or overridden

    @property
    def restricted(self) -> bool:
        """Art. 18 keeps the data from other use, on any of its four grounds or until the subject is told."""
        return self.restriction in IN_FORCE or self.lift_untold or self.objection is Objection.PENDING

    @property
    def exact(self) -> bool:
        """The record is surely the person's who spoke."""
        return self.identity is IdentityMatch.EXACT

    @property
    def own_request(self) -> bool:
        """The subject asks for erasure and is who they say: that ends a restriction made for their sake."""
        return self.trigger is Trigger.ERASURE_REQUEST and self.exact

    @property
    def identity_in_doubt(self) -> bool:
        """Somebody's word is to be acted on and it is not settled that the record is theirs."""
        return not self.exact and (self.subject_trigger or self.only_ground_is_a_word)

    @property
    def carried_by_consent_alone(self) -> bool:
        """Nothing but consent holds the data: once it is gone, so is the basis."""
        return self.lawful_basis is LawfulBasis.CONSENT and not self.contract_live

    @property
    def claim_open(self) -> bool:
        """A complaint or claim is open, with no formal hold (Art. 17(3)(e))."""
        return self.exemption is Exemption.CLAIMS

    @property
    def kept_for_one_purpose(self) -> bool:
        """Erasure is asked for and only a statute or a claim still needs the data: storage is all that is left."""
        needed = self.statutory_keep is StatutoryKeep.RUNNING or self.claim_open
        return self.asked_to_erase and not self.contract_live and needed

    @property
    def only_marketing_is_refused(self) -> bool:
        """The person has spoken against marketing and against nothing else."""
        against_marketing = self.opted_out or self.objects_to_marketing
        more = self.asked_to_erase or self.trigger is Trigger.CONSENT_WITHDRAWAL
        weighed = self.trigger is Trigger.OBJECTION and not self.objects_to_marketing
        return against_marketing and not more and not weighed

    @property
    def consent_is_gone(self) -> bool:
        """By request, by withdrawal, or (for a consent to marketing alone) by a word against marketing."""
        taken_back = self.trigger in (Trigger.ERASURE_REQUEST, Trigger.CONSENT_WITHDRAWAL)
        return taken_back or (self.consent_for_marketing and (self.opted_out or self.objects_to_marketing))

    @property
    def refuses_marketing(self) -> bool:
        """Any of the ways to say so; it takes effect at once and waits for no proof of identity."""
        erases_marketing = self.asked_to_erase and self.marketing
        withdraws = self.trigger is Trigger.CONSENT_WITHDRAWAL
        return self.opted_out or self.objects_to_marketing or withdraws or erases_marketing

    @property
    def erasure_at_issue(self) -> bool:
        """There is a ground, or somebody asks for erasure, or objects."""
        return self.erase_ground or self.asked_to_erase or self.trigger is Trigger.OBJECTION

    @property
    def never_by_time(self) -> bool:
        """Sign-up details are promised until unsubscribe: neither their age nor a missing date ends them."""
        return self.data_class is SIGNUP


def situation(item: Item, periods: Periods, today: date) -> Situation:
    """State what is true of an item on a day. Statutes and contracts are taken as none outside the business classes."""
    data_class, collected_on, erased_on = item.data_class, item.collected_on, item.erased_on
    business = data_class in periods.business
    collection, past_period = _age(data_class, collected_on, periods, today)
    opted_out, resubscribed = _opt_out(item, today)
    return Situation(
        data_class=data_class,
        marketing=data_class in periods.marketing,
        lawful_basis=item.lawful_basis,
        regime=item.regime,
        trigger=item.trigger,
        hold=item.legal_hold is HELD,
        restriction=item.restriction,
        objection=item.objection,
        request_state=item.request_state,
        identity=_identity(item),
        exemption=item.exemption,
        soft_opt_in=item.soft_opt_in,
        anon_profile=item.anon_profile,
        contract_live=item.contract_live and business,
        erasure_duty=item.erasure_duty,
        child_iss=item.child_iss,
        flag_excessive=item.flag_excessive,
        other_subjects=item.other_subjects,
        is_staff=item.is_staff,
        verified=item.verified,
        special_category=item.special_category,
        present=item.present,
        lift_notice_sent=item.lift_notice_sent,
        consent_for_marketing=item.consent_for_marketing,
        collection=collection,
        past_period=past_period,
        statutory_keep=_statutory_keep(item.transaction_keep_until, today) if business else NO_KEEP,
        opted_out=opted_out,
        resubscribed=resubscribed,
        restored=erased_on is not None and collected_on is not None and collected_on <= erased_on,
        new_since_erasure=erased_on is not None and collected_on is not None and collected_on > erased_on,
        basis_cannot_exist=item.lawful_basis is NO_BASIS or _charity_not_covered(item, periods),
    )


def _identity(item: Item) -> IdentityMatch:
    """Take the weaker of match and request: a requester whose papers are awaited is nobody yet."""
    awaited = item.request_state is PAPERS_AWAITED and item.trigger in THE_PERSON_SPEAKS
    if awaited and item.identity_match is IdentityMatch.EXACT:
        return IdentityMatch.PENDING
    return item.identity_match


def _age(data_class: DataClass, collected_on: date | None, periods: Periods, today: date) -> tuple[Collection, bool]:
    """Say what the collection date is worth, and whether the period that began on it is over."""
    if collected_on is None:
        return Collection.MISSING, False
    if collected_on > today:
        return Collection.IN_FUTURE, False
    return DATED, data_class is not SIGNUP and today > last_kept_day(collected_on, periods.years_for(data_class))


def _statutory_keep(keep_until: date | None, today: date) -> StatutoryKeep:
    if keep_until is None:
        return NO_KEEP
    return StatutoryKeep.RUNNING if today <= keep_until else StatutoryKeep.ENDED


def _opt_out(item: Item, today: date) -> tuple[bool, bool]:
    """Say whether the person is opted out, and whether they were and have come back."""
    opted_out_on = item.unsubscribed_on
    if opted_out_on is None:
        if item.trigger is not UNSUBSCRIBED:
            return False, False
        opted_out_on = today
    # A consent dated after today proves nothing, and one of the same day may have come first.
    came_back = item.fresh_consent_on is not None and opted_out_on < item.fresh_consent_on <= today
    return not came_back, came_back


def _charity_not_covered(item: Item, periods: Periods) -> bool:
    if item.soft_opt_in is not CHARITY:
        return False
    first_day = periods.charity_soft_opt_in_from.get(item.regime)
    return first_day is None or (item.collected_on is not None and item.collected_on < first_day)
