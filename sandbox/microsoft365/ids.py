"""How are items, folders and users named? Immutable ids stay with an item; the others change whenever it moves."""

from __future__ import annotations

import base64
import binascii
import struct
import uuid

_IMMUTABLE, _MUTABLE, _FOLDER = b"\x00\x09\x00\x2e", b"\x00\x09\x00\x46", b"\x01\x09\x00\x2e"
_ITEM = struct.Struct(">4sIQI")
_PLACE = struct.Struct(">4sII6x")
_USERS = uuid.UUID("8c6f4c0e-5a0b-4f6e-9b6b-6f0c5f3a7d10")


def user_id(address: str) -> str:
    """The id of a user: always the same for an address."""
    return str(uuid.uuid5(_USERS, address.casefold()))


def mailbox_id(user: str, tenant: str) -> str:
    """The id the mailbox-item API names a mailbox by."""
    return f"MBX:{user[:8]}@{tenant[:8]}"


def folder_id(box: int, folder: int) -> str:
    """The id of a folder, which stays when it moves."""
    return _text(_PLACE.pack(_FOLDER, box, folder))


def item_id(box: int, uid: int, moves: int, *, immutable: bool) -> str:
    """The id of an item in either form; `moves` is how often it was moved."""
    return _text(_ITEM.pack(_IMMUTABLE if immutable else _MUTABLE, box, uid, 0 if immutable else moves))


def parse_item(text: str) -> tuple[int, int, int | None] | None:
    """Mailbox, item and moves of an id, the last None for an immutable one; None for what is no id of an item."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii"))
        head, box, uid, moves = _ITEM.unpack(raw)
    except (binascii.Error, struct.error, UnicodeEncodeError, ValueError):
        return None
    if head not in (_IMMUTABLE, _MUTABLE):
        return None
    return box, uid, None if head == _IMMUTABLE else moves


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii")
