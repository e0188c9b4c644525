"""What follows at once from what people said about marketing tonight? On the list, or off it by a newer consent."""

from __future__ import annotations

from retention import audit
from retention.store import audit_log, findings, suppression
from retention.store.desk import Desk
from retention.store.sweeps import Sweep


def put_on_list(desk: Desk, sweep: Sweep) -> int:
    """Put everyone who was found opted out tonight on the suppression list; returns how many entries changed."""
    with desk.transaction() as db:
        by_key = {key: consent for key, _, consent in findings.consent_by_subject(db, sweep.sweep_id)}
        said = []
        for identifier in findings.opted_out_identifiers(db, desk.keyring, sweep.sweep_id):
            consent = by_key.get(desk.keyring.exact_key(identifier))
            if consent is None or not consent.opted_out:
                continue
            # An opt-out without a day counts as made today: no consent can be shown to be newer.
            said.append(suppression.OptOut(identifier, consent.opted_out_on or sweep.as_of))
        changed = suppression.add(db, desk.keyring, said, suppression.Ground.OPT_OUT, sweep_id=sweep.sweep_id)
        if changed:
            audit_log.append(db, [desk.entry(audit.Event.SUPPRESSED, run=sweep.sweep_id, count=changed)])
        return changed


def honour_newer_consents(desk: Desk, sweep: Sweep) -> int:
    """Take off the list whose consent, found tonight in a declared field, is strictly newer; returns how many.

    Who stays on the list is noted for tonight, so that the list speaks for them where no system does any more.
    """
    with desk.transaction() as db:
        suppression.forget_listed(db, sweep.sweep_id)  # what an earlier try of this task noted
        suppression.note_listed(db, desk.keyring, sweep.sweep_id)
        ended = suppression.settle_consents(db, sweep.sweep_id, sweep.as_of, _consent_dates(desk))
        if ended:
            audit_log.append(db, [desk.entry(audit.Event.UNSUPPRESSED, run=sweep.sweep_id, count=ended)])
        return ended


def _consent_dates(desk: Desk) -> dict[tuple[str, str], str]:
    """Which declared field of a system and kind holds the day of a consent: the proof names it."""
    kinds = ((system, kind) for system, policy in desk.policy.systems.items() for kind in policy.kinds())
    return {(system, kind.name): kind.consent_on for system, kind in kinds if kind.consent_on}
