"""Which messages does a `$search` find? The index looks at display names too, and never shows more than a thousand."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sandbox.microsoft365.errors import Refused
from sandbox.microsoft365.mailbox import Item

MOST = 1000
_TOKEN = re.compile(
    r"""\s*(?:(?P<bool>AND|OR|NOT)\b
    |(?P<open>\()|(?P<close>\))
    |(?P<name>[A-Za-z]+)(?P<op>:|>=|<=|>|<|=)(?P<value>"(?:[^"\\]|\\.)*"|[^\s()]+)
    |(?P<phrase>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()":]+))""",
    re.VERBOSE,
)
_PEOPLE = {
    "participants": ("from", "toRecipients", "ccRecipients", "bccRecipients"),
    "recipients": ("toRecipients", "ccRecipients", "bccRecipients"),
    "from": ("from",),
    "to": ("toRecipients",),
    "cc": ("ccRecipients",),
    "bcc": ("bccRecipients",),
}
_WORDS = re.compile(r"[\w@.'+%\-]+")

Test = Callable[[Item], bool]


def wanted(given: str) -> Test:
    """The test a search stands for. The whole is in double quotes; a double quote inside has a backslash."""
    text = given.strip()
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise Refused(400, "BadRequest", "Syntax error: the search clause must be in double quotes.")
    parser = _Parser(_tokens(text[1:-1].replace('\\"', '"')))
    test = parser.alternatives()
    if parser.left():
        raise _syntax()
    return test


@dataclass
class _Parser:
    tokens: list[re.Match[str]]
    at: int = 0

    def left(self) -> bool:
        return self.at < len(self.tokens)

    def _next(self, group: str, value: str = "") -> bool:
        found = self.left() and self.tokens[self.at][group] is not None
        return found and (not value or self.tokens[self.at][group] == value)

    def alternatives(self) -> Test:
        tests = [self.all_of()]
        while self._next("bool", "OR"):
            self.at += 1
            tests.append(self.all_of())
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def all_of(self) -> Test:
        tests = [self.one()]
        while self.left() and not self._next("bool", "OR") and not self._next("close"):
            if self._next("bool", "AND"):
                self.at += 1
            tests.append(self.one())
        return lambda item: all(test(item) for test in tests)

    def one(self) -> Test:
        if not self.left():
            raise _syntax()
        if self._next("bool", "NOT"):
            self.at += 1
            inner = self.one()
            return lambda item: not inner(item)
        if self._next("open"):
            self.at += 1
            test = self.alternatives()
            if not self._next("close"):
                raise _syntax()
            self.at += 1
            return test
        token = self.tokens[self.at]
        self.at += 1
        if token["name"]:
            return _property(token["name"].casefold(), token["op"], token["value"].strip('"'))
        text = token["phrase"] or token["word"]
        if text is None:
            raise _syntax()
        return lambda item: _says(_everything(item), text.strip('"'))


def _property(name: str, op: str, value: str) -> Test:
    if name in ("received", "sent"):
        return _dated("receivedDateTime" if name == "received" else "sentDateTime", op, value)
    if op not in (":", "="):
        raise _syntax()
    if name in _PEOPLE:
        return lambda item: _says(_people(item, _PEOPLE[name]), value)
    if name == "subject":
        return lambda item: _says(str(item.row.get("subject")), value)
    if name == "body":
        return lambda item: _says(str(item.row["body"]["content"]), value)
    if name == "attachment":
        return lambda item: any(_says(one["name"], value) for one in item.attachments)
    raise _syntax()


def _dated(name: str, op: str, value: str) -> Test:
    first, dots, last = value.partition("..")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise _syntax() from None
    compare: dict[str, Callable[[date], bool]] = {
        ":": lambda day: start <= day <= end,
        "=": lambda day: start <= day <= end,
        ">=": lambda day: day >= start,
        "<=": lambda day: day <= start,
        ">": lambda day: day > start,
        "<": lambda day: day < start,
    }
    if dots and op not in (":", "="):
        raise _syntax()
    return lambda item: compare[op](datetime.fromisoformat(item.row[name]).date())


def _says(text: str, phrase: str) -> bool:
    """Whether the words of a phrase stand in a text in a row, the last by its beginning if it ends with a star."""
    prefix = phrase.endswith("*")
    asked = [one.casefold().strip(".'") for one in _WORDS.findall(phrase.rstrip("*"))]
    words = [one.casefold().strip(".'") for one in _WORDS.findall(text)]
    if not asked:
        return False
    for at in range(len(words) - len(asked) + 1):
        there = words[at : at + len(asked)]
        if there[:-1] == asked[:-1] and (there[-1] == asked[-1] or (prefix and there[-1].startswith(asked[-1]))):
            return True
    return False


def _people(item: Item, names: tuple[str, ...]) -> str:
    found: list[str] = []
    for name in names:
        given: Any = item.row.get(name) or []
        for one in given if isinstance(given, list) else [given]:
            found += [str(one["emailAddress"]["name"]), str(one["emailAddress"]["address"])]
    return " | ".join(found)


def _everything(item: Item) -> str:
    attached = " ".join(one["name"] for one in item.attachments)
    return (
        f"{item.row.get('subject')} {item.row['body']['content']} {_people(item, _PEOPLE['participants'])} {attached}"
    )


def _tokens(text: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    at = 0
    while text[at:].strip():
        token = _TOKEN.match(text, at)
        if token is None:
            raise _syntax()
        found.append(token)
        at = token.end()
    if not found:
        raise _syntax()
    return found


def _syntax() -> Refused:
    return Refused(400, "BadRequest", "Syntax error in the search clause.")
