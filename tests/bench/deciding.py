"""How many items are decided in a second, beside a bare loop over the same items?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import cycle, islice

from retention.decide import PROMISED, decide
from retention.item import Item, LegalHold, Regime, Trigger
from retention.vocabulary import DataClass, LawfulBasis
from tests.bench.running import AS_OF

ITEMS = 1_000_000
_CLASSES = (
    DataClass.MARKETING_SIGNUP,
    DataClass.MARKETING_PROFILE,
    DataClass.CONTACT_IDENTITY,
    DataClass.CONTACT_NOTES,
)


def measure() -> Iterator[tuple[str, float, float]]:
    started = time.perf_counter()
    for _ in items():
        pass
    bare = time.perf_counter() - started
    started = time.perf_counter()
    for item in items():
        decide(item, PROMISED, AS_OF)
    ours = time.perf_counter() - started
    yield "decide.items_per_s", ITEMS / ours, ITEMS / bare


def items() -> Iterator[Item]:
    """A million items, made as they are read: dates of ten years, every class of a contact, opt-outs, keeps, holds."""
    days = cycle([AS_OF - timedelta(days=n) for n in range(3_650)])
    classes = cycle(_CLASSES)
    for number, day in enumerate(islice(days, ITEMS)):
        opted_out = number % 33 == 0
        yield Item(
            data_class=next(classes),
            lawful_basis=LawfulBasis.CONSENT,
            regime=Regime.UK if number % 5 else Regime.EU,
            trigger=Trigger.UNSUBSCRIBE if opted_out else Trigger.NIGHTLY,
            collected_on=day if number % 101 else None,
            unsubscribed_on=AS_OF - timedelta(days=number % 400) if opted_out else None,
            transaction_keep_until=date(AS_OF.year + number % 7 - 2, 3, 31) if number % 11 == 0 else None,
            legal_hold=LegalHold.ACTIVE if number % 1_009 == 0 else LegalHold.NONE,
            consent_for_marketing=number % 3 == 0,
        )
