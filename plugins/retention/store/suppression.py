"""Who must not be contacted, since when, and which newer consent took somebody off the list again?

Entries are keyed pseudonyms. They are never deleted and cannot be keyed anew without the address, so that they are
looked up under every generation of keys. Whoever comes, by sweep, by hand or by import, can only add; off the list
leads one way: a consent strictly newer than the opt-out, read from a declared field of a named system.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.store.database import one, rows, run, streamed
from retention.store.steps import Claimed
from retention.vocabulary import Action, Identifier


class Ground(StrEnum):
    """Why somebody is on the list."""

    OPT_OUT = "opt-out"
    OBJECTION = "objection"
    WITHDRAWAL = "withdrawal"
    ERASURE_REQUEST = "erasure-request"
    PRIOR_LIST = "prior-list"  # taken over from a list kept before


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody's word, and its day."""

    identifier: Identifier
    on: date


@dataclass(frozen=True, slots=True)
class Entry:
    """One standing entry, as it may be shown."""

    pseudonym: str
    key_id: str
    channel: str
    opted_out_on: date
    reason: str


def add(
    db: Connection,
    keyring: Keyring,
    opt_outs: Iterable[OptOut],
    ground: Ground,
    *,
    sweep_id: str | None = None,
    added_by: str = "",
) -> int:
    """Put people on the list, or renew their entry; returns how many entries are new or newer.

    Who was taken off by a consent comes back by a word of its day or later, never by an older one.
    """
    latest: dict[bytes, OptOut] = {}
    for said in opt_outs:
        key = keyring.suppression_key(said.identifier)
        if key not in latest or latest[key].on < said.on:
            latest[key] = said
    told = list(latest.items())
    values = {
        "numbers": [n for n, _ in enumerate(told) for _ in keyring.generations],
        "any_keys": [key for _, said in told for key in keyring.suppression_keys(said.identifier)],
        "keys": [key for key, _ in told],
        "exacts": [keyring.current.exact_suppression_key(said.identifier) for _, said in told],
        "days": [said.on for _, said in told],
        "ground": ground,
        "sweep": sweep_id,
        "by": added_by,
    }
    renewed = run(
        db,
        f"{_TOLD} UPDATE suppressions s SET opted_out_on = t.day, reason = :ground, sweep_id = :sweep, added_by = :by,"  # noqa: S608 - constants only
        " added_at = now(), exact_key = coalesce(s.exact_key, t.exact), removed_at = NULL, removed_for = NULL,"
        " consent_system = NULL, consent_field = NULL, removed_in = NULL"
        " FROM told t JOIN any_of USING (n) WHERE s.folded_key = any_of.key AND s.channel = 'email'"
        " AND s.opted_out_on < t.day AND (s.removed_at IS NULL OR s.removed_for <= t.day)",
        **values,
    )
    values["key_id"] = keyring.key_id
    return renewed + run(
        db,
        f"{_TOLD} INSERT INTO suppressions"  # noqa: S608 - constants only
        " (folded_key, exact_key, key_id, channel, opted_out_on, reason, sweep_id, added_by)"
        " SELECT t.key, t.exact, :key_id, 'email', t.day, :ground, :sweep, :by FROM told t"
        " WHERE NOT EXISTS (SELECT FROM any_of JOIN suppressions s ON s.folded_key = any_of.key"
        "  AND s.channel = 'email' WHERE any_of.n = t.n) ON CONFLICT (folded_key, channel) DO NOTHING",
        **values,
    )


_TOLD = (
    "WITH told AS (SELECT x.ordinality - 1 AS n, x.key, x.exact, x.day FROM unnest(CAST(:keys AS bytea[]),"
    " CAST(:exacts AS bytea[]), CAST(:days AS date[])) WITH ORDINALITY AS x(key, exact, day)),"
    " any_of AS (SELECT * FROM unnest(CAST(:numbers AS bigint[]), CAST(:any_keys AS bytea[])) AS x(n, key))"
)


def listed(db: Connection, keyring: Keyring, identifiers: Sequence[Identifier]) -> list[bool]:
    """Whether each address is on the list, in any spelling that is delivered alike, under any generation of keys."""
    keys = [keyring.suppression_keys_alike(identifier) for identifier in identifiers]
    found = rows(
        db,
        "SELECT folded_key FROM suppressions WHERE folded_key = ANY (:keys) AND removed_at IS NULL",
        keys=[key for alike in keys for key in alike],
    )
    there = {bytes(row.folded_key) for row in found}
    return [not there.isdisjoint(alike) for alike in keys]


def is_suppressed(db: Connection, keyring: Keyring, identifier: Identifier) -> bool:
    """Whether an address is on the list."""
    return listed(db, keyring, [identifier])[0]


def note_listed(db: Connection, keyring: Keyring, sweep_id: str) -> int:
    """Note which people found tonight are on the list: surely by the exact form, else only well enough to protect."""
    if one(db, "SELECT 1 FROM suppressions WHERE removed_at IS NULL LIMIT 1") is None:
        return 0
    noted = 0
    found = db.execute(
        streamed("SELECT addresses FROM findings WHERE sweep_id = :s AND addresses IS NOT NULL"), {"s": sweep_id}
    )
    for some in found.partitions(2000):
        people = dict.fromkeys(i for row in some for i in keyring.open_identifiers(row.addresses))
        lookups = [look_up for identifier in people for look_up in _look_ups(keyring, identifier)]
        noted += run(
            db,
            "INSERT INTO listed_subjects (sweep_id, exact_key, folded_key, entry_key, opted_out_on, added_at, surely)"
            " SELECT :s, t.subject, t.folded, e.folded_key, e.opted_out_on, e.added_at,"
            " coalesce(bool_or(e.exact_key = t.exact), false)"
            " FROM unnest(CAST(:subjects AS bytea[]), CAST(:folded AS bytea[]), CAST(:exacts AS bytea[]),"
            " CAST(:keys AS bytea[])) AS t(subject, folded, exact, key)"
            " JOIN suppressions e ON e.folded_key = t.key AND e.removed_at IS NULL"
            " GROUP BY t.subject, t.folded, e.folded_key, e.opted_out_on, e.added_at ON CONFLICT DO NOTHING",
            s=sweep_id,
            subjects=[subject for subject, _, _, _ in lookups],
            folded=[folded for _, folded, _, _ in lookups],
            exacts=[exact for _, _, exact, _ in lookups],
            keys=[key for _, _, _, key in lookups],
        )
    return noted


def _look_ups(keyring: Keyring, identifier: Identifier) -> Iterator[tuple[bytes, bytes, bytes | None, bytes]]:
    """(subject, folded, exact form on the list or None, key on the list) for every way a person may be listed."""
    subject, folded = keyring.exact_key(identifier), keyring.folded_key(identifier)
    plain = keyring.suppression_keys(identifier)
    yield from (
        (subject, folded, exact, key)
        for exact, key in zip(keyring.exact_suppression_keys(identifier), plain, strict=True)
    )
    variants = set(keyring.suppression_keys_alike(identifier)) - set(plain)
    yield from ((subject, folded, None, key) for key in sorted(variants))


def settle_consents(db: Connection, sweep_id: str, as_of: date, fields: Mapping[tuple[str, str], str]) -> int:
    """Take people off the list whose consent, found tonight, is strictly newer; returns how many.

    `fields` says for a system and kind which declared field holds the day of consent: without it there is no proof.
    """
    return run(
        db,
        "WITH proofs AS (SELECT DISTINCT ON (l.entry_key) l.entry_key, f.system,"
        "  f.kind || '.' || source.field AS place, (f.facts->>'consented_on')::date AS consented_on"
        "  FROM findings f CROSS JOIN LATERAL unnest(f.exact_keys) k"
        "  JOIN listed_subjects l ON l.sweep_id = :s AND l.exact_key = k AND l.surely"
        "  JOIN unnest(CAST(:systems AS text[]), CAST(:kinds AS text[]), CAST(:fields AS text[]))"
        "   AS source(system, kind, field) ON source.system = f.system AND source.kind = f.kind"
        "  WHERE f.sweep_id = :s AND NOT f.shared AND NOT (f.facts->>'several_people')::bool"
        "  AND (f.facts->>'consented_on')::date > l.opted_out_on AND (f.facts->>'consented_on')::date <= :as_of"
        "  ORDER BY l.entry_key, consented_on DESC)"
        " UPDATE suppressions s SET removed_at = now(), removed_for = p.consented_on, consent_system = p.system,"
        " consent_field = p.place, removed_in = :s FROM proofs p"
        " WHERE s.folded_key = p.entry_key AND s.removed_at IS NULL AND s.opted_out_on < p.consented_on",
        s=sweep_id,
        as_of=as_of,
        systems=[system for system, _ in fields],
        kinds=[kind for _, kind in fields],
        fields=list(fields.values()),
    )


def listed_before(db: Connection, sweep_id: str, system: str) -> Mapping[bytes, date]:
    """Records found tonight, not opted out where they lie, of people listed before this sweep: key to opt-out day."""
    found = rows(
        db,
        "SELECT f.record_key, max(l.opted_out_on) AS opted_out_on FROM findings f"
        " CROSS JOIN LATERAL unnest(f.exact_keys) k JOIN listed_subjects l ON l.sweep_id = :s AND l.exact_key = k"
        " JOIN sweeps w ON w.sweep_id = :s AND l.added_at < w.opened_at"
        " WHERE f.sweep_id = :s AND f.system = :system AND NOT f.shared AND NOT (f.facts->>'opted_out')::bool"
        " AND NOT (f.facts->>'several_people')::bool GROUP BY f.record_key",
        s=sweep_id,
        system=system,
    )
    return {bytes(row.record_key): row.opted_out_on for row in found}


def vouch_for(db: Connection, keyring: Keyring, sweep_id: str, claims: Sequence[Claimed]) -> set[str]:
    """Ids of the steps that may not run: they rest on somebody's opt-out, and that person is not on the list.

    To be called in the transaction of the intents. A person known by several addresses is listed under all of them
    before the marketing data goes; in an item about several people each one's own entry counts.
    """
    ours = [claim for claim in claims if claim.on_their_word]
    if not ours:
        return set()
    days = _opted_out_on(db, keyring, {i for claim in ours for i in claim.theirs})
    about_several = _about_several(db, sweep_id, [claim.record_key for claim in ours])
    refused: set[str] = set()
    others: list[OptOut] = []
    for claim in ours:
        known = [days[i] for i in claim.theirs if i in days]
        parts = claim.step.action is Action.REDACT and claim.step.identifiers
        if (not known and claim.names_somebody) or (parts and len(known) < len(claim.theirs)):
            refused.add(claim.step.step_id)
        elif known and claim.record_key not in about_several:
            others += [OptOut(i, max(known)) for i in claim.theirs if i not in days]
    if others:
        add(db, keyring, others, Ground.OPT_OUT, sweep_id=sweep_id)
    return refused


def _opted_out_on(db: Connection, keyring: Keyring, identifiers: Iterable[Identifier]) -> dict[Identifier, date]:
    spellings: dict[bytes, list[Identifier]] = {}
    for identifier in identifiers:
        for key in keyring.suppression_keys(identifier):
            spellings.setdefault(key, []).append(identifier)
    found = rows(
        db,
        "SELECT folded_key, opted_out_on FROM suppressions WHERE folded_key = ANY (:keys) AND removed_at IS NULL"
        " ORDER BY opted_out_on",
        keys=list(spellings),
    )
    return {identifier: row.opted_out_on for row in found for identifier in spellings[bytes(row.folded_key)]}


def _about_several(db: Connection, sweep_id: str, record_keys: Sequence[bytes]) -> set[bytes]:
    found = rows(
        db,
        "SELECT record_key FROM findings WHERE sweep_id = :s AND record_key = ANY (:keys)"
        " AND (facts->>'several_people')::bool",
        s=sweep_id,
        keys=list(record_keys),
    )
    return {bytes(row.record_key) for row in found}


def entries(db: Connection) -> Iterator[Entry]:
    """The standing entries in the order they were made; streamed."""
    statement = streamed(
        "SELECT encode(folded_key, 'hex') AS pseudonym, key_id, channel, opted_out_on, reason FROM suppressions"
        " WHERE removed_at IS NULL ORDER BY entry_no"
    )
    for row in db.execute(statement):
        yield Entry(**row._mapping)


def forget_listed(db: Connection, sweep_id: str) -> None:
    """Forget which subjects are on the list: outside a night the two sets of pseudonyms cannot be joined."""
    run(db, "DELETE FROM listed_subjects WHERE sweep_id = :s", s=sweep_id)
