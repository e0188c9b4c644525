"""Does looking at all of a text at once find what looking at one sign after the other finds, however awkward it is?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.documents.every_reading import around, readable
from connectors.documents.identifiers import Gathered, addresses, mentions
from connectors.documents.ordinary import ordinary
from connectors.documents.telephone import numbers_in
from retention.vocabulary import Identifier, IdentifierKind

_DOMAIN = re.compile(
    r"[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.[a-z]{2,24}(?=[ >\"),;:<\t\x1e]|\.?$|\.[ \x1e]|\r?\n[^.\s])", re.ASCII
)
_LOCAL_BACKWARDS = re.compile(
    r"[a-zA-Z0-9](?:[\w.+\-]{0,62}[a-zA-Z0-9])?(?=[ <\"(\[,:>\t\x1e]|$|\n$|\n\r?[\w ,;:>)\]\"\n])", re.ASCII
)
_NUMBER = re.compile(r"(?<![\w+])(?:\+|\(?0)[\d \u00a0().\-/]{6,40}\d(?!\w)")

WORDS = [
    *("bob", "Jane.Doe", "o'brien", "kit+news", "a_b", "100%", "jörg", "jo\u0308rg", "x" * 63, "x" * 64, "-", "_", "."),
    *("x.example", "mail.x.example.test", "Bücher.example", "xn--bcher-kva.example", "a-b--c.example", "localhost"),
    *("@", "@", "@", "@", "＠", "%40", "&#64;", "&#x40;", "&commat;", "\\u0040", "=40", "[at]", " at ", " dot "),
    *("(at)", "mailto:", "email=", "%2B", "%20", "&amp;", "=\n", "<b>", "</b>", '"', "<", ">", "[", "]", "{", "?to="),
    *(" ", "\n", "\r\n", "\n ", "\t", ",", ";", ":", "\x1e", "\u00ad", "\u00ad\n", "\u200b", "。", "ｂ", "co", ".org"),
    *("+44 20 7946 0018", "(020) 7946-0018", "07700 900123", "+", "(0", "0", "0", "00", "1", "٣", "/", ")", "\u00a0"),
]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text("ab01@.+(-\n\r ", max_size=4), max_size=24).map("".join)


def one_after_the_other(text: str) -> Iterator[tuple[str, bool]]:
    """The plain way: each "@" by itself, with what stands on both sides of it."""
    for at in (match.start() for match in re.finditer("@", text)):
        domain = _DOMAIN.match(text, at + 1)
        local = _LOCAL_BACKWARDS.match(text[max(0, at - 66) : at][::-1])
        if domain and local:
            yield text[at - local.end() : domain.end()], True
        else:
            yield from around(text, at)


def surest(found: Iterator[tuple[str, bool]]) -> dict[str, bool]:
    sure: dict[str, bool] = {}
    for value, whole in found:
        sure[value] = whole or sure.get(value, False)
    return sure


def all_at_once(text: str) -> Iterator[tuple[str, bool]]:
    whole, others = ordinary(text)
    yield from ((value, True) for value in whole)
    for at in others:
        yield from around(text, at)


@given(TEXTS)
@example("bob@x.example")
@example(f"{'x' * 64}@x.example\r\n{'y' * 64}@x.example")
@example("Ask bob@x.example. Or ann@y.example.\nThank you, a@b@c.example")
def test_all_at_once_finds_the_same_addresses_as_one_after_the_other(text: str) -> None:
    text = readable(text)
    assert surest(all_at_once(text)) == surest(one_after_the_other(text))


@given(TEXTS)
def test_every_sign_is_in_an_ordinary_address_or_left_for_the_careful_look(text: str) -> None:
    whole, others = ordinary(text)
    assert len(whole) + len(others) == text.count("@")
    assert all(text[at] == "@" for at in others)


@given(TEXTS)
@example("+44 (0)20 7946 0018 (0(020) 7946-0018")
@example("0 0 0 0 0 0 0 0x 07700 900123")
@example("٣+٤٤ ٢٠ ٧٩٤٦ ٠٠١٨ 020 7946 0018")
def test_telephone_numbers_are_those_that_one_pattern_over_the_whole_text_finds(text: str) -> None:
    expected = [number for match in _NUMBER.finditer(text) for number in numbers_in(match.group(), "GB")]
    assert list(numbers_in(text, "GB")) == expected


@given(st.lists(TEXTS, max_size=3))
def test_what_was_gathered_is_named_once_in_whatever_way_it_is_asked_for(texts: list[str]) -> None:
    gathered = Gathered()
    for text in texts:
        gathered.look_through(text)
    assert gathered.identifiers() == tuple(gathered.mentions())
    assert len(gathered) == len(gathered.identifiers())


@pytest.mark.parametrize("before", ["", "x", "(", "+", "_", "\n"])
def test_an_awkward_address_beside_ordinary_ones_changes_none_of_them(before: str) -> None:
    text = f"ann@x.example, {before}=bob@x.example, zoe@x.example; see cy@y.example. &#64; dee&#64;y.example"
    whole = {one.value for one, is_whole in mentions(text).items() if is_whole}
    assert {f"{name}@x.example" for name in ("ann", "zoe")} | {"cy@y.example", "dee@y.example"} <= whole
    assert addresses(text)[Identifier(IdentifierKind.EMAIL, "bob@x.example")] is False


def test_a_number_in_digits_of_another_script_is_a_number() -> None:
    assert list(numbers_in("ring +٤٤ ٢٠ ٧٩٤٦ ٠٠١٨ today", "GB")) == ["+442079460018"]
