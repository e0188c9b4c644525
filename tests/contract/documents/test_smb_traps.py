"""Is nothing of a share believed that SMB only says? Streams, folded names, bins, files that others have open."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import smbclient

from connectors.documents import Login, open_store
from connectors.documents.stores.store import Failed
from retention.contract import AccessDenied
from retention.vocabulary import Action, GapCode, OutcomeStatus, Presence, Reason, RecordRef
from tests.contract.documents.asking import DONE, INVALID, WRONG, act, email, found, gaps, pages, presence, ref_of
from tests.contract.documents_world import SYSTEM
from tests.contract.store_world import Site, StoreWorld
from tests.contract.world import Sample
from tests.servers.samba import BIN

LOCKED = (OutcomeStatus.FAILED, Reason.LOCKED)


@pytest.fixture
def world(smb: Site) -> StoreWorld:
    return StoreWorld(smb)


@pytest.fixture
def binned_world(binned: Site) -> StoreWorld:
    return StoreWorld(binned)


@pytest.fixture
def colleague(smb: Site) -> Iterator[Any]:
    """Somebody else on the same share: opens a path with the sharing they like."""
    login = smb.served.login
    session = {"username": login.username, "password": login.password, "port": login.port, "connection_cache": {}}

    @contextmanager
    def open_file(path: str, share_access: str, mode: str = "rb") -> Iterator[Any]:
        at = rf"\\{login.host}\{login.extra['share']}" + "\\" + path.replace("/", "\\")
        with smbclient.open_file(at, mode=mode, buffering=0, share_access=share_access, **session) as file:
            yield file

    yield open_file
    smbclient.reset_connection_cache(connection_cache=session["connection_cache"])


def test_the_listing_says_when_a_file_was_created(world: StoreWorld, smb: Site) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    path = world.make(Sample.LIVE, "bob@x.example").key
    [entry] = [one for one in smb.first.list(posixpath.dirname(path)) if one.name == posixpath.basename(path)]
    assert entry.created_at is not None
    assert entry.created_at >= before
    assert smb.first.look(path).created_at == entry.created_at


def test_renaming_onto_an_existing_name_fails_and_neither_file_is_lost(world: StoreWorld) -> None:
    world.place.put("imports/a.txt", b"a")
    world.place.put("imports/b.txt", b"b")
    with pytest.raises(Failed):
        world.site.first.move("imports/a.txt", "imports/b.txt")
    assert (world.place.get("imports/a.txt"), world.place.get("imports/b.txt")) == (b"a", b"b")


def test_a_file_that_somebody_has_open_for_themselves_is_left_for_later(world: StoreWorld, colleague: Any) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    with colleague(ref.key, share_access="r"):
        assert act(world, Action.ERASE, ref) == [LOCKED]
        assert presence(world, ref) is Presence.PRESENT
    assert act(world, Action.ERASE, ref) == [DONE]
    assert presence(world, ref) is Presence.ABSENT


def test_a_deletion_that_waits_for_the_last_handle_is_not_called_done(world: StoreWorld, colleague: Any) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    with colleague(ref.key, share_access="rwd") as file:
        assert act(world, Action.ERASE, ref) == [(OutcomeStatus.UNKNOWN, Reason.PENDING)]
        assert b"bob@x.example" in file.read()
        assert presence(world, ref) is Presence.UNREADABLE
        assert gaps(pages(world.reconnect())) == {ref.key: (GapCode.NOT_REACHABLE, "file")}
    assert presence(world, ref) is Presence.ABSENT


def test_scanning_keeps_nobody_from_their_file(world: StoreWorld, smb: Site, colleague: Any) -> None:
    world.place.put("imports/list.csv", b"bob@x.example\n")
    with colleague("imports/list.csv", share_access="rwd", mode="r+b"):
        assert smb.first.read("imports/list.csv") == b"bob@x.example\n"


def test_what_an_alternate_stream_says_is_read_and_what_cannot_be_read_of_it_is_a_gap(
    world: StoreWorld, colleague: Any
) -> None:
    world.place.put("correspondence/a.txt", b"ann@x.example")
    with colleague("correspondence/a.txt:notes", share_access="", mode="wb") as stream:
        stream.write(b"as told by bob@x.example")
    (finding,) = found(pages(world.reconnect())).values()
    assert finding.identifiers == (email("ann@x.example"), email("bob@x.example"))
    with colleague("correspondence/a.txt:picture", share_access="", mode="wb") as stream:
        stream.write(bytes(range(1, 256)) + bytes(64))
    (again,) = found(pages(world.reconnect())).values()
    assert again.identifiers == ()
    assert gaps(pages(world.reconnect())) == {"correspondence/a.txt": (GapCode.UNKNOWN_FORMAT, "alternate-stream")}


def test_a_table_with_a_stream_is_not_redacted_since_the_stream_would_be_lost(
    world: StoreWorld, colleague: Any
) -> None:
    world.place.put("imports/list.csv", b"bob@x.example\nann@x.example\n")
    with colleague("imports/list.csv:notes", share_access="", mode="wb") as stream:
        stream.write(b"bob@x.example")
    ref = ref_of(world, "imports/list.csv")
    assert act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),)) == [INVALID]
    assert world.place.get("imports/list.csv") == b"bob@x.example\nann@x.example\n"


@pytest.mark.parametrize("mode", [0o600, 0o644], ids=oct)
def test_a_redacted_table_is_readable_by_those_who_could_read_it_before(world: StoreWorld, mode: int) -> None:
    """As the disk under it says for all others: Samba shows its bits as an access list, and stores one as them."""
    world.place.put("imports/list.csv", b"bob@x.example\nann@x.example\n")
    on_disk = world.place.root / "imports" / "list.csv"  # type: ignore[attr-defined]
    on_disk.chmod(mode)
    ref = ref_of(world, "imports/list.csv")
    assert act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),)) == [DONE]
    assert on_disk.read_bytes() == b"ann@x.example\n"
    assert on_disk.stat().st_mode & 0o004 == mode & 0o004


def test_a_table_that_somebody_has_open_is_not_redacted_and_nothing_is_left_beside_it(
    world: StoreWorld, colleague: Any
) -> None:
    world.place.put("imports/list.csv", b"bob@x.example\nann@x.example\n")
    ref = ref_of(world, "imports/list.csv")
    with colleague(ref.key, share_access="r"):
        assert act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),)) == [LOCKED]
    assert list(world.place.files()) == [ref.key]
    assert world.place.get(ref.key) == b"bob@x.example\nann@x.example\n"


def test_a_stream_moves_with_its_file_and_goes_with_it(world: StoreWorld, colleague: Any) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    with colleague(f"{ref.key}:notes", share_access="", mode="wb") as stream:
        stream.write(b"kept")
    assert act(world, Action.RESTRICT, ref) == [DONE]
    assert act(world, Action.RELEASE, ref, values={"path": ref.key}) == [DONE]
    with colleague(f"{ref.key}:notes", share_access="r") as stream:
        assert stream.read() == b"kept"
    assert act(world, Action.ERASE, ref) == [DONE]
    assert world.place.files() == {}


def test_a_path_that_names_a_stream_is_no_file(world: StoreWorld, colleague: Any) -> None:
    world.place.put("imports/a.txt", b"a")
    with colleague("imports/a.txt:notes", share_access="", mode="wb") as stream:
        stream.write(b"b")
    refs = [RecordRef(SYSTEM, "file", key) for key in ("imports/a.txt:notes", "imports\\a.txt", "imports/a*.txt")]
    assert act(world, Action.ERASE, *refs) == [(OutcomeStatus.ALREADY_DONE, Reason.GONE)] * 3
    assert world.place.get("imports/a.txt") == b"a"


def test_two_names_that_differ_in_case_only_are_gaps_and_neither_is_touched(world: StoreWorld) -> None:
    for name, content in (("Case.txt", b"bob@x.example"), ("case.TXT", b"ann@x.example"), ("other.txt", b"")):
        world.place.put(f"imports/{name}", content)
    everything = pages(world.reconnect())
    assert gaps(everything) == {
        f"imports/{name}": (GapCode.NOT_REACHABLE, "name-differs-in-case-only") for name in ("Case.txt", "case.TXT")
    }
    assert (list(found(everything)), everything[-1].whole) == (["imports/other.txt"], False)
    refs = [RecordRef(SYSTEM, "file", f"imports/{name}") for name in ("Case.txt", "case.TXT")]
    for action in (Action.ERASE, Action.RESTRICT):
        assert act(world, action, *refs) == [INVALID, INVALID]
    assert [presence(world, ref) for ref in refs] == [Presence.UNREADABLE] * 2
    assert len(world.place.files()) == 3


def test_a_name_that_the_server_makes_up_is_a_gap(world: StoreWorld) -> None:
    world.place.put("imports/a:b?.txt", b"bob@x.example")
    ((key, said),) = gaps(pages(world.reconnect())).items()
    assert said == (GapCode.NOT_REACHABLE, "name-not-its-own")
    assert act(world, Action.ERASE, RecordRef(SYSTEM, "file", key)) == [INVALID]
    assert world.place.get("imports/a:b?.txt") == b"bob@x.example"


def test_what_a_share_with_a_bin_deletes_is_gone_from_its_bin_too(binned_world: StoreWorld) -> None:
    world = binned_world
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    assert act(world, Action.ERASE, ref) == [DONE]
    assert (world.place.files(), presence(world, ref)) == ({}, Presence.ABSENT)


def test_a_file_that_lies_in_the_bin_only_is_still_there_and_is_erased_there(binned_world: StoreWorld) -> None:
    world = binned_world
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    content = world.place.get(ref.key)
    world.place.remove(ref.key)
    world.place.put(f"{BIN}/correspondence/Copy #1 of {ref.key.rpartition('/')[2]}", content)
    world.place.put(f"{BIN}/{ref.key}", b"an earlier letter of the same name")
    assert presence(world, ref) is Presence.PRESENT
    assert act(world, Action.ERASE, ref) == [DONE]
    assert presence(world, ref) is Presence.ABSENT
    assert list(world.place.files()) == [f"{BIN}/{ref.key}"]


def test_a_read_only_file_is_erased_like_any_other(world: StoreWorld, smb: Site) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    (smb.served.place.root / ref.key).chmod(0o444)  # type: ignore[attr-defined]
    assert act(world, Action.ERASE, ref) == [DONE]
    assert world.place.files() == {}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"password": WRONG}, "refused our login"),
        ({"extra": {"share": "nowhere"}}, "no such share"),
        ({"extra": {}}, "'share'"),
    ],
    ids=["wrong password", "no such share", "no share named"],
)
def test_a_share_that_cannot_be_entered_is_access_denied(smb: Site, changed: dict[str, Any], says: str) -> None:
    login = smb.served.login
    given = {"host": login.host, "port": login.port, "username": login.username, "password": login.password}
    with pytest.raises(AccessDenied, match=says) as denied:
        open_store("smb", SYSTEM, Login(**{**given, "extra": login.extra, **changed}))
    assert WRONG not in str(denied.value)
