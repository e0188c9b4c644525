"""What does the policy say of mailboxes? Which are ours to read, who is "us", and where transactions lie."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from retention.policy.shape import Selector, Strict
from retention.vocabulary import LawfulBasis

Domain = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")]
Address = Annotated[str, Field(pattern=r"^[^@\s%*]+@[^@\s%*]+\.[^@\s%*]+$")]


class TransactionPlaces(Strict):
    """Where mail about transactions, and mail kept as evidence, lies: folders from the mailbox's root, and categories.

    `declared_on` is the day on which the data-protection officer declared that these are all. Without it the mailboxes
    are never live, since what is not known to be evidence would be erased like any other mail.
    """

    folders: tuple[Selector, ...] = ()
    categories: tuple[Selector, ...] = ()
    declared_on: date | None = None


class MailPolicy(Strict):
    """The mailboxes of one Microsoft 365 tenant.

    `own_domains`: whose addresses are no subjects. `on_hold`: mailboxes on which a hold of the service's own lies, in
    which nothing is erased. `archives`: mailboxes with an in-place archive, which nobody can read; unknown is `all`.
    """

    own_domains: tuple[Domain, ...] = Field(min_length=1)
    lawful_basis: LawfulBasis
    mailboxes: Literal["all"] | Annotated[tuple[Address, ...], Field(min_length=1)] = "all"
    restricted_folder: Selector = "Restricted processing"
    restricted_category: Selector = "Restricted"
    on_hold: tuple[Address, ...] = ()
    archives: Literal["all"] | tuple[Address, ...] = "all"
    transactions: TransactionPlaces = TransactionPlaces()
    recoverable_days: int = Field(default=14, ge=1, le=30)
