"""What of the tenant is ours to read, and what does the policy say of its parts? Values only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from retention.vocabulary import LawfulBasis


@dataclass(frozen=True, slots=True)
class Scope:
    """The policy's words about a tenant's mail. Addresses and folder names compare without case.

    `mailboxes`, `archives`: None stands for all. A folder is named by its path from the mailbox's root.
    """

    own_domains: frozenset[str]
    lawful_basis: LawfulBasis
    mailboxes: frozenset[str] | None = None
    restricted_folder: str = "Restricted processing"
    restricted_category: str = "Restricted"
    on_hold: frozenset[str] = frozenset()
    archives: frozenset[str] | None = None
    transaction_folders: frozenset[str] = frozenset()
    transaction_categories: frozenset[str] = frozenset()
    recoverable_days: int = 14

    def meaning(self) -> str:
        """A digest of all that decides what an item is said to be: read under another, everything is read anew."""
        told = (self.own_domains, self.transaction_folders, self.transaction_categories, self.mailboxes or ())
        lines = [*(sorted(one) for one in told), [self.lawful_basis.value, self.restricted_folder]]
        return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]

    def is_own(self, address: str) -> bool:
        """Whether an address is the company's own, in one of its domains or below one."""
        domain = address.rpartition("@")[2].casefold().rstrip(".")
        return any(domain == own or domain.endswith(f".{own}") for own in self.own_domains)

    def is_transaction(self, folder: str, categories: Collection[str]) -> bool:
        """Whether an item is part of a transaction: by a folder on its way, or by one of its categories."""
        path = folder.casefold()
        return any(path == one or path.startswith(f"{one}/") for one in self.transaction_folders) or any(
            category.casefold() in self.transaction_categories for category in categories
        )
