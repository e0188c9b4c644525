"""What does the policy say of a document server beside its folders? Where copies of deleted files are, and how long."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from retention.policy.shape import Selector, Strict

FileServer = Literal["local", "s3", "sftp", "smb", "webdav"]
FILE_SERVERS = frozenset(get_args(FileServer))
CopyKind = Literal["backups", "replicas", "snapshots"]


class FilesPolicy(Strict):
    """Copies of files that deleting does not reach.

    `bin_folder`: below the root, where a Samba recycle share moves what is deleted; it is emptied of what is erased.
    `beyond_use`: copies out of reach and after how many days the last of them is gone; named in the evidence.
    """

    bin_folder: Selector = ""
    beyond_use: dict[CopyKind, int] = Field(default_factory=dict)

    def copies_beyond_use(self) -> tuple[str, ...]:
        """As the evidence says it."""
        return tuple(f"{kind}: {days} days" for kind, days in sorted(self.beyond_use.items()))
