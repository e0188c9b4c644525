"""What happens over HTTPS when service, network or somebody else comes in between? The tenant itself is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from connectors.microsoft365 import Microsoft365Connector, Pace
from connectors.turns import OwnTurns
from retention.contract import ConnectorError, Incomplete
from retention.vocabulary import Action, Finding, Handle, Outcome, OutcomeStatus, Page, Presence, Reason, Step, Token
from sandbox.microsoft365.exchange import Exchange
from sandbox.microsoft365.mailbox import PURGES
from sandbox.tls import issue
from tests.contract.microsoft365_sandbox import OURS, SCOPE, Sandbox
from tests.leave import Leave

LONG_AGO = date(2019, 3, 1)


def findings(connector: Microsoft365Connector, since: Token | None = None) -> list[Finding]:
    return [finding for page in connector.changes(since) for finding in page.findings]


def erasing(connector: Microsoft365Connector) -> list[Step]:
    """A step for everything there is."""
    return [Step(f.ref.key, f.ref, Action.ERASE) for f in findings(connector)]


def erased(sandbox: Sandbox, steps: list[Step]) -> list[tuple[OutcomeStatus, Reason]]:
    outcomes: list[Outcome] = list(sandbox.connect().act(Action.ERASE, steps, Leave()))
    return [(one.status, one.reason) for one in outcomes]


DONE = (OutcomeStatus.DONE, Reason.OK)


def test_a_token_that_expires_in_the_middle_of_a_pass_is_renewed_and_nothing_is_read_twice(sandbox: Sandbox) -> None:
    for number in range(6):
        sandbox.mail(f"ann-{number}@example.com")
    pages = sandbox.connect(page_size=2).changes(None)
    seen = list(next(pages).findings)
    sandbox.tenant.set_switches({"revoked_tokens": 1})
    seen += [finding for page in pages for finding in page.findings]
    assert len(seen) == len({one.ref.key for one in seen}) == 6


def test_a_part_that_is_throttled_inside_a_batch_is_repeated_alone_after_its_wait(sandbox: Sandbox) -> None:
    for number in range(5):
        sandbox.mail(f"ann-{number}@example.com")
    steps = erasing(sandbox.connect())
    sandbox.control.calls.clear()
    sandbox.breaks("status", method="POST", path="*/permanentDelete", status=429, retry_after=3)
    waits: list[float] = []
    outcomes = sandbox.connect(waits=waits).act(Action.ERASE, steps, Leave())
    assert {(one.status, one.reason) for one in outcomes} == {DONE}
    assert 3.0 in waits
    assert sandbox.counted()[1]["POST /users/{user}/messages/{item}/permanentDelete"] == 6
    assert sandbox.box.items == {}


def test_a_service_that_answers_503_without_a_body_is_asked_again(sandbox: Sandbox) -> None:
    sandbox.mail("ann@example.com")
    sandbox.breaks("status", path="/v1.0/$batch", status=503, times=2)
    assert len(findings(sandbox.connect())) == 1


def test_a_position_the_service_forgot_makes_one_folder_be_read_anew(sandbox: Sandbox) -> None:
    sandbox.mail("ann@example.com")
    pages: list[Page] = list(sandbox.connect().changes(None))
    sandbox.tenant.set_switches({"forgotten_deltas": 1})
    token = pages[-1].next
    assert isinstance(token, bytes)
    again = list(sandbox.connect().changes(Token(token)))
    assert [f.ref.key for page in again for f in page.findings] == [f.ref.key for p in pages for f in p.findings]
    assert len(again[-1].whole_groups) > 0


def test_a_page_that_points_to_another_host_is_not_followed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        sandbox.mail(f"ann-{number}@example.com")

    def elsewhere(self: Exchange, path: str, query: object, *, encoded: bool = True) -> str:
        return "https://mallory.example/v1.0/users?$skiptoken=1"

    monkeypatch.setattr(Exchange, "link", elsewhere)
    with pytest.raises(Incomplete, match="another host"):
        findings(sandbox.connect(page_size=2))


def test_mail_its_owner_moved_after_planning_is_found_by_its_immutable_id_and_refused_as_changed(
    sandbox: Sandbox,
) -> None:
    item = sandbox.mail("ann@example.com", on=LONG_AGO)
    steps = erasing(sandbox.connect())
    sandbox.box.move(item, sandbox.box.known("archive"), sandbox.tenant.now())
    assert erased(sandbox, steps) == [(OutcomeStatus.REFUSED, Reason.CHANGED)]
    assert erased(sandbox, erasing(sandbox.connect())) == [DONE]
    assert sandbox.box.items == {}


def test_a_mailbox_put_on_hold_after_planning_keeps_the_mail_and_says_so(sandbox: Sandbox) -> None:
    item = sandbox.mail("ann@example.com", on=LONG_AGO)
    steps = erasing(sandbox.connect())
    sandbox.tenant.set_switches({"on_hold": [OURS]})
    assert erased(sandbox, steps) == [(OutcomeStatus.REFUSED, Reason.LOCKED)]
    assert sandbox.box.folders[sandbox.box.items[item.uid].folder].known == PURGES
    (seen,) = sandbox.connect().read_back(steps)
    assert seen.presence is Presence.RECOVERABLE


def test_without_the_mailbox_item_api_mail_is_recoverable_until_its_day_and_gone_on_it(sandbox: Sandbox) -> None:
    sandbox.mail("ann@example.com", on=LONG_AGO)
    roles = [role for role in sandbox.tenant.switches.roles if not role.startswith("Mailbox")]
    sandbox.tenant.set_switches({"roles": roles})
    noted: list[Handle] = []
    (outcome,) = sandbox.connect().act(Action.ERASE, erasing(sandbox.connect()), Leave(noted.append))
    assert (outcome.status, outcome.settle_on) == (OutcomeStatus.ACCEPTED, date(2026, 12, 7))
    sandbox.tenant.set_clock(sandbox.tenant.now() + timedelta(days=16))
    (settled,) = sandbox.connect().settle(noted[0])
    assert settled.status is OutcomeStatus.DONE


def test_where_both_apis_name_items_differently_the_message_id_finds_what_is_to_go(sandbox: Sandbox) -> None:
    sandbox.mail("ann@example.com", on=LONG_AGO)
    sandbox.tenant.set_switches({"item_ids_differ": True})
    assert erased(sandbox, erasing(sandbox.connect())) == [DONE]
    assert sandbox.box.items == {}


def test_a_restricted_message_goes_to_a_hidden_folder_and_comes_back_as_it_was(sandbox: Sandbox) -> None:
    item = sandbox.mail("ann@example.com", categories=["Blue"], folder="Inbox/Fairs")
    (step,) = erasing(sandbox.connect())
    restricting = Step(step.step_id, step.ref, Action.RESTRICT)
    (outcome,) = sandbox.connect().act(Action.RESTRICT, [restricting], Leave())
    folder = sandbox.box.folders[item.folder]
    assert (folder.name, folder.hidden, item.row["categories"]) == (
        "Restricted processing",
        True,
        ["Blue", "Restricted"],
    )
    (seen,) = sandbox.connect().read_back([restricting])
    releasing = Step(step.step_id, seen.ref, Action.RELEASE, values=outcome.previous)
    (outcome,) = sandbox.connect().act(Action.RELEASE, [releasing], Leave())
    assert outcome.status is OutcomeStatus.DONE
    assert (sandbox.box.folders[item.folder].name, item.row["categories"]) == ("Fairs", ["Blue"])


def test_an_address_in_a_display_name_alone_is_nobody_and_erases_nothing(sandbox: Sandbox) -> None:
    sandbox.mail(("jane@example.com", "mallory@example.net"))  # type: ignore[arg-type]
    (finding,) = findings(sandbox.connect())
    assert [one.value for one in finding.identifiers] == ["mallory@example.net"]


def test_a_thousand_messages_of_one_mailbox_are_erased_without_a_single_refusal_for_pace(sandbox: Sandbox) -> None:
    for number in range(1000):
        sandbox.mail(f"ann-{number}@example.com", on=LONG_AGO)
    steps = erasing(sandbox.connect())
    sandbox.control.calls.clear()
    assert set(erased(sandbox, steps)) == {DONE}
    counts, _ = sandbox.counted()
    assert (
        sum(count for name, count in counts.items() if "oauth2" not in name and "well-known" not in name) <= 1.1 * 152
    )
    assert sandbox.tenant.limits.refused == 0


def test_workers_that_share_their_turns_stay_within_what_a_mailbox_allows(sandbox: Sandbox) -> None:
    """The emulator's window, made short, in its own time: whoever sends too early is refused and counted."""
    for number in range(60):
        sandbox.mail(f"ann-{number}@example.com", on=LONG_AGO)
    steps = erasing(sandbox.connect())
    sandbox.tenant.set_clock(sandbox.tenant.now())
    sandbox.tenant.set_switches({"requests_per_window": 150, "window_seconds": 1.5})
    outcomes = sandbox.connect(pace=Pace(requests=150, window=1.5)).act(Action.ERASE, steps, Leave())
    assert {(one.status, one.reason) for one in outcomes} == {DONE}
    assert sandbox.tenant.limits.refused == 0


@pytest.mark.parametrize("shared", [True, False], ids=["sharing-turns", "each-for-itself"])
def test_workers_on_one_mailbox_never_have_more_than_four_requests_under_way_at_once(
    sandbox: Sandbox, shared: bool
) -> None:
    """The control: workers that do not share their turns are refused, so that the promise could fail."""
    for number in range(80):
        sandbox.mail(f"ann-{number}@example.com", on=LONG_AGO)
    steps = erasing(sandbox.connect())
    sandbox.tenant.set_switches({"latency_seconds": 0.01})
    turns = OwnTurns()
    workers = [sandbox.connect(pace=Pace(turns if shared else OwnTurns())) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        batches = [steps[at : at + 20] for at in range(0, 80, 20)]
        done = list(pool.map(lambda one: one[0].act(Action.ERASE, one[1], Leave()), zip(workers, batches, strict=True)))
    assert {(one.status, one.reason) for outcomes in done for one in outcomes} == {DONE}
    assert (sandbox.tenant.limits.refused == 0) is shared


@pytest.mark.parametrize("bundle", ["/nowhere/at/all.pem", ""])
def test_a_ca_bundle_in_the_environment_neither_breaks_nor_weakens_tls(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, bundle: str
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, bundle)
    sandbox.mail("ann@example.com")
    assert len(findings(sandbox.connect())) == 1


def test_a_certificate_of_another_authority_is_not_trusted_though_the_environment_does(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = issue(tmp_path_factory.mktemp("other"), "other")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.ca)
    stranger = Sandbox(sandbox.url, str(other.ca), sandbox.control, sandbox.tenant)
    with pytest.raises(ConnectorError, match="TLS"):
        findings(stranger.connect(SCOPE))
