"""What of a night's verdicts is for people? Questions go to the review queue, what no connector can do becomes a task.

Filled record by record while a plan is made, filed set by set in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from retention import audit
from retention.contract import Connector
from retention.judge import Verdict
from retention.knowledge import Known
from retention.store import audit_log, request_runs, review, tasks
from retention.store.database import Connection
from retention.store.desk import Desk
from retention.store.steps import Ended
from retention.store.sweeps import Sweep
from retention.tasks import ACT_BY_HAND, CLASSIFY, GIVE_ACCESS, LEFT_OVER, READ_BY_HAND, Need
from retention.vocabulary import Action, DataClass, OutcomeStatus


@dataclass
class ForPeople:
    """What one system's records ask of people in one sweep."""

    desk: Desk
    sweep: Sweep
    connector: Connector
    because_of: Mapping[bytes, str] = field(default_factory=dict)  # in a run for requests: by record
    questions: list[review.Question] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)

    @classmethod
    def of(cls, db: Connection, desk: Desk, sweep: Sweep, connector: Connector) -> ForPeople:
        """With the requests because of which records are in a run, where it is one for requests."""
        because_of = request_runs.request_of_record(db, sweep.sweep_id, connector.system)
        return cls(desk, sweep, connector, because_of)

    def sort(self, known: Known, verdict: Verdict, under_way: bool) -> Verdict:
        """Take out of a verdict what is for a person; returns what is left for the pipeline."""
        if verdict.asks:
            self._ask(known, verdict)
        if under_way:
            return verdict
        if verdict.action is not None and verdict.action not in self.connector.supports:
            self.need(known, verdict.action, verdict.reasons)
            return replace(verdict, name="task", action=None, fields=(), data_classes=())
        if verdict.answered and verdict.name == "review":  # decided, but the system gives up no part of the record
            self.need(known, Action.ERASE, verdict.reasons)
            return replace(verdict, name="task")
        return verdict

    def need(self, known: Known, action: Action, reasons: tuple[str, ...]) -> None:
        """Ask for an action by hand."""
        because_of = self.because_of.get(known.record_key, "")
        self.needs.append(Need(action.value, known.kind, because_of, known.record_key, reasons, owner=self._owner))

    def file_verdicts(self, db: Connection) -> None:
        """File everything but the stopping of marketing, which was filed before."""
        system = self.connector.system
        review.take_up(db, self.sweep.sweep_id, self.sweep.as_of, system, self.questions)
        if not self.sweep.is_for_requests:  # what cannot be read is every night's question, not one person's
            self.needs += tasks.gap_needs(db, self.sweep.sweep_id, system, self._owner)
        self._file(db, {*ACT_BY_HAND, *READ_BY_HAND, *GIVE_ACCESS, *CLASSIFY} - {Action.SUPPRESS.value})

    def file_suppressions(self, db: Connection) -> None:
        """File what stops marketing."""
        self._file(db, {Action.SUPPRESS.value})

    def _file(self, db: Connection, whats: set[str]) -> None:
        system = self.connector.system
        requests = sorted(set(self.because_of.values())) if self.sweep.is_for_requests else None
        opened = tasks.file(db, self.sweep.sweep_id, self.sweep.as_of, system, sorted(whats), self.needs, requests)
        if opened:
            entry = self.desk.entry(audit.Event.TASK_OPENED, run=self.sweep.sweep_id, system=system, count=opened)
            audit_log.append(db, [entry])

    def _ask(self, known: Known, verdict: Verdict) -> None:
        schedule = self.desk.policy.schedule
        covers = {data_class: schedule.rule_for(DataClass(data_class)) for data_class in verdict.asks_about}
        lapsed = known.answer.round if known.answer is not None and not verdict.answered else None
        self.questions.append(
            review.Question(
                known.record_key,
                tuple(sorted(verdict.asks)),
                verdict.asks_about,
                tuple(sorted(set(covers.values()))),
                lapsed,
            )
        )

    @property
    def _owner(self) -> str:
        return owner_of(self.desk)


def file_left_over(db: Connection, desk: Desk, sweep_id: str, system: str, ended: Sequence[Ended]) -> None:
    """Ask a person for what steps left over that were done otherwise; to be called with their outcomes."""
    needs = [
        Need(
            one.outcome.reason.value,
            one.claim.step.ref.kind,
            record_key=one.claim.record_key,
            reasons=one.claim.reasons,
            owner=owner_of(desk),
        )
        for one in ended
        if one.outcome.status is OutcomeStatus.DONE and one.outcome.reason.value in LEFT_OVER
    ]
    if needs and (opened := tasks.file(db, sweep_id, desk.today, system, (), needs)):
        audit_log.append(db, [desk.entry(audit.Event.TASK_OPENED, run=sweep_id, system=system, count=opened)])


def owner_of(desk: Desk) -> str:
    """Who is asked first."""
    return desk.policy.schedule.approval.approvers[0]
