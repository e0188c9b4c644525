"""What is known of every item of a catalogued system? Keyed facts kept up to date by `changes`; never verdicts.

A night costs what changed. Expiry is a query on dates, a person's items are one look-up by keyed pseudonym.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.listings import Listing
from retention.store import facts as facts_json
from retention.store.database import copy_into, one, run
from retention.store.findings import is_shared, keys_of, older_keys_of
from retention.vocabulary import Dated, Facts, Finding, Gap, Identifier, RecordRef, Token

LocalDay = Callable[[datetime], date]
NO_LISTINGS: Mapping[str, Listing] = MappingProxyType({})


def token(db: Connection, keyring: Keyring, system: str) -> Token | None:
    """Up to where a system was read; None: never."""
    row = one(db, "SELECT token FROM tokens WHERE system = :system", system=system)
    return Token(bytes.fromhex(keyring.open(row.token))) if row else None


def save_token(db: Connection, keyring: Keyring, system: str, value: Token) -> None:
    """Keep a token; to be called in the transaction that saves its last page."""
    run(
        db,
        "INSERT INTO tokens (system, token) VALUES (:system, :token) ON CONFLICT (system) DO UPDATE"
        " SET token = excluded.token, saved_at = now()",
        system=system,
        token=keyring.seal(value.hex()),
    )


COLUMNS: Sequence[str] = (
    "system",
    "record_key",
    "kind",
    "locator",
    "version",
    "facts",
    "collected_on",
    "key_id",
    "exact_keys",
    "folded_keys",
    "older_record_keys",
    "older_exact_keys",
    "older_folded_keys",
    "addresses",
    "gap_code",
    "seen_in",
    "shared",
    "in_group",
    "mark",
    "listed",
)
"""The columns of a row, in the order it is written."""


def save(
    db: Connection,
    keyring: Keyring,
    sweep_id: str,
    system: str,
    found: Sequence[Finding],
    gaps: Sequence[Gap],
    local_day: LocalDay,
    shared_mailboxes: Collection[str],
    listings: Mapping[str, Listing] = NO_LISTINGS,
) -> None:
    """Store what was read anew; an item that could not be read wholly keeps its gap code.

    What another worker has listed later is left as that one saw it (`catalogue_folders.hold` says of which groups).
    """
    gap_codes = {keyring.record_key(gap.ref): gap.code.value for gap in gaps if gap.ref}

    def line(finding: Finding) -> tuple[Any, ...]:
        personal = [i for i in finding.identifiers if not is_shared(i, shared_mailboxes)]
        exact_keys, folded_keys = keys_of(keyring, personal)
        record_key = keyring.record_key(finding.ref)
        return (
            system,
            record_key,
            finding.ref.kind,
            keyring.seal(finding.ref.key),
            finding.ref.version,
            json.dumps(facts_json.encode(finding.facts)),
            earliest_day(finding.facts, local_day),
            keyring.key_id,
            exact_keys,
            folded_keys,
            *older_keys_of(keyring, finding.ref, personal),
            keyring.seal_identifiers(personal),
            gap_codes.get(record_key, ""),
            sweep_id,
            len(exact_keys) < len(set(finding.identifiers)),
            digest_of(finding.group) if finding.group else None,
            finding.mark,
            listings[finding.group].number if finding.group in listings else 0,
        )

    updates = ", ".join(f"{c} = excluded.{c}" for c in COLUMNS[2:])
    copy_into(
        db,
        "catalogue",
        COLUMNS,
        (line(finding) for finding in {keyring.record_key(f.ref): f for f in found}.values()),
        f"ON CONFLICT (system, record_key) DO UPDATE SET {updates}, read_at = now()"
        " WHERE catalogue.listed <= excluded.listed",
    )
    met = {"system": system, "records": [keyring.record_key(finding.ref) for finding in found]}
    run(db, "DELETE FROM catalogue_mentions WHERE system = :system AND record_key = ANY (:records)", **met)
    run(
        db,
        "INSERT INTO catalogue_mentions SELECT DISTINCT system, unnest(folded_keys), record_key FROM catalogue"
        " WHERE system = :system AND record_key = ANY (:records)",
        **met,
    )


def still_there(
    db: Connection,
    keyring: Keyring,
    sweep_id: str,
    system: str,
    refs: Sequence[RecordRef],
    listings: Mapping[str, Listing],
) -> None:
    """Note that items were seen unchanged, in the group they were known in."""
    run(
        db,
        "UPDATE catalogue SET seen_in = :s, listed = greatest(listed, number)"
        " FROM unnest(CAST(:groups AS bytea[]), CAST(:numbers AS bigint[])) AS seen (in_group, number)"
        " WHERE system = :system AND record_key = ANY (:keys) AND catalogue.in_group = seen.in_group",
        s=sweep_id,
        system=system,
        keys=[keyring.record_key(ref) for ref in refs],
        groups=[digest_of(group) for group in listings],
        numbers=[listing.number for listing in listings.values()],
    )


def forget(db: Connection, keyring: Keyring, system: str, refs: Sequence[RecordRef]) -> None:
    """Remove items the system says are gone: the rows of an erased item are part of its erasure."""
    run(
        db,
        "DELETE FROM catalogue WHERE system = :system AND record_key = ANY (:keys)",
        system=system,
        keys=[keyring.record_key(ref) for ref in refs],
    )


def forget_unseen(db: Connection, sweep_id: str, system: str) -> int:
    """Remove items a whole pass did not name."""
    return run(db, "DELETE FROM catalogue WHERE system = :system AND seen_in <> :s", s=sweep_id, system=system)


def forget_unseen_of(db: Connection, sweep_id: str, system: str, groups: Collection[str]) -> int:
    """Remove items of groups that were read from their beginning, or are no more, and did not show them."""
    return run(
        db,
        "DELETE FROM catalogue WHERE system = :system AND seen_in <> :s AND in_group = ANY (:groups)",
        s=sweep_id,
        system=system,
        groups=[digest_of(one) for one in groups],
    )


def due(db: Connection, sweep_id: str, system: str, collected_before: date) -> int:
    """Copy the items past their date, or without one, into the findings of a sweep; returns how many."""
    return run(
        db,
        _TO_FINDINGS + " AND (collected_on < :before OR collected_on IS NULL)" + _KEEP_FIRST,
        s=sweep_id,
        system=system,
        before=collected_before,
    )


def about(
    db: Connection,
    keyring: Keyring,
    sweep_id: str,
    system: str,
    identifiers: Sequence[Identifier],
    shared_mailboxes: Collection[str],
) -> int:
    """Copy the items that name any of these people into the findings of a sweep; role addresses are not followed."""
    want(db, (keyring.folded_key(i) for i in identifiers if not is_shared(i, shared_mailboxes)))
    return run(db, _TO_FINDINGS + f" AND record_key IN ({RECORDS_WANTED})" + _KEEP_FIRST, s=sweep_id, system=system)


def want(db: Connection, folded_keys: Iterable[bytes]) -> None:
    """Lay out whom to look for in a scratch table, analysed: of a long array the planner thinks it is short."""
    run(db, "DROP TABLE IF EXISTS pg_temp.wanted")
    run(db, "CREATE TEMP TABLE wanted (key bytea) ON COMMIT DROP")
    copy_into(db, "wanted", ("key",), ((key,) for key in dict.fromkeys(folded_keys)), "")
    run(db, "ANALYZE wanted")


def gaps_of(db: Connection, sweep_id: str, system: str) -> int:
    """Report every item that is known but could not be read as a gap of this sweep, changed or not, once."""
    return run(
        db,
        "INSERT INTO gaps (sweep_id, system, code, kind, record_key, locator)"
        " SELECT :s, system, gap_code, kind, record_key, locator FROM catalogue c"
        " WHERE system = :system AND gap_code <> '' AND NOT EXISTS (SELECT FROM gaps g WHERE g.sweep_id = :s"
        " AND g.system = c.system AND g.code = c.gap_code AND g.record_key = c.record_key) ON CONFLICT DO NOTHING",
        s=sweep_id,
        system=system,
    )


def size(db: Connection, system: str) -> int:
    """How many items are known."""
    count: int = one(db, "SELECT count(*) AS n FROM catalogue WHERE system = :system", system=system).n
    return count


def earliest_day(facts: Facts, local_day: LocalDay) -> date | None:
    """The day the first of a record's classes was collected, in the system's zone; None if any has no proven date."""
    days = [_day(c.collected, local_day) for c in facts.classes]
    proven = [day for day in days if day is not None]
    return min(proven) if proven and len(proven) == len(days) else None


def digest_of(group: str) -> bytes:
    """What a group is called in the ledger."""
    return hashlib.sha256(group.encode()).digest()[:16]


def _day(dated: Dated | None, local_day: LocalDay) -> date | None:
    if dated is None:
        return None
    return local_day(dated.value) if isinstance(dated.value, datetime) else dated.value


_COPIED = (
    "system, record_key, kind, locator, version, facts, exact_keys, folded_keys, older_record_keys, older_exact_keys,"
    " older_folded_keys, addresses, shared"
)
_TO_FINDINGS = f"INSERT INTO findings (sweep_id, {_COPIED}) SELECT :s, {_COPIED} FROM catalogue WHERE system = :system"  # noqa: S608 - constants only
RECORDS_WANTED = "SELECT record_key FROM catalogue_mentions JOIN wanted USING (key) WHERE system = :system"
"""The pseudonyms of a system's items that name any of the people laid out by `want`."""
_KEEP_FIRST = " ON CONFLICT (sweep_id, system, record_key) DO NOTHING"
