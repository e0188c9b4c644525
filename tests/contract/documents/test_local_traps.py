"""Is nothing outside of a local root reached, and is what a name does not tell reported?"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from connectors.documents import DocumentsConnector, Login, open_store
from connectors.documents.reader import Reader
from connectors.documents.redacting.redacted import Cut, Redacted
from connectors.documents.stores.store import Ambiguous, Failed, Missing
from retention.contract import AccessDenied, Unavailable
from retention.vocabulary import Action, GapCode, Identifier, OutcomeStatus, Presence, Reason, RecordRef
from tests.contract.documents.asking import DONE, INVALID, act, email, found, gaps, pages, presence, ref_of
from tests.contract.documents_world import FOLDERS, SYSTEM
from tests.contract.store_world import Site, StoreWorld
from tests.contract.world import Sample
from tests.servers.disk import Disk


@pytest.fixture
def world(local: Site) -> StoreWorld:
    return StoreWorld(local)


@pytest.fixture
def root(world: StoreWorld) -> Path:
    assert isinstance(world.place, Disk)
    return world.place.root


def test_nothing_behind_a_link_is_read_or_touched(world: StoreWorld, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(b"bob@x.example")
    (root / "imports" / "elsewhere").symlink_to(tmp_path)
    (root / "imports" / "secret.txt").symlink_to(tmp_path / "secret.txt")
    links = [f"imports/{name}" for name in ("elsewhere", "secret.txt")]
    assert gaps(pages(world.reconnect())) == dict.fromkeys(links, (GapCode.LINK_NOT_FOLLOWED, ""))
    refs = [RecordRef(SYSTEM, "file", key) for key in (*links, "imports/elsewhere/secret.txt")]
    for action in (Action.ERASE, Action.RESTRICT):
        assert act(world, action, *refs) == [INVALID] * 3
    assert [presence(world, ref) for ref in refs] == [Presence.UNREADABLE] * 3
    assert (tmp_path / "secret.txt").read_bytes() == b"bob@x.example"


def test_a_link_put_in_the_way_after_the_look_leads_nowhere(
    world: StoreWorld, root: Path, local: Site, tmp_path: Path
) -> None:
    world.place.put("imports/old/a.txt", b"a")
    (tmp_path / "a.txt").write_bytes(b"a")
    assert local.first.look("imports/old/a.txt").is_file
    (root / "imports" / "old").rename(root / "imports" / "away")
    (root / "imports" / "old").symlink_to(tmp_path)
    for call in (local.first.remove, local.first.read, local.first.look):
        with pytest.raises(Ambiguous):
            call("imports/old/a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"a"


def test_a_file_with_other_names_is_a_gap_every_night_and_only_the_one_name_goes(
    world: StoreWorld, root: Path, tmp_path: Path
) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    os.link(root / ref.key, tmp_path / "other-name.txt")
    first = pages(world.reconnect())
    assert gaps(first) == {ref.key: (GapCode.NOT_REACHABLE, "has-other-names")}
    assert gaps(pages(world.reconnect(), first)) == gaps(first)
    assert act(world, Action.ERASE, ref) == [DONE]
    assert b"bob@x.example" in (tmp_path / "other-name.txt").read_bytes()


def test_a_name_that_is_not_utf_8_is_a_gap_and_the_rest_of_its_folder_is_read(world: StoreWorld, root: Path) -> None:
    world.place.put("imports/list.csv", b"bob@x.example\n")
    odd = os.fsencode(root / "imports") + b"/\xff\xfe.csv"
    Path(os.fsdecode(odd)).write_bytes(b"ann@x.example\n")
    everything = pages(world.reconnect())
    assert list(found(everything)) == ["imports/list.csv"]
    assert list(gaps(everything).values()) == [(GapCode.NOT_REACHABLE, "name-not-utf-8")]
    assert not everything[-1].whole


def test_reading_leaves_the_access_time_as_it_was(world: StoreWorld, root: Path) -> None:
    world.place.put("imports/list.csv", b"bob@x.example\n")
    os.utime(root / "imports" / "list.csv", ns=(1_000_000_000, 2_000_000_000))
    assert found(pages(world.reconnect()))
    assert (root / "imports" / "list.csv").stat().st_atime_ns == 1_000_000_000


def test_a_pipe_is_a_gap_and_never_waited_for(world: StoreWorld, root: Path) -> None:
    os.mkfifo(root / "imports" / "pipe.csv")
    assert gaps(pages(world.reconnect())) == {"imports/pipe.csv": (GapCode.NOT_REACHABLE, "special-file")}


def test_moving_and_writing_never_overwrite(world: StoreWorld, local: Site) -> None:
    world.place.put("imports/a.txt", b"a")
    world.place.put("imports/b.txt", b"b")
    for clash in (
        lambda: local.first.move("imports/a.txt", "imports/b.txt"),
        lambda: local.first.write("imports/a.txt", b"c"),
    ):
        with pytest.raises(Failed):
            clash()
    assert (world.place.get("imports/a.txt"), world.place.get("imports/b.txt")) == (b"a", b"b")
    with pytest.raises(Missing):
        local.first.move("imports/none.txt", "imports/c.txt")


def test_a_root_that_is_not_there_is_unavailable_and_one_that_is_not_named_denied(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="mounted"):
        open_store("local", SYSTEM, Login(extra={"root": str(tmp_path / "nowhere")}))
    with pytest.raises(AccessDenied, match="'root'"):
        open_store("local", SYSTEM, Login())


class Doubting(Reader):
    """Takes people out, and a second look still sees them."""

    def redacted(self, name: str, content: bytes, people: Collection[Identifier]) -> Redacted:
        return Redacted(Cut.UNPROVEN)


def test_a_redaction_that_a_second_look_does_not_confirm_is_refused_and_the_file_stays_as_it_is(
    world: StoreWorld, root: Path, local: Site
) -> None:
    content = b"email\nbob@x.example\nann@x.example\n"
    world.place.put("imports/list.csv", content)
    ref = ref_of(world, "imports/list.csv")
    world.connector = DocumentsConnector(local.first, FOLDERS, reader=Doubting())  # type: ignore[arg-type]
    refused = [(OutcomeStatus.REFUSED, Reason.NOT_PROVEN)]
    assert act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),)) == refused
    assert (root / ref.key).read_bytes() == content
    assert os.listdir(root / "imports") == ["list.csv"]
