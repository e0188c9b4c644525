"""Do the client's own known behaviours catch nobody here? Section 1.2 of the facts, one test per trap."""

from __future__ import annotations

import pytest

from retention.contract import AccessDenied, Throttled
from retention.vocabulary import (
    OutcomeStatus,
    Presence,
    Reason,
)
from tests.contract.salesforce.kinds import (
    DONE,
    erased,
    found_by,
    knowing,
    rows,
)
from tests.contract.salesforce_world import (
    EXPIRED,
    SalesforceWorld,
    asking_for,
    many,
    presence,
)
from tests.contract.world import Sample


@pytest.fixture
def org(org: SalesforceWorld) -> SalesforceWorld:
    org.emulator.tell("switches", set_audit_fields=True)
    return org


def test_trap_1_2_batch_size_a_list_of_one_and_of_10_001_records_are_sent_whole(org: SalesforceWorld) -> None:
    (single,) = many(org, 1)
    assert erased(knowing(org), single) == [DONE]
    refs = many(org, 201)
    assert set(erased(knowing(org), *refs)) == {DONE}
    assert not set(rows(org, "Contact")) & {ref.key for ref in refs}


def test_trap_1_2_always_401_ends_instead_of_looping(org: SalesforceWorld) -> None:
    connector = knowing(org)
    org.emulator.tell("faults", fault="status", status=401, times=1000)
    with pytest.raises(AccessDenied):
        list(connector.find(EXPIRED))


def test_trap_1_2_a_session_that_expires_while_a_job_runs_is_renewed(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "mid-bulk@example.com")
    connector = knowing(org)
    org.emulator.tell("faults", method="GET", path="*/jobs/ingest/*", fault="status", status=401, times=1)
    assert erased(connector, ref) == [DONE]


def test_trap_1_2_the_daily_limit_is_known_by_its_code_and_not_taken_for_missing_rights(org: SalesforceWorld) -> None:
    connector = knowing(org)
    org.emulator.tell("switches", daily_api_requests=1)
    with pytest.raises(Throttled, match="REQUEST_LIMIT_EXCEEDED"):
        list(connector.find(EXPIRED))


def test_trap_1_2_failed_rows_of_a_completed_job_are_no_success(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "row-failed@example.com")
    org.emulator.tell("switches", locked_rows=3)
    assert erased(knowing(org), ref) == [(OutcomeStatus.FAILED, Reason.LOCKED)]
    assert presence(org, ref) == [Presence.PRESENT]
    assert erased(knowing(org), ref) == [DONE]


def test_trap_1_2_an_apostrophe_in_an_address_finds_its_person(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "o'brien@example.com")
    assert set(found_by(knowing(org), asking_for("o'brien@example.com"))[0]) == {ref.key}


def test_trap_1_2_the_allowance_left_to_others_is_not_touched(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", daily_api_requests=1_000)
    connector = knowing(org, api_reserve=995)
    with pytest.raises(Throttled, match="policy reserves 995"):
        list(connector.find(EXPIRED))
    used = sum(count for name, count in org.emulator.calls().items() if "oauth2" not in name)
    assert used <= 6
