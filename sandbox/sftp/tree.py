"""What lies on the document server now? A real folder, seeded with real files, beside one that must not be reached."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sandbox.clock import Clock
from sandbox.population import DocumentFile

LINK = "imports/elsewhere"
_OUTSIDE_FILE = "partner-list.csv"


class Tree:
    """The served folder `root`; `outside` lies beside it, and a link in the root leads there.

    Following the link is a client's mistake that no server prevents; `outside` is part of the state to show it.
    """

    def __init__(self, folder: Path, documents: Sequence[DocumentFile], outside: bytes, as_of: date) -> None:
        self.root = folder / "served"
        self.outside = folder / "outside"
        self.clock = Clock(as_of)
        self._documents = documents
        self._outside_content = outside
        self.root.mkdir()
        self.outside.mkdir()
        self.reset()

    def state(self) -> dict[str, Any]:
        """Files with size, digest and time; folders; links with their target; and what lies outside the root."""
        return {**_contents(self.root), "outside": _contents(self.outside)["files"]}

    def reset(self) -> None:
        self.clock.reset()
        _empty(self.root)
        _empty(self.outside)
        for document in self._documents:
            path = self.root / document.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(document.content)
            self.date(path, document.modified)
        (self.outside / _OUTSIDE_FILE).write_bytes(self._outside_content)
        self.date(self.outside / _OUTSIDE_FILE, datetime(2015, 1, 1, tzinfo=UTC))
        link = self.root / LINK
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(self.outside, link.parent), target_is_directory=True)

    def set_clock(self, now: datetime) -> None:
        self.clock.set(now)

    def date(self, file: Path | int, moment: datetime | None = None) -> None:
        """Give a file the time of the emulator's clock: the machine's own clock knows nothing of `as_of`."""
        seconds = (moment or self.clock.now()).timestamp()
        os.utime(file, (seconds, seconds))


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _contents(root: Path) -> dict[str, Any]:
    files: dict[str, dict[str, Any]] = {}
    folders: list[str] = []
    links: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            links[name] = path.readlink().as_posix()
        elif path.is_dir():
            folders.append(name)
        else:
            content = path.read_bytes()
            modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            digest = hashlib.sha256(content).hexdigest()
            files[name] = {"size": len(content), "sha256": digest, "modified": modified.isoformat(timespec="seconds")}
    return {"files": files, "folders": folders, "links": links}
