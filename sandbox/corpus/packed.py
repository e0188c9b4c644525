"""Where may a file about somebody hide in an archive?"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping

from sandbox.corpus import letters, office
from sandbox.corpus.person import Person

_TIME = (2020, 1, 1, 0, 0, 0)


def zipped(files: Mapping[str, bytes], comment: bytes = b"") -> bytes:
    """A zip with fixed times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _letter(person: Person) -> bytes:
    return letters.MAKERS["plain.txt"](person)


def _nested(person: Person) -> bytes:
    inner = zipped({"deep/letter.docx": office.MAKERS["header.docx"](person)})
    return zipped({"readme.txt": b"nothing here", "inner.zip": inner})


def _tar(person: Person) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("folder/letter.txt")
        entry.size = len(_letter(person))
        archive.addfile(entry, io.BytesIO(_letter(person)))
    return buffer.getvalue()


MAKERS: Mapping[str, Callable[[Person], bytes]] = {
    "member.zip": lambda p: zipped({"letter.txt": _letter(p), "picture.svg": b"<svg/>"}),
    "zip-in-zip.zip": _nested,
    "name-of-a-member.zip": lambda p: zipped({f"{p.email}/notes.txt": b"nothing"}),
    "comment.zip": lambda p: zipped({"notes.txt": b"nothing"}, p.email.encode()),
    "called-a-text.txt": lambda p: zipped({"letter.txt": _letter(p)}),
    "member.tar": _tar,
    "member.tar.gz": lambda p: gzip.compress(_tar(p), mtime=0),
    "one-file.gz": lambda p: gzip.compress(_letter(p), mtime=0),
}
