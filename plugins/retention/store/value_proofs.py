"""How is it proven what a field held and holds, without holding it? Digests under the key of the case.

HMAC-SHA-256 over the fields and values of a record, as the audit log names things. Who knows the values and has the
key can check them; once the key is destroyed nobody learns anything from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.store.case_keys import Names
from retention.store.database import rows, run
from retention.store.steps import Claimed
from retention.vocabulary import Handle


def note_before(db: Connection, keyring: Keyring, handle: Handle, claims: Sequence[Claimed]) -> None:
    """Keep a digest of what stood in the fields that are about to be corrected; the first one noted stays."""
    by_ref, names = {c.step.ref: c for c in claims}, Names(db, keyring)
    for ref, previous in zip(handle.refs, handle.previous, strict=True):
        claim = by_ref[ref]
        run(
            db,
            "UPDATE steps SET before_digest = coalesce(before_digest, :digest) WHERE step_id = :id AND fence = :fence",
            digest=names.of_values(claim.case, claim.record_key, previous),
            id=claim.step.step_id,
            fence=claim.fence,
        )


def befores(db: Connection, step_ids: Sequence[str]) -> Mapping[str, str]:
    """What was noted, by step; what was right already has none."""
    found = rows(
        db,
        "SELECT step_id, before_digest FROM steps WHERE step_id = ANY (:ids) AND before_digest IS NOT NULL",
        ids=list(step_ids),
    )
    return {row.step_id: row.before_digest for row in found}
