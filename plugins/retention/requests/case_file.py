"""What does a subject's request say of the subject, and who can read it? One encrypted file under a key of its own.

AES-256-GCM. The case's key is random, wrapped by the keys of the deployment, and bound to the request: a file put
beside another request does not open. When the case ends the key is destroyed, and backups of the file end with it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retention.impediment import Impediment
from retention.vocabulary import Identifier, IdentifierKind

KEY_BYTES = 32
NONCE_BYTES = 12


class CaseClosed(Impediment):
    """The key of a request was destroyed, or is not the one its file was written with: nobody can read it."""


class NotACorrection(Impediment):
    """What was written is no correction. The text names the line and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A value the subject says is right (Art. 16): which field of which records of which system is to hold it."""

    system: str
    kind: str
    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Who asks, as they named themselves, and in which words. Lives in memory only."""

    identifiers: tuple[Identifier, ...] = field(repr=False)
    words: str = field(default="", repr=False)
    corrections: tuple[Correction, ...] = ()
    deliver_to: str = field(default="", repr=False)  # of a third party who is to have the copy, too (Art. 20(2))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the person can be written to."""
        return tuple(i.value for i in self.identifiers if i.kind is IdentifierKind.EMAIL)


def corrections_in(lines: Sequence[str]) -> tuple[Correction, ...]:
    """Corrections as people write them, SYSTEM KIND FIELD VALUE a line; a field without a value is to be emptied."""
    written = [(number, line.split(maxsplit=3)) for number, line in enumerate(lines, start=1) if line.strip()]
    for number, parts in written:
        if len(parts) < 3:
            raise NotACorrection(f"correction in line {number}: expected SYSTEM KIND FIELD VALUE")
    whole = [(*parts, "") if len(parts) == 3 else tuple(parts) for _, parts in written]
    return tuple(Correction(system, kind, name, value.strip()) for system, kind, name, value in whole)


def fresh_key() -> bytes:
    """A key for one case."""
    return secrets.token_bytes(KEY_BYTES)


def sealed(file: CaseFile, key: bytes, request_id: str) -> bytes:
    """The file as the ledger may hold it."""
    plain = {
        "identifiers": [[i.kind, i.value] for i in file.identifiers],
        "words": file.words,
        "corrections": [[c.system, c.kind, c.name, c.value] for c in file.corrections],
        "deliver_to": file.deliver_to,
    }
    return encrypted(json.dumps(plain).encode(), key, request_id)


def opened(content: bytes, key: bytes, request_id: str) -> CaseFile:
    """The opposite of `sealed`."""
    plain = json.loads(decrypted(content, key, request_id))
    return CaseFile(
        tuple(Identifier(IdentifierKind(kind), value) for kind, value in plain["identifiers"]),
        plain["words"],
        tuple(Correction(*values) for values in plain["corrections"]),
        plain.get("deliver_to", ""),
    )


def encrypted(plain: bytes, key: bytes, bound_to: str) -> bytes:
    """Nonce and ciphertext; opens only under the same key and name."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def decrypted(content: bytes, key: bytes, bound_to: str) -> bytes:
    """The opposite of `encrypted`; raises `CaseClosed` if it is not that key, that name or that content."""
    try:
        return AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise CaseClosed(f"{bound_to}: what is stored does not open with its key: stop and investigate") from error
