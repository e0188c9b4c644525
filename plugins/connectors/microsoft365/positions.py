"""Up to where was each folder of each mailbox read? The token between two passes: links of the service, compressed.

Of a link only path and query are kept, so that a token never leads to another host. A token of another layout, or of a
policy that said other things of the items, is none: everything is read again.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from retention.vocabulary import Token

_HEAD = b"M365-1:"
READING, READ = "n", "d"


@dataclass
class Positions:
    """Mailbox → name of a place in it → how far it was read: `n` and the next page, or `d` and the next changes.

    `removed` holds the items that a place no longer has, until every place has said whether it has them now.
    """

    meaning: str = ""
    places: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    removed: set[tuple[str, str, str]] = field(default_factory=set, repr=False)

    @classmethod
    def parse(cls, token: Token | None, meaning: str = "") -> Positions:
        """What an earlier pass left; nothing, where it cannot be read or was read under another meaning."""
        if token is None or not token.startswith(_HEAD):
            return cls(meaning)
        try:
            told = json.loads(zlib.decompress(base64.urlsafe_b64decode(token.removeprefix(_HEAD))))
            if told["meaning"] != meaning:
                return cls(meaning)
            return cls(
                meaning,
                {str(m): {str(p): str(at) for p, at in places.items()} for m, places in told["places"].items()},
                {(str(k), str(m), str(i)) for k, m, i in told["removed"]},
            )
        except (binascii.Error, zlib.error, ValueError, KeyError, TypeError, AttributeError):
            return cls(meaning)

    def token(self) -> Token:
        """What the next pass shall know."""
        told = json.dumps(
            {"meaning": self.meaning, "places": self.places, "removed": sorted(self.removed)}, separators=(",", ":")
        )
        return Token(_HEAD + base64.urlsafe_b64encode(zlib.compress(told.encode(), 6)))

    def of(self, mailbox: str, place: str) -> tuple[str, str] | None:
        """How far a place was read: the state, and path and query of what comes next."""
        at = self.places.get(mailbox, {}).get(place)
        return (at[0], at[1:]) if at and at[0] in (READING, READ) and at[1:2] == "/" else None

    def set(self, mailbox: str, place: str, state: str, link: str) -> None:
        """Note how far a place was read."""
        self.places.setdefault(mailbox, {})[place] = state + link

    def drop(self, mailbox: str, place: str) -> None:
        """Forget a place: it is read anew, or is no more."""
        self.places.get(mailbox, {}).pop(place, None)

    def keep_only(self, present: Iterable[tuple[str, str]]) -> None:
        """Forget every place that is no more."""
        left: dict[str, dict[str, str]] = {}
        for mailbox, place in present:
            if (at := self.places.get(mailbox, {}).get(place)) is not None:
                left.setdefault(mailbox, {})[place] = at
        self.places = left

    def known(self) -> Iterator[tuple[str, str]]:
        """Every place that was read before, by mailbox and name."""
        for mailbox, places in self.places.items():
            for name in places:
                yield mailbox, name

    def named(self, mailbox: str) -> Iterator[str]:
        """The places of a mailbox that were read before."""
        yield from self.places.get(mailbox, {})
