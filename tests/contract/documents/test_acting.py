"""What becomes of files that are erased, redacted, restricted, released and handed out?"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from connectors.documents.formats.reading import read
from retention.vocabulary import (
    Action,
    GapCode,
    OutcomeStatus,
    Presence,
    Reason,
    RecordRef,
)
from tests.contract.documents.asking import (
    DONE,
    INVALID,
    act,
    email,
    found,
    gaps,
    pages,
    presence,
    ref_of,
)
from tests.contract.documents_world import SYSTEM, DocumentsWorld, Emulator
from tests.contract.world import Sample
from tests.shared_files import shared_file


def test_nothing_behind_a_link_is_touched(emulator: Emulator, world: DocumentsWorld) -> None:
    emulator.tell("POST", "reset")
    outside = emulator.tell("GET", "state")["outside"]
    emulator.sftp.symlink("leads-2025.csv", "marketing/link.csv")
    before = emulator.files()
    refs = [RecordRef(SYSTEM, "file", key) for key in ("imports/elsewhere/partner-list.csv", "marketing/link.csv")]
    refs += [RecordRef(SYSTEM, "file", key) for key in ("imports/elsewhere", "marketing")]
    for action in (Action.ERASE, Action.RESTRICT):
        assert act(world, action, *refs) == [INVALID] * 4
    assert [presence(world, ref) for ref in refs] == [Presence.UNREADABLE] * 4
    assert (emulator.files(), emulator.tell("GET", "state")["outside"]) == (before, outside)


def test_an_answer_lost_in_the_middle_of_a_batch_is_the_outcome_of_one_file(world: DocumentsWorld) -> None:
    refs = [ref_of(world, world.make(Sample.LIVE, f"b{n}@x.example").key) for n in range(3)]
    world.emulator.break_calls("timeout_after_effect", "REMOVE", path=f"/{refs[1].key}")
    assert act(world, Action.ERASE, *refs) == [DONE, (OutcomeStatus.UNKNOWN, Reason.NO_ANSWER), DONE]
    assert world.emulator.files() == {}


def test_a_file_that_may_not_be_removed_stays_and_the_others_go(world: DocumentsWorld) -> None:
    refs = [ref_of(world, world.make(Sample.LIVE, f"b{n}@x.example").key) for n in range(2)]
    world.emulator.break_calls("status", "REMOVE", path=f"/{refs[0].key}", status=403)
    assert act(world, Action.ERASE, *refs) == [(OutcomeStatus.REFUSED, Reason.NO_PERMISSION), DONE]
    assert list(world.emulator.files()) == [refs[0].key]


def test_erasing_a_restricted_file_leaves_neither_it_nor_its_manifest(world: DocumentsWorld) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    assert act(world, Action.RESTRICT, ref) == [DONE]
    assert act(world, Action.ERASE, ref) == [DONE]
    assert (world.emulator.files(), presence(world, ref)) == ({}, Presence.ABSENT)


@pytest.mark.parametrize("ending", ["docx", "xlsx", "pptx", "json", "zip"])
def test_one_person_is_taken_out_of_a_shared_file_of_any_such_kind(world: DocumentsWorld, ending: str) -> None:
    path = f"imports/shared.{ending}"
    world.emulator.put(path, shared_file(ending, "bob@x.example", "ann@x.example"))
    ref = ref_of(world, path)
    assert act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),)) == [DONE]
    left = read(path, world.emulator.get(path))
    assert (left.gap, [one.value for one in left.identifiers]) == (None, ["ann@x.example"])


def test_a_shared_letter_is_not_redacted_and_left_as_it_is(world: DocumentsWorld) -> None:
    content = b"bob@x.example met ann@x.example"
    world.emulator.put("imports/letter.txt", content)
    ref = ref_of(world, "imports/letter.txt")
    assert act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),)) == [INVALID]
    assert world.emulator.get("imports/letter.txt") == content


def test_a_redacted_table_keeps_its_dialect_its_times_and_every_other_row(world: DocumentsWorld) -> None:
    made = datetime(2023, 5, 6, 7, 8, 9, tzinfo=UTC)
    head, tail = "\ufeffname;email\r\nJo;jbob@x.example\r\n", '"Zoë; Ann";ann@x.example\r\n'
    world.emulator.put("imports/list.csv", f"{head}Bob;bob@x.example\r\n{tail}".encode(), made)
    ref = ref_of(world, "imports/list.csv")
    assert act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),)) == [DONE]
    assert world.emulator.get("imports/list.csv") == (head + tail).encode()
    assert world.emulator.files() == {
        "imports/list.csv": {**world.emulator.files()["imports/list.csv"], "modified": made.isoformat()}
    }


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("imports/letter.txt", b"bob@x.example"),
        ("imports/pair.csv", b"bob@x.example,ann@x.example\n"),
        (f"imports/{'bob@x.example'}.csv", b"bob@x.example\nann@x.example\n"),
    ],
)
def test_what_cannot_be_taken_out_for_sure_is_refused(world: DocumentsWorld, path: str, content: bytes) -> None:
    world.emulator.put(path, content)
    assert act(world, Action.REDACT, ref_of(world, path), identifiers=(email("bob@x.example"),)) == [INVALID]
    assert list(world.emulator.files()) == [path]
    assert world.emulator.get(path) == content


def test_a_redaction_that_cannot_be_written_leaves_nothing_behind(world: DocumentsWorld) -> None:
    world.emulator.put("imports/list.csv", b"bob@x.example\nann@x.example\n")
    ref = ref_of(world, "imports/list.csv")
    world.emulator.break_calls("success_without_effect", "WRITE")
    (outcome,) = act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),))
    assert outcome[0] is not OutcomeStatus.DONE
    assert list(world.emulator.files()) == ["imports/list.csv"]
    assert world.emulator.get("imports/list.csv") == b"bob@x.example\nann@x.example\n"


def test_a_restricted_file_has_no_telling_name_and_a_manifest_that_knows_the_way_back(world: DocumentsWorld) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    modified = world.emulator.files()[ref.key]["modified"]
    assert act(world, Action.RESTRICT, ref) == [DONE]
    content, manifest = sorted(world.emulator.files())
    assert re.fullmatch(r"\.restricted/[0-9a-f]{32}", content)
    told = json.loads(world.emulator.get(manifest))
    assert (told["path"], told["sha256"], told["modified"]) == (ref.key, ref.version, modified)
    assert (world.emulator.sftp.lstat(".restricted").st_mode or 0) & 0o777 == 0o700


def test_a_restricted_file_stays_known_under_its_path(world: DocumentsWorld) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    first = pages(world.reconnect())
    act(world, Action.RESTRICT, ref)
    second = pages(world.reconnect(), first)
    assert {key: one.facts.restricted for key, one in found(second).items()} == {ref.key: True}
    assert found(second)[ref.key].ref == ref
    third = pages(world.reconnect(), second)
    assert ([r for page in third for r in page.unchanged], found(third), third[-1].whole) == ([ref], {}, True)
    act(world, Action.RELEASE, ref, values={"path": ref.key})
    fourth = pages(world.reconnect(), third)
    assert {key: one.facts.restricted for key, one in found(fourth).items()} == {ref.key: False}


def test_releasing_never_overwrites_and_goes_nowhere_else(world: DocumentsWorld) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    act(world, Action.RESTRICT, ref)
    assert act(world, Action.RELEASE, ref, values={"path": "../elsewhere.txt"}) == [INVALID]
    assert act(world, Action.RELEASE, ref, values={"path": "imports/other.txt"}) == [INVALID]
    assert act(world, Action.RELEASE, ref) == [INVALID]
    world.emulator.put(ref.key, b"somebody's new file")
    new = ref_of(world, ref.key)
    assert act(world, Action.RELEASE, new, values={"path": ref.key}) == [INVALID]
    assert act(world, Action.RESTRICT, new) == [INVALID]
    assert world.emulator.get(ref.key) == b"somebody's new file"
    assert presence(world, ref) is Presence.RESTRICTED
    assert gaps(pages(world.reconnect())) == {ref.key: (GapCode.NOT_REACHABLE, "restricted-twin")}


def test_a_release_makes_the_folder_that_went_away_meanwhile(world: DocumentsWorld) -> None:
    world.emulator.put("imports/old/2019/list.csv", b"bob@x.example\n")
    ref = ref_of(world, "imports/old/2019/list.csv")
    act(world, Action.RESTRICT, ref)
    world.emulator.sftp.rmdir("imports/old/2019")
    world.emulator.sftp.rmdir("imports/old")
    assert act(world, Action.RELEASE, ref, values={"path": ref.key}) == [DONE]
    assert list(world.emulator.files()) == [ref.key]


def test_what_does_not_belong_together_in_the_restricted_area_is_a_gap(world: DocumentsWorld) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    act(world, Action.RESTRICT, ref)
    content, manifest = sorted(world.emulator.files())
    world.emulator.sftp.remove(content)
    world.emulator.put(".restricted/stray", b"?")
    world.emulator.put(".restricted/forged.json", json.dumps({"path": "imports/x.csv"}).encode())
    assert gaps(pages(world.reconnect())) == {
        ref.key: (GapCode.NOT_REACHABLE, "restricted-remains"),
        ".restricted/stray": (GapCode.NOT_REACHABLE, "restricted-without-manifest"),
        ".restricted/forged.json": (GapCode.NOT_REACHABLE, "restricted-manifest"),
    }
    assert manifest in world.emulator.files()


def test_an_export_says_what_kind_of_file_it_is(world: DocumentsWorld) -> None:
    world.emulator.put("imports/list.CSV", b"bob@x.example\n")
    world.emulator.put("imports/scan.dat", b"\x00\x01")
    refs = [ref_of(world, path) for path in ("imports/list.CSV", "imports/scan.dat")]
    told = [(one.ref, one.media_type, one.content) for one in world.connector.export(refs)]
    assert told == [(refs[0], "text/csv", b"bob@x.example\n"), (refs[1], "application/octet-stream", b"\x00\x01")]
