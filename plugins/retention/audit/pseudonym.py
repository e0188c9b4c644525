"""How is a record named in the audit log, so that destroying one key makes the name mean nothing?"""

from __future__ import annotations

import hmac

KEY_BYTES = 32
_KEY_ID_LABEL = "retention-audit-key-id/v1"


def record_pseudonym(case_key: bytes, purpose: str, value: str) -> str:
    """HMAC-SHA-256 over (purpose, value), each with its length before it, as 64 hex digits.

    One random key per case: once it is destroyed nobody can tell any more whom the pseudonyms meant, while every
    hash over them still holds. Different purposes give names that cannot be joined.
    """
    return _mac(case_key, purpose, value).hex()


def key_id(key: bytes) -> str:
    """The public name of a key, 16 hex digits, derived one way; it goes into the log beside the pseudonyms."""
    return _mac(key, _KEY_ID_LABEL)[:8].hex()


def _mac(key: bytes, *parts: str) -> bytes:
    if len(key) < KEY_BYTES:
        raise ValueError(f"a pseudonym key has at least {KEY_BYTES} bytes")
    encoded = [part.encode() for part in parts]
    return hmac.digest(key, b"".join(len(part).to_bytes(4, "big") + part for part in encoded), "sha256")
