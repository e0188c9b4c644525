"""Does a connector tell what is there, and the truth when the system fails?"""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from retention.contract import AccessDenied, Incomplete, Throttled, Unavailable
from retention.vocabulary import (
    Action,
    Handle,
    OutcomeStatus,
    Presence,
    Reason,
)
from tests.contract.questions import (
    EVERY_ACTION,
    MALFORMED_KEYS,
    SUCCEEDED,
    Make,
    act,
    assert_discloses_nothing,
    break_next,
    calls,
    current_presence,
    findings_of,
    key_of,
    listing,
    prepared,
    reading,
    reads,
    shows,
)
from tests.contract.world import Fault, Sample, World
from tests.leave import Leave


class TellingPromises:
    """What `read_back`, `export`, `link` and `settle` promise, and every call of a system that fails."""

    # --- Reading back ---

    def test_reading_back_says_per_record_what_it_saw_and_through_which_views(self, world: World, made: Make) -> None:
        present, removed, other = made(), made(), made()
        world.remove(removed.ref)
        before = world.snapshot()
        steps = [reading(record) for record in (present, removed, other)]
        seen = world.connector.read_back(steps)
        assert [key_of(observation.ref) for observation in seen] == [key_of(step.ref) for step in steps]
        assert [o.presence for o in seen] == [Presence.PRESENT, Presence.ABSENT, Presence.PRESENT]
        assert all(observation.views for observation in seen)
        assert all("@" not in repr(observation) for observation in seen)
        assert world.snapshot() == before

    def test_reading_back_only_what_is_absent_still_proves_the_absence(self, world: World, made: Make) -> None:
        removed = made()
        world.remove(removed.ref)
        assert current_presence(world, reading(removed)) is Presence.ABSENT

    @pytest.mark.parametrize("bad", MALFORMED_KEYS)
    def test_a_malformed_key_among_others_is_read_back_as_not_there(self, world: World, made: Make, bad: str) -> None:
        one = made()
        step = replace(reading(one), ref=replace(one.ref, key=MALFORMED_KEYS[bad]))
        first, second = world.connector.read_back([step, reading(one)])
        assert first.presence in {Presence.ABSENT, Presence.UNREADABLE}
        assert second.presence is Presence.PRESENT

    def test_reading_back_nothing_and_doing_nothing_are_fine(self, world: World) -> None:
        assert list(world.connector.read_back([])) == []
        assert list(world.connector.export([])) == []
        for action in world.connector.supports:
            assert list(world.connector.act(action, [], Leave())) == []

    # --- Export and link ---

    def test_an_export_holds_what_is_stored_and_is_the_same_every_time(self, world: World, made: Make) -> None:
        one, other, removed = made(), made(), made()
        world.remove(removed.ref)
        batch = [one.ref, removed.ref, other.ref]
        first = list(world.connector.export(batch))
        assert [key_of(document.ref) for document in first] == [key_of(one.ref), key_of(other.ref)]
        assert one.email.encode() in first[0].content
        assert other.email.encode() not in first[0].content
        assert all("/" in document.media_type for document in first)
        assert "@" not in repr(first)
        assert list(world.reconnect().export(batch)) == first

    def test_a_link_is_an_address_or_nothing(self, world: World, made: Make) -> None:
        one = made()
        link = world.connector.link(one.ref)
        if link is None:
            return
        assert "://" in link
        assert one.email not in link
        assert not any(secret in link for secret in world.secrets)
        assert link == world.reconnect().link(one.ref)

    # --- When the system fails ---

    def test_wrong_credentials_are_access_denied_at_the_first_call(self, world: World, made: Make) -> None:
        one = made()
        before = world.snapshot()
        for call in calls(world, one):
            break_next(world, Fault.DENIED)
            with pytest.raises(AccessDenied) as denied:
                call()
            assert_discloses_nothing(denied.value, world, one)
        assert world.snapshot() == before

    def test_a_system_that_does_not_answer_is_unavailable_and_never_empty(self, world: World, made: Make) -> None:
        one = made()
        before = world.snapshot()
        for call in reads(world, one):
            break_next(world, Fault.UNAVAILABLE)
            with pytest.raises((Unavailable, Throttled)) as failed:
                call()
            assert_discloses_nothing(failed.value, world, one)
        assert world.snapshot() == before

    @EVERY_ACTION
    def test_a_system_that_does_not_answer_to_an_action_leaves_it_failed_or_unknown(
        self, world: World, made: Make, action: Action
    ) -> None:
        _, step = prepared(world, made, action)
        before = world.snapshot()
        break_next(world, Fault.UNAVAILABLE)
        try:
            (outcome,) = act(world.connector, action, [step])
        except (Unavailable, Throttled) as failed:
            assert_discloses_nothing(failed, world)
        else:
            assert outcome.status in {OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN}
            assert outcome.reason is not Reason.OK
        assert world.snapshot() == before

    def test_an_answer_that_breaks_off_is_never_a_quiet_short_list(self, world: World, made: Make) -> None:
        for _ in range(3):
            made(Sample.EXPIRED)
        whole = findings_of(listing(world))
        break_next(world, Fault.TRUNCATED)
        try:
            pages = listing(world)
        except (Incomplete, Unavailable) as failed:
            assert_discloses_nothing(failed, world)
        else:
            assert any(page.gaps for page in pages) or findings_of(pages) == whole

    @EVERY_ACTION
    def test_an_effect_whose_answer_was_lost_is_unknown_until_settled(
        self, world: World, made: Make, action: Action
    ) -> None:
        record, step = prepared(world, made, action)
        untouched = world.snapshot()[key_of(record.ref)]
        noted: list[Handle] = []
        break_next(world, Fault.TIMEOUT_AFTER_EFFECT, action)
        (outcome,) = world.connector.act(action, [step], Leave(noted.append))
        assert outcome.status is OutcomeStatus.UNKNOWN
        assert outcome.reason is Reason.NO_ANSWER
        assert world.snapshot().get(key_of(record.ref)) != untouched, "the world's fault left no effect"
        world.finish()
        # Another worker settles it, with nothing but what was noted, or with a handle that names no job.
        for handle in noted or [Handle(action, "", (step.ref,))]:
            (settled,) = world.reconnect().settle(handle)
            assert key_of(settled.ref) == key_of(step.ref)
            assert settled.status in SUCCEEDED | {OutcomeStatus.UNKNOWN}
        (seen,) = world.reconnect().read_back([step])
        assert shows(world, seen, step)

    @EVERY_ACTION
    def test_a_success_without_effect_is_found_by_reading_back(self, world: World, made: Make, action: Action) -> None:
        record, step = prepared(world, made, action)
        break_next(world, Fault.SUCCESS_WITHOUT_EFFECT, action)
        act(world.connector, action, [step])
        (seen,) = world.reconnect().read_back([step])
        assert key_of(record.ref) in world.snapshot(), "the world's fault had an effect"
        assert not shows(world, seen, step)
        (settled,) = world.reconnect().settle(Handle(action, "", (step.ref,)))
        assert settled.status not in SUCCEEDED

    def test_what_is_hidden_from_us_is_unreadable_not_absent(self, world: World, made: Make) -> None:
        one = made()
        break_next(world, Fault.HIDDEN)
        assert current_presence(world, reading(one)) is Presence.UNREADABLE

    # --- Silence ---

    def test_nothing_personal_is_logged(self, world: World, made: Make, caplog: pytest.LogCaptureFixture) -> None:
        one = made()
        with caplog.at_level(logging.INFO):
            listing(world)
            for call in reads(world, one):
                call()
            for action in sorted(world.connector.supports):
                _, step = prepared(world, made, action)
                act(world.connector, action, [step])
        assert one.email.partition("-1@")[0] not in caplog.text
        assert not any(secret in caplog.text for secret in world.secrets)
