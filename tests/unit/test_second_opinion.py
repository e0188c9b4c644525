"""Does another program see anybody in the planted files whom our readers miss?"""

from __future__ import annotations

import shutil
import subprocess

import pytest
from kreuzberg import ExtractionConfig, extract_bytes_sync

from connectors.documents.formats.reading import read
from connectors.documents.identifiers import addresses, comparable
from sandbox.corpus import MAKERS, planted

OFFICE = "application/vnd.openxmlformats-officedocument"
MEDIA = {
    ".docx": f"{OFFICE}.wordprocessingml.document",
    ".xlsx": f"{OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{OFFICE}.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".html": "text/html",
    ".eml": "message/rfc822",
    ".pdf": "application/pdf",
}
PLANTED = {one.path: one for one in planted(3)}
RUNS_WORDS_TOGETHER = {"span.odt"}  # the converter drops the space behind the address
KNOWN = [n for n in MAKERS if "." in n and n[n.rindex(".") :] in MEDIA and n not in RUNS_WORDS_TOGETHER]
PDF = [name for name in MAKERS if name.endswith(".pdf")]


def ours(name: str) -> set[str]:
    return {comparable(one)[1] for one in read(name, PLANTED[name].content).identifiers}


def test_a_converter_finds_nobody_whom_our_readers_miss() -> None:
    seen = 0
    for name in KNOWN:
        media = MEDIA[name[name.rindex(".") :]]
        text = extract_bytes_sync(PLANTED[name].content, media, config=ExtractionConfig()).content
        text = text.replace("**", "")  # it sets marks of emphasis inside an address
        theirs = {comparable(one)[1] for one, whole in addresses(text).items() if whole}
        assert theirs <= ours(name), name
        seen += PLANTED[name].person.email in theirs
    assert seen > len(KNOWN) // 3, "the converter saw next to nothing: it is no second opinion"


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
@pytest.mark.parametrize("name", PDF)
def test_pdftotext_finds_nobody_whom_our_reader_misses(name: str) -> None:
    command = ["pdftotext", "-", "-"]
    text = subprocess.run(command, input=PLANTED[name].content, check=True, capture_output=True).stdout.decode()
    assert {comparable(one)[1] for one in addresses(text)} <= ours(name)
