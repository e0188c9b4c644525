"""What does the HubSpot connector make of answers nobody hoped for?"""

from __future__ import annotations

import pytest

from connectors.hubspot import HubSpotConnector
from connectors.hubspot.patience import ATTEMPTS
from retention.contract import Throttled
from retention.vocabulary import (
    Action,
    Presence,
)
from tests.contract.hubspot_wire import (
    ADDRESS,
    DELETED,
    Wire,
    answers,
    client_on,
    http,
    mixed,
    row,
    rows,
    steps,
    verdicts,
)
from tests.contract.hubspot_world import KINDS
from tests.leave import Leave


@pytest.fixture
def connector(wire: Wire) -> HubSpotConnector:
    client = client_on(wire).named("crm")
    return HubSpotConnector(client, "crm", client.tenant, KINDS)


DAILY = answers({"policyName": "DAILY", "errorType": "RATE_LIMIT", "message": ADDRESS}, "429 Too Many Requests")


def test_the_allowance_of_the_day_ends_a_batch_in_the_middle_with_an_outcome_for_each(
    wire: Wire, connector: HubSpotConnector
) -> None:
    wire.says(rows("1", "2", "3", "4"), DELETED, DELETED, DAILY)
    outcomes = connector.act(Action.ERASE, steps(Action.ERASE, "1", "2", "3", "4"), Leave())
    assert verdicts(outcomes) == [("done", "ok")] * 2 + [("failed", "not-sent")] * 2
    assert len(wire.requests) == 4


def test_a_batch_of_which_nothing_was_sent_yet_fails_as_a_whole(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(rows("1", "2"), DAILY)
    with pytest.raises(Throttled, match="crm"):
        connector.act(Action.ERASE, steps(Action.ERASE, "1", "2"), Leave())


def test_a_scope_withdrawn_in_the_middle_is_no_permission_for_the_rest(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(rows("1", "2", "3"), DELETED, answers({"category": "MISSING_SCOPES"}, "403 Forbidden"))
    outcomes = connector.act(Action.ERASE, steps(Action.ERASE, "1", "2", "3"), Leave())
    assert verdicts(outcomes) == [("done", "ok")] + [("refused", "no-permission")] * 2


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("400 Bad Request", ("refused", "rejected-by-validation")),
        ("423 Locked", ("failed", "locked")),
        ("405 Method Not Allowed", ("failed", "vendor-error")),
    ],
)
def test_a_purge_that_is_rejected_leaves_the_next_one_its_turn(
    wire: Wire, connector: HubSpotConnector, status: str, expected: tuple[str, str]
) -> None:
    rejected = [answers({"message": ADDRESS}, status)] * (ATTEMPTS if "423" in status else 1)
    wire.says(rows("1", "2"), *rejected, DELETED)
    outcomes = connector.act(Action.ERASE, steps(Action.ERASE, "1", "2"), Leave())
    assert verdicts(outcomes) == [expected, ("done", "ok")]


NOBODY = mixed(OBJECT_NOT_FOUND="1")
HTML_404 = http("404 Not Found", b"<html></html>", "text/html")


@pytest.mark.parametrize(
    ("seen_then", "expected"),
    [
        ([NOBODY, NOBODY, rows("9"), rows("9")], ("already-done", "gone")),
        ([rows("1")], ("failed", "not-proven")),
        ([NOBODY, rows("1")], ("accepted", "recoverable")),
        ([HTML_404], ("unknown", "not-proven")),
    ],
    ids=["gone", "still-there", "in-the-archive", "cannot-be-read"],
)
def test_a_purge_answered_with_not_found_is_checked_by_reading(
    wire: Wire, connector: HubSpotConnector, seen_then: list[bytes], expected: tuple[str, str]
) -> None:
    wire.says(rows("1"), HTML_404, *seen_then)
    assert verdicts(connector.act(Action.ERASE, steps(Action.ERASE, "1"), Leave())) == [expected]


def test_half_a_batch_that_failed_is_told_apart_from_the_half_that_did_not(
    wire: Wire, connector: HubSpotConnector
) -> None:
    filled = answers({"results": [row(key, phone="1") for key in ("1", "2", "3", "4")]})
    wire.says(filled, mixed("1", VALIDATION_ERROR="2", OBJECT_NOT_FOUND="4"))
    outcomes = connector.act(Action.REDACT, steps(Action.REDACT, "1", "2", "3", "4"), Leave())
    assert verdicts(outcomes) == [
        ("done", "ok"),
        ("refused", "rejected-by-validation"),
        ("unknown", "no-answer"),
        ("refused", "changed-since-planned"),
    ]


def test_a_change_that_every_contact_rejects_is_not_tried_on_each(wire: Wire, connector: HubSpotConnector) -> None:
    keys = [str(number) for number in range(1, 101)]
    filled = answers({"results": [row(key, phone="1") for key in keys]})
    wire.says(filled, answers({"category": "VALIDATION_ERROR", "message": ADDRESS}, "400 Bad Request"))
    outcomes = connector.act(Action.REDACT, steps(Action.REDACT, *keys), Leave())
    assert verdicts(outcomes) == [("refused", "rejected-by-validation")] * 100
    assert len(wire.requests) < 15


def test_an_error_of_another_kind_is_not_taken_for_absence(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(mixed("1", INTERNAL_ERROR="2"))
    seen = connector.read_back(steps(Action.ERASE, "1", "2"))
    assert [one.presence for one in seen] == [Presence.PRESENT, Presence.UNREADABLE]


def test_an_answer_about_somebody_nobody_asked_for_proves_no_absence(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(rows("1", "77"))
    seen = connector.read_back(steps(Action.ERASE, "1", "2"))
    assert [one.presence for one in seen] == [Presence.PRESENT, Presence.UNREADABLE]


def test_without_any_contact_that_is_shown_nothing_is_proven_absent(wire: Wire, connector: HubSpotConnector) -> None:
    wire.says(NOBODY, NOBODY, rows())
    (seen,) = connector.read_back(steps(Action.ERASE, "1"))
    assert seen.presence is Presence.UNREADABLE


def test_a_merged_contact_reads_as_there_and_is_not_acted_on(wire: Wire, connector: HubSpotConnector) -> None:
    winner = answers({"results": [row("8", hs_merged_object_ids="3;1", phone="1")]})
    wire.says(winner)
    (seen,) = connector.read_back(steps(Action.ERASE, "1"))
    assert seen.presence is Presence.PRESENT
    for action in (Action.ERASE, Action.REDACT):
        assert verdicts(connector.act(action, steps(action, "1"), Leave())) == [("refused", "changed-since-planned")]
