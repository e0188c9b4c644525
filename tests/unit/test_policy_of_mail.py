"""What may a policy say of mailboxes, and is a mistake about them named?"""

from __future__ import annotations

from pathlib import Path

import pytest

from retention.policy import load
from retention.policy.systems import differing
from tests.policy_files import complaint, edit

MAIL = """
  mail_system:
    kind: microsoft365
    connection: mail_system
    regime: UK
    zone: Europe/London
    mail:
      own_domains: [ours.example]
      lawful_basis: consent
"""


def with_mail(folder: Path, more: str = "") -> Path:
    """The shipped policy with the mailboxes of a tenant."""
    edit(folder, "systems.yaml", "\nsystems:\n", f"\nsystems:{MAIL}{more}")
    return folder


def test_a_tenant_of_mailboxes_is_a_system_that_says_who_is_ours(folder: Path) -> None:
    mail = load(with_mail(folder)).systems["mail_system"].mail
    assert mail is not None
    assert (mail.own_domains, mail.mailboxes, mail.archives, mail.recoverable_days) == (
        ("ours.example",),
        "all",
        "all",
        14,
    )
    assert mail.transactions.declared_on is None


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("      recoverable_days: 31\n", "recoverable_days"),
        ("      mailboxes: []\n", "mailboxes"),
        ("      mailboxes: ['*@ours.example']\n", "mailboxes"),
        ("      transactions: {folders: ['*']}\n", "wildcard"),
        ("      transactions: {declared_on: soon}\n", "declared_on"),
        ("    verbs: {erase: redact}\n", "a message has no fields to clear"),
        ("    folders: {a: {data_class: document, lawful_basis: consent}}\n", "a Microsoft 365 tenant needs `mail`"),
    ],
    ids=["days", "no mailbox", "any mailbox", "any folder", "no day", "redacting mail", "folders"],
)
def test_a_mistake_about_mailboxes_is_named(folder: Path, more: str, says: str) -> None:
    assert says in complaint(with_mail(folder, more))


def test_another_kind_of_system_has_no_mail(folder: Path) -> None:
    mail = "    mail: {own_domains: [ours.example], lawful_basis: consent}\n"
    edit(folder, "systems.yaml", "    kind: hubspot\n", f"    kind: hubspot\n{mail}")
    assert "needs `records` (and neither `folders` nor `mail`)" in complaint(folder)


def test_a_change_to_what_mail_means_is_a_change_of_meaning(folder: Path) -> None:
    before = load(with_mail(folder)).systems
    edit(folder, "systems.yaml", "own_domains: [ours.example]", "own_domains: [ours.example, also.example]")
    assert differing(before, load(folder).systems) == ["mail_system"]
