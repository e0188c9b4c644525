"""How is a file encrypted so that it is opened with a passphrase alone, and never lies unencrypted on a disk?

`RETENTION-COPY/1`, a line feed, a salt, a nonce prefix; then pieces of 64 KiB, each under AES-256-GCM with the prefix,
its number and whether it is the last (the STREAM construction): pieces cannot be cut off, reordered or swapped. The
key is scrypt over the passphrase. `tools/open_copy.py` opens it and imports nothing of ours.
"""

from __future__ import annotations

import io
import secrets
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"RETENTION-COPY/1\n"
SALT_BYTES, PREFIX_BYTES, PIECE_BYTES = 16, 7, 64 * 1024


class Encrypting(io.RawIOBase):
    """A file that can only be written to, front to back; what reaches `target` is encrypted. `close` ends it."""

    def __init__(self, target: BinaryIO, passphrase: str) -> None:
        salt, self._prefix = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(PREFIX_BYTES)
        self._cipher = AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()))
        self._target, self._waiting, self._number = target, bytearray(), 0
        target.write(MAGIC + salt + self._prefix)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        """Take some more; whole pieces go out."""
        self._waiting += content
        while len(self._waiting) > PIECE_BYTES:  # the last piece is not known before the end
            self._put(bytes(self._waiting[:PIECE_BYTES]), is_last=False)
            del self._waiting[:PIECE_BYTES]
        return len(content)

    def close(self) -> None:
        """Write the last piece."""
        if not self.closed:
            self._put(bytes(self._waiting), is_last=True)
            self._waiting.clear()
        super().close()

    def _put(self, piece: bytes, *, is_last: bool) -> None:
        nonce = self._prefix + self._number.to_bytes(4, "big") + bytes([is_last])
        self._target.write(self._cipher.encrypt(nonce, piece, None))
        self._number += 1
