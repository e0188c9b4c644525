"""How does the auditor get and check the log, follow one record through it, and end that? Files, proofs, case keys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from retention import audit
from retention.cli.answers import as_json_option, tell, tell_rows
from retention.cli.surroundings import ROOT, Unusable, desk, keyring, ledger, signing_key
from retention.policy.stores import StoreName
from retention.store import audit_log, case_keys, trail
from retention.store.database import transaction
from retention.vocabulary import RecordRef

CHECKER = ROOT / "tools" / "verify_audit.py"


@click.group("audit")
def command() -> None:
    """The audit log, as files that are checked without our code (tools/verify_audit.py)."""


@command.command("export")
@click.argument("directory", type=click.Path(path_type=Path))
@as_json_option
def export(directory: Path, as_json: bool) -> None:
    """Write the log up to its newest signed checkpoint into an empty DIRECTORY."""
    try:
        with transaction(ledger()) as db:
            written = audit_log.export(db, directory)
    except FileExistsError as error:
        raise Unusable(str(error)) from error
    tell({"entries": written, "directory": str(directory)}, as_json, f"wrote {written} entries to {directory}")


@command.command("public-key")
@click.argument("file", type=click.Path(path_type=Path))
@as_json_option
def public_key(file: Path, as_json: bool) -> None:
    """Write the key that checks the checkpoints to FILE."""
    file.write_text(signing_key().verify_key.text + "\n", encoding="utf-8")
    tell({"file": str(file)}, as_json, f"wrote {file}")


@command.command("verify")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--public-key",
    "key",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help=("The key of the log; best a copy you were given when it began."),
)
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help=("A checkpoint kept elsewhere; may be repeated."),
)
@as_json_option
@click.pass_context
def verify(ctx: click.Context, directory: Path, key: Path, checkpoints: tuple[Path, ...], as_json: bool) -> None:
    """Check an export in DIRECTORY with the stand-alone checker; exit code 1 names the first wrong thing."""
    outside = [word for checkpoint in checkpoints for word in ("--checkpoint", str(checkpoint))]
    words = [sys.executable, "-I", str(CHECKER), str(directory), "--public-key", str(key), *outside]
    checked = subprocess.run(words, capture_output=True, text=True, check=False)
    said = (checked.stdout or checked.stderr).strip()
    tell({"verified": checked.returncode == 0, "said": said}, as_json, said)
    ctx.exit(checked.returncode)


@command.group("proof")
def proof() -> None:
    """Proofs after RFC 9162 that need neither the whole log nor our code to be checked."""


@proof.command("entry")
@click.argument("number", type=click.IntRange(min=0))
@click.option("--size", type=click.IntRange(min=1), help="In the tree of this size; default: the newest sealed one.")
@as_json_option
def entry(number: int, size: int | None, as_json: bool) -> None:
    """Prove that entry NUMBER is in the log."""
    leaves = _leaves(size)
    if number >= len(leaves):
        raise Unusable(f"entry {number} is not in a tree of {len(leaves)} entries")
    hashes = [node.hex() for node in audit.inclusion_proof(leaves, number)]
    answer = {"entry": number, "size": len(leaves), "leaf": leaves[number].hex(), "root": audit.root(leaves).hex()}
    lines = [f"entry {number} of {len(leaves)}", f"leaf {answer['leaf']}", f"root {answer['root']}", *hashes]
    tell({**answer, "proof": hashes}, as_json, "\n".join(lines))


@proof.command("growth")
@click.argument("first", type=click.IntRange(min=1))
@click.option("--size", type=click.IntRange(min=1), help="To this size; default: the newest sealed one.")
@as_json_option
def growth(first: int, size: int | None, as_json: bool) -> None:
    """Prove that the log only grew since it had FIRST entries."""
    leaves = _leaves(size)
    if first > len(leaves):
        raise Unusable(f"a tree of {len(leaves)} entries cannot have grown from one of {first}")
    hashes = [node.hex() for node in audit.consistency_proof(leaves, first)]
    answer = {"first": first, "size": len(leaves)}
    roots = {"first_root": audit.root(leaves[:first]).hex(), "root": audit.root(leaves).hex()}
    lines = [f"{first} to {len(leaves)}", f"first root {roots['first_root']}", f"root {roots['root']}", *hashes]
    tell({**answer, **roots, "proof": hashes}, as_json, "\n".join(lines))


@command.command("trail")
@as_json_option
def follow(as_json: bool) -> None:
    """List all entries about one record, given on standard input as `system kind id`, over cases whose keys live."""
    given = sys.stdin.readline().strip().split(maxsplit=2)
    if len(given) != 3:
        raise Unusable("name one record on standard input: system kind id")
    with transaction(ledger()) as db:
        found = trail.of_record(db, keyring(), RecordRef(*given))
    rows = [{column: entry[column] for column in trail.COLUMNS} for entry in found]
    tell_rows(rows, trail.COLUMNS, as_json, "no entry about this record in a case that can still be followed")


@command.command("cases")
@as_json_option
def cases(as_json: bool) -> None:
    """List the cases of the log, and whether their records can still be followed."""
    with transaction(ledger()) as db:
        found = case_keys.cases(db)
    rows = [
        {"case": c.case_id, "made": c.made_at, "sealed": c.sealed_at, "key_destroyed": c.destroyed_at} for c in found
    ]
    tell_rows(rows, ("case", "made", "sealed", "key_destroyed"), as_json, "no cases")


@command.command("forget")
@click.argument("case_id")
@click.option("--by", "who", required=True, help="Who does it; recorded in the audit log.")
@as_json_option
def forget(case_id: str, who: str, as_json: bool) -> None:
    """Destroy the key of a case whose period is over: nobody can tell any more whom its entries meant."""
    here = desk()
    with here.transaction() as db:
        actor = audit.fit_actor(who, here.keyring.current.audit)
        store = here.policy.stores.get(StoreName.AUDIT_LOG)
        case_keys.destroy(db, case_id, here.now(), actor, store.period if store else case_keys.KEPT)
        role = audit.Role.ADMINISTRATOR
        audit_log.append(db, [here.entry(audit.Event.KEY_DESTROYED, case_key=case_id, actor=who, role=role)])
    tell({"case": case_id, "state": "forgotten"}, as_json, f"the key of {case_id} is destroyed; the log verifies on")


def _leaves(size: int | None) -> list[bytes]:
    with transaction(ledger()) as db:
        upto = size or audit_log.sealed_size(db)
        leaves = list(audit_log.leaves(db, upto))
    if not leaves or len(leaves) < upto:
        raise Unusable(f"the log holds no sealed tree of {upto} entries")
    return leaves
