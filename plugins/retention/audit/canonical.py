"""Which bytes stand for an entry, so that two programs get the same hash?

RFC 8785 (JSON Canonicalization Scheme) over one flat object. Every member is always there and no text needs an escape
(`Entry` admits none), so the canonical form is put together directly; a property test holds it to the `rfc8785`
package, which gives the same bytes in several times the time.
"""

from __future__ import annotations

from collections.abc import Iterable

from retention.audit.entry import Entry

TYPE = "retention-audit-entry/v1"
"""Inside every entry, so that no other signed or hashed object can be taken for one."""


def canonical(entry: Entry, seq: int, previous: bytes) -> bytes:
    """The entry at its place: `seq` counts from 0, `previous` is the leaf hash of the entry before."""
    at = entry.at.isoformat(timespec="microseconds")
    count = "null" if entry.count is None else str(entry.count)
    return "".join(
        (
            '{"actor":"',
            entry.actor,
            '","after":"',
            entry.after or "",
            '","approver":"',
            entry.approver,
            '","articles":',
            _array(entry.articles),
            ',"at":"',
            at[:26],
            'Z","before":"',
            entry.before or "",
            '","case_key":"',
            entry.case_key,
            '","clock":"',
            entry.clock,
            '","code_version":"',
            entry.code_version,
            '","count":',
            count,
            ',"data_classes":',
            _array(entry.data_classes),
            ',"decision":"',
            entry.decision,
            '","event":"',
            entry.event,
            '","item":"',
            entry.item,
            '","outcome":"',
            entry.outcome or "",
            '","outcome_reason":"',
            entry.outcome_reason or "",
            '","plan_digest":"',
            entry.plan_digest,
            '","policy_digest":"',
            entry.policy_digest,
            '","previous":"',
            previous.hex(),
            '","reasons":',
            _array(entry.reasons),
            ',"record":"',
            entry.record,
            '","reference":"',
            entry.reference,
            '","request_ids":',
            _array(entry.request_ids),
            ',"role":"',
            entry.role or "",
            '","run":"',
            entry.run,
            '","seq":',
            str(seq),
            ',"system":"',
            entry.system,
            '","type":"',
            TYPE,
            '"}',
        )
    ).encode("ascii")


def _array(texts: Iterable[str]) -> str:
    return '["' + '","'.join(texts) + '"]' if texts else "[]"
