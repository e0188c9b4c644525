"""What lies in a folder that a server serves? Read and written past the server."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any


class Disk:
    """A folder of this machine, whose files belong to the user that the server runs as."""

    def __init__(self, root: Path, owner: str = "") -> None:
        self.root = root
        self._owner = owner
        root.mkdir(parents=True, exist_ok=True)
        self._give(root)

    def put(self, path: str, content: bytes, modified: datetime | None = None) -> None:
        at = self.root / path
        for folder in reversed(list(at.relative_to(self.root).parents)[:-1]):
            self.folder(str(folder))
        at.write_bytes(content)
        self._give(at)
        if modified is not None:
            os.utime(at, (modified.timestamp(), modified.timestamp()))

    def folder(self, path: str) -> None:
        (self.root / path).mkdir(exist_ok=True)
        self._give(self.root / path)

    def get(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def files(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                at = Path(folder) / name
                told = at.lstat()
                facts = {"modified": told.st_mtime_ns, "mode": told.st_mode, "links": told.st_nlink}
                found[str(at.relative_to(self.root))] = {**facts, "content": at.read_bytes() if at.is_file() else b""}
        return found

    def empty(self, *folders: str) -> None:
        for one in self.root.iterdir():
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
            else:
                one.unlink()
        for folder in folders:
            self.folder(folder)

    def _give(self, at: Path) -> None:
        if self._owner:
            shutil.chown(at, self._owner, self._owner)
