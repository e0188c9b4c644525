"""Under which key does the audit log name the records of one case, and is it still there?

Each sweep (a case; a request is one too) has a random key of its own, kept encrypted. While it lives, a record can be
followed through the log; once it is destroyed nobody can tell whom its pseudonyms meant, and the log still verifies.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from retention.audit.pseudonym import KEY_BYTES, record_pseudonym
from retention.impediment import Impediment
from retention.keyring import Keyring
from retention.store.database import one, rows, run
from retention.store.steps import Claimed
from retention.vocabulary import Scalar

KEPT = "6 years"
"""How long a case stays linkable from its end, where the policy does not say: so long somebody may sue over it."""


class CaseForgotten(Impediment):
    """The key of a case was destroyed: no more can be written down about its records."""


class NotYet(Impediment):
    """A case whose key may not be destroyed now; the text says why and when."""


@dataclass(frozen=True, slots=True)
class CaseKey:
    """A case and where its key stands."""

    case_id: str
    made_at: datetime
    sealed_at: datetime | None
    destroyed_at: datetime | None


def open_case(db: Connection, keyring: Keyring, case_id: str) -> None:
    """Give a case its key, once."""
    run(
        db,
        "INSERT INTO case_keys (case_id, sealed, key_id) VALUES (:case_id, :sealed, :key_id)"
        " ON CONFLICT (case_id) DO NOTHING",
        case_id=case_id,
        sealed=keyring.seal_bytes(secrets.token_bytes(KEY_BYTES)),
        key_id=keyring.key_id,
    )


class Names:
    """Names records as the audit log does, each under the key of its own case; looks a key up once."""

    def __init__(self, db: Connection, keyring: Keyring) -> None:
        self._db, self._keyring = db, keyring
        self._keys: dict[str, bytes] = {}

    def of(self, case_id: str, record_key: bytes) -> str:
        """The pseudonym of a record in a case."""
        return name_of(self._key(case_id), record_key)

    def of_values(self, case_id: str, record_key: bytes, values: Mapping[str, Scalar]) -> str:
        """The digest of what fields of a record hold; nothing and the empty text are the same."""
        told = sorted((name, "" if value is None else str(value)) for name, value in values.items())
        return record_pseudonym(self._key(case_id), "values", json.dumps([record_key.hex(), told]))

    def _key(self, case_id: str) -> bytes:
        if case_id not in self._keys:
            self._keys[case_id] = _key_of(self._db, self._keyring, case_id)
        return self._keys[case_id]


def name_of(case_key: bytes, record_key: bytes) -> str:
    """How a record is called in the audit log, under the key of one case."""
    return record_pseudonym(case_key, "record", record_key.hex())


def _key_of(db: Connection, keyring: Keyring, case_id: str) -> bytes:
    open_case(db, keyring, case_id)  # sweeps of before there were keys for cases
    row = one(db, "SELECT sealed FROM case_keys WHERE case_id = :c", c=case_id)
    if row.sealed is None:
        raise CaseForgotten(f"the key of case {case_id} was destroyed; nothing can be recorded about its records")
    return keyring.open_bytes(row.sealed)


def living(db: Connection, keyring: Keyring) -> Iterator[tuple[str, bytes]]:
    """(case, key) of every case that can still be followed."""
    for row in rows(db, "SELECT case_id, sealed FROM case_keys WHERE sealed IS NOT NULL ORDER BY made_at, case_id"):
        yield row.case_id, keyring.open_bytes(row.sealed)


def cases(db: Connection) -> Sequence[CaseKey]:
    """All cases, newest first."""
    found = rows(
        db,
        "SELECT c.case_id, c.made_at, s.sealed_at, c.destroyed_at FROM case_keys c"
        " LEFT JOIN sweeps s ON s.sweep_id = c.case_id ORDER BY c.made_at DESC, c.case_id",
    )
    return [CaseKey(**row._mapping) for row in found]


def destroy(db: Connection, case_id: str, now: datetime, by: str, kept: str = KEPT) -> None:
    """Destroy the key of a case; raises `NotYet` while its sweep is unsealed, has open steps or is within its period.

    Only the approver's database role can.
    """
    row = one(
        db,
        "SELECT c.destroyed_at, s.sealed_at, s.sealed_at + CAST(:kept AS interval) AS due,"
        " EXISTS (SELECT FROM steps t JOIN plans p USING (plan_id) WHERE p.sweep_id = c.case_id"
        "  AND t.state IN ('planned', 'claimed', 'intended', 'accepted', 'unknown', 'done')) AS unfinished"
        " FROM case_keys c LEFT JOIN sweeps s ON s.sweep_id = c.case_id WHERE c.case_id = :c FOR UPDATE OF c",
        c=case_id,
        kept=kept,
    )
    if row is None:
        raise NotYet(f"no case {case_id} in this ledger")
    if row.destroyed_at is not None:
        raise NotYet(f"the key of {case_id} was destroyed on {row.destroyed_at.date()} already")
    if row.sealed_at is None:
        raise NotYet(f"{case_id} is not sealed: its log is still being written")
    if row.unfinished:
        raise NotYet(f"{case_id} has steps that are not settled: their end must still be recorded")
    if row.due > now:
        raise NotYet(f"{case_id} is kept {kept} from its end: not before {row.due.date()}")
    run(
        db,
        "UPDATE case_keys SET sealed = NULL, destroyed_at = :now, destroyed_by = :by WHERE case_id = :c",
        now=now,
        by=by,
        c=case_id,
    )


def named(claim: Claimed, names: Names) -> dict[str, str]:
    """Which step of which record, as the audit log says it: under the key of the sweep that planned it."""
    return {
        "item": claim.step.step_id,
        "case_key": claim.case,
        "system": claim.step.ref.system,
        "record": names.of(claim.case, claim.record_key),
        "decision": claim.step.action,
    }
