"""Is one person taken out of every corner of a shared file, are the others left, and is nothing believed unproven?"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import docx
import openpyxl
import pptx
import pytest
from pptx.util import Inches

from connectors.documents.formats.kinds import FileKind
from connectors.documents.formats.reading import read
from connectors.documents.redacting import redact as redacting
from connectors.documents.redacting.proof import is_proven
from connectors.documents.redacting.redact import redact
from connectors.documents.redacting.redacted import Cut, People, Redacted
from connectors.documents.sought import Sought
from retention.vocabulary import Identifier, IdentifierKind
from sandbox.corpus import MAKERS, planted
from sandbox.corpus.packed import zipped

BOB = Identifier(IdentifierKind.EMAIL, "bob@x.example")
ANN = Identifier(IdentifierKind.EMAIL, "ann@x.example")
ONLY_BOB = People.of([BOB], Sought())
OTHERS = {"ann@x.example", "jbob@x.example", "bob@x.example.test"}
PLANTED = {one.path: one for one in planted(7)}
REDACTED_ENDINGS = (".docx", ".xlsx", ".pptx")


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def named(name: str, content: bytes) -> set[str]:
    found = read(name, content)
    assert found.gap is None
    return {one.value for one in found.identifiers if one.kind is IdentifierKind.EMAIL}


def without_bob(name: str, content: bytes) -> Redacted:
    redacted = redact(name, content, ONLY_BOB)
    assert redacted.cut is Cut.DONE
    return redacted


# --- Office documents ---


def word() -> bytes:
    document = docx.Document()
    document.core_properties.author = BOB.value
    document.core_properties.last_modified_by = "ann@x.example"
    paragraph = document.add_paragraph("Ask ")
    for run in ("bob", "@x.exa", "mple"):
        paragraph.add_run(run).bold = run == "mple"
    document.add_paragraph("Ask jbob@x.example or bob@x.example.test")
    table = document.add_table(2, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Bob", BOB.value
    table.cell(1, 0).text, table.cell(1, 1).text = "Ann", ANN.value
    document.sections[0].header.paragraphs[0].text = f"Questions to {BOB.value}"
    document.add_comment(document.add_paragraph("x").runs, text=f"ask {BOB.value}", author="Office", initials="O")
    document.part.relate_to(f"mailto:{BOB.value}", "http://example.org/hyperlink", is_external=True)
    return saved(document)


def sheet() -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    for row in (("name", "email", "n"), ("Bob", BOB.value, 1), ("Ann", ANN.value, 2), ("Jo", "jbob@x.example", 3)):
        first.append(row)
    first["D3"] = "=C3*2"
    first["A2"].hyperlink = f"mailto:{BOB.value}"
    first["C4"].value = "bob@x.example.test"
    hidden = book.create_sheet("Old")
    hidden.sheet_state = "hidden"
    hidden.append(("Bob", BOB.value))
    book.properties.creator = BOB.value
    return saved(book)


def slides() -> bytes:
    show = pptx.Presentation()
    show.core_properties.author = BOB.value
    slide = show.slides.add_slide(show.slide_layouts[6])
    box = slide.shapes.add_textbox(0, 0, Inches(4), Inches(1)).text_frame
    for piece in ("bob@", "x.example"):
        box.paragraphs[0].add_run().text = piece
    box.add_paragraph().text = "Ask jbob@x.example, bob@x.example.test"
    table = slide.shapes.add_table(2, 1, 0, 0, Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(1, 0).text = BOB.value, ANN.value
    slide.notes_slide.notes_text_frame.text = f"ask {BOB.value}"
    return saved(show)


OFFICE: dict[str, Callable[[], bytes]] = {"a.docx": word, "a.xlsx": sheet, "a.pptx": slides}


@pytest.mark.parametrize("name", OFFICE)
def test_one_person_leaves_every_corner_of_a_document_and_the_others_stay(name: str) -> None:
    content = OFFICE[name]()
    assert named(name, content) == OTHERS | {BOB.value}
    redacted = without_bob(name, content)
    assert named(name, redacted.content) == OTHERS
    with zipfile.ZipFile(io.BytesIO(redacted.content)) as package:
        assert package.testzip() is None
        assert not any(b"mailto:bob@x.example" in package.read(part) for part in package.namelist())


def test_a_row_of_a_word_table_goes_and_a_paragraph_is_emptied_where_it_stands() -> None:
    document = docx.Document(io.BytesIO(without_bob("a.docx", word()).content))
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [["Ann", ANN.value]]
    assert [paragraph.text for paragraph in document.paragraphs] == [
        "",
        "Ask jbob@x.example or bob@x.example.test",
        "x",
    ]


def test_the_rows_of_a_sheet_keep_their_places_so_that_formulas_stay_true() -> None:
    book = openpyxl.load_workbook(io.BytesIO(without_bob("a.xlsx", sheet()).content))
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows(max_col=4)]
    assert rows == [
        ["name", "email", "n", None],
        [None, None, None, None],
        ["Ann", ANN.value, 2, "=C3*2"],
        ["Jo", "jbob@x.example", "bob@x.example.test", None],
    ]


@pytest.mark.parametrize("name", [name for name in MAKERS if name.endswith(REDACTED_ENDINGS)])
def test_whoever_hides_alone_in_a_document_is_taken_out_of_it(name: str) -> None:
    one = PLANTED[name]
    redacted = redact(name, one.content, People.of([Identifier(IdentifierKind.EMAIL, one.person.email)], Sought()))
    assert redacted.cut is Cut.DONE
    assert named(name, redacted.content) == set()


def test_a_paragraph_of_two_people_is_left_for_a_person_to_decide() -> None:
    document = docx.Document()
    document.add_paragraph("bob@x.example met ann@x.example")
    assert redact("a.docx", saved(document), ONLY_BOB) == Redacted(Cut.SHARED_ROW)


def test_a_row_of_a_sheet_that_names_two_is_left_for_a_person_to_decide() -> None:
    book = openpyxl.Workbook()
    book.active.append((BOB.value, ANN.value))
    assert redact("a.xlsx", saved(book), ONLY_BOB) == Redacted(Cut.SHARED_ROW)


# --- JSON ---

RECORDS = {
    "first": ('[{"e":"bob@x.example"}, {"e":"ann@x.example"}]', '[{"e":"ann@x.example"}]'),
    "last": ('[{"e":"ann@x.example"}, {"e":"bob@x.example"}]', '[{"e":"ann@x.example"}]'),
    "middle-and-last": ('[ "ann@x.example" ,"bob@x.example", "bob@x.example" ]', '[ "ann@x.example" ]'),
    "all-of-one-array": ('{"a": ["bob@x.example", "bob@x.example"], "b": ["ann@x.example"]}', None),
    "escaped": ('["ann@x.example", "bob\\u0040x.example"]', '["ann@x.example"]'),
    "below-an-object": ('{"n": 1, "people": [{"e": "bob@x.example"}, 7]}', '{"n": 1, "people": [7]}'),
    "below-a-record": ('[{"p": ["bob@x.example", "ann@x.example"]}]', '[{"p": ["ann@x.example"]}]'),
}
NO_RECORDS = {
    "two-in-a-field": '["bob@x.example and ann@x.example"]',
    "a-field-of-an-object": '{"who": "bob@x.example"}',
    "the-name-of-a-field": '{"bob@x.example": [1, 2], "ann@x.example": []}',
    "two-fields-of-a-record": '[{"e": "bob@x.example", "partner": "ann@x.example"}]',
    "no-json": '["bob@x.example", ',
}


@pytest.mark.parametrize("name", RECORDS)
def test_the_records_of_one_person_leave_an_array_and_the_rest_is_written_as_before(name: str) -> None:
    before, after = RECORDS[name]
    left = without_bob("a.json", before.encode()).content.decode()
    if after is None:
        assert json.loads(left) == {"a": [], "b": ["ann@x.example"]}
    else:
        assert left == after


@pytest.mark.parametrize("name", NO_RECORDS)
def test_what_is_no_record_of_one_person_stays(name: str) -> None:
    assert redact("a.json", NO_RECORDS[name].encode(), ONLY_BOB).cut in (Cut.SHARED_ROW, Cut.UNCLEAR)


def test_a_line_that_is_a_record_goes() -> None:
    lines = b'{"e": "ann@x.example"}\n{"e": "bob@x.example"}\n\n{"e": "zoe@x.example"}\n'
    assert without_bob("a.jsonl", lines).content == b'{"e": "ann@x.example"}\n\n{"e": "zoe@x.example"}\n'


# --- Customer numbers ---

NUMBERED = People.of(
    [BOB, Identifier(IdentifierKind.CUSTOMER_NUMBER, "CU-123456")], Sought(customer_numbers=("CU-######",))
)


def test_rows_that_name_a_person_by_their_customer_number_go_too() -> None:
    content = b"who\nCU-123456\nCU-123457\nbob@x.example CU-123456\nann@x.example CU-999999\n"
    redacted = redact("a.csv", content, NUMBERED)
    assert redacted == Redacted(Cut.DONE, b"who\nCU-123457\nann@x.example CU-999999\n", 2)


def test_a_customer_number_beside_the_address_of_somebody_else_is_put_to_a_person() -> None:
    assert redact("a.csv", b"who\nCU-123456 ann@x.example\n", NUMBERED) == Redacted(Cut.SHARED_ROW)


# --- Archives ---


def test_members_about_one_person_go_shared_ones_are_redacted_and_the_others_stay_as_they_are() -> None:
    inner = zipped({"list.csv": b"email\nbob@x.example\nann@x.example\n", "bob.txt": b"bob@x.example"})
    content = zipped(
        {"bob@x.example/a.txt": b"nothing", "inner.zip": inner, "ann.txt": b"ann@x.example", "word.docx": word()}
    )
    redacted = without_bob("a.zip", content)
    with zipfile.ZipFile(io.BytesIO(redacted.content)) as archive:
        assert archive.namelist() == ["inner.zip", "ann.txt", "word.docx"]
        assert named("a.docx", archive.read("word.docx")) == OTHERS
        with zipfile.ZipFile(io.BytesIO(archive.read("inner.zip"))) as below:
            assert {name: below.read(name) for name in below.namelist()} == {"list.csv": b"email\nann@x.example\n"}


def test_an_archive_with_a_member_nobody_can_read_stays() -> None:
    content = zipped({"bob.txt": b"bob@x.example", "scan.png": b"\x89PNG\r\n\x1a\n" + bytes(64)})
    assert redact("a.zip", content, ONLY_BOB) == Redacted(Cut.UNCLEAR)


def test_an_archive_with_a_shared_letter_stays() -> None:
    content = zipped({"letter.txt": b"bob@x.example met ann@x.example", "ann.txt": b"ann@x.example"})
    assert redact("a.zip", content, ONLY_BOB) == Redacted(Cut.NOT_FOR_THIS_KIND)


@pytest.mark.parametrize("name", ["text.pdf", "second-message.mbox", "recipient.eml", "plain.txt", "cell.ods"])
def test_kinds_that_cannot_be_redacted_are_put_to_a_person(name: str) -> None:
    person = Identifier(IdentifierKind.EMAIL, PLANTED[name].person.email)
    assert redact(name, PLANTED[name].content, People.of([person], Sought())) == Redacted(Cut.NOT_FOR_THIS_KIND)


# --- Proof ---

LIST = b"email\nbob@x.example\nann@x.example\n"
UNPROVEN = {
    "still-there": LIST,
    "somebody-else-gone": b"email\n",
    "still-there-in-other-letters": b"email\nBOB@X.EXAMPLE\nann@x.example\n",
    "still-there-as-a-link": b"email\nsee bob%40x.example\nann@x.example\n",
    "still-there-in-wide-letters": "email\nbob＠x.example\nann@x.example\n".encode(),
    "no-longer-a-file-of-its-kind": bytes(range(256)),
}


@pytest.mark.parametrize("name", UNPROVEN)
def test_a_redaction_that_left_somebody_or_lost_somebody_is_not_proven(name: str) -> None:
    assert not is_proven("a.csv", FileKind.TABLE, LIST, UNPROVEN[name], ONLY_BOB)


def test_a_redaction_that_took_out_one_person_only_is_proven() -> None:
    assert is_proven("a.csv", FileKind.TABLE, LIST, b"email\nann@x.example\n", ONLY_BOB)


def test_an_address_that_no_reader_sees_is_still_found_in_the_bytes() -> None:
    picture = {"media/image1.png": b"\x89PNG tEXt Author bob@x.example"}
    before, after = zipped({"a.txt": b"ann@x.example"}), zipped({"a.txt": b"ann@x.example", **picture})
    assert not is_proven("a.zip", FileKind.ZIP, before, after, ONLY_BOB)


def test_what_is_not_proven_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    forgetful = {FileKind.TABLE: lambda content, wanted: (b"email\n", 2)}
    monkeypatch.setattr(redacting, "FORMATS", forgetful)
    assert redact("a.csv", LIST, ONLY_BOB) == Redacted(Cut.UNPROVEN)
