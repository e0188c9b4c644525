"""How is a message restricted, and how is that undone? Moved to a hidden folder of ours, with a category; and back.

Folder and categories as they were are noted first. Contacts and events cannot be moved to a mail folder: nobody is made
to believe that a label alone restricts them, so a person gets the task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from connectors.microsoft365.answers import CONFLICT
from connectors.microsoft365.graph import BATCH, Graph, Part
from connectors.microsoft365.keys import MESSAGE, Item, is_id, mailbox_path
from connectors.microsoft365.outcomes import ALREADY, FAILED, REFUSED, UNKNOWN, Outcomes, not_sent, of_answer, of_look
from connectors.microsoft365.scope import Scope
from connectors.microsoft365.viewing import Sight, State, Surroundings, Viewer
from retention.contract import ConnectorError, Stopped, Warrant
from retention.vocabulary import Action, Handle, Outcome, Reason, Scalar, Step

FOLDER, CATEGORIES = "folder", "categories"
AT_ONCE = BATCH // 2
"""Messages per request: each takes two parts, of which the second waits for the first."""


class Restricting:
    """Restricts and releases the messages of one batch."""

    def __init__(self, graph: Graph, viewer: Viewer, scope: Scope) -> None:
        self._graph = graph
        self._viewer = viewer
        self._scope = scope

    def restrict(self, batch: Sequence[Step], items: Mapping[int, Item], warrant: Warrant, outcomes: Outcomes) -> None:
        """Add an outcome for every step that names an item."""
        ready, around = self._ready(Action.RESTRICT, batch, items, outcomes)
        if not ready:
            return
        previous: dict[int, Mapping[str, Scalar]] = {
            n: {FOLDER: sight.folder, CATEGORIES: json.dumps(sight.categories)} for n, sight in ready.items()
        }
        warrant.note(Handle(Action.RESTRICT, "", tuple(batch[n].ref for n in ready), tuple(previous.values())))
        changes: dict[int, tuple[Part, Part]] = {}
        for n, sight in ready.items():
            folder = self._folder(items[n].mailbox, around, warrant)
            if isinstance(folder, Reason):
                status = REFUSED if folder is Reason.VALIDATION else FAILED
                outcomes[n] = Outcome(batch[n].ref, UNKNOWN if folder is Reason.NO_ANSWER else status, folder)
                continue
            label = [*sight.categories, self._scope.restricted_category]
            changes[n] = _labelled(items[n], list(dict.fromkeys(label))), _moved(items[n], folder)
        self._change(batch, changes, warrant, outcomes)
        for n, before in previous.items():
            outcome = outcomes[n]
            if outcome.status not in (FAILED, REFUSED):
                outcomes[n] = Outcome(
                    outcome.ref, outcome.status, outcome.reason, outcome.evidence, outcome.settle_on, before
                )

    def release(self, batch: Sequence[Step], items: Mapping[int, Item], warrant: Warrant, outcomes: Outcomes) -> None:
        """Add an outcome for every step that names an item."""
        ready, _ = self._ready(Action.RELEASE, batch, items, outcomes)
        changes: dict[int, tuple[Part, Part]] = {}
        for n in ready:
            folder, categories = batch[n].values.get(FOLDER), _categories(batch[n].values.get(CATEGORIES))
            if not isinstance(folder, str) or not is_id(folder) or categories is None:
                outcomes[n] = Outcome(batch[n].ref, REFUSED, Reason.VALIDATION)
            else:
                changes[n] = _moved(items[n], folder), _labelled(items[n], categories)
        self._change(batch, changes, warrant, outcomes)

    def _ready(
        self, action: Action, batch: Sequence[Step], items: Mapping[int, Item], outcomes: Outcomes
    ) -> tuple[dict[int, Sight], dict[str, Surroundings]]:
        """The messages to be changed, each as it looks now; every other step has its outcome."""
        around = self._viewer.surroundings(item.mailbox for item in items.values())
        ready: dict[int, Sight] = {}
        for (n, item), sight in zip(items.items(), self._viewer.look(list(items.values())), strict=True):
            step, place = batch[n], around[item.mailbox]
            outcome = of_look(step, sight, place)
            if outcome is None and sight.state is State.ABSENT:
                outcome = Outcome(step.ref, REFUSED if action is Action.RELEASE else ALREADY, Reason.GONE)
            elif outcome is None and item.kind != MESSAGE:
                outcome = Outcome(step.ref, REFUSED, Reason.VALIDATION)
            elif outcome is None and place.recoverable is not None and sight.folder == place.recoverable:
                outcome = Outcome(step.ref, REFUSED, Reason.RECOVERABLE)
            elif outcome is None:
                is_restricted = place.restricted is not None and sight.folder == place.restricted
                if is_restricted is (action is Action.RESTRICT):
                    outcome = Outcome(step.ref, ALREADY, Reason.SAME)
            if outcome is None:
                ready[n] = sight
            else:
                outcomes[n] = outcome
        return ready, around

    def _folder(self, mailbox: str, around: dict[str, Surroundings], warrant: Warrant) -> str | Reason:
        """The mailbox's restricted folder, made if it is missing; or why there is none."""
        place = around[mailbox]
        if place.restricted is not None:
            return place.restricted
        wanted = {"displayName": self._scope.restricted_folder, "isHidden": True}
        path = f"{mailbox_path(mailbox)}/mailFolders"
        try:
            answer = self._graph.post(path, wanted, what="making the folder", mailbox=mailbox, warrant=warrant)
        except (Stopped, ConnectorError):
            return Reason.NOT_SENT
        made = answer.body().get("id")
        if answer.is_fine and isinstance(made, str):
            around[mailbox] = Surroundings(True, made, place.recoverable, place.is_on_hold, place.is_in_scope)
            return made
        # A folder of that name that is not hidden is somebody's own: nothing is moved there.
        return Reason.VALIDATION if answer.status == CONFLICT else Reason.NOT_SENT

    def _change(
        self, batch: Sequence[Step], changes: Mapping[int, tuple[Part, Part]], warrant: Warrant, outcomes: Outcomes
    ) -> None:
        numbers = list(changes)
        for at in range(0, len(numbers), AT_ONCE):
            group = numbers[at : at + AT_ONCE]
            parts: list[Part] = []
            for n in group:
                first, second = changes[n]
                parts += [first, Part(second.verb, second.path, second.mailbox, second.body, after=len(parts))]
            try:
                answers = self._graph.batch(parts, what="changing messages", warrant=warrant)
            except Stopped:
                outcomes |= {n: not_sent(batch[n]) for n in numbers[at:]}
                return
            except ConnectorError:
                if not at and not outcomes:
                    raise
                outcomes |= {n: not_sent(batch[n]) for n in numbers[at:]}
                return
            for n, first_answer, second_answer in zip(group, answers[::2], answers[1::2], strict=True):
                decisive = second_answer if first_answer.is_fine else first_answer
                outcome = of_answer(batch[n], decisive)
                if first_answer.is_fine and not second_answer.is_fine:  # half done: what is there has to be read
                    outcome = Outcome(batch[n].ref, UNKNOWN, Reason.NOT_PROVEN, second_answer.evidence())
                outcomes[n] = outcome


def _labelled(item: Item, categories: Sequence[str]) -> Part:
    return Part("PATCH", item.path, item.mailbox, {"categories": list(categories)})


def _moved(item: Item, folder: str) -> Part:
    return Part("POST", f"{item.path}/move", item.mailbox, {"destinationId": folder})


def _categories(text: Scalar) -> list[str] | None:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if isinstance(found, list) and all(isinstance(one, str) for one in found) else None
