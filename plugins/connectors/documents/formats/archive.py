"""What lies in an archive? Each member is read as the file it is, out of one budget for all of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from typing import IO, cast

from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps
from connectors.documents.formats.unreadable import Unreadable
from retention.vocabulary import GapCode

_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError),
    *(EOFError, NotImplementedError, ValueError, OSError, KeyError),
)
_TAR_MAGIC = slice(257, 262)


def read_zip(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Every member of a zip; one with a password or a wrong checksum stays unread."""
    stamps = Stamps()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            emit(archive.comment.decode("utf-8", errors="replace"))
            members = archive.infolist()
            budget.member(len(members))
            for member in members:
                emit(member.filename)
                emit(member.comment.decode("utf-8", errors="replace"))
                if member.is_dir():
                    continue
                if member.flag_bits & 1:
                    budget.unread(GapCode.ENCRYPTED, "member")
                    continue
                try:
                    with archive.open(member) as stream:
                        inside = budget.unpacked(stream)
                except _BROKEN:
                    budget.unread(GapCode.DAMAGED, "member")
                    continue
                stamps.merge(budget.nested(member.filename, inside, emit))
    except _BROKEN:
        raise Unreadable(GapCode.DAMAGED) from None
    return stamps


def read_tar(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Every file of a tar; links lead nowhere and are not followed."""
    stamps = Stamps()
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for member in archive:
                budget.member()
                emit(member.name)
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    stamps.merge(budget.nested(member.name, budget.unpacked(stream), emit))
    except _BROKEN:
        raise Unreadable(GapCode.DAMAGED) from None
    return stamps


def read_compressed(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """One compressed file, most often a tar."""
    try:
        with _opened(content) as stream:
            inside = budget.unpacked(stream)
    except _BROKEN:
        raise Unreadable(GapCode.DAMAGED) from None
    budget.member()
    if inside[_TAR_MAGIC] == b"ustar":
        return read_tar(inside, emit, budget)
    return budget.nested("", inside, emit)


def _opened(content: bytes) -> IO[bytes]:
    file = io.BytesIO(content)
    if content.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    return cast(IO[bytes], bz2.BZ2File(file) if content.startswith(b"BZh") else lzma.LZMAFile(file))
