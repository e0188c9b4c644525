"""Does a mistake in the policy say where it is and how to mend it?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from retention.policy import RecordPolicy, StoreName, SystemPolicy, load
from retention.vocabulary import Action
from tests.conftest import ROOT
from tests.policy_files import SHIPPED, complaint, edit, line_of


def test_the_shipped_policy_is_valid() -> None:
    assert list(load(SHIPPED).systems) == ["salesforce", "hubspot", "documents", "microsoft365"]


def test_any_change_of_meaning_changes_the_digest_and_a_comment_does_not(folder: Path) -> None:
    before = load(folder).digest
    edit(folder, "schedule.yaml", "version: 1", "version: 1   # reviewed")
    assert load(folder).digest == before
    edit(folder, "schedule.yaml", "retention_years: 5", "retention_years: 6")
    assert load(folder).digest != before


def test_a_change_to_one_of_our_own_stores_changes_the_digest(folder: Path) -> None:
    before = load(folder).digest
    edit(folder, "systems.yaml", "period: 90 days", "period: 91 days")
    assert load(folder).digest != before


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_digest_is_the_same_in_every_process(seed: str) -> None:
    ask = "import pathlib, sys, retention.policy as p; print(p.load(pathlib.Path(sys.argv[1])).digest)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "PYTHONHASHSEED": seed}
    said = subprocess.run(
        [sys.executable, "-c", ask, str(SHIPPED)], env=environment, capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == load(SHIPPED).digest


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("schedule.yaml", "    then: erase", "    thenn: erase", ["schedule.yaml:16", "unknown key", "'then'"]),
        ("schedule.yaml", "[marketing_profile, ad_audience]", "[marketing_profile]", ["no rule", "ad_audience"]),
        ("schedule.yaml", "[usage_data, web_technical]", "[usage_data, web_technical, document]", ["stands in rules"]),
        ("schedule.yaml", "rule: transactions", "rule: contact-data", ["two rules are named"]),
        ("schedule.yaml", "rule: transactions", "rule: document", ["is a data class and reserved"]),
        ("schedule.yaml", "[transaction_record]", "[transaction_record, audit_event]", ["law alone", "take it out"]),
        ("schedule.yaml", "run: {steps: 500", "run: {steps: 0", ["schedule.yaml:", "guards.run.steps"]),
        ("schedule.yaml", "approvers: [dpo]", "approvers: []", ["approval.approvers", "is empty"]),
        ("schedule.yaml", "keep: until unsubscribe", "keep: 5 years from collection", ["until unsubscribe"]),
        ("systems.yaml", "zone: Europe/London", "zone: Europe/Londen", ["systems.yaml:", "time zone"]),
        ("systems.yaml", "kind: hubspot", "kind: hubpsot", ["systems.hubspot.kind"]),
        ("systems.yaml", "data_class: marketing_signup", "data_class: marketing", ["systems.yaml:", "data_class"]),
        ("systems.yaml", "opt_out: HasOptedOutOfEmail", "optout: HasOptedOutOfEmail", ["did you mean 'opt_out'?"]),
        ("systems.yaml", "systems:\n", "systems: [\n", ["systems.yaml:", "not valid YAML"]),
        ("systems.yaml", "    zone: Europe/London\n", "", ["systems.salesforce.zone", "is missing; add it"]),
    ],
    ids=[
        "unknown key",
        "class without a rule",
        "class with two rules",
        "rule named twice",
        "rule named like a class",
        "rule for a class the law rules",
        "cap of zero",
        "nobody may approve",
        "sign-ups that end by time",
        "unknown zone",
        "unknown kind of system",
        "unknown data class",
        "misspelt key",
        "broken file",
        "missing key",
    ],
)
def test_a_mistake_names_file_line_place_and_fix(folder: Path, file: str, old: str, new: str, says: list[str]) -> None:
    edit(folder, file, old, new)
    text = complaint(folder)
    for part in says:
        assert part in text


@pytest.mark.parametrize(
    ("file", "old", "new", "at", "says"),
    [
        (
            "systems.yaml",
            "fields: [Interests__c, Lead_Score__c]",
            "fields: [Interests__c, Lead_Score__c, Interests__c]",
            "Lead_Score__c, Interests__c]",
            "systems.salesforce.records.Contact.field_sets.marketing_profile.fields: field 'Interests__c' stands twice",
        ),
        (
            "systems.yaml",
            "identifiers: {Email: email, Phone: phone}",
            "identifiers: {Email: email, Fax: phone}",
            "Fax: phone",
            "identifiers.Fax: identifier 'Fax' stands in no field set, so no rule reaches it",
        ),
        (
            "systems.yaml",
            "collected_from: [Collected_On__c, CreatedDate]",
            "collected_from: []",
            "collected_from: []",
            "systems.salesforce.records.Contact.field_sets.marketing_profile.collected_from: is empty",
        ),
        (
            "systems.yaml",
            "imports: {data_class: marketing_profile",
            "Marketing/: {data_class: marketing_profile",
            "Marketing/: {",
            "systems.documents.folders.Marketing/: is the same folder as 'marketing'",
        ),
        (
            "systems.yaml",
            "imports: {data_class: marketing_profile",
            "/imports/: {data_class: marketing_profile",
            "/imports/: {",
            "would never match a path: write it from the root, without slashes around, like 'imports'",
        ),
        (
            "systems.yaml",
            "connection: hubspot",
            "connection: salesforce",
            "  hubspot:",
            "systems.hubspot.connection: connection 'salesforce' is that of system 'salesforce'",
        ),
        (
            "systems.yaml",
            "connection: hubspot",
            "connection: retention_ledger",
            "connection: retention_ledger",
            "are the pipeline's own: name another",
        ),
        ("systems.yaml", "  documents:", "  look_up:", "  look_up:", "'look_up' is a reserved name"),
        ("systems.yaml", "after: [salesforce]", "after: [payroll]", "  hubspot:", "no system 'payroll' to wait for"),
        ("systems.yaml", "after: [salesforce]", "after: [hubspot]", "  hubspot:", "would wait for itself"),
        (
            "systems.yaml",
            "    kind: sftp\n",
            "    kind: sftp\n    verbs: {erase: redact}\n",
            "verbs: {erase: redact}",
            "a file has no fields to clear: write `erase: review` instead",
        ),
        (
            "systems.yaml",
            "sought: {phone_region: GB}",
            "sought: {customer_numbers: [account]}",
            "customer_numbers: [account]",
            "String should match pattern",
        ),
        (
            "systems.yaml",
            "    connection: hubspot\n",
            "    connection: hubspot\n    sought: {phone_region: DE}\n",
            "sought: {phone_region: DE}",
            "only documents are searched for what `sought` says",
        ),
        (
            "systems.yaml",
            "    kind: sftp\n",
            "    kind: webdav\n    files: {bin_folder: .recycle}\n",
            "bin_folder: .recycle",
            "only a share over SMB moves what is deleted into a folder: leave it out",
        ),
        (
            "systems.yaml",
            "    kind: hubspot\n",
            "    kind: hubspot\n    files: {beyond_use: {backups: 35}}\n",
            "files: {beyond_use",
            "only a document server keeps files: leave `files` out",
        ),
        (
            "systems.yaml",
            "    period: 90 days\n",
            "",
            "  findings:",
            "stores.findings.period: is missing; add it",
        ),
        ("systems.yaml", "  findings:", "  fundings:", "  fundings:", "stores.fundings: Input should be 'catalogue'"),
        (
            "systems.yaml",
            "starts_from: system left the policy",
            "starts_from: system joined",
            "starts_from: system joined",
            "stores.catalogue.starts_from: is counted from 'system left the policy' and nothing else",
        ),
        (
            "systems.yaml",
            "ended_by: ledger tidy",
            "ended_by: operator",
            "ended_by: operator",
            "stores.catalogue.ended_by: must be ended by 'ledger tidy'",
        ),
        (
            "systems.yaml",
            "ended_by: newer consent",
            "ended_by: ledger tidy",
            "  suppression_list:",
            "stores.suppression_list.ended_by: cannot be ended by 'ledger tidy'",
        ),
        (
            "systems.yaml",
            "ended_by: newer consent",
            "ended_by: airflow upkeep",
            "  suppression_list:",
            "stores.suppression_list.ended_by: is not kept by Airflow, so 'airflow upkeep' cannot end it",
        ),
        (
            "systems.yaml",
            "period: 13 months",
            "period: while the opt-out stands",
            "period: while the opt-out stands",
            "stores.readings.period: only the suppression list is kept while the opt-out stands",
        ),
    ],
    ids=[
        "field twice in a class",
        "identifier without a class",
        "no collection date",
        "folder twice but for case and slash",
        "folder that matches nothing",
        "connection of two systems",
        "connection of the pipeline",
        "reserved name",
        "after an unknown system",
        "after itself",
        "files redacted",
        "customer number without a digit",
        "sought in no document",
        "a bin without SMB",
        "files of no document server",
        "store without a period",
        "unknown store",
        "store counted from elsewhere",
        "store nobody prunes",
        "store that is not pruned",
        "store that Airflow does not keep",
        "store without an end",
    ],
)
def test_a_contradiction_names_the_line_to_mend(
    folder: Path, file: str, old: str, new: str, at: str, says: str
) -> None:
    edit(folder, file, old, new)
    expected = line_of(folder, file, at)
    text = complaint(folder)

    assert says in text
    number, said = int(expected.split(":")[1]), int(text.split(":")[1])
    assert number <= said <= number + 3  # the part itself, or the key inside it that is wrong


def test_every_store_of_ours_needs_a_period(folder: Path) -> None:
    text = (folder / "systems.yaml").read_text()
    start, end = text.index("  ledger_backups:"), len(text)
    (folder / "systems.yaml").write_text(text[:start] + text[end:])

    assert "no period for our own ledger_backups" in complaint(folder)


def test_every_store_of_ours_is_declared() -> None:
    assert set(load(SHIPPED).stores) == set(StoreName)


def test_a_record_that_could_have_no_class_is_refused() -> None:
    signup = {
        "data_class": "marketing_signup",
        "fields": ["email"],
        "collected_from": ["on"],
        "lawful_basis": "consent",
        "present_if": "on",
    }
    with pytest.raises(ValueError, match="could have no class at all"):
        RecordPolicy.model_validate({"identifiers": {"email": "email"}, "field_sets": [signup]})


@pytest.mark.parametrize("selector", ["*", "%", "", ".", "..", "/", "a*", "contact?", " Email", "Email\n"])
@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("schedule.yaml", "approvers: [{}]"),
        ("schedule.yaml", "shared_mailboxes: [{}]"),
        ("systems.yaml", "fields: [{}]"),
        ("systems.yaml", "collected_from: [{}]"),
        ("systems.yaml", "present_if: {}"),
        ("systems.yaml", "opt_out: {}"),
        ("systems.yaml", "identifiers: {{{}: email}}"),
        ("systems.yaml", "folders: {{{}: {{data_class: document, lawful_basis: consent}}}}"),
    ],
)
def test_a_selector_that_selects_everything_or_nothing_is_refused(
    folder: Path, file: str, part: str, selector: str
) -> None:
    key = part.partition(":")[0]
    lines = (folder / file).read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.strip().removeprefix("- ").startswith(f"{key}:"))
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    quoted = '"' + selector.replace("\n", "\\n") + '"'
    lines[at] = indent + part.format(quoted)
    if key == "folders":
        deeper = at + 1
        while deeper < len(lines) and lines[deeper].startswith(indent + "  "):
            lines[deeper] = ""
            deeper += 1
    (folder / file).write_text("\n".join(lines) + "\n")

    assert "name exactly what is meant" in complaint(folder)


@pytest.mark.parametrize(
    ("verbs", "action", "taken"),
    [
        ({}, Action.ERASE, Action.ERASE),
        ({"erase": "redact"}, Action.ERASE, Action.REDACT),
        ({"erase": "review"}, Action.ERASE, None),
        ({"erase": "review"}, Action.REDACT, Action.REDACT),
        ({"restrict": "review"}, Action.RESTRICT, None),
        ({"erase": "review"}, Action.SUPPRESS, Action.SUPPRESS),
    ],
)
def test_a_system_may_take_a_milder_verb(verbs: dict[str, str], action: Action, taken: Action | None) -> None:
    shipped = load(SHIPPED).systems["salesforce"].model_dump(mode="json", exclude_defaults=True)
    system = SystemPolicy.model_validate(shipped | {"verbs": verbs})

    assert system.verbs.for_action(action) is taken


def test_no_verb_is_stronger_than_what_the_schedule_wants() -> None:
    shipped = load(SHIPPED).systems["salesforce"].model_dump(mode="json", exclude_defaults=True)
    with pytest.raises(ValueError, match=r"verbs\.redact"):
        SystemPolicy.model_validate(shipped | {"verbs": {"redact": "erase"}})
