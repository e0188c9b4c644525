"""How is what was done written down so that nobody can change it unseen, and so that it names no person?

Pure: no database, no clock, no randomness; keys and instants are passed in. An entry is a flat object of typed fields
(`entry`), linked to the one before and hashed into a Merkle tree (`chain`, `merkle`); the tree's head is signed now
and then (`checkpoint`); all of it can be written out (`export`) for a checker that shares no code with us.
"""

from retention.audit.chain import Chain, Head, Link, chain
from retention.audit.checkpoint import (
    Checkpoint,
    NotAuthentic,
    SigningKey,
    VerifyKey,
    is_signed,
    open_note,
    sign,
    signature_over,
)
from retention.audit.entry import Clock, Entry, Event, Role, fit_actor, fit_request_ids
from retention.audit.export import write_export
from retention.audit.merkle import (
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from retention.audit.pseudonym import key_id, record_pseudonym

__all__ = [
    "Chain",
    "Checkpoint",
    "Clock",
    "Entry",
    "Event",
    "Head",
    "Link",
    "NotAuthentic",
    "Role",
    "SigningKey",
    "Tree",
    "VerifyKey",
    "chain",
    "consistency_proof",
    "fit_actor",
    "fit_request_ids",
    "inclusion_proof",
    "is_signed",
    "key_id",
    "leaf_hash",
    "node_hash",
    "open_note",
    "record_pseudonym",
    "root",
    "sign",
    "signature_over",
    "verify_consistency",
    "verify_inclusion",
    "write_export",
]
