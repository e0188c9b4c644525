"""What does the ledger know about a finding, beyond what its own system said? The join over systems, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from retention.asking import Asked
from retention.holds import WHOLE, Reach
from retention.restriction import Restricting
from retention.review import Answer
from retention.vocabulary import Facts


@dataclass(frozen=True, slots=True)
class Consent:
    """What all systems together say of one person's consent to marketing, as of this sweep."""

    opted_out: bool = False
    opted_out_on: date | None = None  # None with `opted_out`: the day is not known
    consented_on: date | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A finding with everything the ledger knows about it; what `judge` decides on."""

    record_key: bytes
    kind: str
    version: str
    facts: Facts
    shared: bool
    subjects: tuple[bytes, ...]
    folded: tuple[bytes, ...]  # under every generation of keys: by these a hold finds it
    consent: Mapping[bytes, Consent]  # per subject
    weak_opt_out: bool  # an opt-out reaches it by the folded form of an address only, tonight or on an earlier night
    held: bool  # under a legal hold, wholly or in part
    restricted_by_us: bool
    erased: Mapping[str, date]  # data class -> when we erased it from this very record
    older_keys: tuple[bytes, ...] = ()  # the record's pseudonyms under older generations of keys
    answer: Answer | None = None  # a person's, to what was asked about it on an earlier night
    reaches: tuple[Reach, ...] = (WHOLE,)  # what the holds that found it cover of it
    restricting: tuple[Restricting, ...] = ()  # the Art. 18 matters of its subjects, lifted ones too
    said: Mapping[bytes, tuple[Asked, ...]] = field(default_factory=dict)  # by requests, of each of its people
    weak: tuple[str, ...] = ()  # why it may be about people by whom it is not known: see `retention.holds.Weak`
