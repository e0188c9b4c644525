"""What was found in a sweep, and what is known of the same person elsewhere? Findings, gaps, the consent join."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, text

from retention.holds import Weak
from retention.keyring import Keyring
from retention.knowledge import Consent, Known
from retention.review import Answer, Choice
from retention.store import facts as facts_json
from retention.store import holds, request_runs, restrictions
from retention.store.database import copy_into, rows, run, streamed
from retention.vocabulary import Finding, Gap, Identifier, IdentifierKind, RecordRef

STRONG = (IdentifierKind.EMAIL, IdentifierKind.CUSTOMER_NUMBER)  # a shared phone is no proof of identity

COLUMNS = (
    "sweep_id",
    "system",
    "record_key",
    "kind",
    "locator",
    "version",
    "facts",
    "exact_keys",
    "folded_keys",
    "older_record_keys",
    "older_exact_keys",
    "older_folded_keys",
    "addresses",
    "shared",
)


def is_shared(identifier: Identifier, shared_mailboxes: Collection[str]) -> bool:
    """Whether an address belongs to a role, not to a person."""
    if identifier.kind is not IdentifierKind.EMAIL:
        return False
    return identifier.value.partition("@")[0].partition("+")[0].strip().lower() in shared_mailboxes


def keys_of(keyring: Keyring, identifiers: Iterable[Identifier]) -> tuple[list[bytes], list[bytes]]:
    """Exact and folded pseudonyms of the strong identifiers, in step."""
    strong = [i for i in dict.fromkeys(identifiers) if i.kind in STRONG]
    return keyring.current.each_exact_key(strong), keyring.current.each_folded_key(strong)


def older_keys_of(
    keyring: Keyring, ref: RecordRef, identifiers: Iterable[Identifier]
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Record, exact and folded pseudonyms of the older generations: by these, what outlives a night may know it."""
    strong = [i for i in dict.fromkeys(identifiers) if i.kind in STRONG]
    return (
        [generation.record_key(ref) for generation in keyring.older],
        [key for generation in keyring.older for key in generation.each_exact_key(strong)],
        [key for generation in keyring.older for key in generation.each_folded_key(strong)],
    )


def save(
    db: Connection,
    keyring: Keyring,
    sweep_id: str,
    system: str,
    found: Iterable[Finding],
    shared_mailboxes: Collection[str],
) -> int:
    """Store findings; one met again in the same sweep replaces what was known of it."""
    latest = {keyring.record_key(f.ref): f for f in found}

    def line(record_key: bytes, finding: Finding) -> tuple[Any, ...]:
        exact_keys, folded_keys = keys_of(keyring, finding.identifiers)
        shared = not finding.facts.several_people and any(is_shared(i, shared_mailboxes) for i in finding.identifiers)
        return (
            sweep_id,
            system,
            record_key,
            finding.ref.kind,
            keyring.seal(finding.ref.key),
            finding.ref.version,
            json.dumps(facts_json.encode(finding.facts)),
            exact_keys,
            folded_keys,
            *older_keys_of(keyring, finding.ref, finding.identifiers),
            keyring.seal_identifiers([i for i in finding.identifiers if i.kind in STRONG]),
            shared,
        )

    return copy_into(
        db,
        "findings",
        COLUMNS,
        (line(key, finding) for key, finding in latest.items()),
        "ON CONFLICT (sweep_id, system, record_key) DO UPDATE SET version = excluded.version, facts = excluded.facts,"
        " exact_keys = excluded.exact_keys, folded_keys = excluded.folded_keys, addresses = excluded.addresses,"
        " older_record_keys = excluded.older_record_keys, older_exact_keys = excluded.older_exact_keys,"
        " older_folded_keys = excluded.older_folded_keys, shared = excluded.shared, locator = excluded.locator",
    )


def save_gaps(db: Connection, keyring: Keyring, sweep_id: str, system: str, gaps: Sequence[Gap]) -> None:
    """Store what could not be read; the same gap met twice counts once."""
    for gap in gaps:
        run(
            db,
            "INSERT INTO gaps (sweep_id, system, code, kind, what, record_key, locator)"
            " VALUES (:sweep_id, :system, :code, :kind, :what, :record_key, :locator) ON CONFLICT DO NOTHING",
            sweep_id=sweep_id,
            system=system,
            code=gap.code,
            kind=gap.kind,
            what=gap.what,
            record_key=keyring.record_key(gap.ref) if gap.ref else None,
            locator=keyring.seal(gap.ref.key) if gap.ref else None,
        )


def discount_marks_of_ours(db: Connection, sweep_id: str) -> int:
    """What we set ourselves is not the subject's own word: opt-outs set on a match too weak to erase by, and those a
    restriction of ours came with. Whoever opted out before is on the suppression list, which goes on speaking."""
    of_restrictions = run(
        db,
        """UPDATE findings f SET facts = f.facts || '{"opted_out": false, "opted_out_on": null}' FROM steps s"""
        " WHERE f.sweep_id = :s AND (f.facts->>'opted_out')::bool AND (f.facts->>'restricted')::bool"
        " AND s.system = f.system AND s.record_key = f.record_key AND s.action = 'restrict'"
        " AND s.state IN ('done', 'verified') AND NOT s.rests_on_opt_out",
        s=sweep_id,
    )
    return of_restrictions + run(
        db,
        "UPDATE findings f SET weak_opt_out = true FROM steps s WHERE f.sweep_id = :s AND NOT f.weak_opt_out"
        " AND s.system = f.system AND s.record_key = f.record_key AND s.action = 'suppress'"
        " AND s.state IN ('done', 'verified') AND s.reasons && ARRAY['ID_AMBIGUOUS', 'ID_SHARED']",
        s=sweep_id,
    )


def mark_shared(db: Connection, sweep_id: str) -> int:
    """Mark records of one kind and system that are known by the same address: not provably one person."""
    return run(
        db,
        "WITH named AS MATERIALIZED (SELECT system, kind, record_key, (facts->>'several_people')::bool AS several, k"
        "  FROM findings CROSS JOIN unnest(exact_keys) AS k WHERE sweep_id = :s),"
        " twice AS (SELECT system, kind, k FROM named WHERE NOT several GROUP BY 1, 2, 3 HAVING count(*) > 1)"
        " UPDATE findings f SET shared = true WHERE f.sweep_id = :s AND NOT f.shared AND (f.system, f.record_key) IN"
        "  (SELECT system, record_key FROM named JOIN twice USING (system, kind, k))",
        s=sweep_id,
    )


def opted_out_identifiers(db: Connection, keyring: Keyring, sweep_id: str) -> list[Identifier]:
    """Everyone seen as opted out in any system this night, to be looked up in all of them. In memory only."""
    found = rows(
        db,
        "SELECT addresses FROM findings WHERE sweep_id = :s AND (facts->>'opted_out')::bool AND NOT weak_opt_out"
        " AND addresses IS NOT NULL",
        s=sweep_id,
    )
    return list(dict.fromkeys(i for row in found for i in keyring.open_identifiers(row.addresses)))


def consent_by_subject(db: Connection, sweep_id: str) -> Iterator[tuple[bytes, bytes, Consent]]:
    """(exact key, folded key, consent) of every person for whom any system spoke of consent or opt-out this night."""
    statement = "SELECT * FROM consent_signals WHERE sweep_id = :s AND (opted_out OR consented_on IS NOT NULL)"
    for row in db.execute(text(statement), {"s": sweep_id}):
        on = None if row.undated else row.opted_out_on
        yield bytes(row.key), bytes(row.folded), Consent(row.opted_out, on, row.consented_on)


# What is joined is laid out in scratch tables first, and analysed: without figures the planner loops over all rows.
_SCRATCH = (
    """CREATE TEMP TABLE signal (key bytea, folded bytea, opted_out bool, undated bool, on_day date, consented date)
       ON COMMIT DROP""",
    "CREATE TEMP TABLE addressed (record_key bytea, key bytea, folded bytea, several bool) ON COMMIT DROP",
    "CREATE TEMP TABLE joined (record_key bytea, consent jsonb) ON COMMIT DROP",
    "CREATE TEMP TABLE named (record_key bytea, any_key bytea) ON COMMIT DROP",
    "CREATE TEMP TABLE nearly (record_key bytea) ON COMMIT DROP",
    "CREATE TEMP TABLE unread (record_key bytea) ON COMMIT DROP",
    "CREATE TEMP TABLE under_hold (record_key bytea, reaches jsonb) ON COMMIT DROP",
    "CREATE TEMP TABLE restricting (record_key bytea, matters jsonb) ON COMMIT DROP",
    "CREATE TEMP TABLE requested (record_key bytea, said jsonb) ON COMMIT DROP",
)
_FILL = {
    # The suppression list speaks for a person as a system does that saw their opt-out.
    "signal": "INSERT INTO signal SELECT key, (array_agg(folded))[1], bool_or(opted_out), bool_or(undated),"
    " max(opted_out_on), max(consented_on) FROM ("
    "  SELECT key, folded, opted_out, undated, opted_out_on, consented_on FROM consent_signals"
    "  WHERE sweep_id = :s AND (opted_out OR consented_on IS NOT NULL)"
    "  UNION ALL SELECT exact_key, folded_key, true, false, opted_out_on, NULL FROM listed_subjects"
    "  WHERE sweep_id = :s AND surely) voices GROUP BY key",
    "addressed": "INSERT INTO addressed SELECT f.record_key, x.key, x.folded, (f.facts->>'several_people')::bool"
    " FROM findings f CROSS JOIN LATERAL unnest(f.exact_keys, f.folded_keys) AS x(key, folded)"
    " WHERE f.sweep_id = :s AND f.system = :system",
    "joined": "INSERT INTO joined SELECT a.record_key, jsonb_object_agg(encode(s.key, 'hex'),"
    " jsonb_build_array(s.opted_out, CASE WHEN s.undated THEN NULL ELSE s.on_day END, s.consented))"
    " FROM addressed a JOIN signal s USING (key) GROUP BY a.record_key",
    "named": "INSERT INTO named SELECT f.record_key, k FROM findings f"
    " CROSS JOIN LATERAL unnest(f.record_key || f.older_record_keys) k WHERE f.sweep_id = :s AND f.system = :system",
    "nearly": "INSERT INTO nearly SELECT a.record_key FROM addressed a"
    " JOIN signal s ON s.folded = a.folded AND s.key <> a.key WHERE s.opted_out AND NOT a.several"
    " UNION SELECT a.record_key FROM addressed a JOIN listed_subjects l ON l.sweep_id = :s AND l.exact_key = a.key"
    " AND NOT l.surely WHERE NOT a.several",
    "unread": "INSERT INTO unread SELECT DISTINCT record_key FROM gaps"
    " WHERE sweep_id = :s AND system = :system AND record_key IS NOT NULL",
    "under_hold": "INSERT INTO under_hold WITH met AS ("  # noqa: S608
    "SELECT f.record_key AS id, f.system, f.folded_keys || f.older_folded_keys AS folded_keys,"
    " 'infinity'::timestamptz AS since, array_remove(ARRAY["
    " CASE WHEN u.record_key IS NOT NULL THEN 'unread' END,"
    " CASE WHEN f.shared AND (f.facts->>'several_people')::bool THEN 'shared' END], NULL) AS weak"
    " FROM findings f LEFT JOIN unread u USING (record_key) WHERE f.sweep_id = :s AND f.system = :system)"
    " SELECT id, jsonb_agg(DISTINCT jsonb_build_array(to_jsonb(data_classes), collected_from, collected_to))"
    f" FROM ({holds.FINDS}) held GROUP BY id",
    "restricting": "INSERT INTO restricting SELECT record_key, jsonb_agg(jsonb_build_array(ground, lifted, surely))"
    " FROM (SELECT f.record_key, m.restriction_id, m.ground, m.state = 'lifted' AS lifted,"
    " bool_or(x.exact_key = ANY (f.exact_keys || f.older_exact_keys)) AS surely FROM findings f"
    " CROSS JOIN LATERAL unnest(f.folded_keys || f.older_folded_keys) k"
    " JOIN restriction_subjects x ON x.folded_key = k JOIN restriction_matters m USING (restriction_id)"
    " WHERE f.sweep_id = :s AND f.system = :system GROUP BY 1, 2, 3, 4) matters GROUP BY record_key",
    "requested": f"INSERT INTO requested {request_runs.SAID}",
}
_KNOWN = """
WITH register AS (
    SELECT record_key, jsonb_object_agg(data_class, erased_on) AS erased FROM (
        SELECT n.record_key, e.data_class, max(e.erased_at)::date AS erased_on
        FROM erasures e JOIN named n ON n.any_key = e.record_key WHERE e.system = :system GROUP BY 1, 2
    ) latest GROUP BY record_key
),
ours AS (
    SELECT DISTINCT n.record_key FROM restrictions r JOIN named n ON n.any_key = r.record_key
    WHERE r.system = :system AND r.released_at IS NULL
),
answered AS (
    SELECT DISTINCT ON (n.record_key) n.record_key, q.decision, q.answered, q.answered_version, q.round, q.until,
           q.collected_on
    FROM review_queue q JOIN named n ON n.any_key = q.record_key WHERE q.system = :system AND q.state = 'decided'
    ORDER BY n.record_key, q.round DESC
)
SELECT f.record_key, f.kind, f.version, f.facts, f.shared, f.exact_keys,
       f.folded_keys, f.older_folded_keys, f.older_record_keys, joined.consent,
       nearly.record_key IS NOT NULL OR f.weak_opt_out AS weak, under_hold.reaches, restricting.matters, requested.said,
       unread.record_key IS NOT NULL AS unread, ours.record_key IS NOT NULL AS restricted_by_us, register.erased,
       answered.decision, answered.answered, answered.answered_version, answered.round, answered.until,
       answered.collected_on
FROM findings f
LEFT JOIN joined USING (record_key) LEFT JOIN nearly USING (record_key)
LEFT JOIN under_hold USING (record_key) LEFT JOIN restricting USING (record_key)
LEFT JOIN requested USING (record_key)
LEFT JOIN unread USING (record_key) LEFT JOIN register USING (record_key)
LEFT JOIN ours USING (record_key) LEFT JOIN answered USING (record_key)
WHERE f.sweep_id = :s AND f.system = :system ORDER BY f.record_key
"""


def known(
    db: Connection, sweep_id: str, system: str, source: Literal["findings", "estate"] = "findings"
) -> Iterator[Known]:
    """Every finding of a system, joined over all systems, in a stable order; streamed.

    `source` may be the table that `store/estate.py` lays out. Read one system to its end before the next: the scratch
    tables of the join are laid out anew each time.
    """
    for name in _FILL:
        run(db, f"DROP TABLE IF EXISTS pg_temp.{name}")
    for statement in _SCRATCH:
        run(db, statement)
    for name, statement in _FILL.items():
        given = {"s": sweep_id, "system": system}
        of_source = statement.replace("FROM findings f", f"FROM {source} f")
        run(db, of_source, **{key: value for key, value in given.items() if f":{key}" in statement})
        run(db, f"ANALYZE {name}")
    of_source = _KNOWN.replace("FROM findings f", f"FROM {source} f")
    for row in db.execute(streamed(of_source), {"s": sweep_id, "system": system}):
        facts = facts_json.decode(row.facts)
        weak = ((Weak.UNREAD, row.unread), (Weak.SHARED, row.shared and facts.several_people))
        yield Known(
            record_key=bytes(row.record_key),
            kind=row.kind,
            version=row.version,
            facts=facts,
            shared=row.shared,
            subjects=tuple(map(bytes, row.exact_keys)),
            folded=tuple(map(bytes, (*row.folded_keys, *row.older_folded_keys))),
            older_keys=tuple(map(bytes, row.older_record_keys)),
            consent={bytes.fromhex(k): _consent(v) for k, v in (row.consent or {}).items()},
            weak_opt_out=row.weak,
            held=row.reaches is not None,
            reaches=holds.reaches(row.reaches or ()),
            restricting=restrictions.concerning(row.matters or ()),
            said=request_runs.said(row.said),
            weak=tuple(why.value for why, is_so in weak if is_so),
            restricted_by_us=row.restricted_by_us,
            erased={k: date.fromisoformat(v) for k, v in (row.erased or {}).items()},
            answer=_answer(row) if row.decision else None,
        )


def met_earlier(db: Connection, sweep_id: str, system: str, record_keys: Collection[bytes]) -> set[bytes]:
    """Which of these records of tonight an earlier sweep met, under any generation of keys."""
    if not record_keys:
        return set()
    found = rows(
        db,
        "SELECT DISTINCT f.record_key FROM findings f CROSS JOIN LATERAL unnest(f.record_key || f.older_record_keys) k"
        " JOIN findings e ON e.system = f.system AND e.record_key = k AND e.sweep_id <> f.sweep_id"
        " WHERE f.sweep_id = :s AND f.system = :system AND f.record_key = ANY (:keys)",
        s=sweep_id,
        system=system,
        keys=list(record_keys),
    )
    return {bytes(row.record_key) for row in found}


def _answer(row: Any) -> Answer:
    return Answer(
        Choice(row.decision), frozenset(row.answered), row.answered_version, row.round, row.until, row.collected_on
    )


def _consent(raw: Sequence[Any]) -> Consent:
    opted_out, on, consented = raw
    return Consent(
        opted_out, date.fromisoformat(on) if on else None, date.fromisoformat(consented) if consented else None
    )


def save_verdicts(
    db: Connection, sweep_id: str, system: str, verdicts: Iterable[tuple[bytes, str, Sequence[str]]]
) -> None:
    """Store (record key, verdict, reason codes) of findings, and the counts by verdict and reason."""
    copy_verdicts = [(sweep_id, system, key, verdict, list(reasons)) for key, verdict, reasons in verdicts]
    db.execute(
        text(
            "CREATE TEMP TABLE verdicts (sweep_id text, system text, record_key bytea, verdict text,"
            " reasons text[]) ON COMMIT DROP"
        )
    )
    copy_into(db, "verdicts", ("sweep_id", "system", "record_key", "verdict", "reasons"), copy_verdicts, "")
    run(
        db,
        "UPDATE findings f SET verdict = v.verdict, reasons = v.reasons FROM verdicts v"
        " WHERE f.sweep_id = v.sweep_id AND f.system = v.system AND f.record_key = v.record_key",
    )
    run(db, "DELETE FROM sweep_counts WHERE sweep_id = :s AND system = :system", s=sweep_id, system=system)
    run(
        db,
        "INSERT INTO sweep_counts (sweep_id, system, reason, verdict, records)"
        " SELECT sweep_id, system, r, verdict, count(*) FROM verdicts CROSS JOIN unnest(reasons) r GROUP BY 1, 2, 3, 4",
    )
    run(db, "DROP TABLE verdicts")


def note_versions(db: Connection, sweep_id: str, system: str, versions: Mapping[bytes, str]) -> None:
    """Note newer versions of records after a change of our own."""
    run(
        db,
        "UPDATE findings f SET version = v.version FROM unnest(CAST(:keys AS bytea[]), CAST(:versions AS text[]))"
        " AS v(key, version) WHERE f.sweep_id = :s AND f.system = :system AND f.record_key = v.key"
        " AND v.version <> ''",
        s=sweep_id,
        system=system,
        keys=list(versions),
        versions=list(versions.values()),
    )


def wipe_personal_data(db: Connection, sweep_id: str) -> None:
    """Forget where findings and gaps lie once a sweep is sealed; keyed pseudonyms and verdicts remain."""
    run(db, "UPDATE findings SET locator = NULL, addresses = NULL WHERE sweep_id = :s", s=sweep_id)
    run(db, "UPDATE gaps SET locator = NULL WHERE sweep_id = :s", s=sweep_id)
