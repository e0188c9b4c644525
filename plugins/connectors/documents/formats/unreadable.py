"""Why could a file not be read, wholly or in part? The one exception of the readers; it carries no text of the file."""

from __future__ import annotations

from retention.vocabulary import GapCode


class Unreadable(Exception):
    """A file that gives no reliable content. `what` is a word of ours."""

    def __init__(self, code: GapCode, what: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.what = what
