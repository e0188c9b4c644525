"""Does a walked system's catalogue end equal to a fresh one: killed, divided, walked twice at once, changed meanwhile?

On a real PostgreSQL and a real disk. What happens in between happens at a given call to the disk, never by waiting.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from connectors.documents.stores.store import Forbidden
from retention import audit, walking
from retention import sweep as stages
from retention.contract import Incomplete
from retention.seal import seal
from retention.store import catalogue_folders, parts
from retention.store.desk import Desk
from retention.store.sweeps import Sweep
from tests.disk import TOP, SteppedStore, on_disk, put
from tests.sweeping import desk_for

SYSTEM, FRESH = "documents", "fresh"
SMALL = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Killed(BaseException):
    """The worker is gone, in the middle of something."""


class At:
    """Does something at the n-th answer of the disk, once."""

    def __init__(self, number: int, what: Callable[[], None]) -> None:
        self._left = number
        self._what = what

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._what()


def kill() -> None:
    raise Killed


def sweep_of(desk: Desk, name: str) -> Sweep:
    return stages.open_sweep(desk, stages.RunInfo("nightly_retention", name, "scheduled", "schedule"))


def scan(desk: Desk, root: Path, name: str, *, system: str = SYSTEM, parts_of: int = 1, **how: object) -> SteppedStore:
    """A whole scan; the store it used knows what was opened."""
    store = SteppedStore(root, system, **how)  # type: ignore[arg-type]
    connector, sweep = on_disk(store), sweep_of(desk, name)
    for number in walking.divide(desk, sweep, connector, parts_of):
        walking.walk(desk, sweep, connector, number)
    walking.take_stock(desk, sweep, connector)
    return store


def catalogue_of(desk: Desk, system: str) -> Mapping[str, tuple[object, ...]]:
    """What is known, by path: version, facts, how many people, folder, gap."""
    with desk.transaction() as db:
        found = db.execute(
            text(
                "SELECT c.locator, version, facts::text, cardinality(exact_keys), in_group, gap_code, count(m.key)"
                " FROM catalogue c LEFT JOIN catalogue_mentions m USING (system, record_key) WHERE system = :system"
                " GROUP BY c.system, c.record_key"
            ),
            {"system": system},
        )
        return {desk.keyring.open(row[0]): tuple(row[1:]) for row in found}


def as_if_fresh(desk: Desk, root: Path) -> None:
    """Assert that what is known is what somebody who never saw the disk before finds on it."""
    sweep = sweep_of(desk, "fresh")
    with desk.transaction() as db:
        db.execute(text("DELETE FROM catalogue WHERE system = :system"), {"system": FRESH})
    walking.walk_all(desk, sweep, on_disk(SteppedStore(root, FRESH)))
    known, fresh = catalogue_of(desk, SYSTEM), catalogue_of(desk, FRESH)
    assert known == fresh
    assert set(fresh) == {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


def a_tree(root: Path) -> list[str]:
    """Some folders with some letters each."""
    paths = [f"{TOP}/{folder}/{name}.txt" for folder in ("a", "a/deep", "b", "c") for name in ("one", "two")]
    paths += [f"{TOP}/top-{number}.txt" for number in range(7)]
    for path in paths:
        put(root, path, f"Dear {path.replace('/', '.')}@example.com")
    return paths


@pytest.fixture
def desk(ledger: Engine) -> Desk:
    return desk_for(ledger, SYSTEM, FRESH)


@pytest.mark.parametrize("parts_of", [1, 2, 3, 8])
def test_however_it_is_divided_every_file_is_read_once_and_known(desk: Desk, tmp_path: Path, parts_of: int) -> None:
    paths = a_tree(tmp_path)
    store = scan(desk, tmp_path, "night", parts_of=parts_of)
    assert sorted(store.opened) == sorted(paths)
    as_if_fresh(desk, tmp_path)


def test_a_second_night_opens_what_changed_and_forgets_what_is_gone(desk: Desk, tmp_path: Path) -> None:
    a_tree(tmp_path)
    scan(desk, tmp_path, "first", parts_of=3)
    put(tmp_path, f"{TOP}/a/one.txt", "Dear other@example.com")
    put(tmp_path, f"{TOP}/new/three.txt", "Dear third@example.com")
    (tmp_path / TOP / "top-0.txt").unlink()
    shutil.rmtree(tmp_path / TOP / "c")
    store = scan(desk, tmp_path, "second", parts_of=3)
    assert sorted(store.opened) == [f"{TOP}/a/one.txt", f"{TOP}/new/three.txt"]
    as_if_fresh(desk, tmp_path)


def test_the_parts_of_a_division_weigh_about_the_same_by_what_lay_there_the_night_before(
    desk: Desk, tmp_path: Path
) -> None:
    for folder, files in {"large": 12, "x": 4, "y": 4, "z": 4}.items():
        for number in range(files):
            put(tmp_path, f"{TOP}/{folder}/{number}.txt", f"{folder} {number}")
    scan(desk, tmp_path, "first")
    sweep, connector = sweep_of(desk, "second"), on_disk(SteppedStore(tmp_path, SYSTEM))
    numbers = walking.divide(desk, sweep, connector, 2)
    assert sorted(walking.walk(desk, sweep, connector, number) for number in numbers) == [12, 12]


def test_a_folder_that_appears_after_the_division_belongs_to_the_part_it_appears_in(desk: Desk, tmp_path: Path) -> None:
    a_tree(tmp_path)
    store = SteppedStore(tmp_path, SYSTEM)
    connector, sweep = on_disk(store), sweep_of(desk, "night")
    numbers = walking.divide(desk, sweep, connector, 4)
    for path in (f"{TOP}/new/one.txt", f"{TOP}/a/new/two.txt", "beside/three.txt"):
        put(tmp_path, path, path)
    for number in numbers:
        walking.walk(desk, sweep, connector, number)
    walking.take_stock(desk, sweep, connector)
    assert sorted(p for p in store.opened if "new" in p) == [f"{TOP}/a/new/two.txt", f"{TOP}/new/one.txt"]


@given(killed_at=st.integers(1, 30), parts_of=st.integers(1, 3))
@SMALL
def test_a_scan_killed_at_any_point_goes_on_and_opens_no_file_twice_that_was_saved(
    ledger: Engine, tmp_path_factory: pytest.TempPathFactory, killed_at: int, parts_of: int
) -> None:
    root = tmp_path_factory.mktemp("disk")
    desk = _emptied(ledger)
    paths = a_tree(root)
    sweep = sweep_of(desk, "night")

    def walk(store: SteppedStore) -> None:
        for number in walking.divide(desk, sweep, on_disk(store), parts_of):
            walking.walk(desk, sweep, on_disk(store), number)

    with suppress(Killed):
        walk(SteppedStore(root, SYSTEM, At(killed_at, kill)))
    saved = set(catalogue_of(desk, SYSTEM))
    again = SteppedStore(root, SYSTEM)
    walk(again)
    walking.take_stock(desk, sweep, on_disk(again))
    assert sorted(again.opened) == sorted(set(paths) - saved)
    as_if_fresh(desk, root)


CHANGES = st.lists(
    st.tuples(st.sampled_from(["write", "remove", "move", "remove-folder"]), st.integers(0, 14), st.integers(1, 12)),
    max_size=4,
)


@given(second_at=st.integers(1, 30), changes=CHANGES, second_killed_at=st.integers(1, 40), parts_of=st.integers(1, 3))
@SMALL
def test_two_scans_at_once_with_changes_and_a_kill_lose_nothing_and_the_next_night_is_as_fresh(
    ledger: Engine,
    tmp_path_factory: pytest.TempPathFactory,
    second_at: int,
    changes: list[tuple[str, int, int]],
    second_killed_at: int,
    parts_of: int,
) -> None:
    root = tmp_path_factory.mktemp("disk")
    desk = _emptied(ledger)
    paths = a_tree(root)
    untouched = {path for number, path in enumerate(paths) if number not in {which for _, which, _ in changes}}

    def second() -> None:
        with suppress(Killed):
            scan(desk, root, "second", after=At(second_killed_at, kill), parts_of=parts_of)
        for what, which, _ in changes:
            _change(root, what, paths[which])

    scan(desk, root, "first", after=At(second_at, second), parts_of=parts_of)
    known = catalogue_of(desk, SYSTEM)
    assert {path for path in untouched if (root / path).exists()} <= known.keys()
    scan(desk, root, "third", parts_of=parts_of)
    as_if_fresh(desk, root)


def test_of_two_scans_at_once_without_changes_the_catalogue_is_as_fresh_when_both_are_over(
    desk: Desk, tmp_path: Path
) -> None:
    a_tree(tmp_path)

    def second() -> None:
        scan(desk, tmp_path, "second")

    scan(desk, tmp_path, "first", after=At(9, second), parts_of=2)
    as_if_fresh(desk, tmp_path)


def test_a_page_that_arrives_late_does_not_bring_back_what_a_later_listing_no_longer_named(
    desk: Desk, tmp_path: Path
) -> None:
    put(tmp_path, f"{TOP}/one.txt", "Dear ann@example.com")
    put(tmp_path, f"{TOP}/two.txt", "Dear bob@example.com")

    def removed_and_scanned() -> None:
        (tmp_path / TOP / "one.txt").unlink()
        scan(desk, tmp_path, "second")

    after_both_were_read = 5  # the root, to be believed; the root; the folder; two files
    scan(desk, tmp_path, "first", after=At(after_both_were_read, removed_and_scanned))
    assert set(catalogue_of(desk, SYSTEM)) == {f"{TOP}/two.txt"}


def test_a_page_that_arrives_late_does_not_undo_what_a_later_scan_read_before_it_died(
    desk: Desk, tmp_path: Path
) -> None:
    for number in range(5):
        put(tmp_path, f"{TOP}/{number}.txt", f"Dear old-{number}@example.com")

    def rewritten_and_scanned() -> None:
        put(tmp_path, f"{TOP}/0.txt", "Dear new@example.com")
        with suppress(Killed):
            scan(desk, tmp_path, "second", after=At(7, kill))  # a page of three files is saved by then

    scan(desk, tmp_path, "first", after=At(4, rewritten_and_scanned))
    version, *_ = catalogue_of(desk, SYSTEM)[f"{TOP}/0.txt"]
    assert version == hashlib.sha256(b"Dear new@example.com").hexdigest()
    as_if_fresh(desk, tmp_path)


def test_stock_is_not_taken_while_a_part_is_open_and_nothing_is_forgotten(desk: Desk, tmp_path: Path) -> None:
    paths = a_tree(tmp_path)
    scan(desk, tmp_path, "first")
    sweep, connector = sweep_of(desk, "second"), on_disk(SteppedStore(tmp_path, SYSTEM))
    first, *_ = walking.divide(desk, sweep, connector, 3)
    walking.walk(desk, sweep, connector, first)
    with pytest.raises(Incomplete, match=r"documents: parts 1, 2 were not walked"):
        walking.take_stock(desk, sweep, connector)
    assert set(catalogue_of(desk, SYSTEM)) == set(paths)


def test_what_lies_below_a_folder_that_cannot_be_listed_stays_known(desk: Desk, tmp_path: Path) -> None:
    paths = a_tree(tmp_path)
    scan(desk, tmp_path, "first", parts_of=2)
    (tmp_path / TOP / "a").rename(tmp_path / TOP / "elsewhere")
    (tmp_path / TOP / "a").mkdir()
    store = SteppedStore(tmp_path, SYSTEM)
    whole, connector = store.list, on_disk(store)

    def refused(folder: str) -> object:
        if folder == f"{TOP}/a":
            raise Forbidden
        return whole(folder)

    store.list = refused  # type: ignore[method-assign,assignment]
    sweep = sweep_of(desk, "second")
    walking.walk_all(desk, sweep, connector)
    assert set(paths) <= set(catalogue_of(desk, SYSTEM))


def test_every_content_is_read_again_after_some_weeks_not_all_in_one_night(desk: Desk, tmp_path: Path) -> None:
    paths = a_tree(tmp_path)
    scan(desk, tmp_path, "first")
    days = catalogue_folders.REREAD_DAYS
    opened: list[str] = []
    for _ in range(days):
        with desk.transaction() as db:
            db.execute(text("UPDATE catalogue SET read_at = read_at - interval '1 day'"))
        opened += scan(desk, tmp_path, f"night-{len(opened)}").opened
    assert set(opened) == set(paths)
    assert len(opened) <= 2 * len(paths)


def test_a_ledger_without_marks_is_read_as_if_nothing_were_known(desk: Desk, tmp_path: Path) -> None:
    paths = a_tree(tmp_path)
    scan(desk, tmp_path, "first")
    with desk.transaction() as db:
        db.execute(text("UPDATE catalogue SET mark = ''"))
    assert sorted(scan(desk, tmp_path, "second").opened) == sorted(paths)


def test_the_same_bytes_under_several_names_are_extracted_once(desk: Desk, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt", "deep/three.TXT"):
        put(tmp_path, f"{TOP}/{name}", "Dear ann@example.com")
    put(tmp_path, f"{TOP}/other.csv", "Dear ann@example.com")
    store = SteppedStore(tmp_path, SYSTEM)
    connector = on_disk(store)
    walking.walk_all(desk, sweep_of(desk, "night"), connector)
    assert len(store.opened) == 4
    assert sorted(Path(name).suffix for name in connector._reader.names) == [".csv", ".txt"]  # type: ignore[attr-defined]
    assert {known[2] for known in catalogue_of(desk, SYSTEM).values()} == {1}


def test_no_path_lies_open_in_what_is_kept_of_a_division(desk: Desk, tmp_path: Path) -> None:
    put(tmp_path, f"{TOP}/ann-of-example/one.txt", "Dear Ann")
    sweep = sweep_of(desk, "night")
    walking.divide(desk, sweep, on_disk(SteppedStore(tmp_path, SYSTEM)), 3)
    with desk.transaction() as db:
        kept = db.execute(text("SELECT part FROM reading_parts")).scalars().all()
        read = [parts.get(db, desk.keyring, sweep.sweep_id, SYSTEM, number) for number in range(len(kept))]
    assert b"ann-of-example" in b"".join(read)
    assert not [
        one for one in kept if b"ann-of-example" in bytes(one) or b"ann-of-example".hex().encode() in bytes(one)
    ]


def test_when_a_sweep_is_sealed_nothing_is_kept_of_how_it_was_divided(desk: Desk, tmp_path: Path) -> None:
    put(tmp_path, f"{TOP}/ann-of-example/one.txt", "Dear Ann")
    sweep = sweep_of(desk, "night")
    walking.divide(desk, sweep, on_disk(SteppedStore(tmp_path, SYSTEM)), 3)
    seal(desk, sweep, audit.SigningKey("retention.example/audit", b"k" * 32), tmp_path / "outside")
    with desk.transaction() as db:
        assert parts.stand(db, sweep.sweep_id, SYSTEM) == parts.Walks((), whole=False, read=0, began=0)
    with pytest.raises(LookupError, match="clear the task that divides"):
        walking.walk(desk, sweep, on_disk(SteppedStore(tmp_path, SYSTEM)), 0)


def _emptied(ledger: Engine) -> Desk:
    desk = desk_for(ledger, SYSTEM, FRESH)
    with desk.transaction() as db:
        db.execute(text("DELETE FROM catalogue"))
        db.execute(text("DELETE FROM catalogue_folders"))
        db.execute(text("DELETE FROM reading_parts"))
    return desk


def _change(root: Path, what: str, path: str) -> None:
    at = root / path
    match what:
        case "write":
            put(root, path, "Dear somebody-else@example.com")
        case "remove":
            at.unlink(missing_ok=True)
        case "move" if at.exists():
            (root / TOP / "moved").mkdir(exist_ok=True)
            at.rename(root / TOP / "moved" / at.name)
        case "remove-folder" if at.parent.exists() and at.parent != root / TOP:
            shutil.rmtree(at.parent)
