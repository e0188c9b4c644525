"""Which corrections are pushed to which record, and which did the pipeline take on? Values live in memory only.

A correction names a kind of record, not a record. The pipeline makes it where exactly one record of that kind is
surely the person's; which of several is wrong no rule can tell, so a person looks. The values stand encrypted in the
case file; a step knows them by a digest under the key of the case, which the approved plan covers.
"""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from retention.clocks import Right
from retention.keyring import Keyring
from retention.life_cycles import REQUEST_ACTS_IN
from retention.requests.case_file import CaseClosed
from retention.store import request_results, requests
from retention.store.database import one, rows
from retention.vocabulary import Reason


@dataclass(frozen=True, slots=True)
class Owed:
    """What one record is to hold, because of which request."""

    request_id: str
    values: Mapping[str, str] = field(repr=False)
    values_key: bytes

    @property
    def fields(self) -> tuple[str, ...]:
        """Which fields it changes."""
        return tuple(sorted(self.values))


def owed(db: Connection, keyring: Keyring, sweep_id: str, system: str) -> Mapping[bytes, Owed]:
    """What a run's requests want corrected in a system, by record; where two want to, the one received first.

    Left out is what a person was asked for, and what an earlier run did.
    """
    found: dict[bytes, Owed] = {}
    for request_id in _waiting(db, sweep_id):
        if request_results.given_to_people(db, [request_id], system):
            continue
        done = by_pipeline(db, request_id, system, ("verified",))
        for kind, record_key in _only_records(db, sweep_id, request_id, system).items():
            owing = _of_request(db, keyring, request_id, system, kind)
            if owing is not None and not {(kind, name) for name in owing.values} <= done:
                found.setdefault(record_key, owing)
    return found


def wanted(db: Connection, keyring: Keyring, request_id: str, system: str, kind: str) -> Owed | None:
    """What a planned step is to set now; None once the case is closed, and nobody can read it."""
    try:
        return _of_request(db, keyring, request_id, system, kind)
    except CaseClosed:
        return None


def lapsed(db: Connection, step_ids: Sequence[str]) -> set[str]:
    """Which of these steps correct something that nobody asks for any more."""
    found = rows(
        db,
        "SELECT s.step_id FROM steps s JOIN requests r ON r.request_id = s.corrects_for"
        " WHERE s.step_id = ANY (:ids) AND r.state <> ALL (:acting)",
        ids=list(step_ids),
        acting=list(REQUEST_ACTS_IN),
    )
    return {row.step_id for row in found}


GIVEN_UP = ("failed", "refused", "contradicted")


def by_pipeline(
    db: Connection, request_id: str, system: str, states: Sequence[str] | None = None
) -> set[tuple[str, str]]:
    """Kind and field of what the pipeline corrected, or is to, because of a request; not what it tried in vain."""
    found = rows(
        db,
        "SELECT DISTINCT kind, unnest(fields) AS name FROM steps WHERE corrects_for = :id AND system = :system"
        " AND state <> ALL (:given_up) AND (CAST(:states AS text[]) IS NULL OR state = ANY (:states))",
        id=request_id,
        system=system,
        given_up=list(GIVEN_UP),
        states=None if states is None else list(states),
    )
    return {(row.kind, row.name) for row in found}


def waits(db: Connection, sweep_id: str, request_id: str, system: str) -> bool:
    """Whether a record of the person is worked on by somebody else, so that the next run sees to it."""
    found = one(
        db,
        "SELECT 1 FROM request_records x JOIN findings f USING (sweep_id, system, record_key)"
        " WHERE x.sweep_id = :s AND x.request_id = :id AND x.system = :system AND :pending = ANY (f.reasons) LIMIT 1",
        s=sweep_id,
        id=request_id,
        system=system,
        pending=Reason.PENDING.value,
    )
    return found is not None


def _waiting(db: Connection, sweep_id: str) -> list[str]:
    found = rows(
        db,
        "SELECT request_id FROM request_runs JOIN requests USING (request_id) WHERE sweep_id = :s"
        " AND asks_for = :asks_for AND state = ANY (:acting) ORDER BY received_at, request_id",
        s=sweep_id,
        asks_for=Right.RECTIFICATION.value,
        acting=list(REQUEST_ACTS_IN),
    )
    return [row.request_id for row in found]


def _only_records(db: Connection, sweep_id: str, request_id: str, system: str) -> Mapping[str, bytes]:
    """By kind, the record that is surely the person's and nobody else's, where there is only one of that kind."""
    found = rows(
        db,
        "SELECT f.kind, f.record_key, f.shared OR (f.facts->>'several_people')::bool AS about_others"
        " FROM findings f JOIN request_records x USING (sweep_id, system, record_key)"
        " WHERE f.sweep_id = :s AND f.system = :system AND x.request_id = :id"
        " AND EXISTS (SELECT FROM request_people p WHERE p.sweep_id = :s AND p.request_id = :id"
        " AND p.surely AND p.proven AND p.exact_key = ANY (f.exact_keys))",
        s=sweep_id,
        system=system,
        id=request_id,
    )
    by_kind = defaultdict(list)
    for row in found:
        by_kind[row.kind].append(row)
    return {k: bytes(of[0].record_key) for k, of in by_kind.items() if len(of) == 1 and not of[0].about_others}


def _of_request(db: Connection, keyring: Keyring, request_id: str, system: str, kind: str) -> Owed | None:
    file = requests.read_file(db, keyring, request_id)
    said = [(c.name, c.value) for c in file.corrections if (c.system, c.kind) == (system, kind)]
    values = dict(said)
    if not values or len(set(said)) > len(values):  # one field, two values: a person asks which
        return None
    text = json.dumps([system, kind, sorted(values.items())])
    return Owed(request_id, values, hmac.digest(requests.key_of(db, keyring, request_id), text.encode(), "sha256"))
