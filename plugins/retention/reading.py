"""How is one system read into the ledger? Its catalogue brought up to date, or its pages stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from retention import audit, clocks, walking
from retention.contract import Connector, Walked
from retention.store import audit_log, catalogue, findings, sweeps
from retention.store.desk import Desk
from retention.store.sweeps import Sweep
from retention.vocabulary import Gap, GapCode, Page, Token


def refresh_catalogue(desk: Desk, sweep: Sweep, connector: Connector, zone: ZoneInfo) -> tuple[int, list[Gap]]:
    """Bring a catalogue up to date: by what changed since the last time, or by walking all there is."""
    if isinstance(connector, Walked):
        return walking.walk_all(desk, sweep, connector), []
    return _follow_changes(desk, sweep, connector, zone)


def _follow_changes(desk: Desk, sweep: Sweep, connector: Connector, zone: ZoneInfo) -> tuple[int, list[Gap]]:
    """Page by page; the token is saved in the transaction of the last page."""
    system, keyring = connector.system, desk.keyring
    with desk.transaction() as db:
        since = catalogue.token(db, keyring, system)
    read = 0
    gaps: list[Gap] = []

    def day(moment: datetime) -> date:
        return clocks.local_day(moment, zone)

    for page in connector.changes(since):
        with desk.transaction() as db:
            shared_mailboxes = desk.policy.schedule.shared_mailboxes
            catalogue.save(db, keyring, sweep.sweep_id, system, page.findings, page.gaps, day, shared_mailboxes)
            catalogue.forget(db, keyring, system, page.gone)
            findings.save_gaps(db, keyring, sweep.sweep_id, system, page.gaps)
            if page.whole:
                catalogue.forget_unseen(db, sweep.sweep_id, system)
            elif page.whole_groups:
                catalogue.forget_unseen_of(db, sweep.sweep_id, system, page.whole_groups)
            if page.next is not None:
                catalogue.save_token(db, keyring, system, Token(bytes(page.next)))  # type: ignore[arg-type]
        read += page.read
        gaps += page.gaps
    with desk.transaction() as db:
        catalogue.gaps_of(db, sweep.sweep_id, system)
    return read, gaps


def store_pages(desk: Desk, sweep: Sweep, system: str, pages: Iterable[Page]) -> tuple[int, list[Gap]]:
    """Store what a search finds, page by page; returns how much was shown, and the gaps."""
    read = 0
    gaps: list[Gap] = []
    for page in pages:
        with desk.transaction() as db:
            findings.save(
                db, desk.keyring, sweep.sweep_id, system, page.findings, desk.policy.schedule.shared_mailboxes
            )
            findings.save_gaps(db, desk.keyring, sweep.sweep_id, system, page.gaps)
        read += page.read
        gaps += page.gaps
    return read, gaps


def finish(desk: Desk, sweep: Sweep, connector: Connector, stage: str, read: int, gaps: Sequence[Gap]) -> None:
    """Note that a stage of reading came to its end."""
    kinds = {k.name: k for k in desk.policy.systems[connector.system].kinds()}
    hidden = any(
        gap.code is GapCode.KIND_HIDDEN
        or (gap.code is GapCode.FIELD_HIDDEN and gap.kind in kinds and gap.what in _consent_fields(kinds[gap.kind]))
        for gap in gaps
    )
    with desk.transaction() as db:
        known = catalogue.size(db, connector.system)
        sweeps.record_reading(
            db,
            sweep.sweep_id,
            connector.system,
            stage,
            "whole",
            tenant=connector.tenant,
            read=read,
            shown=known if connector.catalogued else read,
            population=known if connector.catalogued else None,
            consent_unread=hidden,
        )
        audit_log.append(
            db, [desk.entry(audit.Event.SYSTEM_READ, run=sweep.sweep_id, system=connector.system, count=read)]
        )


def _consent_fields(kind: object) -> set[str]:
    return {getattr(kind, name) for name in ("opt_out", "opt_out_on", "consent_on")}
