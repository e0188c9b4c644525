"""When was a file's content collected? The latest date that the content itself gives, and only else the file's times.

Copying renews a file's times, templates carry old dates inside, so none is believed alone: the latest inside decides,
and where there is none the later of creation and modification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import PurePosixPath

from retention.vocabulary import Dated

_DAY = r"(?:19|20)\d\d-\d\d-\d\d|(?:19|20)\d\d_\d\d_\d\d|(?:19|20)\d{6}"
_YEAR = r"(?:19|20)\d\d"
_AT_AN_END = (re.compile(rf"^({_DAY})(?!\d)"), re.compile(rf"(?<!\d)({_DAY})$"))
_YEAR_AT_AN_END = (re.compile(rf"^({_YEAR})(?!\d|[-_]\d)"), re.compile(rf"(?<!\d)(?<!\d[-_])({_YEAR})$"))


def collection_date(
    path: str, modified: datetime, stamps: Iterable[tuple[str, str]], created: datetime | None = None
) -> Dated:
    """The date from which retention counts, with where it was read. Not every server knows when a file was created."""
    inside = [*_from_stamps(stamps), *_from_name(PurePosixPath(path).stem, modified)]
    outside = [Dated(modified, "modification time of the file")]
    if created is not None:
        outside.append(Dated(created, "creation time of the file"))
    return max(inside or outside, key=_end)


def _from_stamps(stamps: Iterable[tuple[str, str]]) -> Iterator[Dated]:
    for name, text in stamps:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        yield Dated(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC), name)


def _from_name(stem: str, modified: datetime) -> Iterator[Dated]:
    """A day or a year at either end of the name. A year means its last day; what lies ahead of the file is a title."""
    for pattern in _AT_AN_END:
        if match := pattern.search(stem):
            digits = re.sub(r"\D", "", match.group(1))
            try:
                day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
            except ValueError:
                continue
            if day <= modified.date():
                yield Dated(day, "file name: day")
    for pattern in _YEAR_AT_AN_END:
        if (match := pattern.search(stem)) and int(match.group(1)) <= modified.year:
            yield Dated(date(int(match.group(1)), 12, 31), "file name: year")


def _end(dated: Dated) -> datetime:
    """A day is later than every instant in it."""
    if isinstance(dated.value, datetime):
        return dated.value
    return datetime.combine(dated.value, time.max, UTC)
