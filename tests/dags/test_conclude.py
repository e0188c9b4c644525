"""Does a run that was not whole end red, and say in one line all that an operator has to look at?"""

from __future__ import annotations

from typing import Any

import pytest

WHOLE = {"failed": 0, "pending": 0, "stopped": 0, "erased": 2, "redacted": 1, "restricted": 0}


@pytest.fixture
def conclude(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    from orchestration import tasks

    return tasks.conclude.function


def report(**changes: Any) -> dict[str, Any]:
    whole = {"state": "sealed", "systems": {"crm": WHOLE}, "not_covered": [], "stopped_by": {}, "incidents": {}}
    return whole | changes


def test_a_whole_run_says_on_how_many_records_it_acted(conclude: Any) -> None:
    assert conclude(report()) == "sealed: acted on 3 records"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"not_covered": ["crm"]}, "crm: was not read, so it is not covered"),
        ({"systems": {"crm": WHOLE | {"failed": 4}}}, "crm: 4 steps failed"),
        ({"systems": {"crm": WHOLE | {"pending": 1}}}, "crm: 1 steps pending"),
        ({"systems": {"crm": WHOLE | {"stopped": 1}}}, "crm: the plan was stopped"),
        ({"stopped_by": {"crm": ["stopped by guard run-cap"]}}, "crm: stopped by guard run-cap"),
        ({"incidents": {"suppression-shrank": 1}}, "lost entries without evidence of newer consent"),
        ({"state": "guarded"}, "neither approved nor rejected"),
    ],
)
def test_what_was_not_whole_ends_the_run_red(conclude: Any, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Exception, match=says):
        conclude(report(**changes))


def test_all_that_is_wrong_is_said_at_once(conclude: Any) -> None:
    with pytest.raises(Exception, match=r"crm: was not read.*; shop: 1 steps failed"):
        conclude(report(not_covered=["crm"], systems={"shop": WHOLE | {"failed": 1}}))


def test_a_sweep_that_could_not_be_sealed_says_where_to_look(conclude: Any) -> None:
    with pytest.raises(Exception, match="read the log of the task 'seal'"):
        conclude(None)
