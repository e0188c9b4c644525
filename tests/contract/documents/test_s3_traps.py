"""Is a file in a bucket gone only when no version of it is left, and is nothing of a bucket overlooked?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.documents import Login, open_store
from connectors.documents.stores.store import Failed, Kind
from retention.contract import AccessDenied
from retention.vocabulary import Action, GapCode, OutcomeStatus, Presence, Reason
from tests.contract.documents.asking import DONE, act, email, found, gaps, pages, presence, ref_of
from tests.contract.documents_world import SYSTEM
from tests.contract.store_world import Site, StoreWorld
from tests.contract.world import Sample
from tests.servers.bucket import Bucket

OLDER = (GapCode.NOT_REACHABLE, "older-versions")


@pytest.fixture
def world(versioned_s3: Site) -> StoreWorld:
    return StoreWorld(versioned_s3)


@pytest.fixture
def bucket(world: StoreWorld) -> Bucket:
    assert isinstance(world.place, Bucket)
    return world.place


def test_erasing_leaves_no_version_and_no_marker(world: StoreWorld, bucket: Bucket) -> None:
    ref = world.make(Sample.LIVE, "bob@x.example")
    for _ in range(2):
        world.change(ref)
    bucket.client.delete_object(Bucket=bucket.name, Key=ref.key)
    bucket.put(ref.key, b"bob@x.example again")
    assert len(bucket.versions(ref.key)) == 5
    assert act(world, Action.ERASE, ref_of(world, ref.key)) == [DONE]
    assert bucket.versions(ref.key) == []
    assert presence(world, ref) is Presence.ABSENT


def test_a_file_behind_a_delete_marker_is_still_there_and_found(world: StoreWorld, bucket: Bucket) -> None:
    ref = world.make(Sample.LIVE, "bob@x.example")
    bucket.client.delete_object(Bucket=bucket.name, Key=ref.key)
    assert bucket.files() == {}
    assert presence(world, ref) is Presence.PRESENT
    (finding,) = found(pages(world.reconnect())).values()
    assert finding.identifiers == (email("bob@x.example"),)
    assert act(world, Action.ERASE, finding.ref) == [DONE]
    assert bucket.versions(ref.key) == []


def test_older_versions_are_a_gap_every_night_since_only_the_newest_is_read(world: StoreWorld) -> None:
    ref = world.make(Sample.LIVE, "bob@x.example")
    world.change(ref)
    first = pages(world.reconnect())
    assert gaps(first) == {ref.key: OLDER}
    second = pages(world.reconnect(), first)
    assert (found(second), gaps(second)) == ({}, {ref.key: OLDER})


def test_redacting_a_table_leaves_no_version_that_still_names_the_person(world: StoreWorld, bucket: Bucket) -> None:
    bucket.put("imports/list.csv", b"bob@x.example\nann@x.example\n")
    ref = ref_of(world, "imports/list.csv")
    assert act(world, Action.REDACT, ref, identifiers=(email("bob@x.example"),)) == [DONE]
    assert bucket.get(ref.key) == b"ann@x.example\n"
    assert [key for key, _ in bucket.versions() if not key.endswith("/")] == [ref.key]


def test_restricting_moves_every_version_out_of_sight_and_releasing_brings_the_newest_back(
    world: StoreWorld, bucket: Bucket
) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    before = bucket.get(ref.key)
    assert act(world, Action.RESTRICT, ref) == [DONE]
    assert bucket.versions(ref.key) == []
    assert presence(world, ref) is Presence.RESTRICTED
    assert act(world, Action.RELEASE, ref, values={"path": ref.key}) == [DONE]
    assert (bucket.get(ref.key), presence(world, ref)) == (before, Presence.PRESENT)
    assert [key for key, _ in bucket.versions() if not key.endswith("/")] == [ref.key]


@pytest.mark.parametrize("kind", ["legal hold", "retention"])
def test_a_version_under_a_hold_of_the_bucket_is_refused_as_locked(
    world: StoreWorld, bucket: Bucket, kind: str
) -> None:
    ref = ref_of(world, world.make(Sample.LIVE, "bob@x.example").key)
    at = {"Bucket": bucket.name, "Key": ref.key}
    if kind == "legal hold":
        bucket.client.put_object_legal_hold(**at, LegalHold={"Status": "ON"})
    else:
        until = datetime(2100, 1, 1, tzinfo=UTC)
        bucket.client.put_object_retention(**at, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    try:
        assert act(world, Action.ERASE, ref) == [(OutcomeStatus.REFUSED, Reason.LOCKED)]
        assert presence(world, ref) is Presence.PRESENT
    finally:
        if kind == "legal hold":
            bucket.client.put_object_legal_hold(**at, LegalHold={"Status": "OFF"})
        else:
            (one,) = bucket.versions(ref.key)
            bucket.client.delete_object(**at, VersionId=one[1], BypassGovernanceRetention=True)


def test_an_upload_that_was_never_finished_is_a_gap(world: StoreWorld, bucket: Bucket) -> None:
    begun = bucket.client.create_multipart_upload(Bucket=bucket.name, Key="imports/large.csv")
    at = {"Bucket": bucket.name, "Key": "imports/large.csv", "UploadId": begun["UploadId"]}
    try:
        bucket.client.upload_part(**at, PartNumber=1, Body=b"bob@x.example")
        assert gaps(pages(world.reconnect())) == {"imports/large.csv": (GapCode.NOT_REACHABLE, "unfinished-upload")}
    finally:
        bucket.client.abort_multipart_upload(**at)


def test_a_key_that_is_no_path_is_a_gap_and_then_not_everything_was_named(world: StoreWorld, bucket: Bucket) -> None:
    bucket.put("imports//x.csv", b"bob@x.example")
    everything = pages(world.reconnect())
    assert gaps(everything) == {"imports/": (GapCode.NOT_REACHABLE, "name-no-path")}
    assert not everything[-1].whole


def test_copying_and_writing_never_overwrite(world: StoreWorld, versioned_s3: Site, bucket: Bucket) -> None:
    bucket.put("imports/a.txt", b"a")
    bucket.put("imports/b.txt", b"b")
    for clash in (
        lambda: versioned_s3.first.move("imports/a.txt", "imports/b.txt"),
        lambda: versioned_s3.first.write("imports/a.txt", b"c"),
    ):
        with pytest.raises(Failed):
            clash()
    assert (bucket.get("imports/a.txt"), bucket.get("imports/b.txt")) == (b"a", b"b")


def test_prefixes_are_folders_and_keys_below_them_files(s3: Site) -> None:
    world = StoreWorld(s3)
    for number in range(7):
        world.place.put(f"imports/{number}.txt", b"")
    store = s3.first
    assert [one.name for one in store.list("imports")] == [f"{number}.txt" for number in range(7)]
    assert {one.kind for one in store.list("")} == {Kind.FOLDER}


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"password": "made-up-and-wrong"}, "refused our keys"), ({"bucket": "nowhere"}, "no such bucket")],
    ids=["wrong key", "no such bucket"],
)
def test_a_bucket_that_cannot_be_entered_is_access_denied(s3: Site, changed: dict[str, str], says: str) -> None:
    login = s3.served.login
    extra = {**login.extra, **{name: value for name, value in changed.items() if name == "bucket"}}
    password = changed.get("password", login.password)
    with pytest.raises(AccessDenied, match=says):
        open_store("s3", SYSTEM, Login(login.host, login.port, login.username, password, extra))
