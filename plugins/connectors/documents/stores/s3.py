"""How do we reach files in an S3 bucket? Prefixes are folders, and a file is gone when no version of it is listed.

In a bucket with versions a plain deletion hides a file and keeps it. So what is hidden is still listed here, and
removing deletes every version and every marker by its own id, and lists again.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.documents.stores.line import Line
from connectors.documents.stores.s3_bucket import Bucket, Session, open_bucket, sorted_errors
from connectors.documents.stores.store import Entry, Failed, Forbidden, Held, Kind, Missing, NothingBeside, TooLarge

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

OLDER_VERSIONS = "older-versions"
NOT_A_PATH = "name-no-path"
_CHUNK = 1024 * 1024
_LARGEST_COPY = 5 * 1024**3


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of a key, newest first as listed; a marker hides what came before."""

    id: str
    size: int
    modified: datetime
    etag: str
    is_marker: bool


class S3Store(NothingBeside):
    """Files below one prefix of one bucket."""

    def __init__(self, bucket: Bucket, system: str) -> None:
        self.system = system
        where = f"{bucket.endpoint}/{bucket.name}/{bucket.prefix.strip('/')}"
        self.identity = f"s3-{hashlib.sha256(where.encode()).hexdigest()[:32]}"
        self.views: tuple[str, ...] = ("live-path", "all-versions", "restricted-area", "root-listing")
        self._bucket = bucket
        self._line = Line(system, lambda: open_bucket(bucket, system), lambda session: session.client.close())

    def connect(self) -> None:
        self._line.connect()

    def close(self) -> None:
        self._line.close()

    def another(self) -> S3Store:
        return S3Store(self._bucket, self.system)

    # --- Reading ---

    def list(self, folder: str) -> list[Entry]:
        def listing(session: Session) -> list[Entry]:
            prefix = self._at(folder) + "/" if self._at(folder) else ""
            found = self._with_versions if session.has_versions else self._plain
            entries = sorted(found(session, prefix), key=_name)
            if not entries and folder:
                raise Missing
            return entries

        return self._line.read(listing)

    def look(self, path: str) -> Entry:
        def looking(session: Session) -> Entry:
            entry = self._file(session, path)
            if entry is not None:
                return entry
            with sorted_errors():
                below = session.client.list_objects_v2(Bucket=self._bucket.name, Prefix=self._at(path) + "/", MaxKeys=1)
            if below.get("KeyCount"):
                return Entry(posixpath.basename(path), Kind.FOLDER)
            raise Missing

        return self._line.read(looking)

    def read(self, path: str, most: int | None = None) -> bytes:
        def reading(session: Session) -> bytes:
            content = bytearray()
            with sorted_errors(), closing(self._opened(session, path)) as body:
                for chunk in body.iter_chunks(_CHUNK):
                    content += chunk
                    if most is not None and len(content) > most:
                        raise TooLarge
            return bytes(content)

        return self._line.read(reading)

    def is_below_root(self, folder: str) -> bool:
        """A bucket knows no links."""
        return True

    def unfinished(self) -> Sequence[str]:
        """Uploads in parts that nobody ended: their bytes are kept, and no listing of files shows them."""

        def asking(session: Session) -> Sequence[str]:
            pages = session.client.get_paginator("list_multipart_uploads")
            prefix = self._at("") + "/" if self._at("") else ""
            with sorted_errors():
                found = [
                    upload["Key"][len(prefix) :]
                    for page in pages.paginate(Bucket=self._bucket.name, Prefix=prefix)
                    for upload in page.get("Uploads", [])
                ]
            return list(dict.fromkeys(found))

        return self._line.read(asking)

    # --- Changing ---

    def remove(self, path: str) -> None:
        self._line.change(lambda session: self._remove(session, path))

    def move(self, source: str, target: str) -> None:
        """A bucket cannot rename: copied, the copy compared, and then every version of the source deleted."""

        def moving(session: Session) -> None:
            if self._file(session, target) is not None:
                raise Failed
            self._copy(session, source, target)
            self._remove(session, source)

        self._line.change(moving)

    def replace(self, source: str, target: str) -> None:
        """Copied over what is there, whose versions then go, and with them the source."""

        def replacing(session: Session) -> None:
            before = self._versions(session, target) if session.has_versions else []
            self._copy(session, source, target)
            self._delete(session, target, before)
            self._remove(session, source)

        self._line.change(replacing)

    def make_folder(self, folder: str) -> None:
        """A folder is there as soon as something is in it."""

    def write(self, path: str, content: bytes) -> None:
        """Not every server heeds the condition, so the name is looked at before as well."""

        def writing(session: Session) -> None:
            if self._file(session, path) is not None:
                raise Failed
            with sorted_errors():
                session.client.put_object(Bucket=self._bucket.name, Key=self._at(path), Body=content, IfNoneMatch="*")

        self._line.change(writing)

    def dress(self, path: str, like: Entry) -> None:
        """The bucket decides rights and times: what is written anew is dated anew."""

    # --- Keys and versions ---

    def _at(self, path: str) -> str:
        return "/".join(part for part in (self._bucket.prefix.strip("/"), path) if part)

    def _plain(self, session: Session, prefix: str) -> Iterator[Entry]:
        pages = session.client.get_paginator("list_objects_v2")
        with sorted_errors():
            for page in pages.paginate(Bucket=self._bucket.name, Prefix=prefix, Delimiter="/"):
                for found in page.get("CommonPrefixes", []):
                    yield from _below(found["Prefix"][len(prefix) :].removesuffix("/"), Entry("", Kind.FOLDER))
                for one in page.get("Contents", []):
                    told = Entry("", Kind.FILE, one["Size"], _nanoseconds(one["LastModified"]), tag=one.get("ETag", ""))
                    yield from _below(one["Key"][len(prefix) :], told)

    def _with_versions(self, session: Session, prefix: str) -> Iterator[Entry]:
        folders, versions = self._listed(session, prefix, "/")
        for name in folders:
            yield from _below(name, Entry("", Kind.FOLDER))
        for key, found in versions.items():
            if any(not one.is_marker for one in found):
                yield from _below(key[len(prefix) :], _entry(found))

    def _listed(
        self, session: Session, prefix: str, delimiter: str
    ) -> tuple[Sequence[str], dict[str, Sequence[_Version]]]:
        """Folders and, per key, its versions from the newest on."""
        folders: dict[str, None] = {}
        versions: dict[str, Any] = {}
        pages = session.client.get_paginator("list_object_versions")
        with sorted_errors():
            for page in pages.paginate(Bucket=self._bucket.name, Prefix=prefix, Delimiter=delimiter):
                for below in page.get("CommonPrefixes", []):
                    folders[below["Prefix"][len(prefix) :].removesuffix("/")] = None
                for one in page.get("Versions", []):
                    told = _Version(one["VersionId"], one["Size"], one["LastModified"], one["ETag"], is_marker=False)
                    versions.setdefault(one["Key"], []).append(told)
                for marker in page.get("DeleteMarkers", []):
                    told = _Version(marker["VersionId"], 0, marker["LastModified"], "", is_marker=True)
                    versions.setdefault(marker["Key"], []).append(told)
        return list(folders), versions

    def _versions(self, session: Session, path: str) -> Sequence[_Version]:
        _, found = self._listed(session, self._at(path), "/")
        return found.get(self._at(path), [])

    def _newest(self, session: Session, path: str) -> _Version:
        contents = [one for one in self._versions(session, path) if not one.is_marker]
        if not contents:
            raise Missing
        return max(contents, key=_made)

    def _file(self, session: Session, path: str) -> Entry | None:
        if session.has_versions:
            found = self._versions(session, path)
            kept = any(not one.is_marker for one in found)
            return next(_below(posixpath.basename(path), _entry(found))) if kept else None
        try:
            with sorted_errors():
                told = session.client.head_object(Bucket=self._bucket.name, Key=self._at(path))
        except Missing:
            return None
        modified = _nanoseconds(told["LastModified"])
        return Entry(posixpath.basename(path), Kind.FILE, told["ContentLength"], modified, tag=told.get("ETag", ""))

    def _copy(self, session: Session, source: str, target: str) -> None:
        bucket = self._bucket.name
        told = self._file(session, source)
        if told is None:
            raise Missing
        if told.size > _LARGEST_COPY:
            raise Failed
        etag = told.tag.partition(" ")[0]
        unchanged: Any = {"CopySourceIfMatch": etag} if etag else {}
        with sorted_errors():
            session.client.copy_object(
                Bucket=bucket,
                Key=self._at(target),
                CopySource=self._source(session, source),
                **unchanged,
            )
            copied = self._digest(session, target) == self._digest(session, source)
        if not copied:
            raise Failed

    def _source(self, session: Session, path: str) -> CopySourceTypeDef:
        if session.has_versions:
            return {"Bucket": self._bucket.name, "Key": self._at(path), "VersionId": self._newest(session, path).id}
        return {"Bucket": self._bucket.name, "Key": self._at(path)}

    def _digest(self, session: Session, path: str) -> bytes:
        digest = hashlib.sha256()
        with closing(self._opened(session, path)) as body:
            for chunk in body.iter_chunks(_CHUNK):
                digest.update(chunk)
        return digest.digest()

    def _opened(self, session: Session, path: str) -> StreamingBody:
        bucket, key = self._bucket.name, self._at(path)
        if session.has_versions:
            return session.client.get_object(Bucket=bucket, Key=key, VersionId=self._newest(session, path).id)["Body"]
        return session.client.get_object(Bucket=bucket, Key=key)["Body"]

    def _remove(self, session: Session, path: str) -> None:
        if not session.has_versions:
            with sorted_errors():
                session.client.delete_object(Bucket=self._bucket.name, Key=self._at(path))
            return
        self._delete(session, path, self._versions(session, path))
        if self._versions(session, path):
            raise Failed

    def _delete(self, session: Session, path: str, versions: Sequence[_Version]) -> None:
        """Contents before markers: were it to stop in between, nothing would come back into view.

        One by one: what deletes many at once wants checksums that not every server knows.
        """
        for one in sorted(versions, key=_is_marker):
            try:
                with sorted_errors():
                    session.client.delete_object(Bucket=self._bucket.name, Key=self._at(path), VersionId=one.id)
            except Forbidden:
                # A version that we were shown and may not delete is under a hold or retention of the bucket's.
                raise Held from None


def _entry(versions: Sequence[_Version]) -> Entry:
    """A file as its newest content, hidden by a marker or not."""
    contents = [one for one in versions if not one.is_marker]
    newest = max(contents, key=_made)
    return Entry(
        name="",
        kind=Kind.FILE,
        size=newest.size,
        modified_ns=_nanoseconds(newest.modified),
        tag=f"{newest.etag} {newest.id}",
        caveat=OLDER_VERSIONS if len(contents) > 1 else "",
    )


def _below(name: str, told: Entry) -> Iterator[Entry]:
    """A name as it stands in a folder. Keys need be no paths: behind such a name nothing is reached by ours."""
    if name and name not in (".", ".."):
        yield replace(told, name=name)
    elif told.kind is Kind.FOLDER or told.size or name:  # else the placeholder that some clients make of a folder
        yield Entry(name, Kind.OTHER, caveat=NOT_A_PATH)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def _made(version: _Version) -> datetime:
    return version.modified


def _is_marker(version: _Version) -> bool:
    return version.is_marker


def _name(entry: Entry) -> str:
    return entry.name
