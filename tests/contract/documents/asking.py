"""How do these tests read pages, look at one file, and act on some?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from connectors.documents import DocumentsConnector
from retention.vocabulary import (
    Action,
    Finding,
    GapCode,
    Identifier,
    IdentifierKind,
    OutcomeStatus,
    Page,
    Presence,
    Reason,
    RecordRef,
    Step,
)
from tests.contract.documents_world import SYSTEM
from tests.contract.world import World
from tests.leave import Leave
from tests.walking import Pages, walk


def pages(connector: DocumentsConnector, since: Pages | None = None) -> Pages:
    """What there is, or what changed since an earlier walk."""
    return walk(connector, since.remembered if since is not None else None)


def found(pages: Sequence[Page]) -> dict[str, Finding]:
    return {finding.ref.key: finding for page in pages for finding in page.findings}


def gaps(pages: Sequence[Page]) -> dict[str, tuple[GapCode, str]]:
    return {gap.ref.key: (gap.code, gap.what) for page in pages for gap in page.gaps if gap.ref}


def collected(finding: Finding) -> date:
    (facts,) = finding.facts.classes
    assert facts.collected is not None
    return facts.collected.value.date() if isinstance(facts.collected.value, datetime) else facts.collected.value


def ref_of(world: World, path: str) -> RecordRef:
    (seen,) = world.connector.read_back([Step("look", RecordRef(SYSTEM, "file", path), Action.ERASE)])
    return seen.ref


def act(world: World, action: Action, *refs: RecordRef, **how: Any) -> list[tuple[OutcomeStatus, Reason]]:
    steps = [Step(f"step-{number}", ref, action, **how) for number, ref in enumerate(refs)]
    return [(o.status, o.reason) for o in world.connector.act(action, steps, Leave())]


def presence(world: World, ref: RecordRef) -> Presence:
    (seen,) = world.connector.read_back([Step("look", ref, Action.ERASE)])
    return seen.presence


def email(address: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, address)


DONE = (OutcomeStatus.DONE, Reason.OK)
WRONG = "-".join(("not", "the", "password"))
INVALID = (OutcomeStatus.REFUSED, Reason.VALIDATION)
