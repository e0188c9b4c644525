"""What exactly will be done, in which order, and by which digest is it known? A plan is frozen: its digest is approved.

The digest covers the system, the account behind it, the policy, and every step with what it will do; it holds keyed
pseudonyms only, so it can be shown, logged and approved. Change one step and the digest no longer matches.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from retention.vocabulary import Action


class Purpose(StrEnum):
    """Why a plan exists, which decides whether it needs a person."""

    RETENTION = "retention"  # destroys or restricts: nothing runs without an approval of its digest
    SUPPRESSION = "suppression"  # only stops marketing: done at once (Art. 21(3), PECR reg. 22)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One line of a plan as it is digested and stored."""

    record_key: bytes
    kind: str
    version: str
    action: Action
    fields: tuple[str, ...]
    data_classes: tuple[str, ...]
    reasons: tuple[str, ...]
    rests_on_opt_out: bool = False
    subject_keys: tuple[bytes, ...] = ()  # REDACT in a shared item: whose parts
    # By what a legal hold finds it just before the call, and what of it the step touches: see `retention.holds`.
    folded_keys: tuple[bytes, ...] = ()
    parts: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    # RECTIFY: a keyed digest of the values, and the request whose case file has them: see `store.corrections`.
    values_key: bytes = b""
    corrects_for: str = ""


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan is bound to."""

    sweep_id: str
    system: str
    purpose: Purpose
    tenant: str
    policy_digest: str


def in_order(steps: Iterable[PlannedStep]) -> list[PlannedStep]:
    """The order steps are carried out in: by action, kind, then record pseudonym (stable, and says nothing)."""
    return sorted(steps, key=lambda step: (step.action, step.kind, step.record_key))


def digest(header: PlanHeader, steps: Sequence[PlannedStep]) -> str:
    """SHA-256 over header and steps in order, each as canonical JSON on a line of its own."""
    whole = hashlib.sha256()
    whole.update(_line([header.sweep_id, header.system, header.purpose, header.tenant, header.policy_digest]))
    for position, step in enumerate(steps):
        whole.update(line(position, step))
    return whole.hexdigest()


def line(position: int, step: PlannedStep) -> bytes:
    """What the digest holds of one step."""
    return _line(
        [
            position,
            step.record_key.hex(),
            step.kind,
            step.version,
            step.action,
            sorted(step.fields),
            sorted(step.data_classes),
            sorted(step.reasons),
            step.rests_on_opt_out,
            sorted(key.hex() for key in step.subject_keys),
            sorted(key.hex() for key in step.folded_keys),
            sorted(step.parts),
            sorted(step.weak),
            *([step.values_key.hex(), step.corrects_for] if step.corrects_for else []),
        ]
    )


def sweep_digest(plans: Iterable[tuple[str, str]]) -> str:
    """What a person approves: SHA-256 over the (system, plan digest) pairs of a sweep."""
    return hashlib.sha256(b"".join(_line([system, plan]) for system, plan in sorted(plans))).hexdigest()


def _line(values: list[object]) -> bytes:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
