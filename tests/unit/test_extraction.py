"""Is every corner of a file read, and does a file that cannot be read say so, whatever it was made to do?"""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import docx
import pytest

from connectors.documents.dates import collection_date
from connectors.documents.formats import reading_child
from connectors.documents.formats.reading import Content
from connectors.documents.formats.reading_child import ReadingChild
from connectors.documents.reader import Reader
from connectors.documents.redacting.redacted import Cut
from connectors.documents.sought import Sought
from retention.vocabulary import GapCode, Identifier, IdentifierKind

WORD_XML = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BOB = Identifier(IdentifierKind.EMAIL, "bob@x.example")
ANN = Identifier(IdentifierKind.EMAIL, "ann@x.example")
COPIED = datetime(2026, 10, 22, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


def named(content: Content) -> set[str]:
    assert content.gap is None
    return {one.value for one in content.identifiers}


def package(parts: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return buffer.getvalue()


def body(inner: str, prolog: str = "") -> str:
    return f'{prolog}<w:document xmlns:w="{WORD_XML}"><w:body>{inner}</w:body></w:document>'


def word(inner: str, prolog: str = "", parts: Mapping[str, bytes | str] | None = None) -> bytes:
    return package({"word/document.xml": body(inner, prolog), **(parts or {})})


# --- Word ---


def test_an_address_in_any_corner_of_a_word_document_is_found(reader: Reader) -> None:
    document = docx.Document()
    document.core_properties.author = "author@x.example"
    paragraph = document.add_paragraph("to ")
    for run in ("ru", "ns@x", ".exam", "ple"):
        paragraph.add_run(run)
    document.add_table(1, 1).cell(0, 0).text = "cell@x.example"
    document.sections[0].header.paragraphs[0].text = "header@x.example"
    document.sections[0].footer.paragraphs[0].text = "footer@x.example"
    document.add_comment(document.add_paragraph("x").runs, text="ask comment@x.example", author="Office", initials="O")
    document.part.relate_to("mailto:link@x.example", "http://example.org/hyperlink", is_external=True)
    buffer = io.BytesIO()
    document.save(buffer)
    expected = {f"{where}@x.example" for where in ["author", "runs", "cell", "header", "footer", "comment", "link"]}
    assert named(reader.read("a.docx", buffer.getvalue())) == expected


def test_footnotes_text_boxes_and_fields_are_read(reader: Reader) -> None:
    box = "<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>box@x.example</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>"
    around = f"<w:p><w:r><w:t>aro</w:t></w:r>{box}<w:r><w:t>und@x.example</w:t></w:r></w:p>"
    field = '<w:p><w:r><w:instrText>HYPERLINK "mailto:fie</w:instrText></w:r><w:r><w:t>shown</w:t></w:r>'
    field += '<w:r><w:instrText>ld@x.example"</w:instrText></w:r></w:p>'
    notes = f'<w:footnotes xmlns:w="{WORD_XML}"><w:p><w:r><w:t>note@x.example</w:t></w:r></w:p></w:footnotes>'
    content = word(around + field, parts={"word/footnotes.xml": notes})
    found = named(reader.read("a.docx", content))
    assert found == {"box@x.example", "around@x.example", "field@x.example", "note@x.example"}


SILENT = {
    "text-without-a-declaration": "<a><b>bob@x.example</b></a>",
    "text-before-an-instruction": "<a>bob@x.example<?x y?></a>",
    "comment": '<?xml version="1.0"?><a><!-- bob@x.example --></a>',
    "instruction": '<?xml version="1.0"?><a><?x bob@x.example?></a>',
    "attribute": '<?xml version="1.0"?><a val="bob@x.example"/>',
    "attribute-in-code": '<?xml version="1.0"?><a val="bob&#64;x.example"/>',
    "telephone": '<?xml version="1.0"?><a descr="+44 20 7946 0018"/>',
}


@pytest.mark.parametrize("name", SILENT)
def test_a_part_that_is_mostly_without_words_is_read_where_it_has_some(reader: Reader, name: str) -> None:
    found = named(reader.read("a.docx", word("<w:p/>", parts={"word/styles.xml": SILENT[name]})))
    assert found in ({"bob@x.example"}, {"+442079460018"})


def test_a_tracked_change_is_read_as_it_is_and_as_it_was(reader: Reader) -> None:
    changed = (
        "<w:p><w:del><w:r><w:delText>bob</w:delText></w:r></w:del><w:ins><w:r><w:t>ann</w:t></w:r></w:ins>"
        "<w:r><w:t>@x.example</w:t></w:r></w:p>"
    )
    assert named(reader.read("a.docx", word(changed))) == {"bob@x.example", "ann@x.example"}


def test_cells_and_paragraphs_do_not_run_into_each_other(reader: Reader) -> None:
    cells = "".join(f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>" for text in ("bob@x.example", "uk"))
    lines = "<w:p><w:r><w:t>ann@x.example</w:t><w:br/><w:t>next</w:t></w:r></w:p>"
    found = named(reader.read("a.docx", word(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>{lines}")))
    assert found == {"bob@x.example", "ann@x.example"}


def test_what_is_embedded_is_read_as_the_file_it_is(reader: Reader) -> None:
    inside = word("<w:p><w:r><w:t>ann@x.example</w:t></w:r></w:p>")
    content = word("<w:p><w:r><w:t>bob@x.example</w:t></w:r></w:p>", parts={"word/embeddings/letter.docx": inside})
    assert named(reader.read("a.docx", content)) == {"ann@x.example", "bob@x.example"}


def test_a_document_with_something_embedded_that_cannot_be_read_is_read_in_part(reader: Reader) -> None:
    content = word("<w:p><w:r><w:t>bob@x.example</w:t></w:r></w:p>", parts={"word/embeddings/sheet.xlsx": b"PK"})
    assert reader.read("a.docx", content) == Content(
        (BOB,), gap=GapCode.DAMAGED, what="not-what-its-name-says", partly=True
    )


# --- Hostile and broken files ---

ENTITIES = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)
HOSTILE = {
    "not-a-zip": (b"plain words", GapCode.DAMAGED),
    "empty": (b"", GapCode.DAMAGED),
    "half-a-zip": (word("<w:p/>" * 9)[:150], GapCode.DAMAGED),
    "no-document-in-it": (package({"other.xml": "<a/>"}), GapCode.DAMAGED),
    "broken-xml": (package({"word/document.xml": "<a><b></a>"}), GapCode.DAMAGED),
    "entities": (word("<w:p><w:r><w:t>&i;</w:t></w:r></w:p>", ENTITIES + "]>"), GapCode.DAMAGED),
    "file-entity": (word("&f;", '<!DOCTYPE w [<!ENTITY f SYSTEM "file:///etc/passwd">]>'), GapCode.DAMAGED),
    "many-members": (word("", parts={f"m{n}.xml": "<a/>" for n in range(31_000)}), GapCode.TOO_LARGE),
    "bomb": (word("<w:p><w:r><w:t>" + " " * 60 * 2**20 + "</w:t></w:r></w:p>"), GapCode.TOO_LARGE),
    "compound-file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), GapCode.DAMAGED),
    "with-a-password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        GapCode.ENCRYPTED,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_cannot_be_read_says_why_and_names_nobody(reader: Reader, name: str) -> None:
    content, gap = HOSTILE[name]
    answer = reader.read("a.docx", content)
    assert (answer.gap, answer.identifiers, answer.stamps) == (gap, (), ())


def test_a_lying_size_field_is_not_believed(reader: Reader) -> None:
    content = bytearray(word("<w:p><w:r><w:t>" + " " * 60 * 2**20 + "</w:t></w:r></w:p>"))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (100).to_bytes(4, "little")
    assert reader.read("a.docx", bytes(content)).gap in {GapCode.DAMAGED, GapCode.TOO_LARGE}


def test_very_many_paragraphs_are_read_without_being_kept(reader: Reader) -> None:
    content = word("<w:p/>" * 400_000 + "<w:p><w:r><w:t>bob@x.example</w:t></w:r></w:p>")
    assert named(reader.read("a.docx", content)) == {"bob@x.example"}


def test_a_reader_that_takes_too_long_is_killed_and_the_next_file_is_read() -> None:
    reader = Reader(seconds=0.3)
    try:
        assert reader.read("a.txt", b"bob@x.example").gap is None
        slow = word("<w:p/>" * 2_000_000)
        assert reader.read("a.docx", slow) == Content(gap=GapCode.TOO_LARGE, what="reader-killed")
        assert named(reader.read("a.txt", b"bob@x.example")) == {"bob@x.example"}
    finally:
        reader.close()


def ask(child: ReadingChild, content: bytes) -> Mapping[str, Any]:
    return child.ask({"do": "read", "name": "a.txt", "sought": asdict(Sought())}, content)[0]


@pytest.fixture
def child() -> Iterator[ReadingChild]:
    child = ReadingChild(60)
    yield child
    child.close()


def test_a_reader_that_was_killed_from_outside_is_replaced(child: ReadingChild) -> None:
    ask(child, b"")
    first = child.pid
    assert first is not None
    os.kill(first, 9)
    assert ask(child, b"bob@x.example")["what"] == "reader-killed"
    assert ask(child, b"bob@x.example")["identifiers"] == [["email", "bob@x.example"]]
    assert child.pid != first


def test_a_reader_is_replaced_after_many_files(child: ReadingChild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_child, "FILES_PER_PROCESS", 2)
    pids = set()
    for _ in range(4):
        ask(child, b"")
        pids.add(child.pid)
    assert len(pids) == 2


def test_the_reading_process_gets_no_environment_and_ends_with_its_pipe(
    child: ReadingChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_PARENT", "hidden")
    ask(child, b"")
    running = child._running
    assert running is not None
    process = running.process
    with open(f"/proc/{process.pid}/environ", "rb") as environment:
        assert b"SECRET_OF_THE_PARENT" not in environment.read()
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=10) == 0


def test_a_file_that_waits_behind_one_that_kills_the_reader_is_read_all_the_same() -> None:
    reader = Reader(seconds=1.0)
    deadly, harmless = word("<w:p/>" * 2_000_000), b"bob@x.example"
    try:
        begun = [reader.begin(name, content) for name, content in [("a.docx", deadly), ("a.txt", harmless)] * 3]
        told = [one.result() for one in begun]
    finally:
        reader.close()
    assert [one.what for one in told] == ["reader-killed", ""] * 3
    assert [named(one) for one in told[1::2]] == [{"bob@x.example"}] * 3


def test_files_asked_by_many_threads_while_readers_are_replaced_get_their_own_answers(
    child: ReadingChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_child, "FILES_PER_PROCESS", 3)
    texts = [f"person{n}@x.example" + " " * (n % 3) * 100_000 for n in range(24)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda text: ask(child, text.encode()), texts))
    assert [answer["identifiers"] for answer in answers] == [[["email", text.strip()]] for text in texts]


def test_files_are_read_side_by_side_and_each_answer_is_its_own() -> None:
    reader = Reader(processes=2)
    try:
        begun = [reader.begin("a.txt", f"person{n}@x.example".encode()) for n in range(20)]
        assert [named(one.result()) for one in begun] == [{f"person{n}@x.example"} for n in range(20)]
    finally:
        reader.close()


# --- Text and tables ---

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_is_read_in_every_usual_encoding(reader: Reader, encoding: str) -> None:
    content = "Zürich, bob@x.example\r\nund Käthe <ann@x.example>\r\n".encode(encoding)
    assert named(reader.read("a.txt", content)) == {"bob@x.example", "ann@x.example"}


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_bytes_that_are_no_text_are_not_read_as_text(reader: Reader, name: str) -> None:
    assert reader.read(name, bytes(range(256)) * 16).gap is GapCode.UNKNOWN_FORMAT
    assert reader.read(name, b"\xff\xfea").gap is GapCode.DAMAGED


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_cell_ends_where_the_delimiter_stands(reader: Reader, delimiter: str) -> None:
    rows = "".join(delimiter.join((name, f"{name}@x.example", "uk")) + "\n" for name in ("smith", "bob", "ann"))
    assert named(reader.read("a.csv", rows.encode())) == {f"{n}@x.example" for n in ("smith", "bob", "ann")}


TABLES = {
    "utf-8": ("utf-8", ",", "\n"),
    "spreadsheet": ("utf-8-sig", ";", "\r\n"),
    "utf-16": ("utf-16", "\t", "\r\n"),
    "western": ("cp1252", "|", "\n"),
    "old-mac": ("utf-8", ",", "\r"),
}


def table(name: str, rows: list[tuple[str, ...]]) -> bytes:
    encoding, delimiter, ending = TABLES[name]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("name", TABLES)
def test_the_rows_of_one_person_go_and_every_other_byte_stays(reader: Reader, name: str) -> None:
    head = [("name", "email", "remark"), ("Käthe", "jbob@x.example", 'said "no",\n; then | yes')]
    tail = [("Zoë", "bob@x.example.test", "x"), ("", "", "")]
    bobs = [("Bob", "bob@x.example", "two\nlines"), ("Robert", "Bob <bob@X.EXAMPLE>", "")]
    content = table(name, [*head, bobs[0], *tail, bobs[1]])
    redacted = reader.redacted("a.csv", content, [BOB])
    assert (redacted.cut, redacted.rows) == (Cut.DONE, 2)
    assert redacted.content == table(name, [*head, *tail])


def test_a_file_without_a_last_line_end_keeps_it_so(reader: Reader) -> None:
    redacted = reader.redacted("a.csv", b"bob@x.example,1\nann@x.example,2", [BOB])
    assert redacted.content == b"ann@x.example,2"


UNTOUCHABLE = {
    "nobody": (b"name,email\nAnn,ann@x.example\nJ,jbob@x.example\n", Cut.NOBODY),
    "a-row-of-two-people": (b"name,email,partner\nBob,bob@x.example,ann@x.example\n", Cut.SHARED_ROW),
    "glued": (b"name,email\nBob,email=bob@x.example\n", Cut.UNCLEAR),
    "a-quote-never-closed": (b'name,email\n"Bob,bob@x.example\nAnn,ann@x.example\n', Cut.SHARED_ROW),
    "no-text": (bytes(range(256)), Cut.UNCLEAR),
}


@pytest.mark.parametrize("name", UNTOUCHABLE)
def test_rows_that_cannot_be_told_apart_are_left_alone(reader: Reader, name: str) -> None:
    content, cut = UNTOUCHABLE[name]
    redacted = reader.redacted("a.csv", content, [BOB])
    assert (redacted.cut, redacted.content) == (cut, b"")


def test_a_telephone_number_alone_takes_no_row_out(reader: Reader) -> None:
    number = Identifier(IdentifierKind.PHONE, "+442079460018")
    assert reader.redacted("a.csv", b"Bob,020 7946 0018\n", [number]).cut is Cut.UNCLEAR


def test_two_people_are_taken_out_together(reader: Reader) -> None:
    content = b"email,partner\nbob@x.example,ann@x.example\nzoe@x.example,\n"
    assert reader.redacted("a.csv", content, [BOB, ANN]).content == b"email,partner\nzoe@x.example,\n"


# --- The date of a file ---

STAMPS = (
    ("document properties: created", "2019-03-05T10:00:00Z"),
    ("document properties: modified", "2020-04-06T11:30:00"),
)
DATES = {
    "the-latest-inside-decides": (
        "a/minutes.docx",
        STAMPS,
        datetime(2020, 4, 6, 11, 30, tzinfo=UTC),
        "document properties",
    ),
    "a-later-day-in-the-name": ("a/2021-02-03 minutes.docx", STAMPS, date(2021, 2, 3), "file name"),
    "an-earlier-day-in-the-name": ("a/2018-02-03.docx", STAMPS, datetime(2020, 4, 6, 11, 30, tzinfo=UTC), "document"),
    "a-year-is-its-last-day": ("a/leads-2019.csv", (), date(2019, 12, 31), "file name: year"),
    "a-day-at-the-end": ("a/leads_20190304.csv", (), date(2019, 3, 4), "file name: day"),
    "only-the-time-of-the-file": ("a/leads.csv", (), COPIED, "modification time"),
    "no-year-inside-a-number": ("a/enquiry-120190.txt", (), COPIED, "modification time"),
    "no-year-in-the-folder": ("2019/enquiry.txt", (), COPIED, "modification time"),
    "a-year-ahead-is-a-title": ("a/vision-2050.txt", (), COPIED, "modification time"),
    "no-day-of-the-calendar": ("a/notes-2019-02-31.txt", (), COPIED, "modification time"),
    "a-stamp-that-is-none": ("a/x.docx", (("created", "soon"),), COPIED, "modification time"),
}


@pytest.mark.parametrize("name", DATES)
def test_the_collection_date_is_the_latest_that_the_content_gives(name: str) -> None:
    path, stamps, expected, provenance = DATES[name]
    dated = collection_date(path, COPIED, stamps)
    assert dated.value == expected
    assert provenance in dated.provenance


@pytest.mark.parametrize(
    ("days", "provenance"), [(-1, "modification time of the file"), (1, "creation time of the file")]
)
def test_where_the_content_gives_no_date_the_later_of_creation_and_modification_decides(
    days: int, provenance: str
) -> None:
    created = COPIED + timedelta(days=days)
    dated = collection_date("letter.txt", COPIED, (), created)
    assert (dated.value, dated.provenance) == (max(COPIED, created), provenance)


def test_a_date_inside_beats_the_creation_of_its_copy() -> None:
    dated = collection_date("2016-05-04 letter.txt", COPIED, (), COPIED + timedelta(days=1))
    assert dated.value == date(2016, 5, 4)
