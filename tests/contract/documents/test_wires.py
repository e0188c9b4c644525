"""What crosses the line to a document server, and what becomes of a session whose line was cut?"""

from __future__ import annotations

import pytest

from retention.vocabulary import Action
from tests.contract.documents.asking import DONE, act, ref_of
from tests.contract.store_world import Site, StoreWorld
from tests.contract.world import Sample


@pytest.fixture(params=["smb", "sftp", "webdav", "s3"])
def site(request: pytest.FixtureRequest) -> Site:
    site: Site = request.getfixturevalue(request.param)
    return site


@pytest.mark.parametrize("site", ["smb", "sftp", "webdav"], indirect=True)
def test_nothing_of_a_file_crosses_the_line_in_the_clear(site: Site) -> None:
    world = StoreWorld(site)
    ref = world.make(Sample.LIVE, "bob@x.example")
    assert site.wire is not None
    heard = site.wire.listen()
    assert b"bob@x.example" in site.first.read(ref.key)
    assert len(heard) > 0
    for secret in (b"bob@x.example", ref.key.rpartition("/")[2].encode(), "letter".encode("utf-16-le")):
        assert secret not in heard


def test_a_session_whose_line_was_cut_is_opened_anew_for_the_next_question(site: Site) -> None:
    world = StoreWorld(site)
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    assert site.wire is not None
    site.wire.cut()
    site.wire.mend()
    assert act(world, Action.ERASE, ref) == [DONE]
    assert world.place.files() == {}
