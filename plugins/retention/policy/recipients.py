"""To whom is what a system holds passed on? Named in the policy, so that they can be told of an erasure (Art. 19)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from retention.policy.mail import Address
from retention.policy.shape import Strict

RecipientId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]


class RecipientPolicy(Strict):
    """An organisation that has data from us. Without an address a person of ours tells them."""

    name: str = Field(min_length=2, max_length=120)
    role: Literal["processor", "controller"]
    address: Address | None = None
