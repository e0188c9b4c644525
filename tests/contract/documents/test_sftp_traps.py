"""Does OpenSSH's own server keep us from nothing that its answers leave open? Links, names that exist, keys."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest

from connectors.documents import open_store
from connectors.documents.stores.store import Failed
from retention.contract import AccessDenied
from retention.vocabulary import Action, GapCode, Presence, RecordRef
from tests.contract.documents.asking import INVALID, act, gaps, pages, presence
from tests.contract.documents_world import SYSTEM
from tests.contract.store_world import Site, StoreWorld
from tests.servers.disk import Disk


@pytest.fixture
def world(sftp: Site) -> StoreWorld:
    return StoreWorld(sftp)


def test_nothing_behind_a_link_is_touched(world: StoreWorld, tmp_path: Path) -> None:
    assert isinstance(world.place, Disk)
    (tmp_path / "secret.txt").write_bytes(b"bob@x.example")
    (world.place.root / "imports" / "elsewhere").symlink_to(tmp_path)
    assert gaps(pages(world.reconnect())) == {"imports/elsewhere": (GapCode.LINK_NOT_FOLLOWED, "")}
    refs = [RecordRef(SYSTEM, "file", key) for key in ("imports/elsewhere", "imports/elsewhere/secret.txt")]
    assert act(world, Action.ERASE, *refs) == [INVALID] * 2
    assert [presence(world, ref) for ref in refs] == [Presence.UNREADABLE] * 2
    assert (tmp_path / "secret.txt").read_bytes() == b"bob@x.example"


def test_renaming_onto_an_existing_name_fails_and_neither_file_is_lost(world: StoreWorld, sftp: Site) -> None:
    world.place.put("imports/a.txt", b"a")
    world.place.put("imports/b.txt", b"b")
    with pytest.raises(Failed):
        sftp.first.move("imports/a.txt", "imports/b.txt")
    assert (world.place.get("imports/a.txt"), world.place.get("imports/b.txt")) == (b"a", b"b")


def test_a_key_that_the_server_does_not_know_is_access_denied(sftp: Site) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    with pytest.raises(AccessDenied, match="refused our login"):
        open_store("sftp", SYSTEM, sftp.served.with_extra(private_key=stranger))


def test_a_text_that_is_no_key_is_access_denied_and_not_repeated(sftp: Site) -> None:
    with pytest.raises(AccessDenied, match="private_key is not a private key") as denied:
        open_store("sftp", SYSTEM, sftp.served.with_extra(private_key="made-up-secret"))
    assert "made-up-secret" not in str(denied.value)


@pytest.mark.parametrize("kind", ["ssh-rsa", "ecdsa-sha2-nistp256"])
def test_keys_of_other_kinds_are_understood(sftp: Site, kind: str) -> None:
    key = asyncssh.generate_private_key(kind).export_private_key().decode()
    with pytest.raises(AccessDenied, match="refused our login"):
        open_store("sftp", SYSTEM, sftp.served.with_extra(private_key=key))
