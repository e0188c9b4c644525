"""Does the Salesforce connector keep every promise, and the vendor's own rules with it?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from retention.contract import Throttled
from retention.vocabulary import (
    Action,
    Criteria,
    DataClass,
    Dated,
    Gap,
    GapCode,
    OutcomeStatus,
    Presence,
    Reason,
    Step,
    Transaction,
)
from tests.contract.salesforce_world import (
    EVERYTHING,
    EXPIRED,
    SYSTEM,
    Emulator,
    SalesforceWorld,
    act,
    asking_for,
    found,
    many,
    presence,
    spent,
    verdicts,
)
from tests.contract.suite import ConnectorContract
from tests.contract.world import CUTOFF_DAY, EXPIRED_ON, LIVE_ON, Sample, World


class TestSalesforce(ConnectorContract):
    @pytest.fixture
    def world(self, emulator: Emulator) -> World:
        emulator.reset()
        return SalesforceWorld(emulator)


# --- Facts ---


def test_every_fact_of_the_seeded_people_is_the_one_that_is_stored(org: SalesforceWorld) -> None:
    stored = org.stored()
    rows = {row["Id"]: (name, row) for name in ("Contact", "Lead") for row in stored[name]}
    deals = {row["Id"]: row for row in stored["Opportunity"]}
    transactions: dict[str, set[Transaction]] = defaultdict(set)
    for order in stored["Order"]:
        on = order["EndDate"] or order["EffectiveDate"]
        transactions[order["BillToContactId"]].add(
            Transaction("Order", date.fromisoformat(on), live=order["Status"] == "Activated")
        )
    for role in stored["OpportunityContactRole"]:
        deal = deals[role["OpportunityId"]]
        if deal["IsWon"] or not deal["IsClosed"]:
            transactions[role["ContactId"]].add(
                Transaction("Opportunity", date.fromisoformat(deal["CloseDate"]), live=not deal["IsClosed"])
            )
    complaints = {case["ContactId"] for case in stored["Case"] if not case["IsClosed"]}

    addresses = sorted({row["Email"] for _, row in rows.values() if row["Email"]})
    everybody = found(org, replace(EVERYTHING, identifiers=asking_for(*addresses).identifiers))

    assert {row_id for row_id, (_, row) in rows.items() if not row["IsDeleted"] and row["Email"]} <= set(everybody)
    assert transactions, "the population has no orders and deals"
    assert complaints, "the population has no open cases"
    for row_id, finding in everybody.items():
        name, row = rows[row_id]
        facts = finding.facts
        assert (finding.ref.kind, finding.ref.version) == (name, row["SystemModstamp"])
        assert facts.opted_out is row["HasOptedOutOfEmail"]
        assert facts.restricted is row["Processing_Restricted__c"]
        assert facts.opted_out_on == day(row["Opted_Out_On__c"])
        assert facts.consented_on == day(row["Marketing_Consent_On__c"])
        assert set(facts.transactions) == transactions[row_id]
        assert facts.open_complaint is (row_id in complaints)
        named = {name for facts_of_class in facts.classes for name in facts_of_class.fields}
        assert named == {name for name in PERSONAL if row.get(name) not in (None, "")}


PERSONAL = (
    *("FirstName", "LastName", "Company", "Email", "Phone", "Title"),
    *("Interests__c", "Lead_Score__c", "Last_Form_Message__c"),
)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def test_a_collection_date_of_its_own_beats_the_creation_date_and_an_import_date_counts_for_nothing(
    org: SalesforceWorld,
) -> None:
    own = org.contact("own@example.com", Collected_On__c=EXPIRED_ON.isoformat())
    created = org.contact("created@example.com", Collected_On__c=None)
    imported = org.contact("imported@example.com", Collected_On__c=None, Migrated__c=True)
    seen = found(org, asking_for("own@example.com", "created@example.com", "imported@example.com"))
    dated = {key: finding.facts.classes[0].collected for key, finding in seen.items()}
    assert dated[own.key] is not None
    assert (dated[own.key].value, dated[own.key].provenance) == (EXPIRED_ON, "Contact.Collected_On__c")
    assert dated[created.key] is not None
    assert dated[created.key].provenance == "Contact.CreatedDate"
    assert dated[imported.key] is None


def test_a_sign_up_is_reported_only_where_somebody_signed_up(org: SalesforceWorld) -> None:
    signed_up = org.contact("signed-up@example.com", Marketing_Consent_On__c=LIVE_ON.isoformat())
    plain = org.contact("plain@example.com")
    seen = found(org, asking_for("signed-up@example.com", "plain@example.com"))
    classes = {key: {one.data_class for one in finding.facts.classes} for key, finding in seen.items()}
    assert classes[signed_up.key] == {DataClass.MARKETING_SIGNUP, DataClass.CONTACT_IDENTITY}
    assert classes[plain.key] == {DataClass.CONTACT_IDENTITY}


def test_one_class_past_the_cutoff_makes_a_finding_though_another_is_young(org: SalesforceWorld) -> None:
    mixed = org.contact(
        "old-form@example.com", Last_Form_On__c=EXPIRED_ON.isoformat(), Last_Form_Message__c="Please call back."
    )
    facts = found(org, EXPIRED)[mixed.key].facts
    due = {one.data_class for one in facts.classes if one.collected and one.collected.value == EXPIRED_ON}
    assert due == {DataClass.CONTACT_NOTES}


def test_a_class_whose_fields_are_empty_makes_no_finding(org: SalesforceWorld) -> None:
    emptied = org.contact("no-message@example.com", Last_Form_On__c=EXPIRED_ON.isoformat())
    assert emptied.key not in found(org, EXPIRED)
    assert emptied.key not in found(org, Criteria(undated=True))


def test_a_converted_lead_is_still_found_since_it_holds_the_same_person(org: SalesforceWorld) -> None:
    converted = [row for row in org.stored()["Lead"] if row["IsConverted"]]
    assert converted
    assert {row["Id"] for row in converted} <= set(found(org, asking_for(*(row["Email"] for row in converted))))


# --- What is hidden ---


def hide(org: SalesforceWorld, *fields: str) -> None:
    org.emulator.tell("switches", hidden_fields=list(fields))


def test_a_hidden_opt_out_field_is_a_gap_and_never_means_that_nobody_opted_out(org: SalesforceWorld) -> None:
    ref = org.make(Sample.EXPIRED, "hidden-opt-out@example.com")
    hide(org, "Contact.HasOptedOutOfEmail")
    pages = list(org.reconnect().find(EVERYTHING))
    gaps = [gap for page in pages for gap in page.gaps]
    assert gaps == [Gap(GapCode.FIELD_HIDDEN, "Contact", "HasOptedOutOfEmail")]
    assert ref.key in {finding.ref.key for page in pages for finding in page.findings}
    (seen,) = org.reconnect().read_back([Step("read", ref, Action.ERASE)])
    assert (seen.presence, seen.opted_out) == (Presence.PRESENT, None)
    for action in (Action.SUPPRESS, Action.RESTRICT):
        assert verdicts(act(org, action, ref)) == [(OutcomeStatus.REFUSED, Reason.NO_PERMISSION)]


def test_a_hidden_date_field_leaves_no_date_instead_of_a_worse_one(org: SalesforceWorld) -> None:
    ref = org.make(Sample.EXPIRED, "hidden-date@example.com")
    hide(org, "Contact.Collected_On__c")
    pages = list(org.reconnect().find(asking_for("hidden-date@example.com")))
    assert Gap(GapCode.FIELD_HIDDEN, "Contact", "Collected_On__c") in [gap for page in pages for gap in page.gaps]
    (finding,) = (finding for page in pages for finding in page.findings if finding.ref.key == ref.key)
    assert all(one.collected is None for one in finding.facts.classes)


def test_hidden_orders_are_a_gap_and_not_no_orders(org: SalesforceWorld) -> None:
    org.make(Sample.EXPIRED, "hidden-order@example.com")
    hide(org, "Order.BillToContactId")
    gaps = [gap for page in org.reconnect().find(EXPIRED) for gap in page.gaps]
    assert set(gaps) == {Gap(GapCode.FIELD_HIDDEN, "Contact", "Order")}


# --- Calls ---


def test_finding_costs_one_call_for_all_kinds_and_one_for_five_related_objects(org: SalesforceWorld) -> None:
    many(org, 250, Collected_On__c=EXPIRED_ON.isoformat())
    org.emulator.forget_calls()
    connector = org.reconnect(page_size=2_000)
    assert sum(len(page.findings) for page in connector.find(EXPIRED)) > 250
    # Describes; contacts, leads and contacts converted from old leads; 18 objects that hang on contacts, 5 on leads.
    assert spent(org) == {"GET limits/recordCount": 1, "POST composite": 1 + 1 + 4 + 1}


def test_what_hangs_on_a_large_page_is_the_same_as_on_small_ones(org: SalesforceWorld) -> None:
    """Up to 200 contacts are named by id; above that a semi-join finds their orders, deals and cases."""
    many(org, 250, Collected_On__c=EXPIRED_ON.isoformat())
    large, small = org.reconnect(page_size=2_000), org.reconnect(page_size=200)
    by_semi_join = [finding for page in large.find(EVERYTHING) for finding in page.findings]
    by_ids = [finding for page in small.find(EVERYTHING) for finding in page.findings]
    assert by_semi_join == by_ids
    assert any(finding.facts.transactions for finding in by_ids)
    assert any(finding.facts.open_complaint for finding in by_ids)


def test_activities_of_more_people_than_an_answer_has_groups_for_are_asked_in_parts(org: SalesforceWorld) -> None:
    refs = many(org, 2_100, Collected_On__c=EXPIRED_ON.isoformat())
    for start in range(0, len(refs), 200):
        records = [{"attributes": {"type": "Task"}, "Subject": "Call", "WhoId": ref.key} for ref in refs[start:][:200]]
        org.org.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": records})
    found = {finding.ref.key: finding for page in org.reconnect(2_000).find(EXPIRED) for finding in page.findings}
    dated = [{one.data_class: one.collected for one in found[ref.key].facts.classes} for ref in refs]
    assert {each[DataClass.CONTACT_NOTES] for each in dated} == {
        Dated(datetime(2026, 11, 22, 12, tzinfo=UTC), "Contact.contact_notes")
    }


def test_a_longer_answer_is_read_page_by_page(org: SalesforceWorld) -> None:
    refs = many(org, 450, Collected_On__c=EXPIRED_ON.isoformat())
    pages = [page for page in org.reconnect().find(EXPIRED) if page.findings and page.findings[0].ref.kind == "Contact"]
    assert [page.read for page in pages[:2]] == [200, 200]
    keys = [finding.ref.key for page in pages for finding in page.findings]
    assert {ref.key for ref in refs} <= set(keys)
    assert len(keys) == len(set(keys))


def test_erasing_costs_two_readings_and_seven_calls_whatever_the_number(org: SalesforceWorld) -> None:
    refs = many(org, 250)
    org.emulator.forget_calls()
    assert {outcome.status for outcome in act(org, Action.ERASE, *refs)} == {OutcomeStatus.DONE}
    calls = spent(org)
    assert sum(calls.values()) == 9, calls  # the rows, what hangs on them, one job
    org.emulator.forget_calls()
    assert set(presence(org, *refs)) == {Presence.ABSENT}
    assert spent(org) == {"POST composite": 1}


@pytest.mark.parametrize("action", [Action.REDACT, Action.RESTRICT, Action.SUPPRESS])
def test_a_thousand_updates_are_one_reading_and_one_call(org: SalesforceWorld, action: Action) -> None:
    refs = many(org, 1_000, Interests__c="brochures")
    org.emulator.forget_calls()
    how: dict[str, Any] = {"fields": ("Interests__c",)} if action is Action.REDACT else {}
    assert {outcome.status for outcome in act(org, action, *refs, **how)} == {OutcomeStatus.DONE}
    calls = spent(org)
    # Old values in the field history are looked for after fields were emptied.
    assert sum(calls.values()) == (3 if action is Action.REDACT else 2), calls


def test_a_thousand_addresses_are_asked_in_a_few_calls_and_find_their_people(org: SalesforceWorld) -> None:
    refs = many(org, 5)
    addresses = [f"many-{number}@example.com" for number in range(1_000)]
    org.emulator.forget_calls()
    assert set(found(org, asking_for(*addresses))) == {ref.key for ref in refs}
    calls = spent(org)
    assert calls.pop("POST composite") == 1 + 1 + 4, calls  # describes, addresses, what hangs on those found
    assert not calls


def test_pages_that_the_org_makes_smaller_lose_nobody(org: SalesforceWorld) -> None:
    whole = found(org, EVERYTHING)
    org.emulator.tell("switches", page_rows=7)
    assert found(org, EVERYTHING) == whole


def test_the_daily_allowance_stops_a_search_before_it_is_half_done(org: SalesforceWorld) -> None:
    connector = org.reconnect()
    org.emulator.tell("switches", daily_api_requests=1)
    with pytest.raises(Throttled, match=f"{SYSTEM}.*allowance"):
        list(connector.find(EVERYTHING))


def test_a_login_that_expires_between_two_calls_is_renewed(org: SalesforceWorld) -> None:
    ref = org.make(Sample.LIVE, "expiry@example.com")
    connector = org.reconnect()
    org.emulator.tell("switches", session_seconds=600)
    assert connector.read_back([Step("read", ref, Action.ERASE)])[0].presence is Presence.PRESENT
    org.pass_time(timedelta(hours=1))
    assert connector.read_back([Step("read", ref, Action.ERASE)])[0].presence is Presence.PRESENT


def test_everything_reported_as_expired_is_before_the_cutoff(org: SalesforceWorld) -> None:
    for finding in found(org, EXPIRED).values():
        days = [one.collected.value for one in finding.facts.classes if one.collected]
        assert min(value if type(value) is date else date.fromisoformat(str(value)[:10]) for value in days) < CUTOFF_DAY
