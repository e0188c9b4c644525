"""Which values do the core and a connector that walks its system share? How groups were listed, and who walks what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

Part = NewType("Part", bytes)
"""What one worker walks of a system that is divided among several: opaque to the core, kept encrypted."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much lies somewhere: records, and their bytes."""

    records: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """How a group was listed: the number drawn before (`Memory.listing`), what it lies within, how much was in it."""

    number: int
    within: str = field(default="", repr=False)
    extent: Extent = Extent()
