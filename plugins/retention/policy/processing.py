"""What does the record of processing say that no rule and no field can tell? Purposes, people, security, in words."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from retention.policy.shape import Strict
from retention.vocabulary import DataClass

Words = Annotated[str, Field(min_length=3, max_length=400)]


class ProcessingPolicy(Strict):
    """The controller's own words for the record of processing (Art. 30(1)). What is left out is shown as not stated.

    `officer` is how the data-protection officer is reached, `purposes` and `people` say for each data class what it is
    used for and who its subjects are, `security` describes the measures of Art. 32(1) in general.
    """

    officer: Words | None = None
    representative: Words | None = None
    purposes: dict[DataClass, Words] = Field(default_factory=dict)
    people: dict[DataClass, Words] = Field(default_factory=dict)
    security: Words | None = None
