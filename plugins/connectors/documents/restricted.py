"""Where does a restricted file lie, and how is its way back known? A name without meaning, and a manifest beside it.

The name is a digest of the path, so that a path finds its file without a search. The manifest holds the path itself:
it lies in the restricted area only, which nobody but the privacy role may read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.documents.folders import RESTRICTED, is_path
from connectors.documents.stores.store import Entry, FileStore, Missing, StoreError

MANIFEST = ".json"
_LARGEST_MANIFEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Remains:
    """Something in the restricted area that does not belong together: to be looked at by a person."""

    what: str
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Restricted:
    """A file in the restricted area, under the path it came from."""

    path: str = field(repr=False)
    entry: Entry


def content_at(path: str) -> str:
    """Where the bytes of a restricted file lie."""
    return f"{RESTRICTED}/{hashlib.blake2b(path.encode(), digest_size=16).hexdigest()}"


def manifest_at(path: str) -> str:
    """Where its manifest lies."""
    return content_at(path) + MANIFEST


def manifest(path: str, entry: Entry, sha256: str) -> bytes:
    """What must be known to put a file back by hand."""
    facts = {"path": path, "sha256": sha256, "size": entry.size, "modified": entry.modified_at.isoformat()}
    if entry.permissions is not None:
        facts["mode"] = f"{entry.permissions:04o}"
    return json.dumps(facts, indent=1).encode()


def listed(store: FileStore) -> Iterator[Restricted | Remains]:
    """Every restricted file under its first path, and what cannot be told."""
    try:
        entries = {entry.name: entry for entry in store.list(RESTRICTED)}
    except Missing:
        return
    for name, entry in entries.items():
        if not name.endswith(MANIFEST):
            if name + MANIFEST not in entries:
                yield Remains("restricted-without-manifest", f"{RESTRICTED}/{name}")
            continue
        path = _path_in(store, name)
        content = entries.get(name.removesuffix(MANIFEST))
        if path is None:
            yield Remains("restricted-manifest", f"{RESTRICTED}/{name}")
        elif content is None:
            yield Remains("restricted-remains", path)
        elif content.is_file and entry.is_file:
            yield Restricted(path, content)
        else:
            yield Remains("restricted-manifest", f"{RESTRICTED}/{name}")


def _path_in(store: FileStore, name: str) -> str | None:
    try:
        path = json.loads(store.read(f"{RESTRICTED}/{name}", _LARGEST_MANIFEST))["path"]
    except (ValueError, KeyError, TypeError, StoreError):
        return None
    if not isinstance(path, str) or not is_path(path) or manifest_at(path) != f"{RESTRICTED}/{name}":
        return None
    return path
