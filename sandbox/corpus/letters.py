"""How may an address be written in plain text, so that a plain search misses it?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from sandbox.corpus.person import Person

_FOLD = "\r\n "


def _text(words: Callable[[Person], str], encoding: str = "utf-8") -> Callable[[Person], bytes]:
    return lambda person: f"Dear {person.name},\n\n{words(person)}\n\nKind regards\n".encode(encoding)


def _within(text: str, sign: str) -> str:
    """A sign put into the middle of a text."""
    return text[: len(text) // 2] + sign + text[len(text) // 2 :]


def _broken_domain(person: Person) -> str:
    label, _, rest = person.domain.partition(".")
    return f"{person.local}@{_within(label, '-' + chr(10))}.{rest}"


def _table(person: Person) -> bytes:
    rows = f'name;email;remark\r\nAnn;ann@x.example;\r\n{person.name};{person.email};"two\r\nlines; and more"\r\n'
    return rows.encode("utf-8-sig")


def _tab_table(person: Person) -> bytes:
    return f"uk\tann@x.example\tuk\nuk\t{person.email}\tuk\n".encode("utf-16")


def _json(person: Person) -> bytes:
    escaped = "".join(f"\\u{ord(sign):04x}" for sign in person.email)
    return f'{{"people": [{{"name": {json.dumps(person.name)}, "deep": [["{escaped}"]]}}]}}'.encode()


def _json_key(person: Person) -> bytes:
    return json.dumps({person.email: {"visits": 3}}).encode()


def _json_lines(person: Person) -> bytes:
    return b'{"who": "ann@x.example"}\n' + json.dumps({"who": person.email}).encode() + b"\n"


MAKERS: Mapping[str, Callable[[Person], bytes]] = {
    "plain.txt": _text(lambda p: f"your address is {p.email}."),
    "no-ending": _text(lambda p: f"your address is {p.email}."),
    "western.txt": _text(lambda p: f"Café, Zürich: {p.email}", "cp1252"),
    "wide.txt": _text(lambda p: f"Zürich {p.email} \u2603", "utf-16"),
    "soft-hyphen.txt": _text(lambda p: _within(p.email, "\u00ad")),
    "soft-hyphen-at-line-end.txt": _text(lambda p: _within(p.email, "\u00ad\n")),
    "zero-width.txt": _text(lambda p: _within(p.email, "\u200b\u200d")),
    "wide-at.txt": _text(lambda p: p.email.replace("@", "＠")),
    "wide-letters.txt": _text(lambda p: "".join(chr(ord(s) + 0xFEE0) if s in "@." else s for s in p.email)),
    "percent.txt": _text(lambda p: f"https://list.example/leave?who={p.email.replace('@', '%40')}&x=1"),
    "entity.txt": _text(lambda p: p.email.replace("@", "&#64;")),
    "hexadecimal-entity.txt": _text(lambda p: p.email.replace("@", "&#x40;")),
    "quoted-printable.txt": _text(lambda p: _within(p.email.replace("@", "=40"), "=\n")),
    "escaped.txt": _text(lambda p: f'{{"who": "{p.email.replace("@", chr(92) + "u0040")}"}} and more'),
    "mailto.txt": _text(lambda p: f"<mailto:{p.email}?subject=hello>"),
    "broken-before-at.txt": _text(lambda p: f"write to {p.local}\n@{p.domain} soon"),
    "broken-after-at.txt": _text(lambda p: f"write to {p.local}@\r\n{p.domain} soon"),
    "broken-after-dot.txt": _text(lambda p: f"write to {p.local.replace('.', '.' + chr(10), 1)}@{p.domain} soon"),
    "hyphenated.txt": _text(lambda p: f"write to {_broken_domain(p)} soon"),
    "folded.ics": lambda p: f"BEGIN:VCALENDAR\r\nATTENDEE:mailto:{_within(p.email, _FOLD)}\r\nEND:VCALENDAR".encode(),
    "folded.vcf": lambda p: f"BEGIN:VCARD\r\nEMAIL:{_within(p.email, _FOLD)}\r\nEND:VCARD\r\n".encode(),
    "table.csv": _table,
    "table.tsv": _tab_table,
    "escaped.json": _json,
    "name-of-a-field.json": _json_key,
    "lines.jsonl": _json_lines,
}
