"""Does the documents connector keep every promise, on real files over real SFTP?"""

from __future__ import annotations

import json
import re
import socket
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import asyncssh
import pytest

from connectors.documents import SftpDocuments
from retention.contract import AccessDenied, Unavailable
from retention.vocabulary import (
    Action,
    DataClass,
    Finding,
    GapCode,
    Identifier,
    IdentifierKind,
    OutcomeStatus,
    Page,
    Presence,
    Reason,
    RecordRef,
    Step,
    Token,
)
from sandbox import population
from tests.contract.documents_world import AS_OF, SYSTEM, DocumentsWorld, Emulator, running
from tests.contract.suite import ConnectorContract
from tests.contract.world import Sample, World
from tests.leave import Leave


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


class TestDocuments(ConnectorContract):
    @pytest.fixture
    def world(self, emulator: Emulator) -> Iterator[World]:
        world = DocumentsWorld(emulator)
        yield world
        world.close()


@pytest.fixture
def world(emulator: Emulator) -> Iterator[DocumentsWorld]:
    world = DocumentsWorld(emulator)
    yield world
    world.close()


@pytest.fixture
def seeded(emulator: Emulator) -> Iterator[SftpDocuments]:
    emulator.tell("POST", "reset")
    connector = emulator.connect()
    yield connector
    connector.close()


def pages(connector: SftpDocuments, since: Token | None = None) -> list[Page]:
    return list(connector.changes(since))


def found(pages: Sequence[Page]) -> dict[str, Finding]:
    return {finding.ref.key: finding for page in pages for finding in page.findings}


def gaps(pages: Sequence[Page]) -> dict[str, tuple[GapCode, str]]:
    return {gap.ref.key: (gap.code, gap.what) for page in pages for gap in page.gaps if gap.ref}


def token_of(pages: Sequence[Page]) -> Token:
    token = pages[-1].next
    assert isinstance(token, bytes)
    return Token(token)


def collected(finding: Finding) -> date:
    (facts,) = finding.facts.classes
    assert facts.collected is not None
    return facts.collected.value.date() if isinstance(facts.collected.value, datetime) else facts.collected.value


def ref_of(world: DocumentsWorld, path: str) -> RecordRef:
    (seen,) = world.connector.read_back([Step("look", RecordRef(SYSTEM, "file", path), Action.ERASE)])
    return seen.ref


def act(world: DocumentsWorld, action: Action, *refs: RecordRef, **how: Any) -> list[tuple[OutcomeStatus, Reason]]:
    steps = [Step(f"step-{number}", ref, action, **how) for number, ref in enumerate(refs)]
    return [(o.status, o.reason) for o in world.connector.act(action, steps, Leave())]


def presence(world: DocumentsWorld, ref: RecordRef) -> Presence:
    (seen,) = world.connector.read_back([Step("look", ref, Action.ERASE)])
    return seen.presence


def email(address: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, address)


DONE = (OutcomeStatus.DONE, Reason.OK)
WRONG = "-".join(("not", "the", "password"))
INVALID = (OutcomeStatus.REFUSED, Reason.VALIDATION)


# --- Logging in ---


def test_a_wrong_password_is_access_denied_and_not_repeated_in_the_message(emulator: Emulator) -> None:
    with pytest.raises(AccessDenied, match=SYSTEM) as denied:
        emulator.connect(password=WRONG)
    assert WRONG not in "".join(traceback.format_exception(denied.value))


@pytest.mark.parametrize("key", ["", "ssh-ed25519", "ssh-ed25519 AAAAnonsense", "no key at all"])
def test_a_host_key_that_is_none_is_access_denied(emulator: Emulator, key: str) -> None:
    with pytest.raises(AccessDenied, match="host_key"):
        emulator.connect(host_key=key)


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_a_server_with_another_host_key_is_not_trusted(emulator: Emulator, kind: str) -> None:
    other = asyncssh.generate_private_key(kind).export_public_key().decode()
    with pytest.raises(AccessDenied, match="another host key"):
        emulator.connect(host_key=other)


def test_a_server_that_is_not_there_is_unavailable(emulator: Emulator) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match=SYSTEM):
            emulator.connect(port=unused.getsockname()[1])


def test_another_root_is_another_tenant(emulator: Emulator, seeded: SftpDocuments) -> None:
    other = emulator.connect(root="/marketing")
    assert other.tenant != seeded.tenant
    other.close()


# --- What a pass names ---


def test_every_address_of_the_seeded_documents_is_found_in_its_file(seeded: SftpDocuments) -> None:
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


def test_what_cannot_be_read_is_a_gap_and_has_neither_date_nor_people(seeded: SftpDocuments) -> None:
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


def test_the_date_inside_a_file_beats_the_date_of_its_copy(seeded: SftpDocuments) -> None:
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


def test_a_second_pass_lists_each_folder_once_and_opens_no_file(emulator: Emulator, seeded: SftpDocuments) -> None:
    first = pages(seeded)
    emulator.forget_calls()
    second = pages(seeded, token_of(first))
    folders = len(emulator.tell("GET", "state")["folders"])
    assert emulator.calls() == {"LIST": folders + 1}
    assert found(second) == {}
    assert {ref for page in second for ref in page.unchanged} == {one.ref for one in found(first).values()}
    assert gaps(second).keys() == gaps(first).keys()
    assert (second[-1].whole, token_of(second)) == (True, token_of(first))


def test_a_token_holds_no_path(seeded: SftpDocuments) -> None:
    token = token_of(pages(seeded))
    assert not any(bytes(token).count(word) for word in (b"Letter", b"marketing", b"csv"))


@pytest.mark.parametrize("token", [b"", b"nonsense", b"KF\x01\x00" + bytes(53), b"KF\x01\x01" + bytes(7)])
def test_a_token_that_cannot_be_read_means_that_everything_is_read(world: DocumentsWorld, token: bytes) -> None:
    world.make(Sample.LIVE, "bob@x.example")
    everything = pages(world.reconnect(), Token(token))
    assert (len(found(everything)), everything[-1].whole) == (1, True)


def test_a_folder_we_may_not_list_is_a_gap_and_its_files_are_not_gone(world: DocumentsWorld) -> None:
    world.emulator.put("imports/closed/list.csv", b"bob@x.example\n")
    world.emulator.put("imports/open.csv", b"ann@x.example\n")
    first = pages(world.reconnect())
    world.emulator.break_calls("status", "LIST", path="/imports/closed", status=403, times=1)
    second = pages(world.reconnect(), token_of(first))
    assert gaps(second) == {"imports/closed": (GapCode.NOT_REACHABLE, "folder")}
    assert not any(page.whole for page in second)
    third = pages(world.reconnect(), token_of(second))
    assert ({ref.key for page in third for ref in page.unchanged}, third[-1].whole) == (
        {"imports/closed/list.csv", "imports/open.csv"},
        True,
    )


def test_a_file_we_may_not_open_is_a_gap_and_tried_again_the_next_night(world: DocumentsWorld) -> None:
    world.emulator.put("imports/list.csv", b"bob@x.example\n")
    world.emulator.break_calls("status", "READ", path="/imports/list.csv", status=403, times=1)
    first = pages(world.reconnect())
    assert gaps(first) == {"imports/list.csv": (GapCode.NOT_REACHABLE, "file")}
    second = found(pages(world.reconnect(), token_of(first)))
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


# --- Acting ---


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
    second = pages(world.reconnect(), token_of(first))
    assert {key: one.facts.restricted for key, one in found(second).items()} == {ref.key: True}
    assert found(second)[ref.key].ref == ref
    third = pages(world.reconnect(), token_of(second))
    assert ([r for page in third for r in page.unchanged], found(third), third[-1].whole) == ([ref], {}, True)
    act(world, Action.RELEASE, ref, values={"path": ref.key})
    fourth = pages(world.reconnect(), token_of(third))
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
