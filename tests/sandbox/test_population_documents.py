"""Are the seeded documents what real programs write, including what they write badly?"""

from __future__ import annotations

import csv
import io
import re
import struct
import zipfile
from datetime import UTC, date, datetime

import docx
import pytest

from sandbox.population import DocumentFile, Population, build

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def people() -> Population:
    return build(seed=1, scale=1, as_of=TODAY)


def of_case(people: Population, case: str, folder: str = "") -> DocumentFile:
    [path] = [key for key in people.cases[case].keys("documents") if key.startswith(folder)]
    return next(document for document in people.documents if document.path == path)


def parts(document: DocumentFile) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(document.content)) as package:
        return {name: package.read(name).decode("utf-8", "replace") for name in package.namelist()}


def test_paths_are_relative_unique_and_name_nobody_but_on_purpose(people: Population) -> None:
    paths = [document.path for document in people.documents]
    assert len(paths) == len(set(paths))
    named = [path for path in paths for person in people.people if person.last in path]
    [on_purpose] = people.cases["name_in_a_path"].keys("documents")
    assert named == [on_purpose]
    assert not [path for path in paths if path.startswith("/") or ".." in path or "\\" in path]


def test_lists_are_tables_of_several_people_in_more_than_one_dialect(people: Population) -> None:
    plain = of_case(people, "unsubscribed_in_salesforce_only", "marketing/leads").content.decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(plain)))
    leaver = people.cases["unsubscribed_in_salesforce_only"].address
    assert [row["email"] for row in rows].count(leaver) == 1
    assert len(rows) > 5
    assert all(row["remark"].endswith(", wants news") for row in rows)

    foreign = of_case(people, "unsubscribed_lead", "marketing/newsletter").content
    assert foreign.startswith(b"\xef\xbb\xbf")
    assert foreign.count(b"\r\n") == foreign.count(b"\n")
    rows = list(csv.DictReader(io.StringIO(foreign.decode("utf-8-sig")), delimiter=";"))
    assert people.cases["unsubscribed_lead"].address in [row["email"] for row in rows]


def test_a_whole_list_of_long_ago_is_about_people_past_the_period(people: Population) -> None:
    document = of_case(people, "expired", "marketing/")
    assert document.modified.date() < date(2021, 11, 22)
    rows = list(csv.DictReader(io.StringIO(document.content.decode("utf-8"))))
    assert len(rows) == 3
    assert all(row["collected_on"] < "2021-11-22" for row in rows)


def test_an_address_stands_in_every_corner_of_a_word_document_and_in_no_single_run(people: Population) -> None:
    document = of_case(people, "duplicate_in_salesforce")
    address = people.cases["duplicate_in_salesforce"].address
    opened = docx.Document(io.BytesIO(document.content))
    spread = next(p for p in opened.paragraphs if p.text.startswith("First table"))
    assert address in spread.text
    assert not [run for run in spread.runs if address in run.text]
    assert address in opened.sections[0].header.paragraphs[0].text
    assert address == opened.tables[0].rows[0].cells[1].text
    assert address in next(iter(opened.comments)).text
    assert people.cases["customer_live"].address in opened.sections[0].footer.paragraphs[0].text


def test_a_word_document_knows_when_it_was_made_though_the_file_was_copied_lately(people: Population) -> None:
    document = of_case(people, "copied_recently")
    created = docx.Document(io.BytesIO(document.content)).core_properties.created
    assert created is not None
    assert created.date() < date(2020, 1, 1)
    assert document.modified > datetime(2026, 10, 1, tzinfo=UTC)


def test_each_profile_is_about_the_person_of_its_case(people: Population) -> None:
    for case in ("unsubscribed_in_hubspot_only", "copied_recently"):
        text = " ".join(parts(of_case(people, case)).values())
        assert set(re.findall(r"[\w.]+@[\w.]+", text)) == {people.cases[case].address}


def test_a_damaged_document_is_no_zip_and_an_encrypted_one_is_a_compound_file(people: Population) -> None:
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(of_case(people, "damaged_document").content))
    locked = of_case(people, "encrypted_document").content
    assert locked.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert len(locked) % 512 == 0
    assert _streams(locked) == {"EncryptionInfo": 4096, "EncryptedPackage": 8200}


def _streams(content: bytes) -> dict[str, int]:
    """Names and sizes of the streams of a compound file, each followed through the table to its end."""
    folder_start = struct.unpack_from("<I", content, 48)[0]
    table = struct.unpack_from("<128I", content, 512)
    found = {}
    for position in range((folder_start + 1) * 512, (folder_start + 2) * 512, 128):
        entry = content[position : position + 128]
        length, kind = struct.unpack_from("<HB", entry, 64)
        sector, size = struct.unpack_from("<II", entry, 116)
        if kind != 2:
            continue
        sectors = 0
        while sector != 0xFFFFFFFE:
            sectors, sector = sectors + 1, table[sector]
        assert sectors == -(-size // 512)
        found[entry[: length - 2].decode("utf-16-le")] = size
    return found


def test_the_zip_bomb_is_small_and_unfolds_to_a_hundred_megabytes(people: Population) -> None:
    bomb = of_case(people, "zip_bomb").content
    assert len(bomb) < 600_000
    with zipfile.ZipFile(io.BytesIO(bomb)) as package:
        assert package.getinfo("word/document.xml").file_size > 95_000_000
        with package.open("word/document.xml") as body:
            assert b"<w:document" in body.read(200)


def test_letters_come_in_other_encodings_too(people: Population) -> None:
    assert "bücher.example" in of_case(people, "internationalised_domain").content.decode("utf-16")
    old_western = of_case(people, "secondary_address", "correspondence").content
    assert "Zürich" in old_western.decode("cp1252")
    with pytest.raises(UnicodeDecodeError):
        old_western.decode("utf-8")


def test_some_files_name_nobody_and_one_is_empty(people: Population) -> None:
    paths = people.cases["nobody_in_it"].keys("documents")
    contents = [document.content for document in people.documents if document.path in paths]
    assert b"" in contents
    assert not any(b"@" in content for content in contents)


def test_the_bytes_hang_on_seed_and_day_alone() -> None:
    first, again = build(2, 1, date(2019, 3, 1)), build(2, 1, date(2019, 3, 1))
    assert first.documents == again.documents
    this_year = str(datetime.now(UTC).year)
    for document in first.documents:
        if document.path.startswith("marketing/profiles"):
            with zipfile.ZipFile(io.BytesIO(document.content)) as package:
                assert {entry.date_time for entry in package.infolist()} == {(2020, 1, 1, 0, 0, 0)}
            properties = [text for name, text in parts(document).items() if name.endswith(("core.xml", "comments.xml"))]
            assert properties
            assert not [text for text in properties if f"{this_year}-" in text]
