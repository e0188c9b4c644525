"""`decide FACTS.csv`: what happens to each item of a table, why, and what follows from it?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO

import click

from retention.cli.sheet import BadInput, Cells, parse_day, rows_of, write_rows
from retention.decide import PROMISED, decide
from retention.item import (
    AnonymousProfile,
    Exemption,
    IdentityMatch,
    Item,
    LegalHold,
    Objection,
    Regime,
    RequestState,
    Restriction,
    SoftOptIn,
    Trigger,
)
from retention.vocabulary import DataClass, LawfulBasis

COLUMNS = (
    "id",
    "regime",
    "trigger",
    "data_class",
    "lawful_basis",
    "collected_on",
    "unsubscribed_on",
    "fresh_consent_on",
    "transaction_keep_until",
    "legal_hold",
    "restriction",
    "objection",
    "request_state",
    "erased_on",
    "identity_match",
    "exemption",
    "other_facts",
)
ANSWER = ("id", "decision", "reason_code", "follow_ups")

IN_FORCE = {
    restriction.value: restriction
    for restriction in (Restriction.NONE, Restriction.ACCURACY, Restriction.UNLAWFUL, Restriction.CLAIMS)
}
RESTRICTIONS = (
    IN_FORCE
    | {f"{ground}_resolved_no_notice": Restriction.ENDED_UNTOLD for ground in IN_FORCE if ground != "none"}
    | {f"{ground}_resolved_noticed": Restriction.ENDED_TOLD for ground in IN_FORCE if ground != "none"}
)

YES_NO = ("yes", "no")
FACT_VALUES = {
    "contract_live": YES_NO,
    "erasure_duty": YES_NO,
    "child_iss": YES_NO,
    "flag_excessive": YES_NO,
    "other_subjects": YES_NO,
    "is_staff": YES_NO,
    "verified": YES_NO,
    "special_category": YES_NO,
    "present": YES_NO,
    "source": ("import",),  # an import brings no consent with it; that is all it means here
    "soft_opt_in": tuple(SoftOptIn),
    "anon_profile": tuple(AnonymousProfile),
    "lift_notice": ("sent",),
    "consent_for": ("marketing",),
    "mixed_record": YES_NO,  # bears on the record's verb, never on the verdict of one class
}


@click.command("decide")
@click.argument("facts", type=click.File("rb"), metavar="FACTS.csv")
@click.option("--as-of", envvar="AS_OF", metavar="DATE", help="Today, for rows whose as_of is empty.")
def command(facts: BinaryIO, as_of: str | None) -> None:
    """Decide each row of FACTS.csv (- for standard input): id, decision, reason_code, follow_ups as CSV."""
    try:
        write_rows(ANSWER, _answers(facts, _today(as_of)), sys.stdout)
    except BadInput as bad:
        click.echo(f"decide: {bad}", err=True)
        sys.exit(2)


def _today(as_of: str | None) -> date | None:
    try:
        return parse_day(as_of) if as_of else None
    except ValueError as unreadable:
        raise click.BadParameter("expected a day as YYYY-MM-DD", param_hint="--as-of") from unreadable


def _answers(facts: BinaryIO, today: date | None) -> Iterator[tuple[str, ...]]:
    columns = COLUMNS if today is not None else ("as_of", *COLUMNS)
    for row in rows_of(facts, columns):
        as_of = row.day("as_of") if row.has("as_of") else None
        day = as_of or today
        if day is None:
            raise row.bad("as_of", "must not be empty unless --as-of or AS_OF is given")
        decision = decide(item_of(row), PROMISED, day)
        yield row.needed("id"), decision.disposition, decision.reason_code, ";".join(sorted(decision.follow_ups))


def item_of(row: Cells) -> Item:
    """Read an item from the columns of a facts table."""
    facts = _other_facts(row)

    def yes(key: str) -> bool:
        return facts.get(key) == "yes"

    return Item(
        data_class=row.one_of("data_class", DataClass),
        lawful_basis=row.one_of("lawful_basis", LawfulBasis),
        regime=row.one_of("regime", Regime),
        trigger=row.one_of("trigger", Trigger),
        collected_on=row.day("collected_on"),
        unsubscribed_on=row.day("unsubscribed_on"),
        fresh_consent_on=row.day("fresh_consent_on"),
        transaction_keep_until=row.day("transaction_keep_until"),
        erased_on=row.day("erased_on"),
        legal_hold=row.one_of("legal_hold", LegalHold),
        restriction=row.named("restriction", RESTRICTIONS),
        objection=row.one_of("objection", Objection),
        request_state=row.one_of("request_state", RequestState),
        identity_match=row.one_of("identity_match", IdentityMatch),
        exemption=row.one_of("exemption", Exemption),
        soft_opt_in=SoftOptIn(facts.get("soft_opt_in", "none")),
        anon_profile=AnonymousProfile(facts.get("anon_profile", "none")),
        contract_live=yes("contract_live"),
        erasure_duty=yes("erasure_duty"),
        child_iss=yes("child_iss"),
        flag_excessive=yes("flag_excessive"),
        other_subjects=yes("other_subjects"),
        is_staff=yes("is_staff"),
        verified=yes("verified"),
        special_category=yes("special_category"),
        present=facts.get("present") != "no",
        lift_notice_sent="lift_notice" in facts,
        consent_for_marketing="consent_for" in facts,
    )


def _other_facts(row: Cells) -> dict[str, str]:
    facts: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in row.text("other_facts").split(";"))):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key not in FACT_VALUES:
            raise row.bad("other_facts", f"expected KEY=VALUE with one of the keys {', '.join(FACT_VALUES)}")
        if value not in FACT_VALUES[key] or facts.setdefault(key, value) != value:
            raise row.bad("other_facts", f"expected {key}={'|'.join(FACT_VALUES[key])}, once")
    return facts
