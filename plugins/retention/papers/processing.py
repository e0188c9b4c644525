"""What stands in the record of processing activities (Art. 30(1))? One activity for each class of data the policy has.

Everything is the policy's own; what it does not state is `NOT_STATED`, never a guess. Periods are the schedule's: law
that outranks it (holds, statutory keeps) is named beside the rule that it outranks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from retention.policy import Policy, SystemPolicy
from retention.vocabulary import DataClass, LawfulBasis

NOT_STATED = "not stated"
NOBODY = "nobody"
ACTIVITY_COLUMNS = (
    "data",
    "purpose",
    "people",
    "legal_basis",
    "systems",
    "recipients",
    "transfers",
    "kept",
    "rule",
    "because",
)
STORE_COLUMNS = ("store", "kept", "starts_from", "ended_by", "end", "because")


@dataclass(frozen=True, slots=True)
class Record:
    """The record: whose it is, and its lines. Every line has a text for each column."""

    policy: str
    policy_digest: str
    as_of: str
    controller: str
    contact: str
    representative: str
    officer: str
    security: str
    activities: tuple[Mapping[str, str], ...]
    stores: tuple[Mapping[str, str], ...]
    """What the pipeline itself keeps about people."""


def drawn_from(policy: Policy, as_of: str) -> Record:
    """The record of processing as the policy has it on a day."""
    schedule = policy.schedule
    said = schedule.processing
    return Record(
        policy=schedule.policy,
        policy_digest=policy.digest,
        as_of=as_of,
        controller=schedule.answering.controller,
        contact=schedule.answering.contact,
        representative=said.representative or NOT_STATED,
        officer=said.officer or NOT_STATED,
        security=said.security or NOT_STATED,
        activities=tuple(_activities(policy)),
        stores=tuple(
            {
                "store": name.value.replace("_", " "),
                "kept": store.period,
                "starts_from": store.starts_from,
                "ended_by": store.ended_by,
                "end": store.end,
                "because": store.because,
            }
            for name, store in policy.stores.items()
        ),
    )


def _activities(policy: Policy) -> Iterator[Mapping[str, str]]:
    schedule, said = policy.schedule, policy.schedule.processing
    rules = {data_class: rule for rule in schedule.rules for data_class in rule.applies_to}
    for data_class in DataClass:
        held = {name: bases for name, one in policy.systems.items() if (bases := _bases(one, data_class))}
        if not held:
            continue
        rule = rules.get(data_class)
        yield {
            "data": data_class.value.replace("_", " "),
            "purpose": said.purposes.get(data_class, NOT_STATED),
            "people": said.people.get(data_class, NOT_STATED),
            "legal_basis": _listed(basis.value for bases in held.values() for basis in bases),
            "systems": ", ".join(held),
            "recipients": _each(held, policy, _recipients),
            "transfers": _each(held, policy, lambda one: one.transfers or NOT_STATED),
            "kept": rule.keep if rule else "as the law says",
            "rule": schedule.rule_for(data_class),
            "because": rule.because if rule else "no rule of the schedule: the law alone decides",
        }


def _bases(system: SystemPolicy, data_class: DataClass) -> set[LawfulBasis]:
    """On which bases a system has data of a class; none: it has none of it."""
    found = {
        one.lawful_basis
        for record in system.records.values()
        for one in record.field_sets
        if one.data_class is data_class
    }
    found |= {folder.lawful_basis for folder in system.folders.values() if folder.data_class is data_class}
    if system.mail is not None and data_class is DataClass.EMAIL_MESSAGE:
        found.add(system.mail.lawful_basis)
    return found


def _recipients(system: SystemPolicy) -> str:
    if system.recipients is None:
        return NOT_STATED
    return ", ".join(f"{one.name} ({one.role})" for one in system.recipients.values()) or NOBODY


def _each(held: Mapping[str, object], policy: Policy, told: Callable[[SystemPolicy], str]) -> str:
    """What is told of each system, once where all say the same."""
    by_system = {name: told(policy.systems[name]) for name in held}
    if len(set(by_system.values())) == 1:
        return next(iter(by_system.values()))
    return "; ".join(f"{name}: {text}" for name, text in by_system.items())


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted({word.replace("_", " ") for word in words}))
