"""How does a test take in, identify and answer a subject's request? A desk, a mail server, made-up people."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from click.testing import Result

from retention import approve, audit, carry_out, guard, sweep, verify
from retention.approve import Answer
from retention.clocks import Right
from retention.contract import Connector
from retention.plan import Purpose
from retention.requests import identity, run
from retention.requests.case_file import CaseFile, Correction
from retention.requests.intake import Intake, Opened, take_in
from retention.requests.mailer import SmtpMailer, mailer_of
from retention.restriction import Ground
from retention.store import database, plans, requests, sweeps
from retention.store.desk import Desk
from retention.store.requests import Channel, Request
from retention.store.sweeps import Sweep
from retention.vocabulary import Identifier, IdentifierKind
from sandbox.mail.server import MailServer


class Run:
    """One run for requests over connectors, stage by stage; `go` does all of it with a person's yes."""

    def __init__(
        self, desk: Desk, connectors: Sequence[Connector], *request_ids: str, started_by: str = "clerk"
    ) -> None:
        self.desk, self.connectors = desk, {c.system: c for c in connectors}
        info = sweep.RunInfo("subject_request", f"run-{uuid.uuid4().hex}", "manual", started_by)
        self.sweep: Sweep = run.open_run(desk, request_ids, info)
        self.left_behind: Mapping[str, Exception] = {}

    def plan(self) -> str | None:
        """Read, stop marketing, plan, guard; returns the digest that can be approved."""
        self.left_behind = run.read_all(self.desk, self.sweep, list(self.connectors.values()))
        for connector in self.readable():
            if self.sweep.mode is not sweeps.Mode.DRY:
                made = sweep.plan_suppression(self.desk, self.sweep, connector)
                carry_out.carry_out(self.desk, made, connector, loopback=True)
                verify.verify(self.desk, made, connector)
            sweep.decide(self.desk, self.sweep, connector)
        digest = guard.guard(self.desk, self.sweep, list(self.connectors))
        with self.desk.transaction() as db:
            self.sweep = sweeps.get(db, self.sweep.sweep_id)
        return digest

    def approve(self, **changes: object) -> bool:
        """Record an answer; whether it was an approval."""
        question = approve.question(self.desk, self.sweep)
        given = Answer(question.subject, question.body, (approve.APPROVE,), "dpo", "dpo", self.desk.now(), None)
        approval = approve.record(self.desk, self.sweep, replace(given, **changes))  # type: ignore[arg-type]
        if approval is not None:
            approve.let_run(self.desk, self.sweep)
        return approval is not None

    def plan_of(self, system: str) -> plans.Plan:
        """The stored plan of a system."""
        with self.desk.transaction() as db:
            found = plans.find(db, self.sweep.sweep_id, system, Purpose.RETENTION)
        assert found is not None
        return found

    def carry_out(self, system: str) -> Mapping[str, int]:
        """One lane on one system's plan, then its reading back."""
        connector, made = self.connectors[system], self.plan_of(system)
        waits: list[float] = []
        done = carry_out.carry_out(self.desk, made, connector, loopback=True, pause=waits.append).states
        return {**done, **verify.verify(self.desk, made, connector).states}

    def go(self) -> dict[str, Mapping[str, int]]:
        """The whole run; what ended how, by system."""
        if self.plan() is None:
            return {}
        self.approve()
        return {c.system: self.carry_out(c.system) for c in self.readable()}

    def readable(self) -> list[Connector]:
        return [c for c in self.connectors.values() if c.system not in self.left_behind]


RECEIVED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NEW, OLD = date(2026, 1, 1), date(2019, 1, 1)
"""Collected well within the period, and well past it."""
KEY = audit.SigningKey("retention.example/audit", b"k" * 32)
PAGE = "https://privacy.example.com/confirm"


def who(*addresses: str) -> tuple[Identifier, ...]:
    """People by their addresses; a customer number where there is no @."""
    return tuple(Identifier(IdentifierKind.EMAIL if "@" in a else IdentifierKind.CUSTOMER_NUMBER, a) for a in addresses)


def asked(
    desk: Desk,
    *addresses: str,
    asks_for: Right = Right.ERASURE,
    ground: Ground | None = None,
    to_marketing: bool = False,
    received_at: datetime = RECEIVED,
    corrections: tuple[Correction, ...] = (),
    by: str = "clerk",
) -> Opened:
    """A request taken in, by form."""
    file = CaseFile(who(*addresses), "please" if not corrections else "", corrections)
    (opened,) = take_in(desk, [Intake(asks_for, Channel.FORM, received_at, file, ground, to_marketing)], by)
    return opened


def identified(desk: Desk, *addresses: str, **how: object) -> str:
    """The same, with its person known; the request's id."""
    opened = asked(desk, *addresses, **how)  # type: ignore[arg-type]
    identity.show_by_hand(desk, opened.request_id, "dpo")
    return opened.request_id


def standing(desk: Desk, request_id: str) -> Request:
    """The request as it stands now."""
    with desk.transaction() as db:
        return requests.get(db, request_id)


def mailer_to(server: MailServer) -> SmtpMailer:
    """A mailer that reaches the sandbox's server."""
    return mailer_of(f"smtp://127.0.0.1:{server.port}?sender=privacy@example.com")


def token_in(server: MailServer, address: str) -> str:
    """The token of the newest link sent to an address."""
    found = re.findall(rf"{re.escape(PAGE)}/request-[0-9a-f]+/(\S+)", server.to(address)[-1].get_content())
    return str(found[-1])


Ask = Callable[..., Result]


def told(result: Result) -> Any:
    """What a command answered with --json."""
    assert result.exit_code in (0, 1), result.stderr
    return json.loads(result.stdout)


def as_duty(desk: Desk, ledger_url: str, duty: str) -> Desk:
    """The same desk under the database role of one duty; its engine is the caller's to dispose of."""
    return replace(desk, engine=database.connect(f"{ledger_url}?options=-crole%3Dretention_{duty}"))
