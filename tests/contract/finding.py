"""Does a search find what was asked for, all of it, and nothing else?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from retention.vocabulary import (
    Criteria,
    Cursor,
)
from tests.contract.questions import (
    Make,
    asking_for,
    broad_criteria,
    changes,
    changes_of,
    collection_days,
    current,
    everything_about,
    expired_criteria,
    findings_of,
    has_no_date,
    is_expired,
    key_of,
    keys_of,
    listing,
    pages_of,
    position_after,
    refs,
    search,
)
from tests.contract.world import EXPIRED_ON, SHORT_ON, Sample, World

# Legal addresses that a query language could take for a pattern, each with a bystander that the pattern would catch.
PATTERNS = {
    "percent": ("%@example.com", "percent-bystander@example.com"),
    "star": ("*@example.com", "star-bystander@example.com"),
    "underscore": ("a_b@example.com", "axb@example.com"),
    "question-mark": ("q?x@example.com", "qux@example.com"),
    "apostrophe": ("o'brien+%_@example.com", "o'brien+xyz@example.com"),
    "plus-tag": ("ann+news@example.com", "ann@example.com"),
}
# Texts that no system stores as an address; asking for one must find nobody, and must not spoil the rest of the search.
HOSTILE = {
    "backslash": "a\\b@example.com",
    "trailing-backslash": "nobody@example.com\\",
    "double-quotes": '"quoted"@example.com',
    "quote-or": "' OR '1'='1",
    "quote-closing": "nobody@example.com' OR Email LIKE '%",
    "json": '"}]},{"filters":[]',
    "carriage-return": "nobody@example.com\r\nX-Injected: yes",
    "null-byte": "nobody@example.com\x00",
    "unicode": "jörg.å@exämple.example",
    "right-to-left": "nobody\u202e@example.com",
    "only-percent": "%",
    "empty": "",
    "path": "../../etc/passwd",
}


class FindingPromises:
    """What `find` and `changes` promise."""

    def test_what_was_collected_before_the_cutoff_is_found_and_one_day_short_is_not(
        self, world: World, made: Make
    ) -> None:
        expired, short, live = made(Sample.EXPIRED), made(Sample.ONE_DAY_SHORT), made()
        found = search(world, expired_criteria())
        assert expired.ref in refs(found)
        assert short.ref not in refs(found)
        assert live.ref not in refs(found)
        assert all(is_expired(finding) for finding in found)

    def test_the_collection_date_is_reported_with_where_it_was_read(self, world: World, made: Make) -> None:
        expired, short = made(Sample.EXPIRED), made(Sample.ONE_DAY_SHORT)
        findings = everything_about(world, expired, short)
        assert collection_days(findings[expired.ref]) == {EXPIRED_ON}
        assert collection_days(findings[short.ref]) == {SHORT_ON}
        for finding in findings.values():
            assert all(facts.collected.provenance for facts in finding.facts.classes if facts.collected)

    def test_who_opted_out_is_found_and_nobody_else(self, world: World, made: Make) -> None:
        opted_out, live = made(Sample.OPTED_OUT), made()
        found = search(world, Criteria(opted_out=True))
        assert opted_out.ref in refs(found)
        assert live.ref not in refs(found)
        assert all(finding.facts.opted_out for finding in found)

    def test_what_has_no_provable_collection_date_is_found_and_nothing_else(self, world: World, made: Make) -> None:
        undated, live, expired = made(Sample.UNDATED), made(), made(Sample.EXPIRED)
        found = search(world, Criteria(undated=True))
        assert undated.ref in refs(found)
        assert live.ref not in refs(found)
        assert expired.ref not in refs(found)
        assert all(has_no_date(finding) for finding in found)

    def test_a_record_without_a_collection_date_is_never_found_as_expired(self, world: World, made: Make) -> None:
        undated = made(Sample.UNDATED)
        assert undated.ref not in refs(search(world, expired_criteria()))

    def test_a_person_is_found_by_address_and_nobody_else(self, world: World, made: Make) -> None:
        one, other = made(), made()
        assert refs(search(world, asking_for(one.email))) == {one.ref}
        assert refs(search(world, asking_for(one.email, other.email))) == {one.ref, other.ref}

    def test_an_address_is_found_whatever_case_its_domain_is_asked_in(self, world: World, made: Make) -> None:
        one = made()
        assert refs(search(world, asking_for(one.email.replace("example.com", "EXAMPLE.com")))) == {one.ref}

    def test_the_parts_of_criteria_are_alternatives(self, world: World, made: Make) -> None:
        by_address, opted_out, live = made(), made(Sample.OPTED_OUT), made()
        found = search(world, replace(asking_for(by_address.email), opted_out=True))
        assert {by_address.ref, opted_out.ref} <= refs(found)
        assert live.ref not in refs(found)

    def test_empty_criteria_find_nothing(self, world: World, made: Make) -> None:
        made()
        assert search(world, Criteria()) == []

    @pytest.mark.parametrize("pattern", PATTERNS)
    def test_an_address_that_looks_like_a_pattern_finds_only_itself(
        self, world: World, made: Make, pattern: str
    ) -> None:
        address, bystander = PATTERNS[pattern]
        owner, _ = made(email=address), made(email=bystander)
        assert refs(search(world, asking_for(address))) == {owner.ref}

    @pytest.mark.parametrize("pattern", PATTERNS)
    def test_a_pattern_nobody_is_called_finds_nobody(self, world: World, made: Make, pattern: str) -> None:
        address, bystander = PATTERNS[pattern]
        made(email=bystander)
        assert search(world, asking_for(address)) == []

    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_a_hostile_identifier_finds_nobody(self, world: World, made: Make, hostile: str) -> None:
        made()
        made(email="ab@example.com")
        assert search(world, asking_for(HOSTILE[hostile])) == []

    def test_hostile_identifiers_do_not_spoil_the_search_for_the_others(self, world: World, made: Make) -> None:
        one = made()
        assert refs(search(world, asking_for(*HOSTILE.values(), one.email))) == {one.ref}

    def test_the_same_search_gives_the_same_pages(self, world: World, made: Make) -> None:
        made(Sample.EXPIRED)
        assert pages_of(world, broad_criteria()) == pages_of(world, broad_criteria())

    def test_no_record_is_found_twice_in_one_search(self, world: World, made: Make) -> None:
        made(Sample.EXPIRED)
        made(Sample.OPTED_OUT)
        keys = [(finding.ref.kind, finding.ref.key) for finding in search(world, broad_criteria())]
        assert len(keys) == len(set(keys))

    def test_a_search_resumes_after_any_page_as_if_it_had_never_stopped(self, world: World, made: Make) -> None:
        for _ in range(3):
            made(Sample.EXPIRED)
        pages = pages_of(world, broad_criteria())
        assert len(pages) > 1, "this world shows a single page: build its connector with smaller ones"
        assert all(page.next is not None for page in pages[:-1])
        assert pages[-1].next is None
        for number, page in enumerate(pages[:-1], start=1):
            rest = list(world.reconnect().find(broad_criteria(), Cursor(str(page.next))))
            assert findings_of(rest) == findings_of(pages[number:])

    def test_a_page_counts_at_least_what_it_reports(self, world: World, made: Make) -> None:
        made(Sample.EXPIRED)
        assert all(page.read >= len(page.findings) for page in listing(world))

    def test_a_finding_carries_the_version_that_a_reading_back_sees(self, world: World, made: Make) -> None:
        one = made()
        finding = everything_about(world, one)[one.ref]
        assert finding.ref.version
        assert finding.ref.version == one.ref.version
        assert finding.ref.system == world.connector.system

    def test_a_version_moves_on_when_somebody_else_edits_the_record(self, world: World, made: Make) -> None:
        one = made()
        world.change(one.ref)
        assert current(world.connector, one.ref).version not in {"", one.ref.version}

    def test_a_finding_knows_its_subject_and_shows_nothing_of_it(self, world: World, made: Make) -> None:
        one = made()
        finding = everything_about(world, one)[one.ref]
        assert one.email in {identifier.value for identifier in finding.identifiers}
        assert "@" not in repr(finding)
        pages = listing(world)
        assert all(one.email not in repr(page) for page in pages)
        # A cursor is text; a token is digests, in which any byte may stand.
        assert not any("@" in page.next for page in pages if isinstance(page.next, str))

    def test_a_record_of_two_data_classes_is_reported_class_by_class(self, world: World, made: Make) -> None:
        mixed = made(Sample.MIXED)
        classes = everything_about(world, mixed)[mixed.ref].facts.classes
        assert len({facts.data_class for facts in classes}) > 1
        named = {name for facts in classes for name in facts.fields}
        assert set(world.clearable) <= named

    def test_an_item_about_several_people_says_so_and_names_them(self, world: World, made: Make) -> None:
        shared = made(Sample.SHARED)
        finding = everything_about(world, shared)[shared.ref]
        assert finding.facts.several_people
        assert shared.email in {identifier.value for identifier in finding.identifiers}
        assert len(set(finding.identifiers)) > 1

    # --- The catalogue's food ---

    def test_reading_changes_from_nothing_names_everything(self, world: World, made: Make) -> None:
        one, other = made(Sample.EXPIRED), made()
        pages = changes(world)
        assert {one.ref, other.ref} <= refs(findings_of(pages))
        assert pages[-1].whole
        assert not any(page.whole for page in pages[:-1])
        assert position_after(pages)

    def test_reading_changes_from_a_position_names_only_what_changed(self, world: World, made: Make) -> None:
        untouched, changed, removed = made(), made(), made()
        position = position_after(changes(world))
        world.change(changed.ref)
        world.remove(removed.ref)
        new = made()
        pages = changes(world, position)
        assert keys_of(refs(findings_of(pages))) == keys_of({changed.ref, new.ref})
        unchanged = {ref for page in pages for ref in page.unchanged}
        gone = {ref for page in pages for ref in page.gone}
        assert keys_of({changed.ref, new.ref, removed.ref}).isdisjoint(keys_of(unchanged))
        if pages[-1].whole:
            assert key_of(untouched.ref) in keys_of(unchanged)
        else:
            assert key_of(removed.ref) in keys_of(gone)

    def test_a_position_may_be_used_again_when_its_answer_was_lost(self, world: World, made: Make) -> None:
        made()
        position = position_after(changes(world))
        new = made()
        first, second = changes(world, position), changes_of(world.reconnect(), position)
        assert keys_of(refs(findings_of(first))) == keys_of({new.ref})
        assert findings_of(second) == findings_of(first)

    def test_reading_again_when_nothing_changed_names_nothing(self, world: World, made: Make) -> None:
        made()
        pages = changes(world, position_after(changes(world)))
        assert findings_of(pages) == []
        assert not any(page.gone for page in pages)
