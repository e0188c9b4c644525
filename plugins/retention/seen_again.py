"""Has somebody come back who was erased or suppressed before, and how? Restored, re-imported or newly collected.

Pure. A record that its own erasure should have removed is *restored*. Another record of the same person, in the same
system, never met before, is *re-imported* where its data is as old as what went, *newly collected* where it is newer.
Data that came with a newer consent is nobody's incident.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from retention import clocks
from retention.knowledge import Known
from retention.store.incidents import Kind
from retention.verdicts import ReasonCode
from retention.vocabulary import Dated


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the ledger knows from before of the people met tonight in one system; by record pseudonym of tonight."""

    erased: Mapping[bytes, date]  # the person was erased from this system, in another record, last on this day
    suppressed: Mapping[bytes, date]  # the person was on the suppression list before tonight, since this day
    met: Collection[bytes]  # the record itself was met in an earlier sweep


def incidents(known: Known, reasons: Collection[str], earlier: Earlier, zone: ZoneInfo) -> Iterator[Kind]:
    """What about this record somebody must look at."""
    days: dict[str, date] = {c.data_class: _day(c.collected, zone) for c in known.facts.classes if c.collected}
    if ReasonCode.SPECIAL_CATEGORY in reasons:
        yield Kind.SPECIAL_CATEGORY
    if ReasonCode.RESTORED_AFTER_ERASURE in reasons or any(
        (day := days.get(data_class)) is not None and day <= erased for data_class, erased in known.erased.items()
    ):
        yield Kind.RESTORED
        return
    gone = [when[known.record_key] for when in (earlier.erased, earlier.suppressed) if known.record_key in when]
    if not gone or not days or known.record_key in earlier.met:
        return
    consents = [c.consented_on for c in known.consent.values()] + [known.facts.consented_on]
    if any(consented is not None and consented > max(gone) for consented in consents):
        return
    yield Kind.NEWLY_COLLECTED if min(days.values()) > max(gone) else Kind.RE_IMPORTED


def _day(collected: Dated, zone: ZoneInfo) -> date:
    return clocks.local_day(collected.value, zone) if isinstance(collected.value, datetime) else collected.value
