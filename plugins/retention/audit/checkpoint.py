"""Who vouches for the log's state, and how does an outsider check it? Signed tree heads in the C2SP note layout.

c2sp.org/tlog-checkpoint inside c2sp.org/signed-note, Ed25519 (RFC 8032). The key's name is the log's origin. Public
keys travel as `name+keyid+base64`, the text form that Go's checksum database and its tools use.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from retention.audit.merkle import HASH_BYTES

_ED25519 = b"\x01"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_DASH = "\u2014 "


class NotAuthentic(Exception):
    """A note is malformed or not signed by any key given. Nothing it says may be believed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of one log at one size."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.origin) or self.size < 0 or len(self.root) != HASH_BYTES:
            raise ValueError("a checkpoint has an origin like log.example/audit, a size and a root of 32 bytes")

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public key and the name of the log it speaks for."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.public) != 32:
            raise ValueError("a verification key has a name like log.example/audit and 32 bytes")

    @property
    def key_id(self) -> bytes:
        """Four bytes that say which key to try; no proof of anything."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """`name+keyid+base64`, to be published."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifyKey:
        """Read what `text` wrote; refuses a key whose id does not fit it."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = _base64(encoded)
        if raw is None or raw[:1] != _ED25519:
            raise ValueError("a verification key reads name+keyid+base64 and is of the Ed25519 type")
        key = cls(name, raw[1:])
        if key.key_id.hex() != key_id:
            raise ValueError("the key id does not belong to this name and key")
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key of a log. Kept where workers cannot read it; never shown."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.seed) != 32:
            raise ValueError("a signing key has a name like log.example/audit and a seed of 32 bytes")

    @property
    def verify_key(self) -> VerifyKey:
        """The half that is published."""
        return VerifyKey(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """`PRIVATE+KEY+name+keyid+base64`, for the secret store only."""
        encoded = base64.b64encode(_ED25519 + self.seed).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verify_key.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read what `text` wrote. Errors do not repeat the text."""
        parts = text.strip().split("+", 4)
        raw = _base64(parts[4]) if len(parts) == 5 and parts[:2] == ["PRIVATE", "KEY"] else None
        if raw is None or raw[:1] != _ED25519 or len(raw) != 33:
            raise ValueError("a signing key reads PRIVATE+KEY+name+keyid+base64 and is of the Ed25519 type")
        key = cls(parts[2], raw[1:])
        if key.verify_key.key_id.hex() != parts[3]:
            raise ValueError("the key id does not belong to this name and key")
        return key


def signature_over(content: bytes, key: SigningKey) -> bytes:
    """The key's signature over something that is no checkpoint; whoever signs says inside what it is."""
    return Ed25519PrivateKey.from_private_bytes(key.seed).sign(content)


def is_signed(content: bytes, signature: bytes, key: VerifyKey) -> bool:
    """Whether a signature over some content is the key's."""
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint as a signed note. A log signs only heads that extend every head it signed before."""
    if checkpoint.origin != key.name:
        raise ValueError("a log signs with the key of its own name")
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(checkpoint.text.encode())
    encoded = base64.b64encode(key.verify_key.key_id + signature).decode()
    return f"{checkpoint.text}\n{_DASH}{key.name} {encoded}\n"


def open_note(note: str, keys: Iterable[VerifyKey]) -> Checkpoint:
    """The checkpoint inside a note that one of the keys signed; raises `NotAuthentic` otherwise.

    Signatures of unknown keys (witnesses, rotated keys) are passed over; a false one of a known key spoils the note.
    """
    known = {(key.name, key.key_id): key for key in keys}
    text, signatures = _split(note)
    signers = set()
    for name, raw in signatures:
        key = known.get((name, raw[:4]))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text.encode())
        except InvalidSignature as error:
            raise NotAuthentic("the signature of a known key does not fit the note") from error
        signers.add(name)
    if not signers:
        raise NotAuthentic("the note is not signed by any of the keys given")
    checkpoint = _parse(text)
    if checkpoint.origin not in signers:
        raise NotAuthentic("the note is signed, but not by the log it speaks of")
    return checkpoint


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The signed text, and per signature line the key's name and the raw bytes."""
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n") or any(c < " " and c != "\n" for c in note):
        raise NotAuthentic("this is not a signed note")
    signatures = []
    for line in tail[:-1].split("\n"):
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        raw = _base64(encoded)
        if not line.startswith(_DASH) or not name or raw is None or len(raw) < 5:
            raise NotAuthentic("a signature line of the note is malformed")
        signatures.append((name, raw))
    return text + "\n", signatures


def _parse(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    root = _base64(lines[2]) if len(lines) == 3 else None
    if root is None or not _SIZE.fullmatch(lines[1]):
        raise NotAuthentic("the note is signed, but it is not a checkpoint")
    try:
        return Checkpoint(lines[0], int(lines[1]), root)
    except ValueError as error:
        raise NotAuthentic("the note is signed, but it is not a checkpoint") from error


def _base64(text: str) -> bytes | None:
    """Standard base64 in its one proper spelling, or None."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None
