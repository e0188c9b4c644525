"""Is every address and number in a text found, as it goes on both sides, and nothing that only looks like one?"""

from __future__ import annotations

import time

import pytest

from connectors.documents.identifiers import comparable, mentions
from connectors.documents.sought import Sought
from retention.keyring import Keyring
from retention.vocabulary import Identifier, IdentifierKind

BOB = "bob@x.example"
WHOLE = {
    "plain": ("write to bob@x.example today", {"bob@x.example"}),
    "at-the-end-of-a-sentence": ("Ask bob@x.example.", {"bob@x.example"}),
    "longer-on-the-left": ("jbob@x.example", {"jbob@x.example"}),
    "longer-on-the-right": ("bob@x.example.test", {"bob@x.example.test"}),
    "in-angle-brackets": ("Bob <bob@x.example>, Ann <ann@x.example>", {"bob@x.example", "ann@x.example"}),
    "after-a-colon": ("mailto:bob@x.example?subject=hello", {"bob@x.example"}),
    "apostrophe": ("siobhan.o'testwick@example.org", {"siobhan.o'testwick@example.org"}),
    "in-single-quotes": ("to 'bob@x.example'", {"bob@x.example"}),
    "plus-tag": ("kit+news@northgate.example", {"kit+news@northgate.example"}),
    "wildcards": ("100%_off@example.com", {"100%_off@example.com"}),
    "case-is-kept": ("Nora.McSketch@Example.com", {"Nora.McSketch@Example.com"}),
    "letters-of-other-scripts": ("jörg@bücher.example", {"jörg@bücher.example"}),
    "decomposed-letters": ("jo\u0308rg@x.example", {"jörg@x.example"}),
    "a-label": ("mia@xn--bcher-kva.example", {"mia@xn--bcher-kva.example"}),
    "ideographic-full-stop": ("bob@x。example", {"bob@x.example"}),
    "wide-at-sign": ("bob＠x.example", {"bob@x.example"}),
    "soft-hyphen": ("bob@long\u00adname.example", {"bob@longname.example"}),
    "zero-width": ("bo\u200bb@{}".format("x.exa\u200dmple"), {"bob@x.example"}),
    "percent-encoded": ("https://list.example/?to=1&x bob%40x.example", {"bob@x.example"}),
    "percent-encoded-tag": ("mailto:kit%2Bnews@x.example", {"kit+news@x.example"}),
    "percent-sign-that-is-no-code": ("50%of@x.example", {"50%of@x.example"}),
    "entity-at": ("bob&#64;x.example or ann&#x40;x.example", {"bob@x.example", "ann@x.example"}),
    "entity-in-the-local-part": ("o&#39;brien@x.example", {"o'brien@x.example"}),
    "hyphens-in-the-domain": ("bob@a-b--c.example", {"bob@a-b--c.example"}),
    "wide-letters": ("ｂｏｂ＠ｘ．example", {"bob@x.example"}),
    "soft-hyphen-at-a-line-end": ("bob@long\u00ad\nname.example", {"bob@longname.example"}),
    "a-hyphen-that-does-not-break": ("bob@a\u2011b.example", {"bob@a-b.example"}),
    "escaped-at": ('{"who":"bob\\u0040x.example"}', {"bob@x.example"}),
    "named-entity": ("bob&commat;x.example", {"bob@x.example"}),
    "list-with-semicolons": (
        "bob@x.example;ann@x.example; zoe@x.example",
        {f"{n}@x.example" for n in ("bob", "ann", "zoe")},
    ),
    "end-of-a-line-that-ends-a-sentence": ("Ask bob@x.example.\nThank you", {"bob@x.example"}),
    "several-lines": ("a@x.example\nb@x.example\r\nc@x.example", {"a@x.example", "b@x.example", "c@x.example"}),
}
NOTHING = [
    "@",
    "bob@",
    "@x.example",
    "bob@localhost",
    "bob@1.2.3.4",
    "bob @ x.example",
    "a" * 70 + "@x.example",
]
GLUED = {
    "key-and-value": ("email=bob@x.example", "email=bob@x.example", "bob@x.example"),
    "path": ("unsubscribe/bob@x.example", "unsubscribe/bob@x.example", "bob@x.example"),
    "bullet": ("-bob@x.example", "-bob@x.example", "bob@x.example"),
    "next-sentence": (f"{BOB}.Thanks", f"{BOB}.Thanks", BOB),
}
NO_COUNTRY = "zz"
"""Two letters that are never given to a country."""

BROKEN = {
    "before-the-at": ("write to jane.doe\n@x.example now", set(), {"jane.doe@x.example"}),
    "after-the-at": ("write to jane.doe@\r\nx.example now", set(), {"jane.doe@x.example"}),
    "after-a-dot-of-the-local-part": ("to jane.\ndoe@x.example", {"doe@x.example"}, {"jane.doe@x.example"}),
    "after-a-dot-of-the-domain": ("to jane@mail.\nx.example", set(), {"jane@mail.x.example"}),
    "hyphenated-domain": ("to jane@long-\nname.example", set(), {"jane@longname.example", "jane@long-name.example"}),
    "country-on-the-next-line": (
        f"to jane@example.com.\n{NO_COUNTRY} now",
        {"jane@example.com"},
        {f"jane@example.com.{NO_COUNTRY}"},
    ),
    "quoted-printable": ("to jane=40x.exa=\nmple", set(), {"jane@x.example"}),
}
IN_WORDS = ["jane [at] x.example", "jane(at)x(dot)example", "Jane at x dot example", "jane [AT] x [DOT] example"]
PHONES = {
    "international": ("ring +44 20 7946 0018 today", "+442079460018"),
    "national": ("020 7946 0018", "+442079460018"),
    "brackets": ("(020) 7946-0018", "+442079460018"),
    "fiction": ("07700 900123", "+447700900123"),
    "seven-digits-with-a-country-code": ("+372 600 1234", "+3726001234"),
    "another-country": ("+49 30 23125 042", "+493023125042"),
}
NO_PHONES = ["2021-11-22", "01-02-2021", "order 12345678", "1234", "978-3-16-148410-0", "a07700900123b"]


def emails(text: str, *, whole: bool = True) -> set[str]:
    found = mentions(text).items()
    return {one.value for one, is_whole in found if one.kind is IdentifierKind.EMAIL and is_whole is whole}


def phones(text: str) -> set[str]:
    return {one.value for one in mentions(text) if one.kind is IdentifierKind.PHONE}


@pytest.mark.parametrize("name", WHOLE)
def test_an_address_is_found_from_end_to_end(name: str) -> None:
    text, expected = WHOLE[name]
    assert emails(text) == expected


@pytest.mark.parametrize("text", NOTHING, ids=range(len(NOTHING)))
def test_what_is_no_address_names_nobody(text: str) -> None:
    assert mentions(text) == {}


@pytest.mark.parametrize("name", GLUED)
def test_what_may_be_glued_to_an_address_gives_both_and_only_the_longer_as_whole(name: str) -> None:
    text, longer, shorter = GLUED[name]
    assert emails(text) == {longer}
    assert emails(text, whole=False) == {shorter}


def test_two_addresses_without_anything_between_are_no_whole_addresses() -> None:
    assert emails(f"{BOB}ann@y.example") == set()


@pytest.mark.parametrize("name", BROKEN)
def test_an_address_on_two_lines_is_read_in_each_way_it_may_be_and_never_as_whole(name: str) -> None:
    text, whole, guessed = BROKEN[name]
    assert emails(text) == whole
    assert emails(text, whole=False) == guessed


@pytest.mark.parametrize("text", IN_WORDS)
def test_an_address_in_words_is_evidence_that_never_erases(text: str) -> None:
    [found] = mentions(text)
    keyring = Keyring.generate("k1")
    jane = [Identifier(IdentifierKind.EMAIL, name) for name in ("jane@x.example", "Jane@x.example")]
    assert keyring.folded_key(found) == keyring.folded_key(jane[0])
    assert keyring.exact_key(found) not in {keyring.exact_key(one) for one in jane}


@pytest.mark.parametrize(
    "text", ["meet at noon dot", "look at example.com", "at [10] at home", "f(at)", "a (at least) b"]
)
def test_the_word_at_is_no_address(text: str) -> None:
    assert mentions(text) == {}


def test_customer_numbers_are_found_in_the_forms_the_policy_declares() -> None:
    sought = Sought(customer_numbers=("CU-######", "?#####"))
    text = "CU-123456, XCU-123456, CU-1234567, A12345, AB12345; (CU-654321)"
    found = {one.value for one in mentions(text, sought) if one.kind is IdentifierKind.CUSTOMER_NUMBER}
    assert found == {"CU-123456", "A12345", "CU-654321"}
    assert not mentions("CU-123456")


def test_a_national_number_is_read_in_the_region_of_the_policy() -> None:
    text = "030 23125 042"
    assert [one.value for one in mentions(text, Sought(phone_region="DE"))] == ["+493023125042"]


@pytest.mark.parametrize("name", PHONES)
def test_a_number_is_found_in_its_international_form(name: str) -> None:
    text, expected = PHONES[name]
    assert phones(text) == {expected}


@pytest.mark.parametrize("text", NO_PHONES)
def test_a_date_or_an_order_number_is_no_telephone_number(text: str) -> None:
    assert phones(text) == set()


def test_one_address_in_two_spellings_of_its_domain_is_one() -> None:
    letters = Identifier(IdentifierKind.EMAIL, "mia@Bücher.example")
    label = Identifier(IdentifierKind.EMAIL, "<mia@xn--bcher-kva.example>")
    assert comparable(letters) == comparable(label)


def test_the_local_part_keeps_its_case_and_its_tag() -> None:
    spellings = ["kit@x.example", "Kit@x.example", "kit+news@x.example", "k.it@x.example"]
    assert len({comparable(Identifier(IdentifierKind.EMAIL, value)) for value in spellings}) == 4


@pytest.mark.parametrize("text", ["@" * 200_000, "a.b" * 70_000 + "@", "x@" + "a." * 100_000, "&#64;" * 40_000])
def test_text_made_to_be_slow_is_read_in_seconds(text: str) -> None:
    begun = time.process_time()
    mentions(text)
    assert time.process_time() - begun < 10
