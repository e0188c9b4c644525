"""What may stand in an audit entry, and which bytes stand for it?"""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.audit import Clock, Entry, Event, Role, fit_actor, fit_request_ids
from retention.audit.canonical import TYPE, canonical
from retention.vocabulary import DataClass, GapCode, OutcomeStatus, Presence, Reason

AT = datetime(2026, 11, 22, 2, 0, 0, 7, tzinfo=UTC)
TEXT_FIELDS = [field.name for field in fields(Entry) if field.default == "" and not isinstance(field.default, StrEnum)]
LIST_FIELDS = [field.name for field in fields(Entry) if field.default == ()]
ENCODED = "YWRhQGV4YW1wbGUuY29t"
PERSONAL = [
    "ada.lovelace@example.com",
    "Ada Lovelace",
    "Lovelace, Ada",
    "Adalø",
    "+44 7700 900123",
    "+447700900123",
    "07700900123",
    "447700900123",
    "07700-900123",
    "12 Analytical Row",
    "letters/2021/ada_lovelace.docx",
    "C:\\letters\\ada.docx",
    "sweep-ada",
    "hold:lovelace",
    "Re: your order\n",
    "ada%40example.com",
    ENCODED,
]

# What these fields are for cannot be told from such values: user ids, system names of the policy, vendors' opaque ids.
SHAPED_ALIKE = {
    "actor": ["sweep-ada", ENCODED],
    "approver": ["sweep-ada", ENCODED],
    "system": ["sweep-ada"],
    "request_ids": [ENCODED],
}


def unfit(names: list[str]) -> list[object]:
    return [
        pytest.param(name, value, id=f"{name}-{number}")
        for name in names
        for number, value in enumerate(PERSONAL)
        if value not in SHAPED_ALIKE.get(name, ())
    ]


class GuardCode(StrEnum):
    """As another module would define its codes."""

    CAP = "cap-exceeded"


@pytest.mark.parametrize(("name", "value"), unfit(TEXT_FIELDS))
def test_no_text_field_takes_a_name_an_address_a_number_or_a_path(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        Entry(AT, Event.INTENT, **{name: value})
    assert value not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("name", "value"), unfit(LIST_FIELDS))
def test_no_list_field_takes_personal_data_even_beside_a_good_element(name: str, value: str) -> None:
    good = {
        "data_classes": DataClass.DOCUMENT,
        "reasons": "RET_EXPIRED",
        "articles": "17(1)(a)",
        "request_ids": "750xx0000001",
    }
    for given_values in ((value,), (good[name], value), (value, good[name])):
        with pytest.raises(ValueError, match=name) as caught:
            Entry(AT, Event.INTENT, **{name: given_values})
        assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "run": ["sweep-2026-11-22-ab12cd", "request-0f3e", "c2b5e0a4-5c0b-4a55-8d1f-0123456789ab"],
        "reference": ["hold-000017", "approval:9f00", "certificate-2026-0001"],
        "plan_digest": ["a" * 64, "sha256:" + "0" * 64],
        "item": ["f" * 32, "plan-ab12:17", "0" * 64],
        "case_key": ["0123456789abcdef", "k12", "2026-11", "2026-11-22"],
        "system": ["salesforce", "hubspot_eu", "documents-2"],
        "record": ["0" * 32, "0" * 64],
        "decision": ["ERASE", "REVIEW", "redact", "held"],
        "policy_digest": ["b" * 64],
        "code_version": ["0.3.1", "1.0rc1", "git-1f2e3d4c5b6a", "1234567890" * 4 + "-dirty", "2.0.0+abc1234"],
        "actor": ["schedule", "dpo", "17", "standing:quiet-nights", "c2b5e0a4-5c0b-4a55-8d1f-0123456789ab"],
        "approver": ["dpo.two"],
        "reasons": [("RET_EXPIRED", "UNSUB_MARKETING"), (Reason.CHANGED,), (GapCode.ENCRYPTED,), (GuardCode.CAP,)],
        "articles": [("5(1)(e)", "17(1)(a)"), ("12A(2)(b)",), ("PECR-22(3A)", "DPA-Sch2-5", "Rec26", "ePrivacy-13(2)")],
        "request_ids": [("7508d00000ABcdEAAT", "c2b5e0a4-5c0b-4a55-8d1f-0123456789ab"), ("withheld",)],
        "count": [0, 1, 999_999_999],
    }.items(),
)
def test_what_the_pipeline_makes_itself_fits(name: str, values: list[object]) -> None:
    for value in values:
        assert getattr(Entry(AT, Event.INTENT, **{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event", "intent"),
        ("clock", "ledger"),
        ("role", "dpo"),
        ("outcome", "done"),
        ("outcome_reason", Presence.ABSENT),
        ("before", "present"),
        ("data_classes", ("document",)),
        ("data_classes", [DataClass.DOCUMENT]),
        ("reasons", "RET_EXPIRED"),
        ("reasons", ("RET_INVENTED",)),
        ("decision", "Lovelace"),
        ("count", True),
        ("count", -1),
        ("count", 7_700_900_123),
        ("count", 1.5),
        ("system", None),
        ("run", b"sweep-1"),
        ("actor", 17),
        ("articles", (17,)),
        ("articles", ("17\x1f18",)),
        ("articles", ("",)),
        ("articles", ("17", "")),
        ("code_version", "192.168.10.20"),
        ("actor", "dpo\n"),
        ("at", AT.isoformat()),
        ("at", AT.replace(tzinfo=None)),
        ("at", AT.astimezone(timezone(timedelta(hours=1)))),
    ],
)
def test_what_is_not_of_the_fields_own_type_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"'{name}'"):
        Entry(**({"at": AT, "event": Event.INTENT} | {name: value}))


def test_an_entry_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Entry(AT, Event.INTENT).count = 3  # type: ignore[misc]


def test_request_ids_that_could_be_words_or_numbers_of_people_are_withheld() -> None:
    given_ids = ["", "7508d00000ABcdEAAT", "ada@example.com", "447700900123", "lovelace", "/letters/ada1.docx"]
    assert fit_request_ids(given_ids) == ("7508d00000ABcdEAAT", "withheld", "withheld", "withheld", "withheld")
    assert Entry(AT, Event.OUTCOME, request_ids=fit_request_ids(given_ids)).request_ids[0] == "7508d00000ABcdEAAT"


def test_a_user_id_that_is_an_address_stands_in_the_log_as_a_pseudonym() -> None:
    assert [fit_actor(user, bytes(32)) for user in ("", "dpo", "standing:quiet", "17")] == [
        "",
        "dpo",
        "standing:quiet",
        "17",
    ]
    hidden = fit_actor("ada@example.com", bytes(32))
    assert hidden != fit_actor("bob@example.com", bytes(32))
    assert hidden != fit_actor("ada@example.com", bytes(31) + b"1")
    assert Entry(AT, Event.APPROVAL_REFUSED, approver=hidden).approver == hidden


def optional(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | values


def hexes(length: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=length // 2, max_size=length // 2).map(bytes.hex)


entries = st.builds(
    Entry,
    at=st.datetimes(timezones=st.just(UTC)),
    event=st.sampled_from(Event),
    clock=st.sampled_from(Clock),
    run=optional(hexes(12).map("sweep-".__add__)),
    reference=optional(hexes(8).map("hold-".__add__)),
    plan_digest=optional(hexes(64)),
    item=optional(hexes(32)),
    case_key=optional(hexes(16)),
    system=optional(st.from_regex(r"[a-z][a-z0-9_-]{0,39}", fullmatch=True)),
    record=optional(hexes(64)),
    data_classes=st.lists(st.sampled_from(DataClass)).map(tuple),
    decision=st.sampled_from(["", "ERASE", "redact"]),
    reasons=st.lists(st.sampled_from(["RET_EXPIRED", Reason.GONE, GuardCode.CAP])).map(tuple),
    articles=st.lists(st.sampled_from(["5(1)(e)", "PECR-22"])).map(tuple),
    policy_digest=optional(hexes(64)),
    code_version=st.sampled_from(["", "0.1.0"]),
    actor=st.sampled_from(["", "schedule", "dpo"]),
    role=st.none() | st.sampled_from(Role),
    approver=st.sampled_from(["", "standing:quiet"]),
    request_ids=st.lists(hexes(20).map("a1".__add__)).map(tuple),
    before=st.none() | st.sampled_from(Presence),
    after=st.none() | st.sampled_from(Presence),
    outcome=st.none() | st.sampled_from(OutcomeStatus),
    outcome_reason=st.none() | st.sampled_from(Reason),
    count=st.none() | st.integers(0, 999_999_999),
)


@given(entry=entries, seq=st.integers(0, 2**53 - 1), previous=st.binary(min_size=32, max_size=32))
@settings(max_examples=200, deadline=None)
def test_the_bytes_are_rfc_8785_over_every_field_of_the_entry(entry: Entry, seq: int, previous: bytes) -> None:
    expected: dict[str, object] = {"type": TYPE, "seq": seq, "previous": previous.hex()}
    for field in fields(Entry):
        value = getattr(entry, field.name)
        if isinstance(value, datetime):
            value = f"{value.year:04}-" + value.strftime("%m-%dT%H:%M:%S.%fZ")
        elif isinstance(value, tuple):
            value = [str(one) for one in value]
        elif field.name != "count":
            value = str(value or "")
        expected[field.name] = value
    assert canonical(entry, seq, previous) == rfc8785.dumps(expected)
