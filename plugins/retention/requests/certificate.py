"""How is it proven, to somebody who need not trust us, what became of a request? A signed document without the subject.

Every system of the policy stands in it, the ones nobody reached as "not covered". It says "complete" only if every
system was read wholly, nothing is failed, unknown or settling, and nothing in it stayed unread. It is tied to the audit
log by the entry of its own issue, with the proof that this entry is in the signed tree.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2

from retention import audit, clocks
from retention.requests.due import clock_of
from retention.requests.finishing import in_words
from retention.requests.notices import FOLDER
from retention.requests.recipients import name_of
from retention.requests.results import UNFINISHED, OfSystem, Result, of_request
from retention.store import (
    audit_log,
    request_certificates,
    request_notices,
    request_recipients,
    request_results,
    requests,
)
from retention.store.desk import Desk
from retention.store.request_recipients import Recipient

TYPE = "retention-certificate/v1"
"""Inside every certificate, so that no other signed object can be taken for one."""


def issue(desk: Desk, request_id: str, key: audit.SigningKey, outside: Path) -> dict[str, Any]:
    """Certify what became of a request, as of now; kept in the ledger, signed, and tied to the log."""
    certificate_id = f"certificate-{hashlib.sha256(f'{request_id} {desk.now().isoformat()}'.encode()).hexdigest()[:24]}"
    with desk.transaction() as db:
        body = _body(desk, request_id, certificate_id)
        entry = desk.entry(
            audit.Event.CERTIFICATE_ISSUED,
            run=request_id,
            reference=certificate_id,
            plan_digest=hashlib.sha256(_canonical(body)).hexdigest(),
            role=audit.Role.EXECUTOR,
        )
        proof = audit_log.append_proven(db, entry)
        sealed = audit_log.seal(db, key)
        leaf = audit_log.head(db).last_leaf
    audit_log.write_outside(outside, sealed)
    body["audit"] = {
        "entry": sealed.size - 1,
        "leaf": leaf.hex(),
        "tree_size": sealed.size,
        "root": sealed.root,
        "inclusion_proof": [node.hex() for node in proof],
    }
    signature = audit.signature_over(_canonical(body), key)
    document = {
        "certificate": body,
        "signature": {"key": key.verify_key.text, "ed25519": base64.b64encode(signature).decode()},
    }
    with desk.transaction() as db:
        request_certificates.save(db, certificate_id, request_id, json.dumps(document, sort_keys=True))
    return document


def is_authentic(document: dict[str, Any], key: audit.VerifyKey) -> bool:
    """Whether a certificate is signed by the key and its entry is in the tree it names."""
    body, proof = document["certificate"], document["certificate"]["audit"]
    content = {name: value for name, value in body.items() if name != "audit"}
    return (
        body["type"] == TYPE
        and audit.is_signed(_canonical(body), base64.b64decode(document["signature"]["ed25519"]), key)
        and body["audit"]["tree_size"] > 0
        and audit.verify_inclusion(
            bytes.fromhex(proof["leaf"]),
            proof["entry"],
            proof["tree_size"],
            [bytes.fromhex(node) for node in proof["inclusion_proof"]],
            bytes.fromhex(proof["root"]),
        )
        and bool(content)
    )


def page(document: dict[str, Any]) -> str:
    """The same for people, as one HTML page without anything from elsewhere."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True)
    source = (FOLDER / "certificate.html").read_text(encoding="utf-8")
    return environment.from_string(source).render(document["certificate"], signature=document["signature"])


def _body(desk: Desk, request_id: str, certificate_id: str) -> dict[str, Any]:
    rules = desk.policy.schedule.answering
    with desk.transaction() as db:
        request = requests.get(db, request_id)
        happened = requests.events(db, [request_id])[request_id]
        found = of_request(db, desk, request_id)
        letters = request_notices.of_request(db, request_id)
        told = request_recipients.of_request(db, request_id)
        plans = request_results.plan_digests(db, request_id)
    due = clock_of(desk.policy.schedule, request, happened).due
    answered_on = next((h.on_day for h in happened if h.event == "outcome_notice_sent"), None)
    return {
        "type": TYPE,
        "certificate": certificate_id,
        "request": request_id,
        "right": request.asks_for.value,
        "controller": rules.controller,
        "issued_at": desk.now().isoformat(timespec="seconds"),
        "received_on": clocks.local_day(request.received_at, ZoneInfo(rules.zone)).isoformat(),
        "due_on": due.due.isoformat() if due.due else None,
        "answered_on": answered_on.isoformat() if answered_on else None,
        "deadline_met": None if answered_on is None or due.due is None else answered_on <= due.due,
        "complete": is_complete(found),
        "systems": [_system(one) for one in found],
        "recipients": [_recipient(desk, one) for one in told],
        "exceptions": {code: in_words(code) for code in sorted({c for one in found for c in one.counted.kept})},
        "backups": f"Not used meanwhile; the last one that may hold the data ends by "
        f"{(desk.today + timedelta(days=rules.backups_end_after_days)).isoformat()}.",
        "method": "Approved by digest, carried out per record, read back through the strictest views of each system.",
        "letters": [{"template": n.template, "sent_on": n.sent_on.isoformat(), "digest": n.digest} for n in letters],
        "policy_digest": desk.policy.digest,
        "plan_digests": list(plans),
    }


def is_complete(found: Sequence[OfSystem]) -> bool:
    """Whether nothing at all is left to say."""
    return all(
        one.result not in UNFINISHED and one.result is not Result.SETTLING and not one.counted.gaps for one in found
    )


def _system(one: OfSystem) -> dict[str, Any]:
    counted = one.counted
    return {
        "system": one.system,
        "result": one.result.value,
        "done": dict(sorted(counted.done.items())),
        "kept": dict(sorted(counted.kept.items())),
        "settling": counted.settling,
        "settles_on": counted.settles_on.isoformat() if counted.settles_on else None,
        "failed": counted.failed,
        "in_review": counted.review,
        "unread_items": counted.gaps,
        "proofs_by_hand": list(counted.proofs),
    }


def _recipient(desk: Desk, one: Recipient) -> dict[str, Any]:
    return {
        "recipient": name_of(desk, one),
        "system": one.system,
        "what": one.what.value,
        "state": one.state,
        "told_on": one.told_on.isoformat() if one.told_on else None,
        "by": one.how.value,
        "proof": one.proof,
    }


def _canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
