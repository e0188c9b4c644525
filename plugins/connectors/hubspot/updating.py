"""How are properties of many records set in one call? What the service rejects is sent again in halves."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from connectors.hubspot.answers import NOT_FOUND, Answer, listed
from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.patience import NoAnswer
from connectors.hubspot.sending import (
    DONE,
    FAILED,
    MOST_SILENT,
    REFUSED,
    UNKNOWN,
    Outcomes,
    given_up,
    not_sent,
    rejected,
)
from retention.contract import ConnectorError, Stopped, Warrant
from retention.vocabulary import Outcome, Reason, Scalar, Step

MOST_REJECTED = 3
"""After this many records in a row were rejected by themselves the cause is no single record: the rest, rejected
together with them, is not tried one by one."""

NO_SUCH_PROPERTY = "PROPERTY_DOESNT_EXIST"
OWN_LABEL = "Processing restricted"

Values = dict[str, str]
Previous = Mapping[int, Mapping[str, Scalar]]
NOTHING: Previous = MappingProxyType({})


class Updating:
    """Sets properties of the records of a batch."""

    def __init__(self, client: HubSpotClient, object_type: str, own_property: str) -> None:
        self._client = client
        self._object_type = object_type
        self._own_property = own_property

    def update(
        self,
        batch: Sequence[Step],
        values: Mapping[int, Values],
        warrant: Warrant,
        outcomes: Outcomes,
        previous: Previous = NOTHING,
        *,
        is_first: bool = True,
    ) -> None:
        """Set values by the number of their step. `previous` goes into the outcomes that may have taken effect;
        `is_first`: nothing was sent for this batch before."""
        groups = deque([list(values)] if values else [])
        silent, alone = 0, 0
        may_make = any(self._own_property in some for some in values.values())
        while groups:
            group = groups.popleft()
            if silent >= MOST_SILENT:
                not_sent(batch, group, outcomes)
                continue
            inputs: list[dict[str, Any]] = [{"id": batch[n].ref.key, "properties": values[n]} for n in group]
            try:
                answer = self._client.update(self._object_type, inputs, warrant)
                if may_make and answer.status == 400 and NO_SUCH_PROPERTY in _codes(answer):
                    may_make = False
                    self._client.create_property(self._object_type, self._own_property, OWN_LABEL, warrant)
                    answer = self._client.update(self._object_type, inputs, warrant)
            except Stopped:
                not_sent(batch, [n for some in (group, *groups) for n in some], outcomes)
                return
            except NoAnswer:
                silent += 1
                for n in group:
                    outcomes[n] = Outcome(batch[n].ref, UNKNOWN, Reason.NO_ANSWER, previous=previous.get(n, {}))
                continue
            except ConnectorError as error:
                if is_first and not any(n in outcomes for n in values):
                    raise
                given_up(batch, group, error, outcomes)
                continue
            silent = 0
            is_rejected = answer.status in (400, 404, 409)
            if is_rejected and len(group) > 1:
                half = len(group) // 2
                groups.extendleft([group[half:], group[:half]])
                continue
            alone = alone + 1 if is_rejected else 0
            if alone == MOST_REJECTED:
                group += [n for some in groups for n in some]
                groups.clear()
            for n in group:
                outcomes[n] = _updated(batch[n], answer, previous.get(n, {}))


def _codes(answer: Answer) -> set[str]:
    return {str(one.get("code")) for one in listed(answer.body().get("errors")) if isinstance(one, dict)}


def _updated(step: Step, answer: Answer, previous: Mapping[str, Scalar]) -> Outcome:
    """A mixed answer names what it did; a record it does not name is not known to be done."""
    if answer.status == NOT_FOUND:
        return Outcome(step.ref, FAILED, Reason.NOT_PROVEN, answer.evidence())
    if not 200 <= answer.status < 300:
        return rejected(step, answer)
    body = answer.body()
    if any(isinstance(row, dict) and str(row.get("id")) == step.ref.key for row in listed(body.get("results"))):
        return Outcome(step.ref, DONE, Reason.OK, answer.evidence(), previous=previous)
    if category := _error_about(body, step.ref.key):
        is_gone = category == "OBJECT_NOT_FOUND"  # it was there when it was read a moment ago
        return Outcome(step.ref, REFUSED, Reason.CHANGED if is_gone else Reason.VALIDATION, answer.evidence())
    return Outcome(step.ref, UNKNOWN, Reason.NO_ANSWER, answer.evidence(), previous=previous)


def _error_about(body: Mapping[str, Any], key: str) -> str:
    """The category of the error of a mixed answer that names this record; empty where none does."""
    for error in listed(body.get("errors")):
        context = error.get("context") if isinstance(error, dict) else None
        named = context.values() if isinstance(context, dict) else ()
        if any(str(value) == key for values in named for value in listed(values)):
            return str(error.get("category") or "ERROR")
    return ""
