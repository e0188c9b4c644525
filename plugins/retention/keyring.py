"""How are people and records named in the ledger without naming them? Keyed pseudonyms and encrypted locators.

Each purpose has a key of its own, so that the sets cannot be joined (design: suppression, subjects, records, audit).
A subject's address is keyed twice: *exact* (the only form that may erase) and *folded* (suppression, protection).

Keys come in generations. What is written tonight is keyed by the current one. What outlives a night (suppressions,
holds, the erasure register) cannot be keyed again without the address, so it is looked up under every generation.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from retention.impediment import Impediment
from retention.keyed_digest import KeyedDigest
from retention.spelling import delivered_alike, exact, folded
from retention.vocabulary import Identifier, IdentifierKind, RecordRef, Scalar

PURPOSES = ("subject_exact", "subject_folded", "suppression", "record", "audit")
_KEY_ID = re.compile(r"k[1-9]\d{0,5}")


class KeysUnusable(Impediment):
    """The keys are missing, malformed or not those the data was written with; the text names which."""


@dataclass(frozen=True)
class Generation:
    """The keys of one generation, one for each purpose. The values never appear in `repr`."""

    key_id: str
    subject_exact: bytes = field(repr=False)
    subject_folded: bytes = field(repr=False)
    suppression: bytes = field(repr=False)
    record: bytes = field(repr=False)
    audit: bytes = field(repr=False)
    encryption: bytes = field(repr=False)  # Fernet key

    def __post_init__(self) -> None:
        """Refuse keys that are too short to be keys, and an id the audit log could not hold."""
        if not _KEY_ID.fullmatch(self.key_id):
            raise KeysUnusable("a generation of retention keys is called k1, k2 and so on")
        for name in PURPOSES:
            if len(getattr(self, name)) != 32:
                raise KeysUnusable(f"retention key {name!r} of {self.key_id} must be 32 bytes")
        try:
            Fernet(self.encryption)
        except ValueError as error:
            raise KeysUnusable(f"retention key 'encryption' of {self.key_id} is missing or malformed") from error

    @classmethod
    def fresh(cls, key_id: str) -> Generation:
        """Random keys."""
        return cls(key_id, **{name: secrets.token_bytes(32) for name in PURPOSES}, encryption=Fernet.generate_key())

    @classmethod
    def from_values(cls, raw: Mapping[str, Any]) -> Generation:
        """Read what `values` wrote; says which key is missing or malformed, never its value."""
        key_id = str(raw.get("key_id", ""))
        keys: dict[str, bytes] = {}
        for name in PURPOSES:
            try:
                keys[name] = bytes.fromhex(raw[name])
            except (KeyError, TypeError, ValueError) as error:
                raise KeysUnusable(f"retention key {name!r} is missing or malformed") from error
        return cls(key_id, **keys, encryption=str(raw.get("encryption", "")).encode())

    @property
    def values(self) -> dict[str, str]:
        """For the secret store; the opposite of `from_values`."""
        keys = {name: getattr(self, name).hex() for name in PURPOSES}
        return {"key_id": self.key_id, **keys, "encryption": self.encryption.decode()}

    @cached_property
    def fingerprint(self) -> str:
        """A public name of these very keys, derived one way: two generations called k1 have different ones."""
        whole = json.dumps(self.values, sort_keys=True).encode()
        return hmac.new(whole, b"retention-key-fingerprint/v1", hashlib.sha256).hexdigest()[:16]

    @cached_property
    def _exact(self) -> Mapping[IdentifierKind, KeyedDigest]:
        return _by_kind(self.subject_exact, "subject-exact")

    @cached_property
    def _folded(self) -> Mapping[IdentifierKind, KeyedDigest]:
        return _by_kind(self.subject_folded, "subject-folded")

    @cached_property
    def _suppression(self) -> Mapping[IdentifierKind, KeyedDigest]:
        return _by_kind(self.suppression, "suppression")

    @cached_property
    def _exact_suppression(self) -> Mapping[IdentifierKind, KeyedDigest]:
        return _by_kind(self.suppression, "suppression-exact")

    @cached_property
    def _records(self) -> KeyedDigest:
        return KeyedDigest(self.record, "record")

    def exact_key(self, identifier: Identifier) -> bytes:
        """Pseudonym of the exact form."""
        return self._exact[identifier.kind].of(exact(identifier))

    def each_exact_key(self, identifiers: Iterable[Identifier]) -> list[bytes]:
        """`exact_key` of many: a night needs one for each address of each file."""
        digests = self._exact
        return [digests[identifier.kind].of(exact(identifier)) for identifier in identifiers]

    def each_folded_key(self, identifiers: Iterable[Identifier]) -> list[bytes]:
        """`folded_key` of many."""
        digests = self._folded
        return [digests[identifier.kind].of(folded(identifier)) for identifier in identifiers]

    def folded_key(self, identifier: Identifier) -> bytes:
        """Pseudonym of the folded form, under a subject key (holds, joins)."""
        return self._folded[identifier.kind].of(folded(identifier))

    def suppression_key(self, identifier: Identifier) -> bytes:
        """Pseudonym of the folded form for the suppression list; not joinable with the others."""
        return self._suppression[identifier.kind].of(folded(identifier))

    def exact_suppression_key(self, identifier: Identifier) -> bytes:
        """Pseudonym of the exact form for the suppression list: whose word an opt-out on it was."""
        return self._exact_suppression[identifier.kind].of(exact(identifier))

    def record_key(self, ref: RecordRef) -> bytes:
        """Pseudonym of one record of one system."""
        return self._records.after(ref.system, ref.kind).of(ref.key)


@dataclass(frozen=True)
class Keyring:
    """The keys of one deployment: the generation that is written with, and older ones that are only looked up."""

    current: Generation
    older: tuple[Generation, ...] = ()  # newest first

    def __post_init__(self) -> None:
        """Refuse two generations of one name."""
        if len(set(self.key_ids)) != len(self.key_ids):
            raise KeysUnusable("two generations of retention keys have the same name: restore them from a backup")

    @classmethod
    def generate(cls, key_id: str) -> Keyring:
        """Fresh random keys, of one generation."""
        return cls(Generation.fresh(key_id))

    def rotated(self, key_id: str) -> Keyring:
        """A fresh generation before all others."""
        return Keyring(Generation.fresh(key_id), self.generations)

    def to_json(self) -> str:
        """For the secret store; the opposite of `from_json`."""
        return json.dumps({"generations": [generation.values for generation in self.generations]})

    @classmethod
    def from_json(cls, text: str) -> Keyring:
        """Read keys from the secret store; the first generation is the current one."""
        try:
            generations = [Generation.from_values(raw) for raw in json.loads(text)["generations"]]
        except json.JSONDecodeError as error:
            raise KeysUnusable("the retention keys are not valid JSON: restore them from your secret store") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise KeysUnusable("the retention keys name no generations: restore them from your secret store") from error
        if not generations:
            raise KeysUnusable("the retention keys name no generations: restore them from your secret store")
        return cls(generations[0], tuple(generations[1:]))

    @property
    def generations(self) -> tuple[Generation, ...]:
        """All of them, the current one first."""
        return (self.current, *self.older)

    @property
    def key_id(self) -> str:
        """Names the current generation."""
        return self.current.key_id

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Names of all generations, the current one first."""
        return tuple(generation.key_id for generation in self.generations)

    # --- pseudonyms ---

    def exact_key(self, identifier: Identifier) -> bytes:
        """Current pseudonym of the exact form."""
        return self.current.exact_key(identifier)

    def exact_keys(self, identifier: Identifier) -> tuple[bytes, ...]:
        """KeyedDigest of the exact form under every generation, the current one first."""
        return tuple(generation.exact_key(identifier) for generation in self.generations)

    def folded_key(self, identifier: Identifier) -> bytes:
        """Current pseudonym of the folded form."""
        return self.current.folded_key(identifier)

    def record_key(self, ref: RecordRef) -> bytes:
        """Current pseudonym of one record of one system."""
        return self.current.record_key(ref)

    def record_keys(self, ref: RecordRef) -> tuple[bytes, ...]:
        """KeyedDigest of one record under every generation, the current one first."""
        return tuple(generation.record_key(ref) for generation in self.generations)

    def suppression_key(self, identifier: Identifier) -> bytes:
        """Current pseudonym on the suppression list."""
        return self.current.suppression_key(identifier)

    def exact_suppression_keys(self, identifier: Identifier) -> tuple[bytes, ...]:
        """KeyedDigest of the exact form on the suppression list, under every generation."""
        return tuple(generation.exact_suppression_key(identifier) for generation in self.generations)

    def suppression_keys(self, identifier: Identifier) -> tuple[bytes, ...]:
        """KeyedDigest of the folded form on the suppression list, under every generation."""
        return tuple(generation.suppression_key(identifier) for generation in self.generations)

    def suppression_keys_alike(self, identifier: Identifier) -> tuple[bytes, ...]:
        """All pseudonyms by which an address may be on the list: every generation, also without tag and dots."""
        return tuple(key for other in delivered_alike(identifier) for key in self.suppression_keys(other))

    # --- encryption ---

    @cached_property
    def _ciphers(self) -> MultiFernet:
        return MultiFernet([Fernet(generation.encryption) for generation in self.generations])

    def seal_bytes(self, value: bytes) -> bytes:
        """Encrypt with the current generation."""
        return self._ciphers.encrypt(value)

    def open_bytes(self, sealed: bytes) -> bytes:
        """Decrypt what any generation sealed; refuses what was sealed with other keys."""
        try:
            return self._ciphers.decrypt(bytes(sealed))
        except InvalidToken as error:
            raise KeysUnusable("the ledger was written with other keys: connect the keys that belong to it") from error

    def seal(self, value: str) -> bytes:
        """Encrypt what the ledger must be able to read back."""
        return self.seal_bytes(value.encode())

    def open(self, sealed: bytes) -> str:
        """The opposite of `seal`."""
        return self.open_bytes(sealed).decode()

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


def _by_kind(key: bytes, label: str) -> Mapping[IdentifierKind, KeyedDigest]:
    return {kind: KeyedDigest(key, label, kind) for kind in IdentifierKind}
