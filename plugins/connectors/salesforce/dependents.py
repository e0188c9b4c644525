"""What must go before a person's record, or after it, so that no orphan stays, and what is shared and must not?

A delete cascades to activities, notes and roles. Files and messages only lose their link, and the Individual stays
with the name in it: those that belong to nobody else are part of the record and are erased with it. An activity that
names others besides keeps its record: it would be gone for them too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.salesforce import codes, soql
from connectors.salesforce.rest import MOST_QUERIES, Answer, Part, Rest, TooLong
from connectors.salesforce.sight import short
from connectors.salesforce.standard import PEOPLE
from retention.contract import Incomplete

FILES = "ContentDocument"
MESSAGES = "EmailMessage"
INDIVIDUALS = "Individual"
_OWNERS = ("005", "058", "00G")  # users, libraries and groups: whoever keeps a file for somebody

Row = Mapping[str, Any]
Asked = tuple[str, str, tuple[str, ...], str, list[str]]
"""View, object, fields, the field that links, and the ids it is looked for with."""


@dataclass(frozen=True)
class Dependents:
    """What hangs on the records of a batch, by short id of the record."""

    before: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    """Object → id → owners: erased before the records, files first, rows merged into a record last."""
    individuals: Mapping[str, str] = field(default_factory=dict)
    """Owner → the id of an Individual that is nobody else's: erased after the records."""
    shared: frozenset[str] = frozenset()
    """Records that an activity shares with others: not to be erased."""


class DependentReader:
    """Reads what hangs on the records of a batch."""

    def __init__(self, rest: Rest, system: str, declared: Iterable[str], absent: Iterable[str]) -> None:
        self._rest = rest
        self._system = system
        self._declared = frozenset(declared)
        self._absent = frozenset(absent)

    def of(self, kind: str, keys: Sequence[str]) -> Dependents:
        if kind not in PEOPLE or not keys:
            return Dependents()
        batch = {short(key): key for key in keys}
        way = "PersonIndividualId" if kind == "Account" else "IndividualId"
        asked = {
            "links": ("query", "ContentDocumentLink", ("ContentDocumentId", "LinkedEntityId"), "LinkedEntityId"),
            "messages": ("query", "EmailMessageRelation", ("EmailMessageId", "RelationId"), "RelationId"),
            "tasks": ("queryAll", "TaskRelation", ("TaskId", "RelationId", "Task.WhoId"), "Task.WhoId"),
            "events": ("queryAll", "EventRelation", ("EventId", "RelationId", "Event.WhoId"), "Event.WhoId"),
            "people": ("queryAll", kind, ("Id", way, "MasterRecordId"), "Id"),
        }
        rows = self._ask({label: (*how, list(batch.values())) for label, how in asked.items()})
        files: dict[str, set[str]] = defaultdict(set)
        for row in rows["links"]:
            files[row["ContentDocumentId"]].add(short(row["LinkedEntityId"]))
        messages: dict[str, set[str]] = defaultdict(set)
        for row in rows["messages"]:
            messages[row["EmailMessageId"]].add(short(row["RelationId"]))
        individuals = {short(row["Id"]): row[way] for row in rows["people"] if row[way] and short(row["Id"]) in batch}
        taken = self._taken(files, messages, individuals.values(), frozenset(batch))
        return Dependents(
            {
                FILES: {key: frozenset(owners) for key, owners in files.items() if key not in taken},
                MESSAGES: {key: frozenset(owners) for key, owners in messages.items() if key not in taken},
                kind: self._merged_into(kind, rows["people"]),
            },
            {owner: key for owner, key in individuals.items() if key not in taken},
            frozenset(_sharing(rows, batch)),
        )

    def _merged_into(self, kind: str, rows: Sequence[Row]) -> dict[str, frozenset[str]]:
        """Rows that lie in the bin since a merge, by the record that took them over, at any remove."""
        owners: dict[str, str] = {}
        while losers := [row for row in rows if row["MasterRecordId"] and row["Id"] not in owners]:
            by_loser = {short(key): owner for key, owner in owners.items()}
            masters = {row["Id"]: short(row["MasterRecordId"]) for row in losers}
            owners |= {key: by_loser.get(master, master) for key, master in masters.items()}
            rows = self._ask(_merged(kind, list(masters)))["merged"]
        return {key: frozenset((owner,)) for key, owner in owners.items()}

    def _taken(
        self,
        files: Mapping[str, set[str]],
        messages: Mapping[str, set[str]],
        individuals: Iterable[str],
        batch: frozenset[str],
    ) -> set[str]:
        """Files, messages and Individuals that others have a part in, or that have a life of their own."""
        people = list(dict.fromkeys(individuals))
        asked: dict[str, Asked] = {}
        if files:
            fields = ("ContentDocumentId", "LinkedEntityId")
            asked["links"] = ("query", "ContentDocumentLink", fields, "ContentDocumentId", list(files))
        if messages:
            named = ("EmailMessageId", "RelationId", "RelationAddress", "EmailMessage.ParentId")
            asked["messages"] = ("query", "EmailMessageRelation", named, "EmailMessageId", list(messages))
        if people:
            for kind, link in (
                ("Contact", "IndividualId"),
                ("Lead", "IndividualId"),
                ("Account", "PersonIndividualId"),
            ):
                asked[kind] = ("query", kind, ("Id", link), link, people)
        rows = self._ask(asked) if asked else {}
        taken: set[str] = set()
        for row in rows.get("links", ()):
            entity = row["LinkedEntityId"]
            if short(entity) not in batch and not entity.startswith(_OWNERS):
                taken.add(row["ContentDocumentId"])
        for row in rows.get("messages", ()):
            party = row["RelationId"]
            theirs = party is not None and (short(party) in batch or party.startswith(_OWNERS))
            if not theirs or (row.get("EmailMessage") or {}).get("ParentId"):
                taken.add(row["EmailMessageId"])
        for kind in ("Contact", "Lead", "Account"):
            way = "PersonIndividualId" if kind == "Account" else "IndividualId"
            taken.update(row[way] for row in rows.get(kind, ()) if short(row["Id"]) not in batch)
        return taken

    def _ask(self, asked: Mapping[str, Asked]) -> dict[str, list[Row]]:
        """Rows by label; of an object that this org does not have, or does not show us, none."""
        try:
            return self._asked(asked)
        except TooLong:
            return self._asked(asked)

    def _asked(self, asked: Mapping[str, Asked]) -> dict[str, list[Row]]:
        most = soql.ids_in_statement(self._rest.longest_statement)
        parts: list[tuple[str, Part]] = []
        for label, (view, name, fields, link, ids) in asked.items():
            if name in self._absent or (name == "EmailMessageRelation" and MESSAGES in self._declared):
                continue
            at_once = most // 2 if label == "people" else most
            for start in range(0, len(ids), at_once):
                those = soql.within(link, asked_for := ids[start : start + at_once])
                if label == "people":  # of the people only those with an Individual, and whoever was merged into them
                    with_individual = soql.all_of([those, f"{soql.name(fields[1])} != null"])
                    those = soql.any_of([with_individual, soql.within("MasterRecordId", asked_for)])
                statement = soql.select(fields, name, those)
                parts.append((label, Part("GET", f"{view}?q={soql.in_url(statement)}")))
        rows: dict[str, list[Row]] = {label: [] for label in asked}
        for start in range(0, len(parts), MOST_QUERIES):
            some = parts[start : start + MOST_QUERIES]
            answers = self._rest.composite([part for _, part in some])
            for (label, _), answer in zip(some, answers, strict=True):
                rows[label] += self._rows(answer)
        return rows

    def _rows(self, answer: Answer) -> Iterator[Row]:
        if answer.status != 200:
            if codes.of_body(answer.body) in codes.UNREADABLE_QUERY:
                return
            raise self._rest.refusal(answer, "query of what hangs on the records")
        body, count = answer.body, 0
        while True:
            count += len(body["records"])
            yield from body["records"]
            if body["done"]:
                break
            body = self._rest.read("GET", body["nextRecordsUrl"]).body
        if count != body["totalSize"]:
            raise Incomplete(f"{self._system}: rows that hang on the records came short; try again")


def _merged(kind: str, keys: list[str]) -> dict[str, Asked]:
    return {"merged": ("queryAll", kind, ("Id", "MasterRecordId"), "MasterRecordId", keys)}


def _sharing(rows: Mapping[str, Sequence[Row]], batch: Collection[str]) -> Iterator[str]:
    """Records whose tasks or events name somebody besides them who is not going too."""
    for label, parent in (("tasks", "Task"), ("events", "Event")):
        for row in rows[label]:
            party = row["RelationId"]
            if party and party.startswith(("003", "00Q")) and short(party) not in batch:
                yield short((row.get(parent) or {}).get("WhoId") or "")
