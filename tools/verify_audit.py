"""Is an exported audit log whole, in order and the one that was signed? A checker that shares no code with the log.

    python -I tools/verify_audit.py DIR --public-key FILE [--checkpoint FILE]...

DIR is an export: entries.jsonl, leaves.txt, checkpoints/<size>.txt. The public key is `name+keyid+base64` (several
lines after a change of keys). A checkpoint given here is a copy kept elsewhere: only with one can a log be found out
that was cut short or rewritten by whoever holds the signing key. Needs Python and the `cryptography` package.

Exit 0: verified, one line with the number of entries and the root. Exit 1: one line naming the first wrong thing.
Exit 2: the arguments or files cannot be used.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY_TYPE = "retention-audit-entry/v1"
NO_ENTRY = bytes(32)
LARGEST_NOTE = 1 << 20

Keys = dict[tuple[str, bytes], Ed25519PublicKey]
Heads = dict[int, bytes]  # tree size: root


class Unusable(Exception):
    """Nothing can be said: an argument or a file is not what it should be."""


class Wrong(Exception):
    """The log is not what was signed: kind, where, and what was seen."""

    def __init__(self, kind: str, where: str, seen: str) -> None:
        super().__init__(f"{kind}: {where}: {seen}")


class NotANote(Exception):
    """A text is not laid out as a signed note at all."""


class Line(NamedTuple):
    """One line of entries.jsonl. `leaf` is over its bytes; one with a `problem` has no number."""

    leaf: bytes
    seq: int = -1
    previous: bytes = b""
    problem: str = ""


class Tree:
    """RFC 9162, section 2.1. Roots of the perfect subtrees, left to right; enough to go on and to tell the root."""

    def __init__(self) -> None:
        self.size = 0
        self.nodes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf = sha256(b"\x01" + self.nodes.pop() + leaf).digest()
            size >>= 1
        self.nodes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.nodes:
            return sha256(b"").digest()
        result = self.nodes[-1]
        for node in self.nodes[-2::-1]:
            result = sha256(b"\x01" + node + result).digest()
        return result


def roots_of(leaves: Iterable[bytes], sizes: Iterable[int]) -> Heads:
    """The roots at those of the sizes that the list reaches."""
    wanted, tree = set(sizes), Tree()
    roots = {0: tree.root()} if 0 in wanted else {}
    for leaf in leaves:
        tree.append(leaf)
        if tree.size in wanted:
            roots[tree.size] = tree.root()
    return roots


def read_keys(path: Path) -> tuple[str, Keys]:
    """The log's name and its public keys."""
    keys: Keys = {}
    try:
        lines = read_text(path).splitlines()
    except UnicodeDecodeError:
        raise Unusable(f"{path}: not UTF-8 text") from None
    for text in lines:
        if not text.strip():
            continue
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = from_base64(encoded)
        if not name or raw is None or len(raw) != 33 or raw[0] != 1:
            raise Unusable(f"{path}: not an Ed25519 key of the form name+keyid+base64")
        if sha256(name.encode() + b"\n" + raw).hexdigest()[:8] != key_id:
            raise Unusable(f"{path}: the key id does not belong to the key")
        keys[name, bytes.fromhex(key_id)] = Ed25519PublicKey.from_public_bytes(raw[1:])
    names = {name for name, _ in keys}
    if len(names) != 1:
        raise Unusable(f"{path}: {'keys of several logs' if names else 'no key'} in it")
    return names.pop(), keys


def open_note(note: str, where: str, name: str, keys: Keys) -> tuple[int, bytes]:
    """Size and root of a checkpoint that one of the keys signed (c2sp.org/tlog-checkpoint in a signed note)."""
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise NotANote
    body, signed = (text + "\n").encode(), False
    for line in tail[:-1].split("\n"):
        dash, signer, encoded = line.split(" ") if line.count(" ") == 2 else ("", "", "")
        raw = from_base64(encoded)
        if dash != "\u2014" or raw is None:
            raise NotANote
        key = keys.get((signer, raw[:4]))
        if key is not None:
            try:
                key.verify(raw[4:], body)
            except InvalidSignature:
                raise Wrong("edited", where, "its signature does not fit what it says") from None
            signed = True
    if not signed:
        raise Wrong("wrong key", where, "it is not signed by the key that was given")
    origin, size, root, *more = (*text.split("\n"), "", "")[:4]
    digest = from_base64(root)
    if origin != name or more != [""] or not is_size(size) or digest is None or len(digest) != 32:
        raise Wrong("edited", where, "it is signed, but it is not a checkpoint of this log")
    return int(size), digest


def is_size(text: str) -> bool:
    return text.isdecimal() and len(text) < 19 and str(int(text)) == text


def from_base64(text: str) -> bytes | None:
    """Standard base64 in its one proper spelling, or None."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def read_text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(LARGEST_NOTE).decode("utf-8")


def read_sealed(folder: Path, name: str, keys: Keys) -> Heads:
    """The heads that were signed, smallest first."""
    heads: Heads = {}
    files = [path for path in folder.iterdir() if path.suffix == ".txt"]
    for path in sorted(files, key=lambda path: (len(path.stem), path.stem)):
        where = f"checkpoint {path.stem}"
        try:
            size, root = open_note(read_text(path), where, name, keys)
        except (NotANote, UnicodeDecodeError):
            raise Wrong("edited", where, "it is not a signed note any more") from None
        if path.stem != str(size):
            raise Wrong("edited", where, f"it speaks of {size} entries")
        heads[size] = root
    if not heads:
        raise Wrong("truncated", "checkpoints", "there is no signed checkpoint in the export")
    return heads


def read_outside(path: Path, name: str, keys: Keys) -> tuple[int, bytes]:
    """A head that was kept elsewhere."""
    try:
        return open_note(read_text(path), f"outside checkpoint {path.name}", name, keys)
    except (NotANote, UnicodeDecodeError):
        raise Unusable(f"{path}: not a signed checkpoint") from None


def read_line(raw: bytes) -> Line:
    """One line, whose bytes must be exactly the canonical form of what they say (RFC 8785, flat object)."""
    if not raw.endswith(b"\n"):
        return Line(b"", problem="its line has no end")
    body = raw[:-1]
    leaf = sha256(b"\x00" + body).digest()
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError):
        return Line(leaf, problem="it is not JSON")
    if not isinstance(entry, dict) or entry.get("type") != ENTRY_TYPE or not all(map(is_plain, entry.values())):
        return Line(leaf, problem="it is not an audit entry")
    try:
        same = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8") == body
        seq, previous = entry["seq"], bytes.fromhex(entry["previous"])
    except (ValueError, KeyError, TypeError):
        return Line(leaf, problem="it is not an audit entry")
    if not same or type(seq) is not int:
        return Line(leaf, problem="its bytes are not in canonical form")
    return Line(leaf, seq, previous)


def is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return value is None or type(value) in (str, int)


def read_listed(raw: bytes) -> bytes:
    """A line of leaves.txt; empty if it is not one."""
    try:
        leaf = bytes.fromhex(raw[:-1].decode("ascii"))
    except ValueError:
        return b""
    return leaf if raw == leaf.hex().encode() + b"\n" and len(leaf) == 32 else b""


def verify(directory: Path, key_file: Path, outside_files: Sequence[Path]) -> str:
    """The verdict on a sound log; raises `Wrong` or `Unusable` otherwise."""
    name, keys = read_keys(key_file)
    outside = [(path, *read_outside(path, name, keys)) for path in outside_files]
    sealed = read_sealed(directory / "checkpoints", name, keys)
    size = max(sealed)
    roots = walk(directory, size, {*sealed, *(outside_size for _, outside_size, _ in outside)})
    if roots is None or any(roots[at] != sealed[at] for at in sealed):
        raise diagnose(directory, sealed)
    check_outside(outside, roots, size)
    seen = f"checkpoints of {name}: {len(sealed)}, from outside: {len(outside)}"
    return f"entries {size} root {sealed[size].hex()} verified ({seen})"


def walk(directory: Path, size: int, sizes: set[int]) -> Heads | None:
    """The roots at these sizes if there are so many lines, each as it must be after the one before; else None."""
    tree, last = Tree(), NO_ENTRY
    roots = roots_of((), sizes)
    with (directory / "entries.jsonl").open("rb") as entries, (directory / "leaves.txt").open("rb") as leaves:
        for raw, listed in zip_longest(entries, leaves):
            line = read_line(raw or b"")
            if line.seq != tree.size or line.previous != last:
                return None
            if listed is None or read_listed(listed) != line.leaf:
                return None
            tree.append(line.leaf)
            last = line.leaf
            if tree.size in sizes:
                roots[tree.size] = tree.root()
    return roots if tree.size == size else None


def check_outside(outside: Sequence[tuple[Path, int, bytes]], roots: Heads, size: int) -> None:
    """Hold a log that is sound in itself against the copies kept elsewhere."""
    agreed = 0
    for path, outside_size, root in sorted(outside, key=lambda item: item[1]):
        if outside_size > size:
            seen = f"the log ends here; {path.name} was signed for {outside_size} entries"
            raise Wrong("truncated", f"entry {size}", seen)
        if roots[outside_size] != root:
            seen = f"the log was rewritten; {path.name} was signed for other entries"
            raise Wrong("forked", f"entry {agreed} or a later one before {outside_size}", seen)
        agreed = outside_size


def diagnose(directory: Path, sealed: Heads) -> Wrong:
    """Name the first wrong thing: entry by entry if the list of leaf hashes is the signed one, else by the links.

    May take memory, since it runs only where something is wrong.
    """
    with (directory / "entries.jsonl").open("rb") as entries:
        lines = [read_line(raw) for raw in entries]
    with (directory / "leaves.txt").open("rb") as leaves:
        listed = [read_listed(raw) for raw in leaves]
    size = max(sealed)
    found = [line.leaf for line in lines]
    if len(listed) >= size and roots_of(listed[:size], {size})[size] == sealed[size]:
        wrong = against_list(found, listed[:size])
    elif len(found) >= size and roots_of(found[:size], {size})[size] == sealed[size]:
        wrong = against_list(found, found[:size])
    else:
        return broken_link(lines) or rewritten(found, sealed)
    return wrong or broken_link(lines) or altered_list(listed, found) or rewritten(found, sealed)


def against_list(found: list[bytes], signed: list[bytes]) -> Wrong | None:
    """The first place where the entries are not the signed ones, and what happened there."""
    number = {leaf: seq for seq, leaf in enumerate(signed)}
    last_place = {leaf: place for place, leaf in enumerate(found)}
    for seq, (here, due) in enumerate(zip_longest(found, signed)):
        if here == due:
            continue
        if here is None:
            return Wrong("truncated", f"entry {seq}", f"the entries end here, {len(signed)} were signed")
        if due is None:
            return Wrong("inserted", f"entry {seq}", f"only {len(signed)} entries were signed")
        other = number.get(here)
        comes_later = last_place.get(due, -1) > seq
        again_in_step = found[seq + 1 : seq + 2] == signed[seq + 1 : seq + 2]
        if comes_later and (other is None or other < seq or Counter(found)[here] > 1):
            copy = "what stands here was never signed" if other is None else f"a copy of entry {other} stands here"
            return Wrong("inserted", f"entry {seq}", copy)
        if comes_later:
            return Wrong("swapped", f"entry {seq}", f"entry {other} stands in its place, and it stands further down")
        if other is None:
            return Wrong("edited", f"entry {seq}", "it is not what was signed")
        if other < seq or again_in_step:
            return Wrong("edited", f"entry {seq}", f"a copy of entry {other} was put over it")
        return Wrong("deleted", f"entry {seq}", f"entry {other} stands in its place")
    return None


def broken_link(lines: list[Line]) -> Wrong | None:
    """The first line that does not follow from the one before, judged by numbers and links alone."""
    last_place = {line.seq: place for place, line in enumerate(lines)}
    times = Counter(line.seq for line in lines)
    for seq, line in enumerate(lines):
        linked = line.previous == (lines[seq - 1].leaf if seq else NO_ENTRY)
        if not line.problem and line.seq == seq and linked:
            continue
        where = f"entry {seq}"
        after = lines[seq + 1] if seq + 1 < len(lines) else Line(b"")
        if line.problem:
            return Wrong("inserted" if after.seq == seq else "edited", where, line.problem)
        if line.seq == seq:
            if after.seq == seq:
                return Wrong("inserted", where, "the next entry has the same number")
            vouched = after.previous == line.leaf or seq + 1 == len(lines)
            if seq and vouched:
                return Wrong("edited", f"entry {seq - 1}", "the next entry names another hash for it")
            return Wrong("edited", where, "it does not name the hash of the entry before")
        if line.seq > seq and not linked and last_place.get(seq, -1) > seq:
            if times[line.seq] > 1:
                return Wrong("inserted", where, f"a copy of entry {line.seq} stands here")
            return Wrong("swapped", where, f"entry {line.seq} stands in its place, and it stands further down")
        if after.seq == seq + 1:
            return Wrong("edited", where, f"it has the number {line.seq}")
        if line.seq == seq - 1 and line.leaf == after.previous and line.leaf != lines[seq - 1].leaf:
            return Wrong("inserted", f"entry {seq - 1}", "the one below has the same number and the next one names it")
        if line.seq < seq:
            return Wrong("inserted", where, f"it has the number {line.seq} of an earlier one")
        if linked:
            return Wrong("gap in sequence", where, f"the next number is {line.seq}, and the link is intact")
        return Wrong("deleted", where, f"entry {line.seq} stands in its place")
    return None


def altered_list(listed: list[bytes], found: list[bytes]) -> Wrong | None:
    """Entries are as signed, but the list of their hashes beside them is not."""
    for seq, (entry, leaf) in enumerate(zip_longest(found, listed)):
        if entry != leaf:
            return Wrong("edited", f"entry {seq}", "the entry is the signed one, its line in leaves.txt is not")
    return None


def rewritten(found: list[bytes], sealed: Heads) -> Wrong:
    """Entries that follow from each other, yet are not those that a checkpoint was signed for."""
    roots, agreed = roots_of(found, sealed), 0
    for size in sorted(sealed):
        if len(found) < size:
            return Wrong("truncated", f"entry {len(found)}", f"the entries end here, {size} were signed")
        if roots[size] != sealed[size]:
            seen = f"the links hold, but checkpoint {size} was signed for other entries"
            return Wrong("forked", f"entry {agreed} or a later one before {size}", seen)
        agreed = size
    return Wrong("inserted", f"entry {agreed}", f"only {agreed} entries were signed")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify_audit.py", description="Verify an exported audit log.")
    parser.add_argument("directory", metavar="DIR", type=Path, help="the export")
    parser.add_argument("--public-key", metavar="FILE", type=Path, required=True, help="name+keyid+base64")
    parser.add_argument(
        "--checkpoint", metavar="FILE", type=Path, action="append", default=[], help="a copy kept elsewhere"
    )
    given = parser.parse_args(arguments)
    try:
        print(verify(given.directory, given.public_key, given.checkpoint))
    except Wrong as wrong:
        print(wrong)
        return 1
    except Unusable as unusable:
        print(f"cannot verify: {unusable}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"cannot verify: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
