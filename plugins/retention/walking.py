"""How is a system read that cannot say what changed? Divided into parts, each walked by a worker, then counted up.

Everything a worker has saved counts for whoever goes on after it: a part that is walked again opens no file twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from retention import clocks
from retention.contract import Incomplete, Memory, Walked
from retention.store import catalogue, catalogue_folders, findings, parts
from retention.store.desk import Desk
from retention.store.sweeps import Sweep
from retention.vocabulary import Page, Token

_WALKED = Token(b"walked")
"""What stands for the position of a system that has none: that and when it was read."""


def divide(desk: Desk, sweep: Sweep, connector: Walked, at_most: int) -> list[int]:
    """Cut a system into parts, write the division down, and return the parts' numbers."""
    with _memory(desk, connector.system) as memory:
        began = memory.listing()
        cut = connector.divide(memory, at_most)
    with desk.transaction() as db:
        parts.divide(db, desk.keyring, sweep.sweep_id, connector.system, cut, began)
    return list(range(len(cut)))


def walk(desk: Desk, sweep: Sweep, connector: Walked, number: int) -> int:
    """Walk one part and bring the catalogue up to date page by page; returns how many items were met."""
    system = connector.system
    with desk.transaction() as db:
        part = parts.get(db, desk.keyring, sweep.sweep_id, system, number)
    read = 0
    whole = False
    with _memory(desk, system) as memory:
        for page in connector.walk(part, memory):
            _save(desk, sweep, system, page)
            read += page.read
            whole = page.whole
    with desk.transaction() as db:
        parts.walked(db, sweep.sweep_id, system, number, read=read, whole=whole)
    return read


def take_stock(desk: Desk, sweep: Sweep, connector: Walked) -> int:
    """Once all parts are walked: what none of them named is gone, if none left anything out. How many were met."""
    system = connector.system
    with desk.transaction() as db:
        walks = parts.stand(db, sweep.sweep_id, system)
        if walks.open:
            numbers = ", ".join(map(str, walks.open))
            raise Incomplete(f"{system}: parts {numbers} were not walked to their end; clear them, then this task")
        if walks.whole:
            catalogue_folders.forget_before(db, system, walks.began)
        catalogue.save_token(db, desk.keyring, system, _WALKED)
        catalogue.gaps_of(db, sweep.sweep_id, system)
    return walks.read


def walk_all(desk: Desk, sweep: Sweep, connector: Walked) -> int:
    """All of it by one worker; returns how many items were met."""
    for number in divide(desk, sweep, connector, 1):
        walk(desk, sweep, connector, number)
    return take_stock(desk, sweep, connector)


@contextmanager
def _memory(desk: Desk, system: str) -> Iterator[Memory]:
    with desk.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        yield catalogue_folders.CatalogueMemory(db, desk.keyring, system)


def _save(desk: Desk, sweep: Sweep, system: str, page: Page) -> None:
    zone = ZoneInfo(desk.policy.systems[system].zone)

    def day(moment: datetime) -> date:
        return clocks.local_day(moment, zone)

    shared_mailboxes = desk.policy.schedule.shared_mailboxes
    with desk.transaction() as db:
        outdated = catalogue_folders.hold(db, system, page.listings)
        found = catalogue_folders.current(page.findings, outdated)
        catalogue.save(db, desk.keyring, sweep.sweep_id, system, found, page.gaps, day, shared_mailboxes, page.listings)
        catalogue.still_there(db, desk.keyring, sweep.sweep_id, system, page.unchanged, page.listings)
        catalogue_folders.named(db, system, page.whole_groups, page.listings)
        findings.save_gaps(db, desk.keyring, sweep.sweep_id, system, page.gaps)
