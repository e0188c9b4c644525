"""How are people and records named in the ledger without naming them? Keyed pseudonyms and encrypted locators.

Each purpose has a key of its own, so that the sets cannot be joined (design: suppression, subjects, records, audit).
A subject's address is keyed twice: *exact* (the only form that may erase) and *folded* (suppression, protection).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import idna
from cryptography.fernet import Fernet, InvalidToken

from retention.impediment import Impediment
from retention.vocabulary import Identifier, IdentifierKind, RecordRef, Scalar

DIGEST_BYTES = 16


class KeysUnusable(Impediment):
    """The keys are missing, malformed or not those the data was written with; the text names which."""


def exact(identifier: Identifier) -> str:
    """The form that may erase: NFC, trimmed, domain as lower-case A-label, local part as it stands."""
    value = unicodedata.normalize("NFC", identifier.value).strip(" \t\r\n<>\"'")
    if identifier.kind is not IdentifierKind.EMAIL or "@" not in value:
        return value
    local, _, domain = value.rpartition("@")
    return f"{local}@{_a_label(domain)}"


def folded(identifier: Identifier) -> str:
    """The form that may protect or suppress, never erase: NFKC and casefold over the whole."""
    plain = unicodedata.normalize("NFKC", exact(identifier)).casefold()
    if identifier.kind is not IdentifierKind.EMAIL or "@" not in plain:
        return plain
    local, _, domain = plain.rpartition("@")
    return f"{local}@{_a_label(domain)}"


def _a_label(domain: str) -> str:
    try:
        return idna.encode(domain.strip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return domain.strip(".").lower()


@dataclass(frozen=True)
class Keyring:
    """The keys of one deployment. `key_id` names the generation; the values never appear in `repr`."""

    key_id: str
    subject: bytes = field(repr=False)
    suppression: bytes = field(repr=False)
    record: bytes = field(repr=False)
    audit: bytes = field(repr=False)
    locator: bytes = field(repr=False)  # Fernet key

    @classmethod
    def generate(cls, key_id: str) -> Keyring:
        """Fresh random keys."""
        keys = {name: secrets.token_bytes(32) for name in ("subject", "suppression", "record", "audit")}
        return cls(key_id, **keys, locator=Fernet.generate_key())

    def to_json(self) -> str:
        """For the secret store; the opposite of `from_json`."""
        names = ("subject", "suppression", "record", "audit")
        return json.dumps(
            {"key_id": self.key_id, "locator": self.locator.decode()} | {n: getattr(self, n).hex() for n in names}
        )

    @classmethod
    def from_json(cls, text: str) -> Keyring:
        """Read keys from the secret store; says which one is missing or malformed, never its value."""
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise KeysUnusable("the retention keys are not valid JSON: restore them from your secret store") from error
        keys: dict[str, bytes] = {}
        for name in ("subject", "suppression", "record", "audit"):
            try:
                keys[name] = bytes.fromhex(raw[name])
            except (KeyError, TypeError, ValueError) as error:
                raise KeysUnusable(f"retention key {name!r} is missing or malformed") from error
            if len(keys[name]) != 32:
                raise KeysUnusable(f"retention key {name!r} must be 32 bytes")
        locator = str(raw.get("locator", "")).encode()
        try:
            Fernet(locator)
        except ValueError as error:
            raise KeysUnusable("retention key 'locator' is missing or malformed") from error
        return cls(str(raw.get("key_id", "")), **keys, locator=locator)

    # --- pseudonyms ---

    def exact_key(self, identifier: Identifier) -> bytes:
        """Pseudonym of the exact form."""
        return _mac(self.subject, "subject-exact", identifier.kind, exact(identifier))

    def folded_key(self, identifier: Identifier) -> bytes:
        """Pseudonym of the folded form, under the subject key (holds, joins)."""
        return _mac(self.subject, "subject-folded", identifier.kind, folded(identifier))

    def suppression_key(self, identifier: Identifier) -> bytes:
        """Pseudonym for the suppression list; not joinable with the others."""
        return _mac(self.suppression, "suppression", identifier.kind, folded(identifier))

    def record_key(self, ref: RecordRef) -> bytes:
        """Pseudonym of one record of one system."""
        return _mac(self.record, "record", ref.system, ref.kind, ref.key)

    def audit_pseudonym(self, record_key: bytes) -> str:
        """How a record is named in the audit log: hex, keyed apart from the ledger."""
        return _mac(self.audit, "audit-record", record_key.hex()).hex()

    # --- encryption ---

    def seal(self, value: str) -> bytes:
        """Encrypt what the ledger must be able to read back."""
        return Fernet(self.locator).encrypt(value.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt; refuses what was sealed with other keys."""
        try:
            return Fernet(self.locator).decrypt(bytes(sealed)).decode()
        except InvalidToken as error:
            raise KeysUnusable("the ledger was written with other keys: connect the keys that belong to it") from error

    def seal_identifiers(self, identifiers: Sequence[Identifier]) -> bytes | None:
        """Encrypt a record's identifiers together; None if there are none."""
        if not identifiers:
            return None
        return self.seal(json.dumps([[i.kind, i.value] for i in identifiers]))

    def open_identifiers(self, sealed: bytes | None) -> tuple[Identifier, ...]:
        """The opposite of `seal_identifiers`."""
        if not sealed:
            return ()
        return tuple(Identifier(IdentifierKind(kind), value) for kind, value in json.loads(self.open(sealed)))

    def seal_values(self, values: Mapping[str, Scalar]) -> bytes:
        """Encrypt previous field values."""
        return self.seal(json.dumps(dict(values)))

    def open_values(self, sealed: bytes) -> dict[str, Scalar]:
        """The opposite of `seal_values`."""
        values: dict[str, Scalar] = json.loads(self.open(sealed))
        return values


def _mac(key: bytes, *parts: str) -> bytes:
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        data = part.encode()
        mac.update(len(data).to_bytes(4, "big") + data)
    return mac.digest()[:DIGEST_BYTES]
