"""Are people and records named without naming them, and only equal where they are the same?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_keys_survive_the_secret_store_and_show_nothing_in_repr() -> None:
    again = Keyring.from_json(KEYS.to_json())
    assert again == KEYS
    assert repr(KEYS) == "Keyring(current=Generation(key_id='k1'), older=())"
    assert again.open(KEYS.seal("secret")) == "secret"


def test_other_keys_are_told_apart_and_broken_ones_are_named() -> None:
    with pytest.raises(KeysUnusable, match="other keys"):
        Keyring.generate("k2").open(KEYS.seal("secret"))
    with pytest.raises(KeysUnusable, match="'record'"):
        Keyring.from_json(KEYS.to_json().replace('"record"', '"recrod"'))
    with pytest.raises(KeysUnusable, match="not valid JSON"):
        Keyring.from_json("{")
