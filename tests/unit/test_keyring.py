"""Are people and records named without naming them, and only equal where they are the same?"""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.keyed_digest import DIGEST_BYTES, KeyedDigest
from retention.keyring import Keyring, KeysUnusable
from retention.spelling import exact, folded
from retention.vocabulary import Identifier, IdentifierKind, RecordRef

KEYS = Keyring.generate("k1")


def mail(value: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@EXAMPLE.com", "ann@example.com"),
        (" <ann@example.com>", "ann@example.com"),
        ("ann@exämple.example", "ann@xn--exmple-cua.example"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
    ],
)
def test_one_address_written_in_two_ways_is_one_person(one: str, other: str) -> None:
    assert KEYS.exact_key(mail(one)) == KEYS.exact_key(mail(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@example.com", "ann@example.com"),
        ("ann+news@example.com", "ann@example.com"),
        ("a.nn@example.com", "ann@example.com"),
        ("o'brien+%_@example.com", "obrien@example.com"),
        ("ann@example.com", "ann@example.com.test"),
    ],
)
def test_what_may_be_another_person_is_never_exactly_equal(one: str, other: str) -> None:
    assert KEYS.exact_key(mail(one)) != KEYS.exact_key(mail(other))


def test_the_folded_form_protects_across_case_and_width() -> None:
    assert KEYS.folded_key(mail("Ann@example.com")) == KEYS.folded_key(mail("ａnn@example.com"))
    assert KEYS.suppression_key(mail("ANN@example.com")) == KEYS.suppression_key(mail("ann@example.com"))


@given(st.text(min_size=1), st.text(min_size=1))
def test_folding_never_separates_what_is_exactly_equal(one: str, other: str) -> None:
    a, b = mail(f"{one}@example.com"), mail(f"{other}@example.com")
    if exact(a) == exact(b):
        assert folded(a) == folded(b)


@given(st.text())
def test_no_address_however_hostile_raises_or_shows_in_repr(value: str) -> None:
    identifier = mail(value)
    KEYS.exact_key(identifier)
    KEYS.folded_key(identifier)
    assert repr(identifier) == "Identifier(kind=<IdentifierKind.EMAIL: 'email'>)"


def test_purposes_cannot_be_joined() -> None:
    ann = mail("ann@example.com")
    assert len({KEYS.exact_key(ann), KEYS.folded_key(ann), KEYS.suppression_key(ann)}) == 3


def test_a_record_key_depends_on_system_kind_and_id() -> None:
    refs = [
        RecordRef("a", "b", "c"),
        RecordRef("ab", "", "c"),
        RecordRef("a", "bc", ""),
        RecordRef("a", "b", "c", "v2"),
    ]
    keys = [KEYS.record_key(ref) for ref in refs]
    assert len(set(keys)) == 3
    assert keys[0] == keys[3]


@given(st.binary(max_size=64), st.lists(st.text(max_size=200), min_size=1, max_size=4), st.integers(0, 3))
def test_a_keyed_digest_is_the_hmac_of_its_words_each_behind_its_length(key: bytes, words: list[str], n: int) -> None:
    *first, last = words
    said = [word.encode() for word in words]
    message = b"".join(len(data).to_bytes(4, "big") + data for data in said)
    digest = KeyedDigest(key, *first[:n])
    longer = digest.after(*first[n:])
    assert longer.of(last) == longer.of(last) == hmac.digest(key, message, "sha256")[:DIGEST_BYTES]
    assert digest.of(last) == KeyedDigest(key, *first[:n]).of(last)


def test_keys_survive_the_secret_store_and_show_nothing_in_repr() -> None:
    again = Keyring.from_json(KEYS.to_json())
    assert again == KEYS
    assert repr(KEYS) == "Keyring(current=Generation(key_id='k1'), older=())"
    assert again.open(KEYS.seal("secret")) == "secret"


def test_a_rotation_writes_with_new_keys_and_looks_up_with_all() -> None:
    later = Keyring.from_json(KEYS.rotated("k2").rotated("k3").to_json())
    ann, ref = mail("ann@example.com"), RecordRef("a", "b", "c")
    assert later.key_ids == ("k3", "k2", "k1")
    assert KEYS.exact_key(ann) == later.exact_keys(ann)[2] != later.exact_key(ann)
    assert KEYS.record_key(ref) == later.record_keys(ref)[2] != later.record_key(ref)
    assert KEYS.suppression_key(ann) in later.suppression_keys(ann)
    assert later.open(KEYS.seal("secret")) == "secret"
    with pytest.raises(KeysUnusable, match="other keys"):
        KEYS.open(later.seal("secret"))


def test_no_purpose_shares_a_key_with_another_and_no_generation_with_another() -> None:
    later = KEYS.rotated("k2")
    values = [
        value for generation in later.generations for name, value in generation.values.items() if name != "key_id"
    ]
    assert len(set(values)) == len(values) == 12


@given(st.from_regex(r"[a-z]+(\.[a-z]+)*(\+[a-z.]*)?@example\.com", fullmatch=True))
def test_an_entry_for_the_mailbox_is_found_by_every_spelling_delivered_to_it(address: str) -> None:
    local, _, domain = address.partition("@")
    mailbox = local.partition("+")[0].replace(".", "") + "@" + domain
    assert KEYS.suppression_key(mail(mailbox)) in KEYS.suppression_keys_alike(mail(address))
    assert KEYS.suppression_key(mail(address)) in KEYS.suppression_keys_alike(mail(address))


def test_looking_for_variants_reaches_nobody_elses_mailbox() -> None:
    alike = set(KEYS.suppression_keys_alike(mail("a.nn+news@example.com")))
    others = ("anna@example.com", "ann@example.org", "news@example.com", "@example.com", "b.nn@example.com")
    assert alike.isdisjoint(KEYS.suppression_key(mail(other)) for other in others)


def test_two_generations_of_one_name_are_refused() -> None:
    with pytest.raises(KeysUnusable, match="same name"):
        KEYS.rotated("k1")


def test_a_generation_is_named_so_that_the_audit_log_can_hold_it() -> None:
    with pytest.raises(KeysUnusable, match="k1, k2"):
        Keyring.generate("ann@example.com")


def test_other_keys_are_told_apart_and_broken_ones_are_named() -> None:
    with pytest.raises(KeysUnusable, match="other keys"):
        Keyring.generate("k2").open(KEYS.seal("secret"))
    with pytest.raises(KeysUnusable, match="'record'"):
        Keyring.from_json(KEYS.to_json().replace('"record"', '"recrod"'))
    with pytest.raises(KeysUnusable, match="not valid JSON"):
        Keyring.from_json("{")
    for none in ('{"generations": []}', "{}", "[]", '{"generations": 1}', '{"generations": [1]}'):
        with pytest.raises(KeysUnusable, match="name no generations"):
            Keyring.from_json(none)
