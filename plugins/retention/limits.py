"""Which limits stop a plan as a whole? The part of the policy that guards against mass deletion (law: section 5)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Guards(BaseModel):
    """Limits that stop a plan as a whole, never "the first N of it"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_steps: int = Field(gt=0)
