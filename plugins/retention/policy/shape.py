"""What holds for every part of the policy? Closed models, names and selectors, and how to complain."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from retention.impediment import Impediment

Place = tuple[str | int, ...]


class PolicyError(Impediment):
    """The policy cannot be used. The text names file, line, place and fix."""


class Strict(BaseModel):
    """A part of the policy: unknown keys are errors, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def contradiction(says: str, *at: str | int) -> PydanticCustomError:
    """An error about parts that do not go together; `at` leads, from where it is raised, to the part to mend."""
    return PydanticCustomError("contradiction", "{says}", {"says": says, "at": at})


def known_zone(zone: str) -> str:
    """Refuse what is no time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise contradiction("unknown time zone: use a name like Europe/London") from error
    return zone


_SELECTS_ALL = re.compile(r"[*%?\x00-\x1f\x7f]")


def _selects_something(text: str) -> str:
    if text.strip(" ./\\") == "":
        raise contradiction("selects nothing, or everything; name exactly what is meant")
    if _SELECTS_ALL.search(text) or text != text.strip():
        raise contradiction("holds a wildcard, a control character or spaces around; name exactly what is meant")
    return text


Selector = Annotated[
    str,
    AfterValidator(_selects_something),
    WithJsonSchema({"type": "string", "minLength": 1, "pattern": r"^[^*%?\s./\\]$|^[^*%?\s][^*%?]*[^*%?\s]$"}),
]
"""Names one thing of a system: a field, a record kind, a folder, a user. Never a pattern, never empty."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
