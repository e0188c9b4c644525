"""How many items are decided in a second, beside a bare loop over the same items, and does memory stay flat?"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import cycle, islice
from pathlib import Path

from retention.decide import PROMISED, decide
from retention.item import Item, LegalHold, Regime, Trigger
from retention.vocabulary import DataClass, LawfulBasis
from tests.bench.running import AS_OF, ROOT

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
    yield "decide.memory_mb", _peak_of(ITEMS), _peak_of(ITEMS // 10)


def _peak_of(count: int) -> float:
    """The most memory, in MB, that a process of its own needs to decide so many items."""
    command = [sys.executable, "-m", "tests.bench.deciding", str(count)]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def peak_memory() -> float:
    """Linux counts the parent's memory in what `getrusage` says of a child, so it is asked for this program's own."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 2**10


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


if __name__ == "__main__":
    for one in islice(items(), int(sys.argv[1])):
        decide(one, PROMISED, AS_OF)
    sys.stdout.write(f"{peak_memory()}\n")
