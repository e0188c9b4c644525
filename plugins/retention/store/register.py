"""Which record of which class was erased, and when? The erasure register: without it a restore brings people back.

It is not the suppression list, which says whom not to contact. A match needs system, record and class; that the same
*person* was erased from a system before is told apart, since it only makes their new record worth a look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.store.database import rows, run


def enter(db: Connection, keyring: Keyring, sweep_id: str, step_ids: Sequence[str]) -> None:
    """Enter proven erasures and redactions, per record and data class."""
    run(
        db,
        "INSERT INTO erasures (system, record_key, data_class, exact_keys, key_id, erased_at, sweep_id)"
        " SELECT s.system, s.record_key, c, coalesce(f.exact_keys, '{}'), :key_id, now(), :sweep"
        " FROM steps s JOIN plans p USING (plan_id) CROSS JOIN unnest(s.data_classes) c"
        " LEFT JOIN findings f ON f.sweep_id = p.sweep_id AND f.system = s.system AND f.record_key = s.record_key"
        " WHERE s.step_id = ANY (:ids)"
        " ON CONFLICT (system, record_key, data_class) DO UPDATE SET erased_at = excluded.erased_at",
        key_id=keyring.key_id,
        sweep=sweep_id,
        ids=list(step_ids),
    )


def people_erased_before(db: Connection, sweep_id: str, system: str) -> Mapping[bytes, date]:
    """Records found tonight of people whose other records this system lost by our hand: record key to the last day."""
    found = rows(
        db,
        "SELECT f.record_key, max(e.erased_at)::date AS erased_on FROM findings f"
        " CROSS JOIN LATERAL unnest(f.exact_keys || f.older_exact_keys) k"
        " JOIN (SELECT unnest(exact_keys) AS k, record_key, erased_at FROM erasures WHERE system = :system) e"
        " ON e.k = k.k AND NOT e.record_key = ANY (f.record_key || f.older_record_keys)"
        " WHERE f.sweep_id = :s AND f.system = :system AND NOT f.shared"
        " AND NOT (f.facts->>'several_people')::bool GROUP BY f.record_key",
        s=sweep_id,
        system=system,
    )
    return {bytes(row.record_key): row.erased_on for row in found}
