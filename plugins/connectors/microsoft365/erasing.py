"""How is an item erased? Read again, moved to Purges, and there deleted for good where that is granted.

`permanentDelete` answers 204 and leaves the item in a hidden folder for the retention time of deleted items, and as
long as any hold lasts. Only the hard delete of the mailbox-item API ends that, and only it says that it is on hold.
Without it the outcome is "recoverable until" a day, which is noted before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from connectors.microsoft365.answers import FORBIDDEN, NOT_FOUND, Answer
from connectors.microsoft365.facts import last_end
from connectors.microsoft365.graph import BATCH, Graph, Part
from connectors.microsoft365.keys import EVENT, Item
from connectors.microsoft365.outcomes import (
    ACCEPTED,
    ALREADY,
    DONE,
    REFUSED,
    Outcomes,
    not_sent,
    of_answer,
    of_look,
)
from connectors.microsoft365.recoverable import Bin, RecoverableItems
from connectors.microsoft365.viewing import Sight, State, Surroundings, Viewer
from retention.contract import ConnectorError, Stopped, Warrant
from retention.vocabulary import Action, Evidence, Handle, Outcome, Reason, Step

JOB = "recoverable-until-"
CANNOT_DELETE = "errorcannotdeleteobject"
"""The mail API says this of an item that is in Recoverable Items already."""


class Erasing:
    """Erases the items of one batch."""

    def __init__(self, graph: Graph, viewer: Viewer, bins: RecoverableItems, recoverable_days: int) -> None:
        self._graph = graph
        self._viewer = viewer
        self._bins = bins
        self._days = recoverable_days

    def run(self, batch: Sequence[Step], items: Mapping[int, Item], warrant: Warrant, outcomes: Outcomes) -> None:
        """Add an outcome for every step that names an item."""
        around = self._viewer.surroundings((item.mailbox for item in items.values()), folders=False)
        until = self.last_day()
        job = f"{JOB}{until.isoformat()}" if until else ""
        purged: dict[int, tuple[str, Evidence]] = {}
        gone: list[int] = []
        try:
            for group in _groups(list(items)):
                self._purge(batch, items, group, around, job, warrant, outcomes, purged, gone)
        except Stopped:
            pass
        except ConnectorError:
            if not purged and not outcomes:
                raise
        for number in items:
            if number not in outcomes and number not in purged and number not in gone:
                outcomes[number] = not_sent(batch[number])
        self._finish(batch, items, purged, gone, until, warrant, outcomes)

    def last_day(self) -> date | None:
        """The first day on which what is deleted now cannot be recovered any more, by the service's clock."""
        return self._viewer.today + timedelta(days=self._days + 1) if self._viewer.today else None

    def _purge(
        self,
        batch: Sequence[Step],
        items: Mapping[int, Item],
        group: Sequence[int],
        around: Mapping[str, Surroundings],
        job: str,
        warrant: Warrant,
        outcomes: Outcomes,
        purged: dict[int, tuple[str, Evidence]],
        gone: list[int],
    ) -> None:
        """Read up to 20 items again and move to Purges those that are as they were planned."""
        sights = dict(zip(group, self._viewer.look([items[n] for n in group]), strict=True))
        todo: list[int] = []
        for n, sight in sights.items():
            outcome = of_look(batch[n], sight, around[items[n].mailbox]) or self._kept(batch[n], items[n], sight)
            if outcome is not None:
                outcomes[n] = outcome
            elif sight.state is State.ABSENT:
                gone.append(n)
            else:
                todo.append(n)
        if not todo:
            return
        warrant.note(Handle(Action.ERASE, job, tuple(batch[n].ref for n in todo)))
        parts = [Part("POST", f"{items[n].path}/permanentDelete", items[n].mailbox, {}) for n in todo]
        for n, answer in zip(todo, self._graph.batch(parts, what="erasing", warrant=warrant), strict=True):
            if answer.is_fine or answer.status == NOT_FOUND or answer.code() == CANNOT_DELETE:
                purged[n] = str(sights[n].row.get("internetMessageId") or ""), answer.evidence()
            else:
                outcomes[n] = of_answer(batch[n], answer)

    def _kept(self, step: Step, item: Item, sight: Sight) -> Outcome | None:
        """A meeting that is not over is not deleted: the service would write to everybody invited."""
        if item.kind != EVENT or sight.state is not State.THERE:
            return None
        end, today = last_end(sight.row), self._viewer.today
        is_over = end is not None and today is not None and end < datetime.combine(today, time(), UTC)
        return None if is_over else Outcome(step.ref, REFUSED, Reason.VALIDATION)

    def _finish(
        self,
        batch: Sequence[Step],
        items: Mapping[int, Item],
        purged: Mapping[int, tuple[str, Evidence]],
        gone: Sequence[int],
        until: date | None,
        warrant: Warrant,
        outcomes: Outcomes,
    ) -> None:
        """Delete for good what was moved to Purges now or lies there from before."""
        for n in gone:
            outcomes[n] = Outcome(batch[n].ref, ALREADY, Reason.GONE)
        for n, (_, evidence) in purged.items():
            outcomes[n] = Outcome(batch[n].ref, ACCEPTED, Reason.RECOVERABLE, evidence, until)
        try:
            bins = self._bins.bins(items[n].mailbox for n in (*purged, *gone))
            remains = _in_bins({**dict.fromkeys(gone, ""), **{n: mid for n, (mid, _) in purged.items()}}, items, bins)
            for n in (n for n in gone if n in remains):
                outcomes[n] = Outcome(batch[n].ref, ACCEPTED, Reason.RECOVERABLE, settle_on=until)
            for group in _groups(list(remains)):
                parts = [Part("DELETE", f"{remains[n]}?disposalType=hardDelete", items[n].mailbox) for n in group]
                answers = self._graph.batch(parts, what="erasing for good", warrant=warrant)
                for n, answer in zip(group, answers, strict=True):
                    outcomes[n] = _hard_deleted(batch[n], answer, outcomes[n])
        except (Stopped, ConnectorError):
            return  # what was moved to Purges stays accepted; it is settled, or tried again, on its day


def _in_bins(wanted: Mapping[int, str], items: Mapping[int, Item], bins: Mapping[str, Bin | None]) -> dict[int, str]:
    """Where the remains of each step's item lie, no place for two steps."""
    found: dict[int, str] = {}
    for n, message_id in wanted.items():
        one = bins[items[n].mailbox]
        remains = one.find(items[n].item_id, message_id) if one is not None else None
        if remains is not None and remains.path not in found.values():
            found[n] = remains.path
    return found


def _hard_deleted(step: Step, answer: Answer, before: Outcome) -> Outcome:
    if answer.is_fine or answer.status == NOT_FOUND:
        return Outcome(step.ref, DONE, Reason.OK, answer.evidence())
    if answer.status == FORBIDDEN:  # a hold protects it: the one place where the service says so
        return Outcome(step.ref, REFUSED, Reason.LOCKED, answer.evidence())
    return before


def _groups(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(numbers), BATCH):
        yield numbers[at : at + BATCH]
