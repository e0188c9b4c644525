"""What must a system's connector be able to do? The protocol, its few exceptions, and the promises behind it.

Promises (each one is a test in `tests/contract/suite.py`):

1. One outcome per step, in the order of the steps.
2. One bad record is an outcome, never an exception. The exceptions below mean that the whole call cannot be served.
3. Doing it twice is safe. An absence read also reads a known-present control record.
4. A record that changed after planning (`RecordRef.version`) is refused, not touched on old facts.
5. Findings carry facts, never payloads; evidence proves and does not disclose.
6. No policy inside: a connector knows neither five years nor legal holds.
7. The constructor takes a ready client; it reads no environment, no Airflow, no clock, and never touches the store.
8. Directly before each single request that destroys or changes something the connector asks `Warrant.check`, also
   before a repetition and between the requests of one batch. Once that raises `Stopped` nothing more is sent; the
   connector answers with the outcomes of what was sent, and FAILED with `Reason.NOT_SENT` for all the rest.
9. RESTRICT also empties `Step.fields` (what is kept is minimised); those values are not remembered. It notes
   the previous state it found (`Handle.previous`) before it changes anything and reports it in the outcome; on a
   restricted record it changes and reports nothing (`SAME`). RELEASE puts back exactly the values given.
10. RECTIFY sets exactly `Step.values`, texts as the subject wrote them, and empties a field whose text is empty. It
   notes what stood there (`Handle.previous`) before it changes anything. What a field cannot hold is refused. A
   read-back of such a step says whether the values stand there (`Observation.corrected`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from retention.listings import Extent, Part
from retention.vocabulary import (
    Action,
    Criteria,
    Cursor,
    Document,
    GapCode,
    Handle,
    Observation,
    Outcome,
    Page,
    RecordRef,
    Step,
    Token,
)


class ConnectorError(Exception):
    """The whole call cannot be served. The text names system, what failed and the next step; no personal data."""


class Unavailable(ConnectorError):
    """The system did not answer, or answered that it cannot now. Trying later may help."""


class AccessDenied(ConnectorError):
    """Credentials or permissions are wrong. Trying again will not help."""


class Throttled(ConnectorError):
    """The allowance is used up. `retry_after` is in seconds, where the system said."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unsupported(ConnectorError):
    """The verb is not in `supports`."""


class Incomplete(ConnectorError):
    """The system stopped half way through an answer. What was read is not a population; nothing may act on it."""


class Stopped(Exception):
    """The core's leave to act ended: the call in flight ends, none follows. Nothing was sent under this `check`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a connection must allow. `lacking` says what is missing; empty if nothing is.

    `to_act`: only needed to change something, so a connection that may only read does without.
    """

    what: str
    lacking: str = ""
    to_act: bool = False

    @property
    def line(self) -> str:
        """How a person is told."""
        return f"MISSING  {self.what}: {self.lacking}" if self.lacking else f"ok       {self.what}"


class Warrant(Protocol):
    """The core's leave to act on one batch, which may end at any moment."""

    def note(self, handle: Handle) -> None:
        """Make the vendor's job id, or what RESTRICT found, durable before anything takes effect."""
        ...

    def check(self) -> None:
        """Return while the leave stands; raise `Stopped` once it ended, and from then on every time."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue knows of a record from an earlier reading: its version, its mark, why it was not read."""

    version: str
    mark: bytes = field(repr=False)
    gap: GapCode | None


class Memory(Protocol):
    """What the core remembers of earlier readings, for a connector whose system cannot say what changed."""

    def listing(self) -> int:
        """A number for a listing, drawn before the system is asked: who asks later gets a higher one, in any worker."""
        ...

    def known(self, kind: str, keys: Sequence[str]) -> Mapping[str, Known]:
        """What is known of these records, by key; left out are those never read, and those whose turn it is again."""
        ...

    def extents(self, groups: Sequence[str]) -> Mapping[str, Extent]:
        """How much lay in and below each group when it was last listed; groups never listed are left out."""
        ...


class Connector(Protocol):
    """One system instance that holds personal data."""

    system: str
    """The instance's name in policy, ledger and audit."""

    tenant: str
    """Fingerprint of the account behind it: a plan made for another refuses to run."""

    supports: frozenset[Action]
    """What it can truly do; the planner turns the rest into tasks for a person."""

    catalogued: bool
    """Whether the core keeps a catalogue fed by `changes` and answers `find` from it."""

    batch_size: Mapping[Action, int]
    """The vendor's largest batch per supported action, in records."""

    def find(self, criteria: Criteria, after: Cursor | None = None) -> Iterator[Page]:
        """Yield findings page by page in a stable order; `after` resumes within one sweep. Not if catalogued."""
        ...

    def changes(self, since: Token | None) -> Iterator[Page]:
        """Yield what changed since a token (None: everything), the last page with the next token.

        For catalogued systems that can tell; those that cannot are `Walked`.
        """
        ...

    def act(self, action: Action, batch: Sequence[Step], warrant: Warrant) -> Sequence[Outcome]:
        """Do one action to every record of a batch, asking the warrant before each request that has an effect."""
        ...

    def settle(self, handle: Handle) -> Sequence[Outcome]:
        """Learn how a noted call ended whose answer was lost or is still to come; one outcome per ref of the handle."""
        ...

    def read_back(self, batch: Sequence[Step]) -> Sequence[Observation]:
        """Say per record what the strictest views show; reads only."""
        ...

    def export(self, batch: Sequence[RecordRef]) -> Iterator[Document]:
        """Yield each present record's personal data for access or portability."""
        ...

    def link(self, ref: RecordRef) -> str | None:
        """Give the address where a person with rights can look at the record in the vendor's own screen."""
        ...

    def checks(self) -> Iterator[Check]:
        """Say what the connection must allow and whether it does; reads only, never a person's record."""
        ...


@runtime_checkable
class Walked(Connector, Protocol):
    """A catalogued system that cannot say what changed: all of it is listed each time, by one worker or by several.

    The parts of one division name every record exactly once, whatever appears between the division and the walk.
    """

    def divide(self, memory: Memory, at_most: int) -> Sequence[Part]:
        """Cut what there is into at most so many parts of about the same work."""
        ...

    def walk(self, part: Part, memory: Memory) -> Iterator[Page]:
        """Yield all of one part: what is new or changed as findings, what is as the memory knows it as unchanged."""
        ...
