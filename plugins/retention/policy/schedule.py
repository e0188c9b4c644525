"""What is kept how long, and then? The retention schedule: one rule for each data class, and who may say yes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from retention.limits import Guards
from retention.policy.processing import ProcessingPolicy
from retention.policy.shape import Selector, Strict, contradiction, known_zone
from retention.vocabulary import DataClass


class Rule(Strict):
    """One line of the retention schedule."""

    rule: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    applies_to: tuple[DataClass, ...] = Field(min_length=1)
    keep: Literal["until unsubscribe", "5 years from collection"]
    then: Literal["erase"]
    because: str = Field(min_length=10)


class Approval(Strict):
    """Who may approve, how long the question waits, and how long an answer runs."""

    approvers: tuple[Selector, ...] = Field(min_length=1)
    answer_within_hours: int = Field(gt=0, le=24 * 7)
    valid_for_hours: int = Field(gt=0, le=24 * 7)


class Operations(Strict):
    """How patiently and how widely the work is done."""

    lease_seconds: int = Field(ge=5, le=3600)
    lanes: int = Field(ge=1, le=8)
    readers: int = Field(default=4, ge=1, le=32)
    retries: int = Field(ge=0, le=10)
    retry_seconds: int = Field(ge=1, le=3600)
    alarms_seen_seconds: int = Field(default=4 * 3600, ge=1, le=24 * 3600)


class Answering(Strict):
    """How subjects' requests are answered: whose calendar counts, and how long links and copies live."""

    controller: str = Field(default="The controller", min_length=3)
    contact: str = Field(default="the address in our privacy policy", min_length=3)
    zone: Annotated[str, AfterValidator(known_zone)] = "Europe/London"
    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = "GB-ENG"
    pause_count: Literal["inclusive", "elapsed"] = "elapsed"
    link_hours: int = Field(default=72, ge=1, le=24 * 14)
    copy_days: int = Field(default=14, ge=1, le=14)
    most_identifiers: int = Field(default=12, ge=1, le=50)
    backups_end_after_days: int = Field(default=35, ge=0, le=366)


class Schedule(Strict):
    """The retention schedule: `include/policy/schedule.yaml`."""

    version: Literal[1]
    policy: str
    retention_years: int = Field(ge=1, le=30)
    accounting_year_end: Annotated[str, Field(pattern=r"^\d\d-(\d\d|END)$")]
    response_regime: Literal["UK", "EU"]
    rules: tuple[Rule, ...]
    shared_mailboxes: frozenset[Selector]
    guards: Guards
    approval: Approval
    operations: Operations
    answering: Answering = Answering()
    processing: ProcessingPolicy = ProcessingPolicy()

    @model_validator(mode="after")
    def _one_rule_for_each_class(self) -> Schedule:
        seen: dict[DataClass, str] = {}
        names: set[str] = set()
        for at, rule in enumerate(self.rules):
            if rule.rule in names:
                raise contradiction(f"two rules are named {rule.rule!r}: rename one", "rules", at, "rule")
            if rule.rule in list(DataClass):
                raise contradiction(
                    f"{rule.rule!r} is a data class and reserved: call the rule something else", "rules", at, "rule"
                )
            names.add(rule.rule)
            for data_class in rule.applies_to:
                if data_class in seen:
                    says = f"stands in rules {seen[data_class]!r} and {rule.rule!r}: leave it in one"
                    raise contradiction(f"data class {data_class.value!r} {says}", "rules", at, "applies_to")
                if data_class not in RULED_CLASSES:
                    raise contradiction(
                        f"data class {data_class.value!r} is ruled by law alone: take it out", "rules", at, "applies_to"
                    )
                seen[data_class] = rule.rule
        if missing := [c.value for c in RULED_CLASSES if c not in seen]:
            raise contradiction(f"no rule for data class {', '.join(missing)}: add it to a rule's applies_to", "rules")
        for at, rule in enumerate(self.rules):
            signups, until = DataClass.MARKETING_SIGNUP in rule.applies_to, rule.keep == "until unsubscribe"
            if signups and (not until or len(rule.applies_to) != 1):
                says = "marketing_signup must have a rule of its own that keeps it until unsubscribe"
                raise contradiction(says, "rules", at, "keep" if not until else "applies_to")
            if until and not signups:
                says = f"only marketing_signup is kept until unsubscribe: mend rule {rule.rule!r}"
                raise contradiction(says, "rules", at, "keep")
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
