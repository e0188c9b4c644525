"""What must a system let the contract suite do behind the connector's back? A tester's back door, the same for all.

A connector's test file supplies one fixture and nothing else:

    class TestSalesforce(ConnectorContract):
        @pytest.fixture
        def world(self, emulator: Emulator) -> World:
            emulator.reset()
            return SalesforceWorld(emulator)

The suite asks for a fresh world in every test (resetting an emulator that keeps running is enough). It builds every
`Step` itself and takes versions from `read_back`, so a world needs to know nothing of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Protocol

from retention.contract import Connector
from retention.vocabulary import Action, RecordRef, Scalar

CUTOFF_DAY = date(2021, 11, 23)
CUTOFF = datetime(2021, 11, 23, tzinfo=UTC)
"""The suite looks for what was collected before this day, or this instant where a field holds instants."""

EXPIRED_ON = date(2021, 11, 22)
SHORT_ON = date(2021, 11, 23)
LIVE_ON = date(2026, 6, 1)


class Sample(StrEnum):
    """Which kind of record to make. Unless said otherwise: collected on LIVE_ON, not opted out, not restricted."""

    LIVE = "live"  # nothing special about it: it may be erased, and nothing else hangs on it
    EXPIRED = "expired"  # everything in it was collected on EXPIRED_ON (noon UTC, where an instant is stored)
    ONE_DAY_SHORT = "one-day-short"  # everything in it was collected on SHORT_ON (noon UTC), the first day not before
    OPTED_OUT = "opted-out"  # opted out of marketing, by the field or list that the system itself uses
    UNDATED = "undated"  # nothing in it has a provable collection date (imported)
    MIXED = "mixed"  # holds more than one data class, the `clearable` fields filled and others filled too
    SHARED = "shared"  # names the given address and at least one other subject


class Fault(StrEnum):
    """How the next calls go wrong."""

    UNAVAILABLE = "unavailable"  # 503 or no connection, more often than the client's retry budget
    DENIED = "denied"  # 401 or 403 to everything: credentials or permissions are wrong
    TIMEOUT_AFTER_EFFECT = "timeout-after-effect"  # it takes effect, the answer never comes
    SUCCESS_WITHOUT_EFFECT = "success-without-effect"  # the answer says done, nothing was
    TRUNCATED = "truncated"  # an answer to a search breaks off half way
    HIDDEN = "hidden"  # every record reads as "not found", the connector's control record too


class World(Protocol):
    """One system with its data, seen by the tester: through the emulator's control surface, its API, or in memory."""

    connector: Connector
    """Ready. Built with the smallest page the vendor allows, so that a search has several, and without long waits."""

    samples: frozenset[Sample]
    """What `make` can make. LIVE is owed by all; what makes no sense here is left out and its tests are skipped."""

    faults: frozenset[Fault]
    """What `break_next` can break. Left out: skipped, with the reason shown."""

    clearable: tuple[str, ...]
    """REDACT: the fields of a MIXED record to clear. Empty where redaction is by address: SHARED is used then."""

    corrections: Mapping[str, Scalar]
    """RECTIFY: fields of a LIVE record with the values they shall have, different from what `make` stores."""

    bookkeeping: frozenset[str]
    """Names in a record's `snapshot` that the system itself changes with every write (modification times, etags)."""

    secrets: tuple[str, ...]
    """Passwords and tokens the connector was given: texts that no exception may show."""

    def reconnect(self) -> Connector:
        """Give a second connector on the same system, as another worker would build it."""
        ...

    def make(self, sample: Sample, email: str) -> RecordRef:
        """Store a new record about the person at this address and say where it lies (`version` may stay empty)."""
        ...

    def change(self, ref: RecordRef) -> None:
        """Let somebody else edit the record, so that its version moves on."""
        ...

    def remove(self, ref: RecordRef) -> None:
        """Let somebody else delete the record for good: bins, archives and versions included."""
        ...

    def snapshot(self) -> Mapping[tuple[str, str], Mapping[str, object]]:
        """Everything stored, field by field, under the (kind, key) of the record it belongs to.

        A record that RESTRICT or ERASE moves elsewhere (a bin, a quarantine folder) stays under its first key.
        What belongs to no record that the connector serves stands under keys of its own, so that damage shows.
        """
        ...

    def break_next(self, fault: Fault, doing: Action | None = None) -> None:
        """Break the coming calls: only those by which `doing` takes effect, or without it all (TRUNCATED: searches).

        As often as the client repeats a call. The two faults about effects always come with `doing`, and reading
        goes on undisturbed beside them.
        """
        ...

    def finish(self) -> None:
        """Let the vendor finish what it has only accepted so far (move its clock on); often nothing to do."""
        ...
