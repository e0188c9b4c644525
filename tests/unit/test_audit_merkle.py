"""Does the tree commit to its leaves as RFC 9162 says, and do its proofs prove that and nothing else?"""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.audit import (
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The leaves and roots that certificate transparency logs are tested with.
LEAVES = [
    leaf_hash(bytes.fromhex(data))
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def distinct(count: int, salt: bytes = b"") -> list[bytes]:
    return [leaf_hash(salt + number.to_bytes(4, "big")) for number in range(count)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_known_vectors(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size]


def test_proofs_are_those_of_the_known_vectors() -> None:
    assert [node.hex() for node in inclusion_proof(LEAVES, 0)] == [A, B, C]
    assert [node.hex() for node in inclusion_proof(LEAVES[:1], 0)] == []
    assert [node.hex() for node in consistency_proof(LEAVES, 1)] == [A, B, C]
    assert [node.hex() for node in consistency_proof(LEAVES, 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        ROOTS[4],
    ]
    assert [node.hex() for node in consistency_proof(LEAVES[:5], 2)] == [
        B,
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


@given(st.integers(0, 300), st.data())
@settings(max_examples=60, deadline=None)
def test_a_tree_that_is_stored_and_resumed_has_the_root_of_the_definition(size: int, data: st.DataObject) -> None:
    leaves = distinct(size)
    first = data.draw(st.integers(0, size))
    begun = Tree()
    for leaf in leaves[:first]:
        begun.append(leaf)
    resumed = Tree(begun.size, begun.frontier)
    for leaf in leaves[first:]:
        resumed.append(leaf)
    assert resumed.root() == by_definition(leaves)
    assert len(resumed.frontier) == size.bit_count()


@pytest.mark.parametrize(("size", "nodes"), [(-1, 0), (1, 0), (3, 1), (4, 2)])
def test_a_frontier_that_does_not_belong_to_its_size_is_refused(size: int, nodes: int) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Tree(size, [bytes(32)] * nodes)


@given(st.integers(1, 150), st.data())
@settings(max_examples=80, deadline=None)
def test_an_inclusion_proof_proves_its_leaf_and_no_other(size: int, data: st.DataObject) -> None:
    leaves = distinct(size)
    index = data.draw(st.integers(0, size - 1))
    proof, expected = inclusion_proof(leaves, index), root(leaves)
    assert verify_inclusion(leaves[index], index, size, proof, expected)
    assert not verify_inclusion(leaf_hash(b"another"), index, size, proof, expected)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(b"another"))
    other = data.draw(st.integers(-1, size))
    assert verify_inclusion(leaves[index], other, size, proof, expected) == (other == index)
    for damaged in damages(proof, data):
        assert not verify_inclusion(leaves[index], index, size, damaged, expected)


@given(st.integers(1, 150), st.data())
@settings(max_examples=80, deadline=None)
def test_a_consistency_proof_proves_growth_and_nothing_else(size: int, data: st.DataObject) -> None:
    leaves = distinct(size)
    first = data.draw(st.integers(1, size))
    older, newer, proof = root(leaves[:first]), root(leaves), consistency_proof(leaves, first)
    assert verify_consistency(first, size, older, newer, proof)
    forked = root([*distinct(first - 1), leaf_hash(b"rewritten")])
    assert not verify_consistency(first, size, forked, newer, proof)
    assert not verify_consistency(first, size, older, leaf_hash(b"another"), proof)
    assert not verify_consistency(size + 1, size, older, newer, proof)
    for damaged in damages(proof, data):
        assert not verify_consistency(first, size, older, newer, damaged)


@given(st.integers(2, 100), st.data())
@settings(max_examples=40, deadline=None)
def test_no_proof_connects_a_rewritten_history_with_the_older_tree(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size - 1))
    rewritten = data.draw(st.integers(0, first - 1))
    leaves = distinct(size)
    older = root(leaves[:first])
    leaves[rewritten] = leaf_hash(b"rewritten")
    assert not verify_consistency(first, size, older, root(leaves), consistency_proof(leaves, first))


def test_a_proof_that_ends_too_early_proves_nothing() -> None:
    leaves = distinct(5)
    assert not verify_inclusion(root(leaves), 0, 5, [], root(leaves))
    older, beside = root(leaves[:4]), leaves[4]
    assert verify_consistency(4, 5, older, node_hash(older, beside), [beside])
    assert not verify_consistency(4, 100, older, node_hash(older, beside), [beside])


def test_every_tree_extends_the_empty_one_and_itself() -> None:
    leaves = distinct(3)
    assert verify_consistency(0, 3, root([]), root(leaves), [])
    assert not verify_consistency(0, 3, root(leaves), root(leaves), [])
    assert not verify_consistency(0, 3, root([]), root(leaves), [leaves[0]])
    assert verify_consistency(3, 3, root(leaves), root(leaves), [])
    assert not verify_consistency(0, 0, leaves[0], leaves[0], [])


def test_a_proof_for_what_is_not_there_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_proof(distinct(3), 3)
    with pytest.raises(ValueError, match="larger"):
        consistency_proof(distinct(3), 4)


def damages(proof: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    """The proof with one bit turned, one node dropped, one added, two changed over."""
    damaged = [[*proof, bytes(32)], [bytes(32), *proof]]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bit = data.draw(st.integers(0, 255))
        turned = (int.from_bytes(proof[at], "big") ^ (1 << bit)).to_bytes(32, "big")
        damaged += [[*proof[:at], turned, *proof[at + 1 :]], [*proof[:at], *proof[at + 1 :]]]
        if at:
            damaged.append([*proof[: at - 1], proof[at], proof[at - 1], *proof[at + 1 :]])
    return damaged
