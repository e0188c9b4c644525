"""What is left of a zip when one person is taken out of its members?

A member that is only about them goes. One that names others too is redacted as the file it is; where that cannot be
done, nothing is.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable

from connectors.documents.formats.reading import mentioned_in
from connectors.documents.formats.unreadable import Unreadable
from connectors.documents.identifiers import mentions
from connectors.documents.redacting.office_parts import rewritten
from connectors.documents.redacting.redacted import Cut, People, Refused

Without = Callable[[str, bytes, People], tuple[bytes, int]]


def without(content: bytes, wanted: People, member_without: Without) -> tuple[bytes, int]:
    """The archive without these people; how many members are other than they were."""
    changed: dict[str, bytes | None] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [member.filename for member in archive.infolist()]
            if len(set(names)) < len(names) or mentions(
                archive.comment.decode("utf-8", errors="replace"), wanted.sought
            ):
                raise Refused(Cut.UNCLEAR)
            for member in archive.infolist():
                inside = b"" if member.is_dir() else archive.read(member)
                found = mentioned_in(member.filename, inside, wanted.sought) if inside else {}
                around = f"{member.filename}\x1e{member.comment.decode('utf-8', errors='replace')}"
                found |= mentions(around, wanted.sought)
                cut = wanted.verdict(found)
                if cut is Cut.DONE:
                    changed[member.filename] = None
                elif cut is not Cut.NOBODY:
                    changed[member.filename], _ = member_without(member.filename, inside, wanted)
            return rewritten(archive, changed) if changed else content, len(changed)
    except Unreadable:
        raise Refused(Cut.UNCLEAR) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, RuntimeError):
        raise Refused(Cut.UNCLEAR) from None
