"""Who must not be contacted? The suppression list."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from retention.keyring import Keyring
from retention.store.database import one, run
from retention.vocabulary import Identifier


def suppress(
    db: Connection, keyring: Keyring, sweep_id: str, entries: Iterable[tuple[Identifier, date, date | None]]
) -> int:
    """Add (address, opt-out day, newest consent day) to the suppression list; returns how many are new or renewed.

    Only consent strictly newer than the opt-out keeps or gets somebody out of the list.
    """
    changed = 0
    for identifier, opted_out_on, consented_on in entries:
        if consented_on and consented_on > opted_out_on:
            changed += run(
                db,
                "UPDATE suppressions SET removed_at = now(), removed_for = :consent WHERE folded_key = :key"
                " AND channel = 'email' AND removed_at IS NULL AND opted_out_on < :consent",
                key=keyring.suppression_key(identifier),
                consent=consented_on,
            )
            continue
        changed += run(
            db,
            "INSERT INTO suppressions (folded_key, key_id, channel, opted_out_on, reason, sweep_id)"
            " VALUES (:key, :key_id, 'email', :on, 'opt-out', :sweep) ON CONFLICT (folded_key, channel) DO UPDATE"
            " SET opted_out_on = excluded.opted_out_on, removed_at = NULL, removed_for = NULL, sweep_id = :sweep"
            " WHERE suppressions.opted_out_on < excluded.opted_out_on"
            " AND (suppressions.removed_at IS NULL OR suppressions.removed_for < excluded.opted_out_on)",
            key=keyring.suppression_key(identifier),
            key_id=keyring.key_id,
            on=opted_out_on,
            sweep=sweep_id,
        )
    return changed


def is_suppressed(db: Connection, keyring: Keyring, identifier: Identifier) -> bool:
    """Whether an address is on the suppression list."""
    return (
        one(
            db,
            "SELECT 1 FROM suppressions WHERE folded_key = :key AND removed_at IS NULL",
            key=keyring.suppression_key(identifier),
        )
        is not None
    )
