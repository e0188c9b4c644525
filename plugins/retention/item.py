"""What is put before `decide`? One data class of one record of one subject, and the periods that apply to it.

Values only. Dates are calendar days at the controller's place; whoever fills an `Item` has done the conversion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from retention.vocabulary import DataClass, LawfulBasis


class Regime(StrEnum):
    """Whose data protection law applies to the record."""

    UK = "UK"
    EU = "EU"


class Trigger(StrEnum):
    """Why the question is asked now."""

    NIGHTLY = "nightly"
    UNSUBSCRIBE = "unsubscribe"
    ERASURE_REQUEST = "erasure_request"
    OBJECTION = "objection"
    CONSENT_WITHDRAWAL = "consent_withdrawal"
    HOLD_RELEASED = "hold_released"
    RESTRICTION_LIFT = "restriction_lift"


class LegalHold(StrEnum):
    """Whether a complaint or litigation keeps the data. Active as long as one of several holds still stands."""

    NONE = "none"
    ACTIVE = "active"
    RELEASED = "released"


class Restriction(StrEnum):
    """The Art. 18(1)(a)-(c) ground in force, or how far its end has come. Art. 18(1)(d) is `Objection.PENDING`."""

    NONE = "none"
    ACCURACY = "accuracy"
    UNLAWFUL = "unlawful"
    CLAIMS = "claims"
    ENDED_UNTOLD = "ended_untold"  # over, but the subject has not been told yet (Art. 18(3))
    ENDED_TOLD = "ended_told"


class Objection(StrEnum):
    """What became of the subject's objection (Art. 21)."""

    NONE = "none"
    MARKETING = "marketing"  # absolute: nothing is weighed
    PENDING = "pending"  # grounds are being weighed
    UPHELD = "upheld"
    OVERRIDDEN = "overridden"


class RequestState(StrEnum):
    """Where the subject's request stands."""

    NONE = "none"
    OPEN = "open"
    ID_PENDING = "id_pending"
    ACCESS_PENDING = "access_pending"  # a copy is owed (Art. 15 or 20)
    DEFERRED = "deferred"  # erasure refused for a time, to be reopened
    ERASED = "erased"


class IdentityMatch(StrEnum):
    """How surely the record is the person's who spoke."""

    EXACT = "exact"
    PENDING = "pending"
    AMBIGUOUS = "ambiguous"  # several persons match
    SHARED = "shared"  # an address of several persons


class Exemption(StrEnum):
    """What Art. 17(3) sets against erasure, beside statutory keeping."""

    NONE = "none"
    EXPRESSION = "expression"
    ARCHIVING = "archiving"
    CLAIMS = "claims"
    PUBLIC_HEALTH = "public_health"


class SoftOptIn(StrEnum):
    """Marketing without consent to those who bought or gave (PECR reg. 22(3), (3A))."""

    NONE = "none"
    COMMERCIAL = "commercial"
    CHARITY = "charity"


class AnonymousProfile(StrEnum):
    """Whether a way to anonymise this data was tested and approved. A pseudonym is none."""

    NONE = "none"
    APPROVED = "approved"
    PSEUDONYMOUS_ONLY = "pseudonymous_only"


class Item(NamedTuple):
    """One data class of one record of one subject, as far as the law asks about it. No payload, no identifier.

    A named tuple, not a frozen dataclass: a million are made in a night, at a third of the cost.
    """

    data_class: DataClass
    lawful_basis: LawfulBasis
    regime: Regime = Regime.UK
    trigger: Trigger = Trigger.NIGHTLY
    collected_on: date | None = None
    unsubscribed_on: date | None = None
    fresh_consent_on: date | None = None  # newest consent with proof
    transaction_keep_until: date | None = None  # last day a statute asks for
    erased_on: date | None = None  # from the erasure register: this record and class were erased then
    legal_hold: LegalHold = LegalHold.NONE
    restriction: Restriction = Restriction.NONE
    objection: Objection = Objection.NONE
    request_state: RequestState = RequestState.NONE
    identity_match: IdentityMatch = IdentityMatch.EXACT
    exemption: Exemption = Exemption.NONE
    soft_opt_in: SoftOptIn = SoftOptIn.NONE
    anon_profile: AnonymousProfile = AnonymousProfile.NONE
    contract_live: bool = False
    erasure_duty: bool = False  # a court or regulator orders erasure
    child_iss: bool = False  # collected from a child online (Art. 8)
    flag_excessive: bool = False  # somebody thinks the request excessive; a person decides
    other_subjects: bool = False  # other people's data in the same item
    is_staff: bool = False
    verified: bool = False  # the identity check these papers served is done
    special_category: bool = False
    present: bool = True
    lift_notice_sent: bool = False  # Art. 18(3) notice after an overridden objection
    consent_for_marketing: bool = False  # the consent covers marketing and nothing else


MARKETING = frozenset({DataClass.MARKETING_SIGNUP, DataClass.MARKETING_PROFILE, DataClass.AD_AUDIENCE})
BUSINESS = frozenset(
    {
        DataClass.CONTACT_IDENTITY,
        DataClass.CONTACT_NOTES,
        DataClass.TRANSACTION_RECORD,
        DataClass.EMAIL_MESSAGE,
        DataClass.DOCUMENT,
    }
)
TECHNICAL = frozenset({DataClass.USAGE_DATA, DataClass.WEB_TECHNICAL})


@dataclass(frozen=True, slots=True)
class Periods:
    """The numbers and groups of the retention schedule that `decide` needs. The defaults are the published promise.

    Opt-outs and marketing objections end `marketing` classes; contracts and statutes prolong `business` classes only.
    """

    years: int = 5
    years_by_class: Mapping[DataClass, int] = field(default_factory=lambda: MappingProxyType({}))
    marketing: frozenset[DataClass] = MARKETING
    business: frozenset[DataClass] = BUSINESS
    technical: frozenset[DataClass] = TECHNICAL
    charity_soft_opt_in_from: Mapping[Regime, date] = field(
        default_factory=lambda: MappingProxyType({Regime.UK: date(2026, 2, 5)})
    )
    """Where a charitable soft opt-in exists, and the first collection date it covers. It was not made retroactive."""

    def __post_init__(self) -> None:
        """Refuse periods that are no periods, and a class that two groups claim."""
        if self.years < 1 or any(years < 1 for years in self.years_by_class.values()):
            raise ValueError("a retention period is at least one year")
        groups = (self.marketing, self.business, self.technical)
        if sum(map(len, groups)) != len(frozenset().union(*groups)):
            raise ValueError("a data class stands in one group only: marketing, business or technical")

    def years_for(self, data_class: DataClass) -> int:
        """Give the period of one class in whole years."""
        return self.years_by_class.get(data_class, self.years)


PROMISED = Periods()
"""The periods as published: five years, and the charitable soft opt-in of the UK from 5 February 2026."""
