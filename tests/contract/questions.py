"""How does the suite speak to a connector, and how does it compare what it says?"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest

from retention.contract import Connector, Walked
from retention.vocabulary import (
    Action,
    Criteria,
    Finding,
    GapCode,
    Identifier,
    IdentifierKind,
    Observation,
    Outcome,
    OutcomeStatus,
    Page,
    Presence,
    RecordRef,
    Scalar,
    Step,
    Token,
)
from tests.contract.world import CUTOFF, CUTOFF_DAY, Fault, Sample, World
from tests.leave import Leave
from tests.walking import Pages, Remembered, walk

PRESENT = {Presence.PRESENT, Presence.RESTRICTED}
SUCCEEDED = {OutcomeStatus.DONE, OutcomeStatus.ALREADY_DONE, OutcomeStatus.ACCEPTED}

EVERY_ACTION = pytest.mark.parametrize("action", list(Action), ids=str)
# An opt-out stops marketing whatever else changed in the record meanwhile, so SUPPRESS is not refused for it.
VERSIONED_ACTIONS = pytest.mark.parametrize("action", [a for a in Action if a is not Action.SUPPRESS], ids=str)

MALFORMED_KEYS = {
    "not-a-key": "not-a-key",
    "quote": "' OR '1'='1",
    "path": "../../etc/passwd",
    "line-break": "1\r\n2",
    "empty": "",
}


@dataclass(frozen=True)
class Made:
    """A record of a sample, with the version it had when it was planned for, and the address of its subject."""

    ref: RecordRef
    email: str
    sample: Sample


Make = Callable[..., Made]
Since = Token | Remembered | None


def act(connector: Connector, action: Action, steps: Sequence[Step]) -> list[Outcome]:
    """Do an action in batches of the size the connector declares."""
    size = connector.batch_size[action]
    return [o for i in range(0, len(steps), size) for o in connector.act(action, steps[i : i + size], Leave())]


def reading(record: Made) -> Step:
    """A step as `read_back` takes it, for a test that did nothing."""
    return Step("read", record.ref, Action.ERASE)


def step_for(world: World, record: Made, action: Action) -> Step:
    """The step that a plan would hold for this record."""
    by_address = action is Action.SUPPRESS or (action is Action.REDACT and not world.clearable)
    values: Mapping[str, Scalar] = world.corrections if action is Action.RECTIFY else {}
    return Step(
        step_id=f"step-{action}",
        ref=record.ref,
        action=action,
        fields=world.clearable if action is Action.REDACT else (),
        identifiers=(Identifier(IdentifierKind.EMAIL, record.email),) if by_address else (),
        values=values,
    )


def need(world: World, action: Action) -> None:
    if action not in world.connector.supports:
        pytest.skip(f"{world.connector.system} does not support {action}")


def prepared(world: World, made: Make, action: Action) -> tuple[Made, Step]:
    """A record to which the action can be done, and the step that does it; skips where the system cannot do it."""
    need(world, action)
    redacted = Sample.MIXED if world.clearable else Sample.SHARED
    record = made(redacted if action is Action.REDACT else Sample.LIVE)
    step = step_for(world, record, action)
    if action is Action.RELEASE:
        (restricted,) = act(world.connector, Action.RESTRICT, [step_for(world, record, Action.RESTRICT)])
        step = replace(step, ref=current(world.connector, record.ref), values=restricted.previous)
    return record, step


def current(connector: Connector, ref: RecordRef) -> RecordRef:
    """The record with its version of now."""
    (observation,) = connector.read_back([Step("version", ref, Action.ERASE)])
    return observation.ref


def current_presence(world: World, step: Step) -> Presence:
    (observation,) = world.reconnect().read_back([step])
    return observation.presence


def shows(world: World, seen: Observation, step: Step) -> bool:
    """Whether the system, read again, shows the state that the step wants."""
    match step.action:
        case Action.ERASE:
            return seen.presence is Presence.ABSENT
        case Action.RESTRICT:
            return seen.presence is Presence.RESTRICTED
        case Action.RELEASE:
            return seen.presence is Presence.PRESENT
        case Action.SUPPRESS:
            return seen.opted_out is True
        case Action.REDACT if step.fields:
            return not seen.filled & set(step.fields)
        case Action.REDACT:
            return seen.mentions is False
        case Action.RECTIFY:  # a read-back shows no values; an export does
            (document,) = world.reconnect().export([step.ref])
            return all(str(value).encode() in document.content for value in step.values.values())


def break_next(world: World, fault: Fault, doing: Action | None = None) -> None:
    if fault not in world.faults:
        pytest.skip(f"{world.connector.system} cannot be made to fail by {fault}")
    world.break_next(fault, doing)


def listing(world: World) -> list[Page]:
    """All pages of the system's own way of answering: a broad search, or everything there is."""
    return changes(world) if world.connector.catalogued else pages_of(world, broad_criteria())


def reads(world: World, record: Made) -> Iterable[Callable[[], object]]:
    """One call of each kind that reads."""
    connector = world.connector
    if connector.catalogued:
        yield lambda: changes_of(connector)
    else:
        yield lambda: list(connector.find(asking_for(record.email)))
    yield lambda: connector.read_back([reading(record)])
    yield lambda: list(connector.export([record.ref]))


def calls(world: World, record: Made) -> Iterable[Callable[[], object]]:
    """One call of each kind, reading or acting."""
    yield from reads(world, record)
    if Action.ERASE in world.connector.supports:
        yield lambda: act(world.connector, Action.ERASE, [step_for(world, record, Action.ERASE)])


# --- How the suite asks and compares ---


def expired_criteria() -> Criteria:
    return Criteria(collected_before=CUTOFF, collected_before_day=CUTOFF_DAY)


def broad_criteria() -> Criteria:
    """What a sweep asks for."""
    return replace(expired_criteria(), opted_out=True, undated=True)


def asking_for(*addresses: str) -> Criteria:
    return Criteria(identifiers=tuple(Identifier(IdentifierKind.EMAIL, address) for address in addresses))


def pages_of(world: World, criteria: Criteria) -> list[Page]:
    if world.connector.catalogued:
        pytest.skip(f"{world.connector.system} is catalogued: the core answers searches")
    return list(world.connector.find(criteria))


def search(world: World, criteria: Criteria) -> list[Finding]:
    """What a search finds, with nothing left unread."""
    pages = pages_of(world, criteria)
    assert not [gap for page in pages for gap in page.gaps if gap.code is not GapCode.NO_DELETE_API]
    return findings_of(pages)


def changes(world: World, since: Since = None) -> Sequence[Page]:
    """What changed since; how a catalogued system tells, it says itself or it is walked."""
    if not world.connector.catalogued:
        pytest.skip(f"{world.connector.system} answers searches itself")
    return changes_of(world.connector, since)


def changes_of(connector: Connector, since: Since = None) -> Sequence[Page]:
    if isinstance(connector, Walked):
        assert since is None or isinstance(since, Remembered)
        return walk(connector, since)
    assert not isinstance(since, Remembered)
    return list(connector.changes(since))


def position_after(pages: Sequence[Page]) -> Since:
    """From where the next reading goes on."""
    if isinstance(pages, Pages):
        return pages.remembered
    token = pages[-1].next
    assert isinstance(token, bytes)
    return Token(token)


def everything_about(world: World, *records: Made) -> dict[RecordRef, Finding]:
    """The finding of each of these records, however the system answers."""
    if world.connector.catalogued:
        found = findings_of(changes(world))
    else:
        found = search(world, asking_for(*(record.email for record in records)))
    wanted = {record.ref for record in records}
    findings = {finding.ref: finding for finding in found if finding.ref in wanted}
    assert set(findings) == wanted
    return findings


def findings_of(pages: Iterable[Page]) -> list[Finding]:
    return [finding for page in pages for finding in page.findings]


def refs(findings: Iterable[Finding]) -> set[RecordRef]:
    return {finding.ref for finding in findings}


def key_of(ref: RecordRef) -> tuple[str, str]:
    return ref.kind, ref.key


def keys_of(found: Iterable[RecordRef]) -> set[tuple[str, str]]:
    return {key_of(ref) for ref in found}


def day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def collection_days(finding: Finding) -> set[date]:
    return {day(facts.collected.value) for facts in finding.facts.classes if facts.collected}


def is_expired(finding: Finding) -> bool:
    return any(collected < CUTOFF_DAY for collected in collection_days(finding))


def has_no_date(finding: Finding) -> bool:
    return any(facts.collected is None for facts in finding.facts.classes)


def others(
    snapshot: Mapping[tuple[str, str], Mapping[str, object]], ref: RecordRef
) -> dict[tuple[str, str], Mapping[str, object]]:
    return {key: stored for key, stored in snapshot.items() if key != key_of(ref)}


def differences(before: Mapping[str, object], after: Mapping[str, object], ignored: frozenset[str]) -> set[str]:
    """Names whose stored value is not what it was."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} - ignored


def assert_discloses_nothing(error: BaseException, world: World, record: Made | None = None) -> None:
    """Nothing that a log would print of this exception, causes included, names a person or holds a secret."""
    printed = "".join(traceback.format_exception(error)) + repr(error)
    if record is not None:
        assert record.email not in printed
    assert not any(secret in printed for secret in world.secrets)
    assert world.connector.system in str(error)
