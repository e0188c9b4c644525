"""By which link and which passphrase is a copy reached? Both are worked out from the key of the case, never stored.

Whoever reads the ledger finds a digest of the link's token and nothing of the passphrase. A link that could not be sent
is the same link on the next try, and both end with the case's key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from enum import StrEnum

PASSPHRASE_BYTES = 20


class Reader(StrEnum):
    """Whom a link leads to a copy."""

    SUBJECT = "subject"
    THIRD_PARTY = "third_party"  # named by the subject (Art. 20(2))


def token_of(case_key: bytes, copy_id: str, reader: Reader) -> str:
    """What the link of one reader to one copy carries."""
    return base64.urlsafe_b64encode(_derived(case_key, f"copy-link/{reader}/{copy_id}")).decode().rstrip("=")


def passphrase_of(case_key: bytes, request_id: str) -> str:
    """What opens every copy made for a request, in groups of four that can be read out."""
    letters = _derived(case_key, f"copy-passphrase/{request_id}")[:PASSPHRASE_BYTES].hex()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def digest_of(token: str) -> bytes:
    """By which a token is recognised again."""
    return hashlib.sha256(token.encode()).digest()


def _derived(case_key: bytes, what_for: str) -> bytes:
    return hmac.digest(case_key, what_for.encode(), "sha256")
