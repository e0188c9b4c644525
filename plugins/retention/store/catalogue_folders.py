"""Which groups of a walked system were named to their end, by whom last, and what does a walking connector recall?

A row of the catalogue carries the number of the listing that named it last. Of two workers that listed the same group,
the one with the higher number is believed, however late the other one's page arrives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from retention.contract import Known
from retention.keyring import Keyring
from retention.listings import Extent, Listing
from retention.store.catalogue import digest_of
from retention.store.database import one, rows, run
from retention.vocabulary import Finding, GapCode, RecordRef

REREAD_DAYS = 90
"""Every record's content is read again once in so many days, changed or not: a look can be forged, bytes cannot."""


def hold(db: Connection, system: str, listings: Mapping[str, Listing]) -> frozenset[str]:
    """Lock the groups of a page until the transaction ends; returns those that somebody listed to their end since."""
    by_digest = {digest_of(group): group for group in listings}
    digests = sorted(by_digest)
    run(
        db,
        "INSERT INTO catalogue_folders (system, in_group, listed, records, size)"
        " SELECT :system, digest, 0, 0, 0 FROM unnest(CAST(:digests AS bytea[])) AS digest ORDER BY digest"
        " ON CONFLICT DO NOTHING",
        system=system,
        digests=digests,
    )
    held = rows(
        db,
        "SELECT in_group, listed FROM catalogue_folders WHERE system = :system AND in_group = ANY (:digests)"
        " ORDER BY in_group FOR UPDATE",
        system=system,
        digests=digests,
    )
    found = {by_digest[bytes(row.in_group)]: row.listed for row in held}
    return frozenset(group for group, listing in listings.items() if found[group] > listing.number)


def current(found: Sequence[Finding], outdated: frozenset[str]) -> list[Finding]:
    """What of a page is still to be believed."""
    return [finding for finding in found if finding.group not in outdated]


def named(db: Connection, system: str, groups: Sequence[str], listings: Mapping[str, Listing]) -> None:
    """Groups were named to their end: what lay in them and was not among it is gone."""
    given = {
        "system": system,
        "groups": [digest_of(group) for group in groups],
        "numbers": [listings[group].number for group in groups],
    }
    seen = "unnest(CAST(:groups AS bytea[]), CAST(:numbers AS bigint[])) AS seen (in_group, number)"
    run(
        db,
        f"DELETE FROM catalogue USING {seen} WHERE system = :system AND catalogue.in_group = seen.in_group"  # noqa: S608
        " AND listed < number",
        **given,
    )
    run(
        db,
        "UPDATE catalogue_folders f SET listed = number, within = told.within, records = told.records, size = told.size"
        " FROM unnest(CAST(:groups AS bytea[]), CAST(:numbers AS bigint[]), CAST(:within AS bytea[]),"
        " CAST(:records AS bigint[]), CAST(:sizes AS bigint[])) AS told (in_group, number, within, records, size)"
        " WHERE f.system = :system AND f.in_group = told.in_group AND f.listed < number",
        within=[digest_of(listings[group].within) if listings[group].within else None for group in groups],
        records=[listings[group].extent.records for group in groups],
        sizes=[listings[group].extent.size for group in groups],
        **given,
    )


def forget_before(db: Connection, system: str, number: int) -> int:
    """After a walk that left nothing out: remove what no listing has named since its number was drawn."""
    gone = run(db, "DELETE FROM catalogue WHERE system = :system AND listed < :number", system=system, number=number)
    run(db, "DELETE FROM catalogue_folders WHERE system = :system AND listed < :number", system=system, number=number)
    return gone


class CatalogueMemory:
    """What a walking connector is told, each answer in a transaction of its own."""

    def __init__(self, db: Connection, keyring: Keyring, system: str) -> None:
        self._db = db
        self._keyring = keyring
        self._system = system

    def listing(self) -> int:
        number: int = one(self._db, "SELECT nextval('listings') AS number").number
        return number

    def known(self, kind: str, keys: Sequence[str]) -> Mapping[str, Known]:
        by_key = {self._keyring.record_key(RecordRef(self._system, kind, key)): key for key in keys}
        found = rows(
            self._db,
            "SELECT record_key, version, mark, gap_code FROM catalogue WHERE system = :system"
            " AND record_key = ANY (:keys) AND mark <> '' AND read_at > now() - make_interval(days =>"
            " :days + get_byte(record_key, 0) % :spread)",
            system=self._system,
            keys=list(by_key),
            days=REREAD_DAYS // 2,
            spread=REREAD_DAYS // 2,
        )
        return {
            by_key[bytes(row.record_key)]: Known(
                row.version, bytes(row.mark), GapCode(row.gap_code) if row.gap_code else None
            )
            for row in found
        }

    def extents(self, groups: Sequence[str]) -> Mapping[str, Extent]:
        by_digest = {digest_of(group): group for group in groups}
        found = rows(
            self._db,
            "WITH RECURSIVE below (top, in_group, records, size) AS ("
            " SELECT in_group, in_group, records, size FROM catalogue_folders"
            " WHERE system = :system AND in_group = ANY (:groups)"
            " UNION ALL SELECT below.top, f.in_group, f.records, f.size FROM below"
            " JOIN catalogue_folders f ON f.system = :system AND f.within = below.in_group)"
            " SELECT top, sum(records) AS records, sum(size) AS size FROM below GROUP BY top",
            system=self._system,
            groups=list(by_digest),
        )
        return {by_digest[bytes(row.top)]: Extent(int(row.records), int(row.size)) for row in found}
