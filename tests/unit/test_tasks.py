"""Is every need that can arise one that a person can be given, with a day by which it is due?"""

from __future__ import annotations

import pytest

from retention.tasks import ACT_BY_HAND, CLASSIFY, DAYS_TO_DO, FOR_SUBJECTS, GIVE_ACCESS, LEFT_OVER, READ_BY_HAND
from retention.vocabulary import Action


@pytest.mark.parametrize("action", list(Action))
def test_an_action_that_a_system_lacks_has_a_day_by_which_a_person_does_it(action: Action) -> None:
    assert 0 < DAYS_TO_DO[action.value] <= 28


def test_no_need_is_of_two_kinds() -> None:
    kinds = (ACT_BY_HAND, CLASSIFY, FOR_SUBJECTS, GIVE_ACCESS, LEFT_OVER, READ_BY_HAND)
    assert sum(map(len, kinds)) == len(DAYS_TO_DO)
