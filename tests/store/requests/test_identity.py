"""Which link proves who asks? Only the newest, once, in time, for the request and the address it went to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from retention.requests import answers, identity
from retention.requests.identity import LinkRefused, Refusal
from retention.requests.mailer import NotSent
from retention.store import requests
from retention.store.database import one, rows
from retention.store.desk import Desk
from sandbox.mail.server import MailServer
from tests.requesting import PAGE, asked, mailer_to, standing, token_in, who


def refusals(desk: Desk) -> list[tuple[str, list[str]]]:
    with desk.transaction() as db:
        entries = [json.loads(bytes(r.body)) for r in rows(db, "SELECT body FROM audit_entries ORDER BY seq")]
    return [(e.get("run", ""), e["reasons"]) for e in entries if e["event"] == "identity_refused"]


@pytest.fixture
def ann(desk: Desk, mail: MailServer) -> str:
    """A request whose links are out."""
    request_id = asked(desk, "ann@example.com", "ann@home.example").request_id
    assert identity.ask(desk, mailer_to(mail), request_id, PAGE, "clerk") == 2
    assert standing(desk, request_id).state == "identity_pending"
    return request_id


def refused(desk: Desk, request_id: str, token: str) -> Refusal:
    with pytest.raises(LinkRefused) as caught:
        identity.confirm(desk, request_id, token)
    assert token not in str(caught.value)
    return caught.value.why


def test_a_link_proves_the_address_it_went_to_and_no_other(desk: Desk, mail: MailServer, ann: str) -> None:
    assert identity.confirm(desk, ann, token_in(mail, "ann@home.example")) == "in_progress"

    with desk.transaction() as db:
        verified = requests.verified_keys(db, ann)
    assert verified == {desk.keyring.exact_key(who("ann@home.example")[0])}
    assert identity.confirm(desk, ann, token_in(mail, "ann@example.com")) == "in_progress"
    with desk.transaction() as db:
        assert len(requests.verified_keys(db, ann)) == 2


def test_a_link_is_stored_as_a_digest_only(desk: Desk, mail: MailServer, ann: str) -> None:
    token = token_in(mail, "ann@example.com")
    with desk.transaction() as db:
        stored = str(rows(db, "SELECT t::text FROM request_tokens t"))
    assert token not in stored
    assert token.encode().hex() not in stored
    assert len(token) >= 43  # 32 random bytes


def test_a_link_is_used_once(desk: Desk, mail: MailServer, ann: str) -> None:
    token = token_in(mail, "ann@example.com")
    identity.confirm(desk, ann, token)

    assert refused(desk, ann, token) is Refusal.REPLAYED
    assert refusals(desk) == [(ann, ["link-used-before"])]


def test_a_link_of_another_persons_request_is_refused_and_stays_usable(desk: Desk, mail: MailServer, ann: str) -> None:
    ben = asked(desk, "ben@example.com").request_id

    assert refused(desk, ben, token_in(mail, "ann@example.com")) is Refusal.OTHER_REQUEST

    assert standing(desk, ben).state == "received"
    assert refusals(desk) == [(ben, ["link-of-another-request"])]
    assert identity.confirm(desk, ann, token_in(mail, "ann@example.com")) == "in_progress"


def test_a_link_expires(desk: Desk, mail: MailServer, ann: str) -> None:
    hours = desk.policy.schedule.answering.link_hours
    later = replace(desk, now=lambda: desk.now() + timedelta(hours=hours))

    assert refused(later, ann, token_in(mail, "ann@example.com")) is Refusal.EXPIRED
    assert standing(desk, ann).state == "identity_pending"


def test_a_new_link_ends_the_one_before(desk: Desk, mail: MailServer, ann: str) -> None:
    first = token_in(mail, "ann@example.com")
    identity.ask(desk, mailer_to(mail), ann, PAGE, "clerk")

    assert refused(desk, ann, first) is Refusal.REPLAYED
    assert identity.confirm(desk, ann, token_in(mail, "ann@example.com")) == "in_progress"


@pytest.mark.parametrize("made_up", ["", "x" * 43, "ann@example.com", "'; DROP TABLE requests; --"])
def test_what_was_never_sent_is_refused_and_no_word_of_it_is_kept(desk: Desk, ann: str, made_up: str) -> None:
    assert refused(desk, ann, made_up + "!") is Refusal.UNKNOWN
    assert refusals(desk) == [(ann, ["unknown-link"])]


def test_a_stranger_who_makes_up_a_request_leaves_a_trace_without_it(desk: Desk, ann: str) -> None:
    assert refused(desk, "ann@example.com", "token") is Refusal.UNKNOWN
    assert refusals(desk) == [("", ["unknown-link"])]


def test_a_link_for_a_request_that_is_over_proves_nothing(desk: Desk, mail: MailServer, ann: str) -> None:
    answers.withdraw(desk, ann, "clerk")
    assert refused(desk, ann, token_in(mail, "ann@example.com")) is Refusal.OVER


def test_no_link_is_counted_as_sent_that_the_server_did_not_take(desk: Desk, mail: MailServer) -> None:
    request_id = asked(desk, "ann@example.com").request_id
    mail.refuses.add("ann@example.com")

    with pytest.raises(NotSent):
        identity.ask(desk, mailer_to(mail), request_id, PAGE, "clerk")

    assert standing(desk, request_id).state == "received"
    with desk.transaction() as db:
        assert one(db, "SELECT count(*) AS n FROM request_notices").n == 0
