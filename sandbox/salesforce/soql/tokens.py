"""Where do the words, literals and signs of a SOQL statement begin and end?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.language import complaint

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<datetime>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|z|[+-]\d{2}:?\d{2}))
  | (?P<date>\d{4}-\d{2}-\d{2}(?![\dT]))
  | (?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
  | (?P<word>[A-Za-z][A-Za-z0-9_]*)
  | (?P<sign><=|>=|!=|<>|[=<>(),.:+-])
    """,
    re.VERBOSE,
)
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
}
_HEX = re.compile(r"[0-9A-Fa-f]{4}")


@dataclass(frozen=True)
class Token:
    """`kind` is word, string, number, date, datetime, sign or end; `at` counts characters from 0."""

    kind: str
    text: str
    at: int
    pattern: str = ""

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words

    def is_sign(self, *signs: str) -> bool:
        return self.kind == "sign" and self.text in signs


def tokens(text: str) -> list[Token]:
    """All tokens and a last one of kind `end`."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == "'":
            token, at = _string(text, at)
            found.append(token)
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            raise ApiError(
                400, "MALFORMED_QUERY", f"line {_line(text, at)} no viable alternative at character '{text[at]}'"
            )
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    found.append(Token("end", "<EOF>", len(text)))
    return found


def _string(text: str, start: int) -> tuple[Token, int]:
    """Read a quoted string; the pattern keeps `\\%` and `\\_` apart from the wildcards."""
    value: list[str] = []
    pattern: list[str] = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == "'":
            return Token("string", "".join(value), start, "".join(pattern)), at + 1
        if char != "\\":
            value.append(char)
            pattern.append(char)
            at += 1
            continue
        following = text[at + 1 : at + 2]
        if following in ("%", "_"):
            value.append(following)
            pattern.append("\\" + following)
            at += 2
        elif following in _ESCAPES and following:
            value.append(_ESCAPES[following])
            pattern.append("\\\\" if following == "\\" else _ESCAPES[following])
            at += 2
        elif following in ("u", "U") and _HEX.fullmatch(text[at + 2 : at + 6]):
            char = chr(int(text[at + 2 : at + 6], 16))
            value.append(char)
            pattern.append("\\\\" if char == "\\" else char)
            at += 6
        else:
            raise complaint(
                text,
                start,
                "MALFORMED_QUERY",
                f"Invalid string literal '{text[start + 1 : at + 2]}'. "
                f"Illegal character sequence '\\{following}' in string literal.",
            )
    raise ApiError(400, "MALFORMED_QUERY", f"line {_line(text, len(text))} mismatched character '<EOF>' expecting '''")


def _line(text: str, at: int) -> str:
    return f"{text.count(chr(10), 0, at) + 1}:{at - (text.rfind(chr(10), 0, at) + 1)}"
