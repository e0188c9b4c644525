"""How long does the audit of many steps take to write, beside a bare COPY of the same rows?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator

from sqlalchemy import Engine, text

from retention import audit
from retention.store import audit_log, case_keys
from retention.store.desk import Desk
from retention.verdicts import ReasonCode
from retention.vocabulary import Action
from tests.bench.bare import seconds_to_copy
from tests.bench.running import desk_of, ledger

ENTRIES = 100_000
BATCH = 2_000
SYSTEM = "salesforce"


def measure() -> Iterator[tuple[str, float, float]]:
    with ledger() as engine:
        desk = desk_of(engine, SYSTEM)
        ready = list(entries(desk))
        appended = _seconds(desk, ready)
        written = _seconds(desk, entries(desk))
        with engine.connect() as db:
            rows = db.execute(
                text("SELECT seq, body, leaf_hash FROM audit_entries WHERE seq < :n"), {"n": ENTRIES}
            ).all()
        bare = _bare(engine, [tuple(row) for row in rows])
    yield "audit.append", appended, bare
    yield "audit.write", written, bare


def entries(desk: Desk) -> Iterator[audit.Entry]:
    """What is written before a step is sent, made the way carrying out makes it."""
    digest = hashlib.sha256(b"plan").hexdigest()
    case_key = hashlib.sha256(b"case").digest()
    for number in range(ENTRIES):
        record_key = number.to_bytes(32, "big")
        yield desk.entry(
            audit.Event.INTENT,
            run="sweep-0123456789abcdef",
            plan_digest=digest,
            item=f"step-{number % 10_000_000}",
            case_key="sweep-0123456789abcdef",
            system=SYSTEM,
            record=case_keys.name_of(case_key, record_key),
            decision=Action.ERASE,
            reasons=(ReasonCode.RET_EXPIRED.value,),
            role=audit.Role.EXECUTOR,
        )


def _seconds(desk: Desk, some: Iterable[audit.Entry]) -> float:
    """In one transaction per batch of steps, as carrying out does it."""
    started = time.perf_counter()
    batch: list[audit.Entry] = []
    for entry in some:
        batch.append(entry)
        if len(batch) == BATCH:
            with desk.transaction() as db:
                audit_log.append(db, batch)
            batch = []
    return time.perf_counter() - started


def _bare(engine: Engine, rows: list[tuple[object, ...]]) -> float:
    if len(rows) != ENTRIES:
        raise RuntimeError(f"{len(rows)} audit entries were written, not {ENTRIES}")
    return seconds_to_copy(engine, "audit_entries", ("seq", "body", "leaf_hash"), rows)
