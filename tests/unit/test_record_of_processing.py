"""Does the record of processing say what the policy says, and nothing beside it?"""

from __future__ import annotations

import csv
import io
import json

from click.testing import CliRunner

from retention.__main__ import main
from retention.papers.processing import ACTIVITY_COLUMNS, NOT_STATED, drawn_from
from retention.policy import Policy, load
from retention.policy.processing import ProcessingPolicy
from retention.vocabulary import DataClass
from tests.bench.running import ROOT

SHIPPED = load(ROOT / "include" / "policy")


def saying(**said: object) -> Policy:
    """The shipped policy with other words for the record."""
    schedule = SHIPPED.schedule.model_copy(update={"processing": ProcessingPolicy.model_validate(said)})
    return SHIPPED.model_copy(update={"schedule": schedule})


def test_every_class_of_data_that_a_system_holds_is_an_activity_with_its_rule_bases_and_systems() -> None:
    lines = {line["data"]: line for line in drawn_from(SHIPPED, "2026-11-24").activities}

    assert set(lines) == {
        "marketing signup",
        "marketing profile",
        "contact identity",
        "contact notes",
        "transaction record",
        "email message",
        "document",
    }
    mail = lines["email message"]
    assert (mail["kept"], mail["rule"]) == ("5 years from collection", "contact-data")
    assert mail["systems"] == "salesforce, hubspot, microsoft365"
    assert lines["transaction record"]["legal_basis"] == "contract"
    assert lines["marketing signup"]["kept"] == "until unsubscribe"


def test_what_the_policy_does_not_state_is_shown_as_not_stated_and_never_made_up() -> None:
    told = drawn_from(saying(), "2026-11-24")

    assert {told.officer, told.representative, told.security} == {NOT_STATED}
    assert {line["purpose"] for line in told.activities} == {NOT_STATED}
    assert {line["people"] for line in told.activities} == {NOT_STATED}
    assert {line["transfers"] for line in told.activities} == {NOT_STATED}


def test_purposes_and_people_are_the_policys_own_words() -> None:
    told = drawn_from(saying(purposes={"document": "casework"}, people={"document": "clients"}), "2026-11-24")

    (line,) = [line for line in told.activities if line["data"] == DataClass.DOCUMENT.value]
    assert (line["purpose"], line["people"]) == ("casework", "clients")


def test_systems_that_pass_data_on_to_different_people_are_told_apart() -> None:
    one = SHIPPED.systems["salesforce"].model_copy(update={"recipients": {}, "transfers": "USA, standard clauses"})
    told = drawn_from(SHIPPED.model_copy(update={"systems": SHIPPED.systems | {"salesforce": one}}), "2026-11-24")

    (line,) = [line for line in told.activities if line["data"] == "marketing signup"]
    assert line["recipients"] == "salesforce: nobody; hubspot: not stated"
    assert line["transfers"] == "salesforce: USA, standard clauses; hubspot: not stated"


def test_what_the_pipeline_keeps_itself_is_part_of_the_record() -> None:
    stores = {line["store"]: line for line in drawn_from(SHIPPED, "2026-11-24").stores}

    assert set(stores) == {name.value.replace("_", " ") for name in SHIPPED.stores}
    assert stores["airflow metadata"]["kept"] == "90 days"


def test_the_record_is_a_table_for_a_spreadsheet_and_a_document_for_a_program() -> None:
    table = CliRunner().invoke(main, ["papers", "processing", "--csv"])
    document = CliRunner().invoke(main, ["papers", "processing", "--json"])

    lines = list(csv.DictReader(io.StringIO(table.stdout)))
    assert tuple(lines[0]) == ACTIVITY_COLUMNS
    assert json.loads(document.stdout)["activities"] == lines
    assert json.loads(document.stdout)["policy_digest"] == SHIPPED.digest
