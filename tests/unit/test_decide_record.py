"""What may be done to a whole record when its parts have different fates?"""

from __future__ import annotations

from retention.decide import Decision, Disposition, FollowUp, ReasonCode, of_record
from retention.vocabulary import Action


def decision(disposition: Disposition, reason: ReasonCode, *follow_ups: FollowUp) -> Decision:
    return Decision(disposition, reason, "a rule", ("5(1)(e)",), frozenset(follow_ups))


GOES = decision(Disposition.ERASE, ReasonCode.RET_EXPIRED, FollowUp.NOTIFY_RECIPIENTS)
UNSUBSCRIBED = decision(Disposition.ERASE, ReasonCode.UNSUB_MARKETING, FollowUp.STOP_MARKETING)
STAYS = decision(Disposition.KEEP, ReasonCode.RET_NOT_DUE)
BLOCKED = decision(Disposition.RESTRICT, ReasonCode.R18_ACCURACY, FollowUp.BLOCK_OTHER_USE)
DOUBTFUL = decision(Disposition.REVIEW, ReasonCode.RET_NO_START, FollowUp.REVIEW_QUEUE)
HELD = decision(Disposition.RESTRICT, ReasonCode.HOLD_ACTIVE, FollowUp.BLOCK_OTHER_USE)
HELD_IN_USE = decision(Disposition.KEEP, ReasonCode.HOLD_ACTIVE)
ANONYMOUS = decision(Disposition.ANONYMISE, ReasonCode.ANON_OK)
GONE = decision(Disposition.NOOP, ReasonCode.ALREADY_ERASED)


def test_a_record_goes_if_every_part_of_it_goes() -> None:
    verdict = of_record([(("Email", "Phone"), GOES), (("Interests__c",), UNSUBSCRIBED)])

    assert verdict.action is Action.ERASE
    assert verdict.fields == ()
    assert verdict.reasons == {ReasonCode.RET_EXPIRED, ReasonCode.UNSUB_MARKETING}
    assert verdict.follow_ups == {FollowUp.NOTIFY_RECIPIENTS, FollowUp.STOP_MARKETING}
    assert not verdict.needs_review
    assert not verdict.blocked_by_hold


def test_a_file_goes_if_it_may_go_for_everybody_in_it() -> None:
    assert of_record([((), GOES)]).action is Action.ERASE
    assert of_record([((), GOES), ((), GOES)]).action is Action.ERASE


def test_a_file_that_one_of_its_people_may_keep_goes_to_a_person() -> None:
    verdict = of_record([((), GOES), ((), STAYS)])

    assert verdict.action is None
    assert verdict.needs_review


def test_what_may_go_is_cleared_field_by_field_when_something_stays() -> None:
    verdict = of_record([(("Score", "Interests"), UNSUBSCRIBED), (("Email",), STAYS)])

    assert verdict.action is Action.REDACT
    assert verdict.fields == ("Interests", "Score")
    assert not verdict.needs_review


def test_a_field_of_two_classes_is_cleared_only_when_both_let_it_go() -> None:
    parts = [(("Email", "Score"), UNSUBSCRIBED), (("Email", "Phone"), STAYS), (("Email",), GOES)]

    assert of_record(parts).fields == ("Score",)


def test_a_field_that_is_only_shared_with_a_kept_class_is_nothing_to_do() -> None:
    verdict = of_record([(("Email",), UNSUBSCRIBED), (("Email", "Phone"), STAYS)])

    assert verdict.action is None
    assert not verdict.needs_review


def test_a_field_in_doubt_is_not_cleared() -> None:
    verdict = of_record([(("Email", "Score"), GOES), (("Email",), DOUBTFUL)])

    assert verdict.action is Action.REDACT
    assert verdict.fields == ("Score",)
    assert verdict.needs_review


def test_a_hold_on_one_part_lets_only_the_fields_of_the_others_be_cleared() -> None:
    for hold in (HELD, HELD_IN_USE):
        verdict = of_record([(("Score", "Email"), UNSUBSCRIBED), (("Email",), hold)])

        assert verdict.action is Action.REDACT
        assert verdict.fields == ("Score",)
        assert verdict.held_in_part
        assert not verdict.blocked_by_hold


def test_a_hold_on_one_part_stops_every_verb_that_reaches_the_whole_record() -> None:
    for other in (BLOCKED, STAYS):
        verdict = of_record([(("Score",), other), (("Email",), HELD)])

        assert verdict.action is None
        assert verdict.blocked_by_hold


def test_a_part_under_hold_is_not_marked_though_a_restriction_ranks_higher() -> None:
    verdict = of_record([(("Email",), BLOCKED), (("Phone",), STAYS)], held_in_part=True)

    assert verdict.action is None
    assert verdict.blocked_by_hold


def test_a_hold_on_every_part_stops_everything() -> None:
    verdict = of_record([(("Score",), HELD), (("Email",), HELD_IN_USE)])

    assert verdict.action is None
    assert verdict.blocked_by_hold
    assert not verdict.held_in_part


def test_a_held_record_is_not_even_marked() -> None:
    assert of_record([(("Email",), HELD)]).action is None
    assert of_record([(("Email",), BLOCKED)], held=True).action is None
    assert of_record([(("Email",), BLOCKED)], held=True).blocked_by_hold


def test_a_restricted_part_restricts_the_record_once_nothing_is_left_to_clear() -> None:
    assert of_record([(("Email",), BLOCKED), (("Phone",), STAYS)]).action is Action.RESTRICT
    assert of_record([(("Email",), BLOCKED), (("Score",), GOES)]).action is Action.REDACT


def test_a_record_already_restricted_is_left_as_it_is() -> None:
    assert of_record([(("Email",), BLOCKED)], restricted=True).action is None


def test_a_part_in_doubt_waits_for_a_person() -> None:
    verdict = of_record([(("Email",), DOUBTFUL), (("Phone",), STAYS)])

    assert verdict.action is None
    assert verdict.needs_review


def test_a_record_past_its_period_but_for_one_doubtful_part_is_not_destroyed() -> None:
    assert of_record([(("Score",), GOES), (("Email",), DOUBTFUL)]).action is Action.REDACT


def test_anonymising_clears_fields_and_leaves_the_row() -> None:
    verdict = of_record([(("ClientId",), ANONYMOUS), (("Address",), GOES)])

    assert verdict.action is Action.REDACT
    assert verdict.fields == ("Address", "ClientId")


def test_parts_that_hold_nothing_neither_permit_nor_prevent() -> None:
    assert of_record([((), GONE)]).action is None
    assert of_record([(("Email",), GOES), ((), GONE)]).action is Action.ERASE
    assert of_record([(("Email",), STAYS), ((), GONE)]).action is None


def test_a_record_without_parts_is_left_alone() -> None:
    verdict = of_record([])

    assert verdict.action is None
    assert verdict.reasons == frozenset()
    assert not verdict.needs_review
