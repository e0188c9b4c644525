"""What does the company promise, and what do the fields of its systems mean? YAML → one validated, digested `Policy`.

Unknown keys, a data class without a rule or with two, and a system that cannot be read are errors that name file,
line, place and fix. Nothing here opens a connection: the DAG files read it when they are parsed.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from retention.impediment import Impediment
from retention.limits import Canary, Cap, FewerFound, GuardChanges, Guards, Rise, SurpriseAge
from retention.vocabulary import DataClass, FieldSet, IdentifierKind, LawfulBasis, RecordKind

M = TypeVar("M", bound=BaseModel)
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class PolicyError(Impediment):
    """The policy cannot be used. The text names file, line, place and fix."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One line of the retention schedule."""

    rule: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    applies_to: tuple[DataClass, ...] = Field(min_length=1)
    keep: Literal["until unsubscribe", "5 years from collection"]
    then: Literal["erase"]
    because: str = Field(min_length=10)


class Approval(_Strict):
    """Who may approve, how long the question waits, and how long an answer runs."""

    approvers: tuple[str, ...] = Field(min_length=1)
    answer_within_hours: int = Field(gt=0, le=24 * 7)
    valid_for_hours: int = Field(gt=0, le=24 * 7)


class Operations(_Strict):
    """How patiently and how widely the work is done."""

    lease_seconds: int = Field(ge=5, le=3600)
    lanes: int = Field(ge=1, le=8)
    retries: int = Field(ge=0, le=10)
    retry_seconds: int = Field(ge=1, le=3600)


class Schedule(_Strict):
    """The retention schedule: `include/policy/schedule.yaml`."""

    version: Literal[1]
    policy: str
    retention_years: int = Field(ge=1, le=30)
    accounting_year_end: Annotated[str, Field(pattern=r"^\d\d-(\d\d|END)$")]
    response_regime: Literal["UK", "EU"]
    rules: tuple[Rule, ...]
    shared_mailboxes: frozenset[str]
    guards: Guards
    approval: Approval
    operations: Operations

    @model_validator(mode="after")
    def _one_rule_for_each_class(self) -> Schedule:
        seen: dict[DataClass, str] = {}
        names: set[str] = set()
        for rule in self.rules:
            if rule.rule in names:
                raise ValueError(f"two rules are named {rule.rule!r}: rename one")
            names.add(rule.rule)
            for data_class in rule.applies_to:
                if data_class in seen:
                    raise ValueError(
                        f"data class {data_class.value!r} stands in rules {seen[data_class]!r} and {rule.rule!r}: "
                        "leave it in one"
                    )
                seen[data_class] = rule.rule
        if missing := [c.value for c in RULED_CLASSES if c not in seen]:
            raise ValueError(f"no rule for data class {', '.join(missing)}: add it to a rule's applies_to")
        signups = next(rule for rule in self.rules if DataClass.MARKETING_SIGNUP in rule.applies_to)
        if signups.keep != "until unsubscribe" or len(signups.applies_to) != 1:
            raise ValueError("marketing_signup must have a rule of its own that keeps it until unsubscribe")
        if wrong := [r.rule for r in self.rules if r is not signups and r.keep == "until unsubscribe"]:
            raise ValueError(f"only marketing_signup is kept until unsubscribe: mend rule {wrong[0]!r}")
        return self

    def rule_for(self, data_class: DataClass) -> str:
        """The name of the rule that covers a class; the class's own name where law alone decides."""
        return next((rule.rule for rule in self.rules if data_class in rule.applies_to), data_class.value)


# Classes that a schedule must cover; the others are ruled by law alone (law outranks the schedule there).
RULED_CLASSES = (
    DataClass.MARKETING_SIGNUP,
    DataClass.MARKETING_PROFILE,
    DataClass.AD_AUDIENCE,
    DataClass.CONTACT_IDENTITY,
    DataClass.CONTACT_NOTES,
    DataClass.TRANSACTION_RECORD,
    DataClass.EMAIL_MESSAGE,
    DataClass.DOCUMENT,
    DataClass.USAGE_DATA,
    DataClass.WEB_TECHNICAL,
)


class FieldSetPolicy(_Strict):
    """Fields of one data class inside a record."""

    data_class: DataClass
    fields: tuple[str, ...] = Field(min_length=1)
    collected_from: tuple[str, ...] = Field(min_length=1)
    lawful_basis: LawfulBasis
    present_if: str = ""


class RecordPolicy(_Strict):
    """One kind of record of a system."""

    identifiers: dict[str, IdentifierKind] = Field(min_length=1)
    opt_out: str = ""
    opt_out_on: str = ""
    consent_on: str = ""
    undated_if: str = ""
    restricted: str = ""
    field_sets: tuple[FieldSetPolicy, ...] = Field(min_length=1)


class FolderPolicy(_Strict):
    """What lies in a folder of a document server."""

    data_class: DataClass
    lawful_basis: LawfulBasis


class SystemPolicy(_Strict):
    """One system instance."""

    kind: Literal["salesforce", "hubspot", "sftp"]
    connection: Name
    regime: Literal["UK", "EU"]
    zone: str
    records: dict[str, RecordPolicy] = Field(default_factory=dict)
    folders: dict[str, FolderPolicy] = Field(default_factory=dict)
    guards: GuardChanges = GuardChanges()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("unknown time zone: use a name like Europe/London") from error
        return zone

    @model_validator(mode="after")
    def _reads_something(self) -> SystemPolicy:
        if self.kind == "sftp" and (self.records or not self.folders):
            raise ValueError("a document server needs `folders` (and no `records`)")
        if self.kind != "sftp" and (self.folders or not self.records):
            raise ValueError("this kind of system needs `records` (and no `folders`)")
        return self

    def kinds(self) -> tuple[RecordKind, ...]:
        """The record kinds as connectors take them."""
        return tuple(
            RecordKind(
                name=name,
                field_sets=tuple(
                    FieldSet(s.data_class, s.fields, s.collected_from, s.lawful_basis, s.present_if)
                    for s in record.field_sets
                ),
                identifiers=tuple(record.identifiers.items()),
                opt_out=record.opt_out,
                opt_out_on=record.opt_out_on,
                consent_on=record.consent_on,
                undated_if=record.undated_if,
                restricted=record.restricted,
            )
            for name, record in self.records.items()
        )


class Systems(_Strict):
    """All system instances: `include/policy/systems.yaml`."""

    version: Literal[1]
    systems: dict[Name, SystemPolicy] = Field(min_length=1)


class Policy(_Strict):
    """Schedule and systems together, with a digest that approvals and plans are bound to."""

    schedule: Schedule
    systems: dict[str, SystemPolicy]
    digest: str

    def guards_of(self, system: str) -> Guards:
        """The limits of one system: the schedule's, with the system's own in their place."""
        return self.systems[system].guards.applied_to(self.schedule.guards)

    def refuse_unknown(self, system: str) -> None:
        """Raise for a system the policy does not have."""
        if system not in self.systems:
            raise PolicyError(f"no system {system!r} in the policy; known: {', '.join(self.systems)}")


def load(folder: Path) -> Policy:
    """Read and validate the policy files of a folder."""
    schedule = _load(folder / "schedule.yaml", Schedule)
    systems = _load(folder / "systems.yaml", Systems)
    canonical = json.dumps(
        [schedule.model_dump(mode="json"), systems.model_dump(mode="json")], sort_keys=True, separators=(",", ":")
    )
    return Policy(
        schedule=schedule, systems=dict(systems.systems), digest=hashlib.sha256(canonical.encode()).hexdigest()
    )


def _load(path: Path, model: type[M]) -> M:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"{path.name}: cannot be read: {error.strerror}") from error
    try:
        data = yaml.safe_load(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PolicyError(f"{path.name}:{line}: is not valid YAML: {getattr(error, 'problem', error)}") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_explain(path.name, root, problem, model) for problem in error.errors()]
        raise PolicyError("\n".join(lines)) from error


def _explain(file: str, root: yaml.Node | None, problem: Any, model: type[BaseModel]) -> str:
    place: tuple[str | int, ...] = problem["loc"]
    line = _line(root, place)
    where = ".".join(str(part) for part in place) or "the file"
    if problem["type"] == "extra_forbidden":
        known = sorted(_known_keys(model))
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        fix = f"did you mean {near[0]!r}?" if near else "remove it"
        return f"{file}:{line}: {where}: unknown key; {fix}"
    if problem["type"] == "missing":
        return f"{file}:{line}: {where}: is missing; add it"
    return f"{file}:{line}: {where}: {problem['msg'].removeprefix('Value error, ')}"


def _known_keys(model: type[BaseModel]) -> set[str]:
    models = (Schedule, Rule, Guards, *LIMITS, Approval, Operations) if model is Schedule else MODELS_OF_SYSTEMS
    return {name for each in models for name in each.model_fields}


LIMITS = (Cap, Rise, SurpriseAge, FewerFound, Canary)
MODELS_OF_SYSTEMS = (Systems, SystemPolicy, RecordPolicy, FieldSetPolicy, FolderPolicy, GuardChanges, *LIMITS)


def _line(node: yaml.Node | None, place: tuple[str | int, ...]) -> int:
    line = node.start_mark.line + 1 if node else 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
