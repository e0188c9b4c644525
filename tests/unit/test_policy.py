"""Does a mistake in the policy say where it is and how to mend it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from retention.policy import PolicyError, load
from tests.conftest import ROOT

SHIPPED = ROOT / "include" / "policy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("schedule.yaml", "systems.yaml"):
        (tmp_path / name).write_text((SHIPPED / name).read_text())
    return tmp_path


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def complaint(folder: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        load(folder)
    return str(caught.value)


def test_the_shipped_policy_is_valid_and_its_digest_is_stable() -> None:
    assert load(SHIPPED).digest == load(SHIPPED).digest
    assert list(load(SHIPPED).systems) == ["salesforce", "hubspot", "documents"]


def test_any_change_of_meaning_changes_the_digest_and_a_comment_does_not(folder: Path) -> None:
    before = load(folder).digest
    edit(folder, "schedule.yaml", "version: 1", "version: 1   # reviewed")
    assert load(folder).digest == before
    edit(folder, "schedule.yaml", "retention_years: 5", "retention_years: 6")
    assert load(folder).digest != before


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("schedule.yaml", "    then: erase", "    thenn: erase", ["schedule.yaml:15", "unknown key", "'then'"]),
        ("schedule.yaml", "[marketing_profile, ad_audience]", "[marketing_profile]", ["no rule", "ad_audience"]),
        ("schedule.yaml", "[usage_data, web_technical]", "[usage_data, web_technical, document]", ["stands in rules"]),
        ("schedule.yaml", "rule: transactions", "rule: contact-data", ["two rules are named"]),
        ("schedule.yaml", "run: {steps: 500", "run: {steps: 0", ["schedule.yaml:", "guards.run.steps"]),
        ("schedule.yaml", "approvers: [dpo]", "approvers: []", ["approval.approvers"]),
        ("schedule.yaml", "keep: until unsubscribe", "keep: 5 years from collection", ["until unsubscribe"]),
        ("systems.yaml", "zone: Europe/London", "zone: Europe/Londen", ["systems.yaml:", "time zone"]),
        ("systems.yaml", "kind: hubspot", "kind: hubpsot", ["systems.hubspot.kind"]),
        ("systems.yaml", "data_class: marketing_signup", "data_class: marketing", ["systems.yaml:", "data_class"]),
        ("systems.yaml", "opt_out: HasOptedOutOfEmail", "optout: HasOptedOutOfEmail", ["did you mean 'opt_out'?"]),
        ("systems.yaml", "systems:\n", "systems: [\n", ["systems.yaml:", "not valid YAML"]),
    ],
    ids=[
        "unknown key",
        "class without a rule",
        "class with two rules",
        "rule named twice",
        "cap of zero",
        "nobody may approve",
        "sign-ups that end by time",
        "unknown zone",
        "unknown kind of system",
        "unknown data class",
        "misspelt key",
        "broken file",
    ],
)
def test_a_mistake_names_file_line_place_and_fix(folder: Path, file: str, old: str, new: str, says: list[str]) -> None:
    edit(folder, file, old, new)
    text = complaint(folder)
    for part in says:
        assert part in text


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "systems.yaml").unlink()
    assert complaint(folder).startswith("systems.yaml: cannot be read")
