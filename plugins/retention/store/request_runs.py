"""Which requests are worked on together, who are their people in this run, and which records are theirs?"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from retention.asking import Asked
from retention.clocks import Right
from retention.keyring import Keyring
from retention.requests.graph import Met, Path
from retention.store.database import copy_into, rows, run, streamed
from retention.vocabulary import Identifier

# Laid out for `store/findings.known`: what requests say, by record and person. Runs decide on their own people, any
# other sweep and run protects what a copy is owed of.
SAID = """
    SELECT record_key, jsonb_object_agg(encode(key, 'hex'), said) FROM (
        SELECT record_key, key, jsonb_agg(jsonb_build_array(asks_for, to_marketing, upheld, is_excessive, put_off, acts,
               surely, proven)) AS said FROM (
            SELECT f.record_key, x.key, r.asks_for, r.to_marketing, r.weighed IS NOT DISTINCT FROM 'upheld' AS upheld,
                   r.is_excessive, EXISTS (SELECT FROM request_events e WHERE e.request_id = r.request_id
                   AND e.event = 'reopen') AS put_off, true AS acts, p.proven,
                   p.surely AND p.exact_key = x.key AS surely
            FROM findings f CROSS JOIN LATERAL unnest(f.exact_keys, f.folded_keys) AS x(key, folded)
            JOIN request_people p ON p.sweep_id = :s AND p.folded_key = x.folded
            JOIN requests r ON r.request_id = p.request_id AND r.state IN ('in_progress', 'extended')
            WHERE f.sweep_id = :s AND f.system = :system
            UNION ALL
            SELECT f.record_key, f.record_key, r.asks_for, false, false, false, false, false, true, true
            FROM findings f CROSS JOIN LATERAL unnest(f.folded_keys || f.older_folded_keys) AS k
            JOIN request_subjects q ON q.folded_key = k JOIN requests r ON r.request_id = q.request_id
            WHERE f.sweep_id = :s AND f.system = :system AND r.asks_for IN ('access', 'portability')
            AND r.state IN ('received', 'identity_pending', 'in_progress', 'paused', 'extended', 'extended_paused')
        ) every_one GROUP BY 1, 2
    ) by_person GROUP BY record_key
"""


@dataclass(frozen=True, slots=True)
class Theirs:
    """An identifier that belongs to the person of a request, and how it was reached."""

    request_id: str
    identifier: Identifier = field(repr=False)
    surely: bool
    proven: bool
    path: Path


def add(db: Connection, sweep_id: str, request_ids: Sequence[str]) -> None:
    """Note which requests a run is for."""
    run(
        db,
        "INSERT INTO request_runs (sweep_id, request_id) SELECT :s, unnest(CAST(:ids AS text[]))"
        " ON CONFLICT DO NOTHING",
        s=sweep_id,
        ids=list(request_ids),
    )


def requests_of(db: Connection, sweep_id: str) -> list[str]:
    """The requests of a run."""
    found = rows(db, "SELECT request_id FROM request_runs WHERE sweep_id = :s ORDER BY request_id", s=sweep_id)
    return [row.request_id for row in found]


def unsealed(db: Connection, request_ids: Collection[str]) -> Mapping[str, str]:
    """Requests of these that another run is still at work for, and that run."""
    found = rows(
        db,
        "SELECT r.request_id, w.sweep_id FROM request_runs r JOIN sweeps w USING (sweep_id)"
        " WHERE r.request_id = ANY (:ids) AND w.sealed_at IS NULL ORDER BY w.opened_at",
        ids=list(request_ids),
    )
    return {row.request_id: row.sweep_id for row in found}


def runs_of(db: Connection, request_id: str) -> list[str]:
    """The runs that worked on a request, newest first."""
    found = rows(
        db,
        "SELECT sweep_id FROM request_runs JOIN sweeps USING (sweep_id) WHERE request_id = :id ORDER BY opened_at DESC",
        id=request_id,
    )
    return [row.sweep_id for row in found]


def openers(db: Connection, sweep_id: str) -> set[str]:
    """Who took in the requests of a run: none of them approves what is done for it."""
    found = rows(
        db,
        "SELECT DISTINCT q.opened_by FROM request_runs r JOIN requests q USING (request_id) WHERE r.sweep_id = :s",
        s=sweep_id,
    )
    return {row.opened_by for row in found}


def lapsed(db: Connection, step_ids: Sequence[str]) -> set[str]:
    """Which of these steps nobody asks for any more: their requests were withdrawn, refused, paused or are over."""
    found = rows(db, "SELECT step_id FROM lapsed_steps WHERE step_id = ANY (:ids)", ids=list(step_ids))
    return {row.step_id for row in found}


# --- people ---


def save_people(db: Connection, keyring: Keyring, sweep_id: str, people: Iterable[Theirs]) -> None:
    """Store who belongs to the requests of a run, in place of what an earlier round knew."""
    run(db, "DELETE FROM request_people WHERE sweep_id = :s", s=sweep_id)
    copy_into(
        db,
        "request_people",
        ("sweep_id", "request_id", "exact_key", "folded_key", "identifier", "surely", "proven", "path"),
        (
            (
                sweep_id,
                known.request_id,
                keyring.exact_key(known.identifier),
                keyring.folded_key(known.identifier),
                keyring.seal_identifiers([known.identifier]),
                known.surely,
                known.proven,
                json.dumps([[hop.system, hop.kind, hop.record_key.hex()] for hop in known.path]),
            )
            for known in people
        ),
        "",
    )


def to_look_up(db: Connection, keyring: Keyring, sweep_id: str, system: str) -> list[Identifier]:
    """Whom a system was not asked for yet in this run. In memory only."""
    found = rows(
        db,
        "SELECT DISTINCT ON (p.exact_key) p.identifier FROM request_people p WHERE p.sweep_id = :s AND NOT EXISTS"
        " (SELECT FROM request_lookups l WHERE l.sweep_id = :s AND l.system = :system AND l.exact_key = p.exact_key)",
        s=sweep_id,
        system=system,
    )
    return [identifier for row in found for identifier in keyring.open_identifiers(row.identifier)]


def people_of(db: Connection, keyring: Keyring, sweep_id: str, request_id: str) -> list[Identifier]:
    """Every identifier that was found to be of the person of one request. In memory only."""
    found = rows(
        db,
        "SELECT identifier FROM request_people WHERE sweep_id = :s AND request_id = :id AND identifier IS NOT NULL"
        " ORDER BY exact_key",
        s=sweep_id,
        id=request_id,
    )
    return [identifier for row in found for identifier in keyring.open_identifiers(row.identifier)]


def note_looked_up(
    db: Connection, keyring: Keyring, sweep_id: str, system: str, identifiers: Sequence[Identifier]
) -> None:
    """Note whom a system was asked for."""
    run(
        db,
        "INSERT INTO request_lookups (sweep_id, system, exact_key)"
        " SELECT :s, :system, unnest(CAST(:keys AS bytea[])) ON CONFLICT DO NOTHING",
        s=sweep_id,
        system=system,
        keys=[keyring.exact_key(identifier) for identifier in identifiers],
    )


def met(db: Connection, keyring: Keyring, sweep_id: str) -> Iterator[Met]:
    """Every record found in a run with its identifiers. In memory only; streamed."""
    statement = streamed(
        "SELECT system, kind, record_key, addresses, (facts->>'several_people')::bool AS several_people FROM findings"
        " WHERE sweep_id = :s AND addresses IS NOT NULL ORDER BY system, record_key"
    )
    for row in db.execute(statement, {"s": sweep_id}):
        identifiers = keyring.open_identifiers(row.addresses)
        yield Met(row.system, row.kind, bytes(row.record_key), identifiers, row.several_people)


# --- records ---


def attribute_records(db: Connection, sweep_id: str) -> int:
    """Write down which records of a run are whose, and by which way each was reached; returns how many."""
    run(db, "DELETE FROM request_records WHERE sweep_id = :s", s=sweep_id)
    return run(
        db,
        "INSERT INTO request_records (sweep_id, request_id, system, record_key, path)"
        " SELECT DISTINCT ON (p.request_id, f.system, f.record_key) :s, p.request_id, f.system, f.record_key, p.path"
        " FROM findings f CROSS JOIN LATERAL unnest(f.folded_keys) k"
        " JOIN request_people p ON p.sweep_id = :s AND p.folded_key = k WHERE f.sweep_id = :s"
        " ORDER BY p.request_id, f.system, f.record_key, jsonb_array_length(p.path)",
        s=sweep_id,
    )


def request_of_record(db: Connection, sweep_id: str, system: str) -> Mapping[bytes, str]:
    """Because of which request each record of a system is in a run; the first of several."""
    found = rows(
        db,
        "SELECT record_key, min(request_id) AS request_id FROM request_records WHERE sweep_id = :s AND system = :system"
        " GROUP BY record_key",
        s=sweep_id,
        system=system,
    )
    return {bytes(row.record_key): row.request_id for row in found}


def paths(db: Connection, sweep_id: str, request_id: str) -> list[dict[str, Any]]:
    """How each record of a request was reached, for whoever looks at the plan: pseudonyms only."""
    found = rows(
        db,
        "SELECT system, encode(record_key, 'hex') AS record, path FROM request_records"
        " WHERE sweep_id = :s AND request_id = :id ORDER BY system, record_key",
        s=sweep_id,
        id=request_id,
    )
    return [dict(row._mapping) for row in found]


def forget_identifiers(db: Connection, sweep_id: str) -> None:
    """Wipe whom a run was about; pseudonyms and paths remain."""
    run(db, "UPDATE request_people SET identifier = NULL WHERE sweep_id = :s AND identifier IS NOT NULL", s=sweep_id)


def said(raw: Mapping[str, Sequence[Sequence[Any]]] | None) -> Mapping[bytes, tuple[Asked, ...]]:
    """What requests say, as it comes out of JSON: by person."""
    return {
        bytes.fromhex(key): tuple(Asked(Right(one[0]), *one[1:]) for one in every) for key, every in (raw or {}).items()
    }
