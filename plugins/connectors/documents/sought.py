"""What is looked for in a text beside addresses? The region of telephone numbers and the forms of customer numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

REGION = "GB"
SEPARATOR = "\x1e"
"""Stands between two blocks of text that do not belong together: no identifier reaches over it."""

_SIGNS = {"#": r"\d", "?": "[A-Za-z]"}


@dataclass(frozen=True, slots=True)
class Sought:
    """As the policy of a system says. In a form of customer number `#` is a digit and `?` a letter."""

    phone_region: str = REGION
    customer_numbers: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def customer_number_pattern(forms: tuple[str, ...]) -> re.Pattern[str] | None:
    """What finds all of these forms, each as a word of its own; None if there are none."""
    if not forms:
        return None
    ordered = sorted(forms, key=len, reverse=True)
    either = "|".join("".join(_SIGNS.get(sign, re.escape(sign)) for sign in form) for form in ordered)
    return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])")
