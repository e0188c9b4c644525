"""What happens when a request meets a night, other requests, or itself?"""

from __future__ import annotations

import pytest

from retention.requests import answers
from retention.store import review, tasks
from retention.store.database import one
from retention.store.desk import Desk
from retention.sweep import Refused
from retention.vocabulary import Action
from tests.memory_connector import MemoryConnector, MemorySystem, person
from tests.requesting import NEW, OLD, Run, asked, identified
from tests.sweeping import Night, limited


def test_a_night_and_a_request_that_meet_in_a_record_do_it_once(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    crm.add(person("old@example.com", OLD))
    tonight = Night(desk, [MemoryConnector(crm)])
    assert tonight.plan() is not None
    tonight.approve()

    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com"))
    made.plan()  # takes the record over from the night, which had only planned it
    made.approve()

    assert tonight.carry_out("crm") == {"done": 1}
    assert made.carry_out("crm") == {"done": 1, "verified": 1}
    assert crm.records == {}
    with desk.transaction() as db:
        erased = one(db, "SELECT count(*) AS n FROM attempts JOIN steps USING (step_id) WHERE action = 'erase'")
    assert erased.n == 2


def test_a_night_leaves_alone_what_a_request_has_planned(desk: Desk, crm: MemorySystem) -> None:
    crm.add(person("ann@example.com", OLD))
    made = Run(desk, [MemoryConnector(crm)], identified(desk, "ann@example.com"))
    made.plan()
    made.approve()

    assert Night(desk, [MemoryConnector(crm)]).plan() is None
    assert made.carry_out("crm") == {"done": 1, "verified": 1}


def test_a_run_does_not_close_the_work_that_nights_gave_people_nor_the_other_way_round(
    desk: Desk, crm: MemorySystem
) -> None:
    old = crm.add(person("old@example.com", OLD))
    crm.add(person("ann@example.com", NEW))
    crm.add(person("undated@example.com", None))
    by_hand = MemoryConnector(crm, supports=frozenset(Action) - {Action.ERASE})

    def open_tasks() -> set[tuple[str, str]]:
        with desk.transaction() as db:
            return {(task.what, task.detail[:8]) for task in tasks.listed(db)}

    Night(desk, [by_hand]).plan()
    Run(desk, [by_hand], identified(desk, "ann@example.com")).plan()
    assert open_tasks() == {("erase", ""), ("erase", "request-")}
    Night(desk, [by_hand]).plan()
    assert open_tasks() == {("erase", ""), ("erase", "request-")}
    crm.remove(old.key)
    Night(desk, [by_hand]).plan()
    assert open_tasks() == {("erase", "request-")}
    with desk.transaction() as db:
        assert [item.reasons for item in review.items(db, review.Wanted())] == [("RET_NO_START",)]


def test_many_requests_share_searches_and_vendor_batches(desk: Desk, crm: MemorySystem) -> None:
    class Counting(MemoryConnector):
        finds = acts = 0

        def find(self, criteria, after=None):  # type: ignore[no-untyped-def]
            self.finds += 1
            yield from super().find(criteria, after)

        def act(self, action, batch, warrant):  # type: ignore[no-untyped-def]
            self.acts += 1
            return super().act(action, batch, warrant)

    wide = limited(desk, canary={"first": 50, "growth": 10})
    ids = []
    for number in range(40):
        crm.add(person(f"p{number}@example.com", NEW))
        ids.append(identified(wide, f"p{number}@example.com"))
    connector = Counting(crm, page_size=100)

    assert Run(wide, [connector], *ids).go() == {"crm": {"done": 40, "verified": 40}}

    assert (connector.finds, connector.acts) == (1, 2)  # one batch that stops marketing at once, one that erases
    assert crm.records == {}


def test_two_runs_for_one_request_are_not_at_work_at_once(desk: Desk, crm: MemorySystem) -> None:
    request_id = identified(desk, "ann@example.com")
    Run(desk, [MemoryConnector(crm)], request_id)
    with pytest.raises(Refused, match="let that run be sealed"):
        Run(desk, [MemoryConnector(crm)], request_id)


@pytest.mark.parametrize("state", ["received", "withdrawn", "paused"])
def test_nothing_is_done_for_a_request_that_waits_or_is_over(desk: Desk, crm: MemorySystem, state: str) -> None:
    request_id = asked(desk, "ann@example.com").request_id if state == "received" else identified(desk, "ann@x.example")
    if state == "withdrawn":
        answers.withdraw(desk, request_id, "clerk")
    if state == "paused":
        answers.pause(desk, request_id, "clerk")
    with pytest.raises(Refused, match=f"is {state}"):
        Run(desk, [MemoryConnector(crm)], request_id)
