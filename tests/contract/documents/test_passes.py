"""What does a pass over the server name: every address, every date, every gap, and nothing twice?"""

from __future__ import annotations

import re
from datetime import date

import pytest

from connectors.documents import DocumentsConnector
from retention.contract import Unavailable
from retention.keyring import Keyring
from retention.vocabulary import (
    Action,
    DataClass,
    GapCode,
    IdentifierKind,
    OutcomeStatus,
    Presence,
    Reason,
)
from sandbox import population
from sandbox.corpus.packed import zipped
from tests.contract.documents.asking import (
    act,
    collected,
    email,
    found,
    gaps,
    pages,
    presence,
)
from tests.contract.documents_world import AS_OF, DocumentsWorld, Emulator
from tests.contract.world import Sample
from tests.walking import all_whole


def test_every_address_of_the_seeded_documents_is_found_in_its_file(seeded: DocumentsConnector) -> None:
    everything = pages(seeded)
    addresses = {
        path: {one.value for one in finding.identifiers if one.kind is IdentifierKind.EMAIL}
        for path, finding in found(everything).items()
    }
    people = population.build(as_of=AS_OF).people
    unread = gaps(everything)
    for document in population.build(as_of=AS_OF).documents:
        if document.path in unread or document.path.endswith(".docx"):
            continue
        encoding = "utf-16" if document.content.startswith(b"\xff\xfe") else "latin-1"
        encoding = "utf-8" if _is_utf8(document.content) else encoding
        cells = set(re.split(r"[\s<>,;]+", document.content.decode(encoding)))
        assert addresses[document.path] == {a for person in people for a in person.emails if a in cells}
    assert addresses["marketing/profiles/guest-seating.docx"] & addresses["marketing/leads-2025.csv"]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def test_what_cannot_be_read_is_a_gap_and_has_neither_date_nor_people(seeded: DocumentsConnector) -> None:
    everything = pages(seeded)
    unread = gaps(everything)
    assert unread == {
        "contracts/2020/terms-0001.docx": (GapCode.ENCRYPTED, ""),
        "correspondence/2020/minutes-0003.docx": (GapCode.DAMAGED, ""),
        "imports/attachment-0009.docx": (GapCode.TOO_LARGE, "expanded"),
        "imports/elsewhere": (GapCode.LINK_NOT_FOLLOWED, ""),
        "imports/scanner-0042.dat": (GapCode.UNKNOWN_FORMAT, ""),
        "scratch/note.txt": (GapCode.NOT_REACHABLE, "outside-folders"),
    }
    for path in unread.keys() & found(everything).keys():
        finding = found(everything)[path]
        assert finding.identifiers == ()
        assert [facts.collected for facts in finding.facts.classes] == [None]
    assert not found(everything).keys() & {"imports/elsewhere", "scratch/note.txt"}
    assert everything[-1].whole


def test_a_file_read_in_part_is_a_gap_without_a_date_and_its_people_are_evidence_that_never_erases(
    world: DocumentsWorld,
) -> None:
    mixed = zipped({"letter.txt": b"bob@x.example", "scan.png": b"\x89PNG\r\n\x1a\n" + bytes(64)})
    world.emulator.put("imports/mixed.zip", mixed)
    everything = pages(world.connector)
    assert gaps(everything) == {"imports/mixed.zip": (GapCode.UNKNOWN_FORMAT, "image")}
    finding = found(everything)["imports/mixed.zip"]
    assert [facts.collected for facts in finding.facts.classes] == [None]
    keyring, bob = Keyring.generate("k1"), email("bob@x.example")
    [named] = finding.identifiers
    assert keyring.folded_key(named) == keyring.folded_key(bob)
    assert keyring.exact_key(named) != keyring.exact_key(bob)


def test_the_date_inside_a_file_beats_the_date_of_its_copy(seeded: DocumentsConnector) -> None:
    files = found(pages(seeded))
    assert collected(files["marketing/profiles/preferences-0033.docx"]) == date(2019, 8, 24)
    assert collected(files["marketing/leads-2019.csv"]) == date(2019, 12, 31)
    assert collected(files["correspondence/2021/enquiry-0202.txt"]).year == 2021


def test_the_longest_folder_of_the_policy_decides_and_only_csv_has_parts(world: DocumentsWorld) -> None:
    for path in ("marketing/a.txt", "marketing/contracts/2020/b.csv", "marketing/contractsx/c.txt"):
        world.emulator.put(path, b"bob@x.example\n")
    facts = {path: one.facts.classes[0] for path, one in found(pages(world.reconnect())).items()}
    assert facts["marketing/a.txt"].data_class is DataClass.MARKETING_PROFILE
    assert facts["marketing/contracts/2020/b.csv"].data_class is DataClass.TRANSACTION_RECORD
    assert facts["marketing/contractsx/c.txt"].data_class is DataClass.MARKETING_PROFILE
    assert (facts["marketing/a.txt"].fields, facts["marketing/contracts/2020/b.csv"].fields) == ((), ("row",))


def test_an_address_in_the_name_of_a_file_is_found(world: DocumentsWorld) -> None:
    world.emulator.put("correspondence/bob@x.example/letter.txt", b"Dear Bob")
    (finding,) = found(pages(world.reconnect())).values()
    assert finding.identifiers == (email("bob@x.example"),)


def test_a_second_pass_lists_each_folder_once_and_opens_no_file(emulator: Emulator, seeded: DocumentsConnector) -> None:
    first = pages(seeded)
    emulator.forget_calls()
    second = pages(seeded, first)
    folders = len(emulator.tell("GET", "state")["folders"])
    believed, restricted = 1, 1
    assert emulator.calls() == {"LIST": folders + 1 + believed + restricted}
    assert found(second) == {}
    assert {ref for page in second for ref in page.unchanged} == {one.ref for one in found(first).values()}
    assert gaps(second).keys() == gaps(first).keys()
    assert all_whole(second)


def test_a_folder_we_may_not_list_is_a_gap_and_its_files_are_not_gone(world: DocumentsWorld) -> None:
    world.emulator.put("imports/closed/list.csv", b"bob@x.example\n")
    world.emulator.put("imports/open.csv", b"ann@x.example\n")
    first = pages(world.reconnect())
    world.emulator.break_calls("status", "LIST", path="/imports/closed", status=403, times=1)
    second = pages(world.reconnect(), first)
    assert gaps(second) == {"imports/closed": (GapCode.NOT_REACHABLE, "folder")}
    assert not any(page.whole for page in second)
    third = pages(world.reconnect(), second)
    assert ({ref.key for page in third for ref in page.unchanged}, third[-1].whole) == (
        {"imports/closed/list.csv", "imports/open.csv"},
        True,
    )


def test_a_file_we_may_not_open_is_a_gap_and_tried_again_the_next_night(world: DocumentsWorld) -> None:
    world.emulator.put("imports/list.csv", b"bob@x.example\n")
    world.emulator.break_calls("status", "READ", path="/imports/list.csv", status=403, times=1)
    first = pages(world.reconnect())
    assert gaps(first) == {"imports/list.csv": (GapCode.NOT_REACHABLE, "file")}
    second = found(pages(world.reconnect(), first))
    assert second["imports/list.csv"].identifiers == (email("bob@x.example"),)


def test_a_file_that_is_too_large_is_not_fetched(world: DocumentsWorld) -> None:
    world.emulator.put("imports/list.csv", b"bob@x.example\n" * 100)
    small = world.emulator.connect(largest_file=1000)
    everything = pages(small)
    small.close()
    assert gaps(everything) == {"imports/list.csv": (GapCode.TOO_LARGE, "")}


def test_a_server_that_shows_none_of_the_folders_is_not_believed_to_be_empty(world: DocumentsWorld) -> None:
    ref = world.make(Sample.LIVE, "bob@x.example")
    world.emulator.empty()
    with pytest.raises(Unavailable, match="mounted"):
        pages(world.reconnect())
    assert presence(world, ref) is Presence.UNREADABLE
    assert act(world, Action.ERASE, ref) == [(OutcomeStatus.FAILED, Reason.NOT_PROVEN)]
