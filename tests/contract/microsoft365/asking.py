"""How do these tests read a tenant's changes, plan for one item, and act on it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from connectors.microsoft365 import Microsoft365Connector
from retention.vocabulary import (
    Action,
    Finding,
    GapCode,
    Identifier,
    IdentifierKind,
    Observation,
    Outcome,
    OutcomeStatus,
    Page,
    Presence,
    Reason,
    RecordRef,
    Step,
    Token,
)
from tests.contract.microsoft365_tenant import Row, Tenant, message
from tests.contract.microsoft365_world import SYSTEM, connect
from tests.leave import Leave

DONE = (OutcomeStatus.DONE, Reason.OK)
HELD = (OutcomeStatus.REFUSED, Reason.LOCKED)
CHANGED = (OutcomeStatus.REFUSED, Reason.CHANGED)
RECOVERABLE = (OutcomeStatus.ACCEPTED, Reason.RECOVERABLE)
OUTSIDER = "ann@example.com"


def tenant_with(*rows: Row, **how: Any) -> tuple[Tenant, list[str]]:
    """A tenant of one mailbox, with these messages in its inbox, and their ids."""
    tenant = Tenant(**how)
    tenant.add_box()
    return tenant, [tenant.add("message", row) for row in rows]


def mail(count: int = 1) -> list[Row]:
    return [message(f"ann-{n}@example.com", "sales@ours.example") for n in range(count)]


def pages(connector: Microsoft365Connector, since: Token | None = None) -> list[Page]:
    return list(connector.changes(since))


def found(pages: Sequence[Page]) -> dict[str, Finding]:
    """Findings by the id of their item."""
    return {f.ref.key.partition("/")[2]: f for page in pages for f in page.findings}


def gone(pages: Sequence[Page]) -> set[str]:
    return {ref.key.partition("/")[2] for page in pages for ref in page.gone}


def gaps(pages: Sequence[Page]) -> set[tuple[GapCode, str]]:
    return {(gap.code, gap.what) for page in pages for gap in page.gaps}


def token_of(pages: Sequence[Page]) -> Token:
    token = pages[-1].next
    assert isinstance(token, bytes)
    return Token(token)


def names(finding: Finding) -> set[str]:
    return {one.value for one in finding.identifiers}


def step(tenant: Tenant, item: str, action: Action = Action.ERASE, box: str = "u1", **how: Any) -> Step:
    """A step planned for an item as it is now."""
    stored = tenant.boxes[box].items[item]
    return Step("step", RecordRef(SYSTEM, stored.kind, f"{box}/{item}", stored.row["changeKey"]), action, **how)


def act(tenant: Tenant, action: Action, *steps: Step, **how: Any) -> list[tuple[OutcomeStatus, Reason]]:
    return [(o.status, o.reason) for o in outcomes(tenant, action, *steps, **how)]


def outcomes(tenant: Tenant, action: Action, *steps: Step, **how: Any) -> list[Outcome]:
    return list(connect(tenant, **how).act(action, steps, Leave()))


def seen(tenant: Tenant, one: Step, **how: Any) -> Observation:
    (observation,) = connect(tenant, **how).read_back([one])
    return observation


def presence(tenant: Tenant, one: Step, **how: Any) -> Presence:
    return seen(tenant, one, **how).presence


def planned_anew(tenant: Tenant, one: Step, **how: Any) -> Step:
    """The same step, planned for the item as it is now."""
    return replace(one, ref=seen(tenant, one).ref, **how)


def email(address: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, address)
