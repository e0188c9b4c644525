"""How are people named, one a line? E-mail addresses as they are, customer numbers as `customer_number:NUMBER`."""

from __future__ import annotations

from collections.abc import Iterable

from retention.impediment import Impediment
from retention.vocabulary import Identifier, IdentifierKind


class NotNamed(Impediment):
    """A line names nobody we could find; the text has its number and never what stands in it."""


def identifiers_in(lines: Iterable[str]) -> tuple[Identifier, ...]:
    """Identifiers of people, each once; blank lines are passed over, nothing at all is refused."""
    stripped = [line.strip() for line in lines]
    found = tuple(dict.fromkeys(_identifier(number, line) for number, line in enumerate(stripped, start=1) if line))
    if not found:
        raise NotNamed("give identifiers of people, one a line: e-mail addresses, or customer_number:NUMBER")
    return found


def _identifier(number: int, line: str) -> Identifier:
    kind, colon, value = line.partition(":")
    if colon and kind == IdentifierKind.CUSTOMER_NUMBER and value.strip():
        return Identifier(IdentifierKind.CUSTOMER_NUMBER, value.strip())
    local, _, domain = line.rpartition("@")
    if not local or not domain or any(character.isspace() for character in line):
        raise NotNamed(
            f"line {number} is no e-mail address and no customer_number:NUMBER"
            " (records are not known by telephones or names)"
        )
    return Identifier(IdentifierKind.EMAIL, line)
