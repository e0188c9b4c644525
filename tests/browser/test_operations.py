"""Can holds be placed and everything be stopped from the operations page, with nothing but a browser?"""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import FrameLocator, expect

from retention.keyring import Keyring
from tests.browser.conftest import Camera, Office, SignedIn
from tests.browser.people import operations_page

VENDOR_KEY = "003000000000001AAA"

pytestmark = pytest.mark.slow


def test_the_dpo_places_a_hold_and_releases_it(office: Office, signed_in: SignedIn, camera: Camera) -> None:
    page = signed_in("dpo")
    page.goto("/")
    operations = operations_page(page)
    go_to(operations, "Holds")
    operations.get_by_role("button", name="Place a hold").click()
    operations.get_by_label("Matter").fill("case-2026-17")
    operations.get_by_label("Why").select_option("complaint")
    operations.get_by_label("Over whom").fill(office.people.cases["legal_hold"].address)
    operations.get_by_role("button", name="Go on").click()
    expect(operations.get_by_text("over 1 people by name")).to_be_visible()
    camera.take(page, "hold")
    operations.get_by_role("button", name="Place the hold").click()
    expect(operations.get_by_role("heading", name="Hold placed")).to_be_visible()
    assert office.query("SELECT matter, placed_by, state FROM holds") == [
        {"matter": "case-2026-17", "placed_by": "dpo", "state": "in_force"}
    ]

    operations.get_by_role("link", name="Back").click()
    operations.get_by_role("link", name="Release").click()
    operations.get_by_role("button", name="Release the hold").click()

    expect(operations.get_by_role("heading", name="Hold released")).to_be_visible()
    assert office.query("SELECT state FROM holds") == [{"state": "released"}]


def test_an_operator_throws_the_kill_switch_and_the_dpo_lifts_it(
    office: Office, signed_in: SignedIn, camera: Camera
) -> None:
    page = signed_in("operator")
    page.goto("/")
    operations = operations_page(page)
    go_to(operations, "Kill switch")
    operations.get_by_role("button", name="Throw the kill switch for all systems").click()
    operations.get_by_role("button", name="Throw it for all systems").click()
    expect(operations.get_by_role("heading", name="Kill switch on")).to_be_visible()
    operations.get_by_role("link", name="Back").click()
    expect(operations.get_by_text("on: nothing is done").first).to_be_visible()
    camera.take(page, "kill-switch")
    assert switch(office) == [{"value": "on", "changed_by": "operator"}]

    dpo = signed_in("dpo")
    dpo.goto("/")
    operations = operations_page(dpo)
    expect(operations.get_by_text("The kill switch is on for every system")).to_be_visible()
    go_to(operations, "Kill switch")
    operations.get_by_role("button", name="Lift the kill switch for all systems").click()
    operations.get_by_role("button", name="Lift it for all systems").click()
    expect(operations.get_by_role("heading", name="Kill switch off")).to_be_visible()
    assert switch(office) == [{"value": "off", "changed_by": "dpo"}]


def test_the_dpo_looks_up_where_a_record_lies_and_decides_about_it(office: Office, signed_in: SignedIn) -> None:
    item = put_before_a_person(office)
    page = signed_in("dpo")
    page.goto("/")
    operations = operations_page(page)
    go_to(operations, "Review queue")
    operations.get_by_role("link", name=f"Show where {item} lies").click()
    operations.get_by_label("What for").select_option("check-record")
    operations.get_by_label("Why you have to see it").fill("The rules cannot tell when it was collected")
    operations.get_by_role("button", name="Go on").click()
    operations.get_by_role("button", name="Write it down and show it").click()
    expect(operations.get_by_role("cell", name=VENDOR_KEY)).to_be_visible()
    assert office.query("SELECT reference, purpose, looked_by FROM identity_views") == [
        {"reference": item, "purpose": "check-record", "looked_by": "dpo"}
    ]

    operations.get_by_role("link", name="Back").click()
    operations.get_by_role("link", name=f"Decide {item}").click()
    operations.get_by_role("radio", name="keep").check()
    operations.get_by_role("button", name="Go on").click()
    operations.get_by_role("button", name="Record the decision").click()

    expect(operations.get_by_role("heading", name="Decision recorded")).to_be_visible()
    assert office.query("SELECT item_id, decision, decided_by FROM review_decisions") == [
        {"item_id": item, "decision": "keep", "decided_by": "dpo"}
    ]


def put_before_a_person(office: Office) -> str:
    """What a night writes down of a record without a date; a whole night would take minutes."""
    keyring = Keyring.from_json((office.stack.keys / "keys.json").read_text(encoding="utf-8"))
    with psycopg.connect(office.stack.ledger_url("executor")) as ledger:
        ledger.execute(
            "INSERT INTO review_items (item_id, system, record_key, kind, locator, version, data_classes, reasons,"
            " rules, first_seen, last_sweep, last_seen, state) VALUES ('review-00000001', 'salesforce', 'k', 'Contact',"
            " %s, '', '{contact_identity}', '{RET_NO_START}', '{}', '2026-11-01', '', '2026-11-22', 'waiting')",
            [keyring.seal(VENDOR_KEY)],
        )
    return "review-00000001"


def go_to(operations: FrameLocator, name: str) -> None:
    """By the page's own navigation."""
    operations.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()


def switch(office: Office) -> list[dict[str, str]]:
    """How the switch for all stands, and by whom."""
    return office.query("SELECT value, changed_by FROM switches WHERE name = 'stop'")
