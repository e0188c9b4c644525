"""Would the demo's search for personal data find it, however it was written?"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from sandbox.stack import leaks

PERSON = "Zoë.o'Brien+x%_@exämple.example"


@pytest.mark.parametrize(
    "written",
    [
        PERSON.encode(),
        PERSON.lower().encode(),
        quote(PERSON).encode(),
        quote(PERSON, safe="").encode(),
        json.dumps({"to": PERSON}).encode(),
        PERSON.encode("utf-16"),
        PERSON.encode().hex().encode(),
        base64.b64encode(b"" + PERSON.encode() + b" and more"),
        base64.b64encode(b"a" + PERSON.encode() + b" and more"),
        base64.b64encode(b"ab" + PERSON.encode()),
    ],
    ids=["raw", "lower", "percent", "percent all", "json", "utf-16", "hex", "base64 0", "base64 1", "base64 2"],
)
def test_an_identifier_is_found_in_every_encoding_the_docs_list(written: bytes) -> None:
    places = {"a log": b"before " + written + b" after", "a clean log": b"nothing of the kind"}

    assert leaks.count([PERSON, "nobody@example.com"], places) == {"a log": 1}


def test_every_file_below_a_folder_is_looked_into(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "task.log").write_text("hello " + PERSON)

    assert leaks.count([PERSON], leaks.files_below(tmp_path)) == {"deep/er/task.log": 1}
