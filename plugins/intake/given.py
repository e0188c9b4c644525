"""What was typed into the form, or sent by the website? Checked text, turned into what the ledger takes in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from retention.asking import COPIES
from retention.clocks import Right
from retention.complaints.taking_in import ComplaintIntake
from retention.requests.case_file import CaseFile, Correction
from retention.requests.intake import Intake
from retention.restriction import Ground
from retention.store.requests import Channel
from retention.vocabulary import Identifier, IdentifierKind

MOST_IDENTIFIERS, MOST_CORRECTIONS = 20, 50
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=320)]


class GivenCorrection(BaseModel):
    """What a field of the person's record in a system is to hold (Art. 16); an empty value empties it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    system: Line
    kind: Line
    field: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    value: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]

    def correction(self) -> Correction:
        """As the case file holds it."""
        return Correction(self.system, self.kind, self.field, self.value)


class Given(BaseModel):
    """One request as sent in: identifiers are e-mail addresses, telephone numbers (`+44…`) or customer numbers.

    `deliver_to` is the address of a third party that is to have a portable copy, too. With `shows_passphrase` the
    website says that it shows the person, on the page they asked on, what will open their copy.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    right: Right
    channel: Channel
    received_at: datetime
    identifiers: Annotated[list[Line], Field(min_length=1, max_length=MOST_IDENTIFIERS)]
    words: Annotated[str, StringConstraints(max_length=20_000)] = ""
    ground: Ground | None = None
    to_marketing: bool = False
    corrections: Annotated[list[GivenCorrection], Field(max_length=MOST_CORRECTIONS)] = []
    deliver_to: Annotated[str, StringConstraints(strip_whitespace=True, max_length=320)] = ""
    shows_passphrase: bool = False

    @model_validator(mode="after")
    def _only_a_copy_has_a_passphrase(self) -> Given:
        if self.shows_passphrase and self.right not in COPIES:
            raise ValueError("only a request for a copy has a passphrase that could be shown")
        return self

    def intake(self) -> Intake:
        """As the ledger takes it in; `NotARequest` where it cannot be one."""
        right_ones = tuple(one.correction() for one in self.corrections)
        file = CaseFile(_people(self.identifiers), self.words, right_ones, self.deliver_to)
        return Intake(self.right, self.channel, self.received_at, file, self.ground, self.to_marketing)


class GivenComplaint(BaseModel):
    """One complaint as sent in."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: Channel
    received_at: datetime
    identifiers: Annotated[list[Line], Field(min_length=1, max_length=MOST_IDENTIFIERS)]
    words: Annotated[str, StringConstraints(max_length=20_000)] = ""
    about_request: Annotated[str, StringConstraints(pattern="^request-[0-9a-f]{16}$")] | None = None

    def intake(self) -> ComplaintIntake:
        """As the ledger takes it in; `NotAComplaint` where it cannot be one."""
        file = CaseFile(_people(self.identifiers), self.words)
        return ComplaintIntake(self.channel, self.received_at, file, self.about_request)


class Confirmation(BaseModel):
    """What the one-time link carried."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token: Annotated[str, StringConstraints(min_length=16, max_length=200)]


def _people(lines: Iterable[str]) -> tuple[Identifier, ...]:
    return tuple(dict.fromkeys(Identifier(_kind(line), line) for line in lines))


def _kind(line: str) -> IdentifierKind:
    if "@" in line:
        return IdentifierKind.EMAIL
    return IdentifierKind.PHONE if line.startswith("+") else IdentifierKind.CUSTOMER_NUMBER
