"""How does somebody open the copy of their data that was made for them? A script that needs nothing of ours.

    python open_copy.py COPY.enc COPY.zip

It asks for the passphrase. Needs Python and the `cryptography` package. A copy that was changed or cut short, or a
passphrase that is not the one, leaves no file behind.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"RETENTION-COPY/1\n"
SALT_BYTES, PREFIX_BYTES, PIECE_BYTES, TAG_BYTES = 16, 7, 64 * 1024, 16


def opened(content: bytes, passphrase: str) -> bytes:
    """The file inside; raises ValueError if it was changed, cut short, or the passphrase is another."""
    if not content.startswith(MAGIC):
        raise ValueError("this is no such copy")
    salt_at, prefix_at = len(MAGIC), len(MAGIC) + SALT_BYTES
    salt, prefix = content[salt_at:prefix_at], content[prefix_at : prefix_at + PREFIX_BYTES]
    rest = content[prefix_at + PREFIX_BYTES :]
    cipher = AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.strip().encode()))
    step = PIECE_BYTES + TAG_BYTES
    pieces = [rest[at : at + step] for at in range(0, len(rest), step)]
    plain = bytearray()
    try:
        for number, piece in enumerate(pieces):
            is_last = number == len(pieces) - 1
            plain += cipher.decrypt(prefix + number.to_bytes(4, "big") + bytes([is_last]), piece, None)
    except InvalidTag:
        raise ValueError("the passphrase is another, or the file was changed or cut short") from None
    if not pieces:
        raise ValueError("the file was cut short")
    return bytes(plain)


def main() -> int:
    """Open a file named on the command line."""
    if len(sys.argv) != 3:
        sys.stderr.write("usage: python open_copy.py COPY.enc COPY.zip\n")
        return 2
    try:
        plain = opened(Path(sys.argv[1]).read_bytes(), getpass.getpass("Passphrase: "))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    Path(sys.argv[2]).write_bytes(plain)
    return 0


if __name__ == "__main__":
    sys.exit(main())
