"""Does the suppression list shrink only by evidenced consent? Counted and digested each night, compared with the last.

Entries are never deleted, only marked with the consent that ended them. So everything that was counted once must
still be there, in order, and whatever is marked as ended must show its newer consent.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection

from retention.store.database import one, rows, run, streamed


@dataclass(frozen=True, slots=True)
class Count:
    """What the list came to."""

    last_no: int
    entries: int
    live: int
    digest: str


@dataclass(frozen=True, slots=True)
class Totals:
    """How many entries of one generation and ground there are, and how many of them stand."""

    key_id: str
    reason: str
    entries: int
    live: int


def take(db: Connection, sweep_id: str) -> Count:
    """Count the list and keep the figures of this sweep; the first ones kept of a sweep stay."""
    run(db, "LOCK TABLE suppressions IN SHARE MODE")  # who writes now has ended, who comes later gets a later number
    row = one(db, "SELECT coalesce(max(entry_no), 0) AS n FROM suppressions")
    count = _upto(db, row.n)
    run(
        db,
        "INSERT INTO suppression_counts (sweep_id, last_no, entries, live, digest)"
        " VALUES (:s, :last_no, :entries, :live, :digest) ON CONFLICT (sweep_id) DO NOTHING",
        s=sweep_id,
        last_no=count.last_no,
        entries=count.entries,
        live=count.live,
        digest=count.digest,
    )
    return count


def lost_without_evidence(db: Connection) -> int:
    """How many entries are gone or were exchanged since the last count, or ended without a newer consent on record.

    Where the number is as before and the digest is not, entries were exchanged: at least one is lost.
    """
    unproven: int = one(
        db,
        "SELECT count(*) AS n FROM suppressions WHERE removed_at IS NOT NULL AND (removed_for IS NULL"
        " OR removed_for <= opted_out_on OR consent_system IS NULL OR consent_field IS NULL)",
    ).n
    last = one(db, "SELECT last_no, entries, digest FROM suppression_counts ORDER BY last_no DESC, at DESC LIMIT 1")
    if last is None:
        return unproven
    now = _upto(db, last.last_no)
    gone = last.entries - now.entries
    return unproven + (gone if gone > 0 else int(now.digest != last.digest))


def totals(db: Connection) -> list[Totals]:
    """Entries by generation of keys and ground."""
    found = rows(
        db,
        "SELECT key_id, reason, count(*) AS entries, count(*) FILTER (WHERE removed_at IS NULL) AS live"
        " FROM suppressions GROUP BY 1, 2 ORDER BY 1, 2",
    )
    return [Totals(**row._mapping) for row in found]


def _upto(db: Connection, last_no: int) -> Count:
    whole, entries, live = hashlib.sha256(), 0, 0
    statement = streamed(
        "SELECT folded_key, channel, removed_at IS NULL AS stands FROM suppressions WHERE entry_no <= :n"
        " ORDER BY entry_no"
    )
    for row in db.execute(statement, {"n": last_no}):
        channel = row.channel.encode()
        whole.update(bytes(row.folded_key) + len(channel).to_bytes(4, "big") + channel)
        entries += 1
        live += row.stands
    return Count(last_no, entries, live, whole.hexdigest())
