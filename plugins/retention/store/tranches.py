"""To which part of its backlog is each system narrowed? At most one tranche a system; none means everything."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from retention.store.database import rows, run
from retention.tranche import EVERYTHING, Tranche


def of_system(db: Connection, system: str) -> Tranche:
    """What may be planned for a system."""
    return every(db).get(system, EVERYTHING)


def every(db: Connection) -> Mapping[str, Tranche]:
    """All tranches, by system."""
    found = rows(db, "SELECT system, kinds, data_classes, collected_before FROM tranches ORDER BY system")
    return {r.system: Tranche(frozenset(r.kinds), frozenset(r.data_classes), r.collected_before) for r in found}


def narrow(db: Connection, system: str, tranche: Tranche, by: str) -> None:
    """Narrow a system to a tranche; it takes the place of the one before."""
    run(
        db,
        "INSERT INTO tranches (system, kinds, data_classes, collected_before, set_by)"
        " VALUES (:system, :kinds, :data_classes, :collected_before, :by) ON CONFLICT (system) DO UPDATE"
        " SET kinds = excluded.kinds, data_classes = excluded.data_classes, set_by = excluded.set_by, set_at = now(),"
        " collected_before = excluded.collected_before",
        system=system,
        kinds=sorted(tranche.kinds),
        data_classes=sorted(tranche.data_classes),
        collected_before=tranche.collected_before,
        by=by,
    )


def widen(db: Connection, system: str) -> bool:
    """Let everything of a system be planned again; False if it was not narrowed."""
    return bool(run(db, "DELETE FROM tranches WHERE system = :system", system=system))
