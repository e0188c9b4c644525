"""In which spellings is an identifier one and the same? Exact, the only one that may erase; folded, to protect.

Suppression may look further: without the tag after a plus sign and without the dots of the local part, since many
providers deliver all of these to one mailbox. What differs in more than that is another person.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from functools import lru_cache

import idna

from retention.vocabulary import Identifier, IdentifierKind

_EMAIL = IdentifierKind.EMAIL  # asked for once for each address of a night; by its class it takes twice as long


def exact(identifier: Identifier) -> str:
    """The form that may erase: NFC, trimmed, domain as lower-case A-label, local part as it stands."""
    value = identifier.value
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    value = value.strip(" \t\r\n<>\"'")
    if identifier.kind is not _EMAIL:
        return value
    local, at, domain = value.rpartition("@")
    if not at:
        return value
    label = _a_label(domain)
    return value if label == domain else f"{local}@{label}"


def folded(identifier: Identifier) -> str:
    """The form that may protect or suppress, never erase: NFKC and casefold over the whole."""
    plain = unicodedata.normalize("NFKC", exact(identifier)).casefold()
    if identifier.kind is not _EMAIL or "@" not in plain:
        return plain
    local, _, domain = plain.rpartition("@")
    return f"{local}@{_a_label(domain)}"


def delivered_alike(identifier: Identifier) -> tuple[Identifier, ...]:
    """The identifier, and its spellings without tag, without dots and without both; for looking up suppression only."""
    local, at, domain = folded(identifier).rpartition("@")
    if identifier.kind is not _EMAIL or not at:
        return (identifier,)
    untagged = local.partition("+")[0]
    locals_ = (untagged, local.replace(".", ""), untagged.replace(".", ""))
    others = (replace(identifier, value=f"{other}@{domain}") for other in locals_ if other and other != local)
    return (identifier, *dict.fromkeys(others))


@lru_cache(maxsize=10_000)
def _a_label(domain: str) -> str:
    try:
        return idna.encode(domain.strip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return domain.strip(".").lower()
