"""Does an action do what the step says, once, and touch nothing else?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from retention.vocabulary import (
    Action,
    Criteria,
    Handle,
    Identifier,
    IdentifierKind,
    OutcomeStatus,
    Presence,
    Reason,
)
from tests.contract.questions import (
    EVERY_ACTION,
    MALFORMED_KEYS,
    PRESENT,
    VERSIONED_ACTIONS,
    Make,
    act,
    asking_for,
    break_next,
    changes,
    current,
    current_presence,
    differences,
    findings_of,
    key_of,
    keys_of,
    need,
    others,
    prepared,
    refs,
    search,
    step_for,
)
from tests.contract.world import Fault, World
from tests.leave import Leave


class ActingPromises:
    """What `act` promises, whatever the action, and what each action promises."""

    @EVERY_ACTION
    def test_a_batch_gives_one_outcome_per_step_in_order(self, world: World, made: Make, action: Action) -> None:
        records = [prepared(world, made, action) for _ in range(3)]
        steps = [step for _, step in records]
        outcomes = act(world.connector, action, steps)
        assert [key_of(outcome.ref) for outcome in outcomes] == [key_of(step.ref) for step in steps]
        assert {outcome.status for outcome in outcomes} <= {OutcomeStatus.DONE, OutcomeStatus.ACCEPTED}

    @EVERY_ACTION
    def test_an_action_leaves_all_other_records_exactly_as_they_were(
        self, world: World, made: Make, action: Action
    ) -> None:
        bystander = made(email="bystander@example.com")
        record, step = prepared(world, made, action)
        before = world.snapshot()
        act(world.connector, action, [step])
        assert others(world.snapshot(), record.ref) == others(before, record.ref)
        assert key_of(bystander.ref) in before

    @EVERY_ACTION
    def test_an_action_done_twice_succeeds_twice_and_changes_nothing_more(
        self, world: World, made: Make, action: Action
    ) -> None:
        _, step = prepared(world, made, action)
        (first,) = act(world.connector, action, [step])
        world.finish()
        before = world.snapshot()
        again = replace(step, ref=current(world.reconnect(), step.ref))
        (second,) = act(world.reconnect(), action, [again])
        assert first.status in {OutcomeStatus.DONE, OutcomeStatus.ACCEPTED}
        assert second.status is OutcomeStatus.ALREADY_DONE
        assert second.reason is (Reason.GONE if action is Action.ERASE else Reason.SAME)
        assert world.snapshot() == before

    @EVERY_ACTION
    def test_the_very_same_step_repeated_does_no_harm(self, world: World, made: Make, action: Action) -> None:
        _, step = prepared(world, made, action)
        act(world.connector, action, [step])
        before = world.snapshot()
        (second,) = act(world.reconnect(), action, [step])
        # Our own write moved the version on, so "changed since planned" is as true as "already done".
        assert second.status in {OutcomeStatus.ALREADY_DONE, OutcomeStatus.ACCEPTED} or (
            (second.status, second.reason) == (OutcomeStatus.REFUSED, Reason.CHANGED)
        )
        assert not second.previous
        assert world.snapshot() == before

    @VERSIONED_ACTIONS
    def test_a_record_that_changed_after_planning_is_refused_and_left_alone(
        self, world: World, made: Make, action: Action
    ) -> None:
        record, step = prepared(world, made, action)
        world.change(record.ref)
        before = world.snapshot()
        (outcome,) = act(world.connector, action, [step])
        assert (outcome.status, outcome.reason) == (OutcomeStatus.REFUSED, Reason.CHANGED)
        assert not outcome.previous
        assert world.snapshot() == before

    @EVERY_ACTION
    def test_an_absent_record_is_an_outcome_and_no_exception(self, world: World, made: Make, action: Action) -> None:
        record, step = prepared(world, made, action)
        world.remove(record.ref)
        before = world.snapshot()
        (outcome,) = act(world.connector, action, [step])
        if action is Action.SUPPRESS and outcome.status is OutcomeStatus.DONE:
            return  # where marketing hangs on the address, it can be stopped without the record
        # Nothing can be put back or corrected in what is gone: a system may call that refused.
        allowed = {OutcomeStatus.ALREADY_DONE}
        allowed |= {OutcomeStatus.REFUSED} if action in {Action.RELEASE, Action.RECTIFY} else set()
        assert outcome.status in allowed
        assert outcome.reason is Reason.GONE
        assert world.snapshot() == before

    @EVERY_ACTION
    @pytest.mark.parametrize("bad", MALFORMED_KEYS)
    def test_one_bad_record_in_a_batch_keeps_nobody_else_from_an_outcome(
        self, world: World, made: Make, action: Action, bad: str
    ) -> None:
        (_, first), (_, last) = prepared(world, made, action), prepared(world, made, action)
        nobody = Identifier(IdentifierKind.EMAIL, "nobody-here@example.com")
        middle = replace(
            first,
            step_id="bad",
            ref=replace(first.ref, key=MALFORMED_KEYS[bad]),
            identifiers=(nobody,) if first.identifiers else (),
        )
        outcomes = act(world.connector, action, [first, middle, last])
        assert [outcome.ref.key for outcome in outcomes] == [first.ref.key, MALFORMED_KEYS[bad], last.ref.key]
        assert outcomes[0].status in {OutcomeStatus.DONE, OutcomeStatus.ACCEPTED}
        assert outcomes[2].status in {OutcomeStatus.DONE, OutcomeStatus.ACCEPTED}
        if action is not Action.SUPPRESS:  # an address may be suppressed although no record has it
            assert outcomes[1].status in {OutcomeStatus.ALREADY_DONE, OutcomeStatus.REFUSED, OutcomeStatus.FAILED}

    @EVERY_ACTION
    def test_evidence_discloses_nobody(self, world: World, made: Make, action: Action) -> None:
        record, step = prepared(world, made, action)
        (outcome,) = act(world.connector, action, [step])
        assert "@" not in repr(outcome)
        assert record.email not in outcome.evidence.request_id + outcome.evidence.vendor_time

    @EVERY_ACTION
    def test_a_job_is_noted_before_it_takes_effect(self, world: World, made: Make, action: Action) -> None:
        _, step = prepared(world, made, action)
        before = world.snapshot()
        noted: list[tuple[Handle, bool]] = []
        world.connector.act(action, [step], Leave(lambda handle: noted.append((handle, world.snapshot() == before))))
        for handle, untouched in noted:
            assert untouched
            assert handle.action is action
            assert [key_of(ref) for ref in handle.refs] == [key_of(step.ref)]
            assert "@" not in handle.job

    # --- When the leave to act ends ---

    @EVERY_ACTION
    def test_nothing_takes_effect_without_asking_for_leave(self, world: World, made: Make, action: Action) -> None:
        _, step = prepared(world, made, action)
        before = world.snapshot()
        (outcome,) = world.connector.act(action, [step], Leave(requests=0))
        assert (outcome.status, outcome.reason) == (OutcomeStatus.FAILED, Reason.NOT_SENT)
        assert not outcome.previous
        assert world.snapshot() == before
        (afterwards,) = act(world.reconnect(), action, [step])
        assert afterwards.status in {OutcomeStatus.DONE, OutcomeStatus.ACCEPTED}

    @EVERY_ACTION
    def test_thrown_between_two_requests_of_one_batch_the_switch_lets_the_one_in_flight_end_and_none_follow(
        self, world: World, made: Make, action: Action
    ) -> None:
        need(world, action)
        size = min(3, world.connector.batch_size[action])
        steps = [step for _, step in (prepared(world, made, action) for _ in range(size))]
        before = world.snapshot()
        outcomes = world.connector.act(action, steps, Leave(requests=1))
        assert [key_of(outcome.ref) for outcome in outcomes] == [key_of(step.ref) for step in steps]
        sent = {key_of(o.ref) for o in outcomes if o.status in {OutcomeStatus.DONE, OutcomeStatus.ACCEPTED}}
        unsent = [o for o in outcomes if key_of(o.ref) not in sent]
        assert {(o.status, o.reason) for o in unsent} <= {(OutcomeStatus.FAILED, Reason.NOT_SENT)}
        after = world.snapshot()
        untouched = {key: stored for key, stored in before.items() if key not in sent}
        assert {key: after.get(key) for key in untouched} == untouched
        assert all(after.get(key) != before[key] for key in sent)
        left = [step for step in steps if key_of(step.ref) not in sent]
        rest = act(world.reconnect(), action, left)
        assert {o.status for o in rest} <= {OutcomeStatus.DONE, OutcomeStatus.ACCEPTED}

    # --- Erasing ---

    def test_an_erased_record_reads_as_absent_once_the_vendor_is_finished(self, world: World, made: Make) -> None:
        _, step = prepared(world, made, Action.ERASE)
        (outcome,) = act(world.connector, Action.ERASE, [step])
        (at_once,) = world.reconnect().read_back([step])
        if outcome.status is OutcomeStatus.DONE:
            assert at_once.presence is Presence.ABSENT
        else:
            assert outcome.reason in {Reason.PENDING, Reason.RECOVERABLE}
            assert outcome.settle_on is not None
            assert at_once.presence in {Presence.ABSENT, Presence.RECOVERABLE, Presence.PRESENT}
            assert at_once.presence is not Presence.RECOVERABLE or at_once.recoverable_until is not None
        world.finish()
        (in_the_end,) = world.reconnect().read_back([step])
        assert in_the_end.presence is Presence.ABSENT
        assert in_the_end.ref.version == ""
        assert in_the_end.filled == frozenset()

    def test_an_erased_record_is_no_longer_found(self, world: World, made: Make) -> None:
        record, step = prepared(world, made, Action.ERASE)
        act(world.connector, Action.ERASE, [step])
        asked = asking_for(record.email)
        found = findings_of(changes(world)) if world.connector.catalogued else search(world, asked)
        assert key_of(record.ref) not in keys_of(refs(found))

    # --- Redacting and rectifying ---

    def test_redacting_clears_the_named_fields_and_only_them(self, world: World, made: Make) -> None:
        if not world.clearable:
            pytest.skip(f"{world.connector.system} redacts by address, not by field")
        record, step = prepared(world, made, Action.REDACT)
        before = world.snapshot()[key_of(record.ref)]
        (seen_before,) = world.connector.read_back([step])
        act(world.connector, Action.REDACT, [step])
        (seen_after,) = world.reconnect().read_back([step])
        after = world.snapshot()[key_of(record.ref)]
        assert set(world.clearable) <= seen_before.filled
        assert seen_after.filled == seen_before.filled - set(world.clearable)
        assert differences(before, after, world.bookkeeping) == set(world.clearable)
        assert all(after.get(name) in {None, "", 0} for name in world.clearable)

    def test_redacting_one_field_of_several_leaves_the_rest(self, world: World, made: Make) -> None:
        if len(world.clearable) < 2:
            pytest.skip(f"{world.connector.system} has fewer than two fields to clear")
        record, step = prepared(world, made, Action.REDACT)
        before = world.snapshot()[key_of(record.ref)]
        act(world.connector, Action.REDACT, [replace(step, fields=world.clearable[:1])])
        after = world.snapshot()[key_of(record.ref)]
        assert differences(before, after, world.bookkeeping) == set(world.clearable[:1])

    def test_redacting_one_subject_leaves_the_item_without_any_mention_of_them(self, world: World, made: Make) -> None:
        if world.clearable:
            pytest.skip(f"{world.connector.system} redacts by field, not by address")
        record, step = prepared(world, made, Action.REDACT)
        (seen_before,) = world.connector.read_back([step])
        act(world.connector, Action.REDACT, [step])
        (seen_after,) = world.reconnect().read_back([step])
        assert (seen_before.mentions, seen_after.mentions) == (True, False)
        assert seen_after.presence in PRESENT
        after = repr(world.snapshot()[key_of(record.ref)])
        assert record.email not in after

    def test_rectifying_sets_the_named_fields_and_only_them(self, world: World, made: Make) -> None:
        record, step = prepared(world, made, Action.RECTIFY)
        before = world.snapshot()[key_of(record.ref)]
        act(world.connector, Action.RECTIFY, [step])
        after = world.snapshot()[key_of(record.ref)]
        assert differences(before, after, world.bookkeeping) == set(world.corrections)
        assert {name: after[name] for name in world.corrections} == dict(world.corrections)

    def test_what_stood_there_is_noted_before_it_is_corrected(self, world: World, made: Make) -> None:
        record, step = prepared(world, made, Action.RECTIFY)
        before = world.snapshot()
        noted: list[tuple[Handle, bool]] = []
        world.connector.act(
            Action.RECTIFY, [step], Leave(lambda handle: noted.append((handle, world.snapshot() == before)))
        )
        ((handle, is_before),) = noted
        assert is_before, "noted after the effect"
        stood = {name: before[key_of(record.ref)].get(name) or "" for name in world.corrections}
        assert [{name: value or "" for name, value in one.items()} for one in handle.previous] == [stood]
        assert not any(str(value) in repr(handle) for value in stood.values() if value)

    def test_a_read_back_says_whether_the_corrected_values_stand_there(self, world: World, made: Make) -> None:
        _, step = prepared(world, made, Action.RECTIFY)
        (seen_before,) = world.connector.read_back([step])
        act(world.connector, Action.RECTIFY, [step])
        (seen_after,) = world.reconnect().read_back([step])
        (not_asked,) = world.reconnect().read_back([replace(step, action=Action.ERASE, values={})])
        assert (seen_before.corrected, seen_after.corrected, not_asked.corrected) == (False, True, None)

    def test_a_correction_that_was_answered_and_had_no_effect_is_seen(self, world: World, made: Make) -> None:
        _, step = prepared(world, made, Action.RECTIFY)
        break_next(world, Fault.SUCCESS_WITHOUT_EFFECT, Action.RECTIFY)
        act(world.connector, Action.RECTIFY, [step])
        (seen,) = world.reconnect().read_back([step])
        assert seen.corrected is False

    # --- Restricting and releasing ---

    def test_a_restricted_record_reads_as_restricted_and_is_still_there(self, world: World, made: Make) -> None:
        record, step = prepared(world, made, Action.RESTRICT)
        (seen_before,) = world.connector.read_back([step])
        act(world.connector, Action.RESTRICT, [step])
        (seen_after,) = world.reconnect().read_back([step])
        assert (seen_before.presence, seen_after.presence) == (Presence.PRESENT, Presence.RESTRICTED)
        assert seen_after.filled == seen_before.filled
        assert key_of(record.ref) in world.snapshot()
        if not world.connector.catalogued:
            (finding,) = search(world, asking_for(record.email))
            assert finding.facts.restricted

    def test_restricting_reports_the_previous_state_once(self, world: World, made: Make) -> None:
        _, step = prepared(world, made, Action.RESTRICT)
        (first,) = act(world.connector, Action.RESTRICT, [step])
        again = replace(step, ref=current(world.connector, step.ref))
        (second,) = act(world.connector, Action.RESTRICT, [again])
        assert first.previous
        assert (second.status, second.reason) == (OutcomeStatus.ALREADY_DONE, Reason.SAME)
        assert not second.previous

    def test_the_previous_state_is_noted_before_it_is_changed(self, world: World, made: Make) -> None:
        (_, first), (_, second) = prepared(world, made, Action.RESTRICT), prepared(world, made, Action.RESTRICT)
        batch = [first, second][: world.connector.batch_size[Action.RESTRICT]]
        before = world.snapshot()
        noted: list[tuple[Handle, bool]] = []
        outcomes = world.connector.act(
            Action.RESTRICT, batch, Leave(lambda handle: noted.append((handle, world.snapshot() == before)))
        )
        assert noted
        assert noted[0][1], "noted after the effect"
        previous = {key_of(r): dict(p) for h, _ in noted for r, p in zip(h.refs, h.previous, strict=True)}
        assert previous == {key_of(outcome.ref): dict(outcome.previous) for outcome in outcomes}
        assert all(previous.values())
        assert not any("@" in repr(handle) for handle, _ in noted)

    def test_a_restriction_whose_answer_was_lost_is_released_by_what_was_noted(self, world: World, made: Make) -> None:
        need(world, Action.RELEASE)
        record, step = prepared(world, made, Action.RESTRICT)
        before = world.snapshot()[key_of(record.ref)]
        noted: list[Handle] = []
        break_next(world, Fault.TIMEOUT_AFTER_EFFECT, Action.RESTRICT)
        world.connector.act(Action.RESTRICT, [step], Leave(noted.append))
        assert noted
        releasing = replace(
            step_for(world, record, Action.RELEASE),
            ref=current(world.reconnect(), record.ref),
            values=noted[0].previous[0],
        )
        act(world.reconnect(), Action.RELEASE, [releasing])
        assert differences(before, world.snapshot()[key_of(record.ref)], world.bookkeeping) == set()

    def test_releasing_puts_back_exactly_what_was_there_before(self, world: World, made: Make) -> None:
        need(world, Action.RELEASE)
        record = made()
        before = world.snapshot()[key_of(record.ref)]
        restricting = step_for(world, record, Action.RESTRICT)
        (restricted,) = act(world.connector, Action.RESTRICT, [restricting])
        assert differences(before, world.snapshot()[key_of(record.ref)], world.bookkeeping)
        releasing = replace(
            step_for(world, record, Action.RELEASE),
            ref=current(world.connector, record.ref),
            values=restricted.previous,
        )
        (released,) = act(world.reconnect(), Action.RELEASE, [releasing])
        assert released.status is OutcomeStatus.DONE
        assert differences(before, world.snapshot()[key_of(record.ref)], world.bookkeeping) == set()
        assert current_presence(world, releasing) is Presence.PRESENT

    # --- Suppressing ---

    def test_suppressing_stops_marketing_and_keeps_the_record(self, world: World, made: Make) -> None:
        record, step = prepared(world, made, Action.SUPPRESS)
        (seen_before,) = world.connector.read_back([step])
        (outcome,) = act(world.connector, Action.SUPPRESS, [step])
        (seen_after,) = world.reconnect().read_back([step])
        assert outcome.status is OutcomeStatus.DONE
        assert (seen_before.opted_out, seen_after.opted_out) == (False, True)
        assert seen_after.filled == seen_before.filled
        if not world.connector.catalogued:
            assert key_of(record.ref) in keys_of(refs(search(world, Criteria(opted_out=True))))

    def test_an_opt_out_reaches_a_record_that_changed_meanwhile(self, world: World, made: Make) -> None:
        record, step = prepared(world, made, Action.SUPPRESS)
        world.change(record.ref)
        (outcome,) = act(world.connector, Action.SUPPRESS, [step])
        (seen,) = world.connector.read_back([step])
        assert outcome.status is OutcomeStatus.DONE
        assert seen.opted_out is True
