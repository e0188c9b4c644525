"""What do the fields and folders of each system mean? How a system is reached, and which part of it is which class."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from retention.limits import GuardChanges
from retention.policy.files import FILE_SERVERS, FileServer, FilesPolicy
from retention.policy.mail import MailPolicy
from retention.policy.recipients import RecipientId, RecipientPolicy
from retention.policy.shape import Name, Selector, Strict, contradiction, known_zone
from retention.policy.stores import Stores
from retention.vocabulary import Action, DataClass, FieldSet, IdentifierKind, LawfulBasis, RecordKind

RESERVED_SYSTEMS = frozenset({"all", "ledger", "airflow", "read", "look_up", "decide", "approve", "guard", "seal"})
"""Names that commands, task groups and tasks bear already."""

RESERVED_CONNECTIONS = "retention_"
"""With this begin the names of the pipeline's own connections (ledger, keys …)."""


class FieldSetPolicy(Strict):
    """Fields of one data class inside a record."""

    data_class: DataClass
    fields: tuple[Selector, ...] = Field(min_length=1)
    collected_from: tuple[Selector, ...] = Field(min_length=1)
    lawful_basis: LawfulBasis
    present_if: Selector = ""


class RecordPolicy(Strict):
    """One kind of record of a system. `goes_with_record`: identifiers that nobody can clear, only delete with it.

    `not_personal` names custom fields that say nothing about anybody; any other without a class is a coverage gap.
    """

    identifiers: dict[Selector, IdentifierKind] = Field(min_length=1)
    goes_with_record: tuple[Selector, ...] = ()
    opt_out: Selector = ""
    opt_out_on: Selector = ""
    consent_on: Selector = ""
    undated_if: Selector = ""
    restricted: Selector = ""
    not_personal: tuple[Selector, ...] = ()
    field_sets: tuple[FieldSetPolicy, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fields_go_together(self) -> RecordPolicy:
        sets: dict[tuple[DataClass, str], int] = {}
        for at, field_set in enumerate(self.field_sets):
            for name in field_set.fields:
                if (field_set.data_class, name) in sets:
                    says = f"field {name!r} stands twice in class {field_set.data_class.value!r}: leave it in one set"
                    raise contradiction(says, "field_sets", at, "fields")
                sets[field_set.data_class, name] = at
        classed = {name for _, name in sets} | set(self.goes_with_record)
        if outside := [name for name in self.identifiers if name not in classed]:
            raise contradiction(
                f"identifier {outside[0]!r} stands in no field set, so no rule reaches it: add it to one's `fields`, "
                "or to `goes_with_record` if the system lets nobody clear it",
                *("identifiers", outside[0]),
            )
        if all(field_set.present_if for field_set in self.field_sets):
            raise contradiction(
                "every field set exists only if some field is filled, so a record could have no class at all: "
                "take `present_if` from one",
                *("field_sets", 0, "present_if"),
            )
        return self


class FolderPolicy(Strict):
    """What lies in a folder of a document server."""

    data_class: DataClass
    lawful_basis: LawfulBasis


CustomerNumberForm = Annotated[str, Field(pattern=r"^[\w./#?-]*[#?][\w./#?-]*$", min_length=4, max_length=40)]


class SoughtPolicy(Strict):
    """What is looked for in documents beside addresses.

    `phone_region` is the country whose numbers are written without a country code. In a form of customer number `#`
    stands for a digit and `?` for a letter: it finds people as surely as an address does, so it must be unmistakable.
    """

    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "GB"
    customer_numbers: tuple[CustomerNumberForm, ...] = ()


class Verbs(Strict):
    """What is done in this system where the schedule wants a record erased, redacted or restricted."""

    erase: Literal["erase", "redact", "review"] = "erase"
    redact: Literal["redact", "review"] = "redact"
    restrict: Literal["restrict", "review"] = "restrict"

    def for_action(self, action: Action) -> Action | None:
        """The action taken instead; None: a person decides."""
        chosen = getattr(self, action.value, action.value)
        return None if chosen == "review" else Action(chosen)


class SystemPolicy(Strict):
    """One system instance.

    `absent` names kinds of record that this instance certainly has not (no licence for orders): they are not read and
    are no gap. `api_reserve` is how many calls of the vendor's daily allowance are left to others. `after` names the
    systems that must have been worked off before: a synchronisation would bring back from them what is erased here.
    `recipients` are those its data is passed to ({}: nobody); where nothing is said a person finds out each time.
    `transfers` says in words to which third countries its data goes, and under which safeguard.
    """

    kind: Literal["salesforce", "hubspot", "microsoft365"] | FileServer
    connection: Name
    regime: Literal["UK", "EU"]
    zone: Annotated[str, AfterValidator(known_zone)]
    verbs: Verbs = Verbs()
    guards: GuardChanges = GuardChanges()
    records: dict[Selector, RecordPolicy] = Field(default_factory=dict)
    folders: dict[Selector, FolderPolicy] = Field(default_factory=dict)
    sought: SoughtPolicy | None = None
    files: FilesPolicy = FilesPolicy()
    mail: MailPolicy | None = None
    absent: tuple[Selector, ...] = ()
    api_reserve: int = Field(default=0, ge=0)
    after: tuple[Name, ...] = ()
    recipients: dict[RecipientId, RecipientPolicy] | None = None
    transfers: Annotated[str, Field(max_length=400)] = ""

    @model_validator(mode="after")
    def _reads_something(self) -> SystemPolicy:
        told = {name for name in ("records", "folders", "mail") if getattr(self, name)}
        if self.sought is not None and self.kind not in FILE_SERVERS:
            raise contradiction("only documents are searched for what `sought` says: leave it out", "sought")
        if self.kind in FILE_SERVERS and told != {"folders"}:
            raise contradiction("a document server needs `folders` (and neither `records` nor `mail`)")
        if self.kind == "microsoft365" and told != {"mail"}:
            raise contradiction("a Microsoft 365 tenant needs `mail` (and neither `records` nor `folders`)")
        if self.kind not in {"microsoft365", *FILE_SERVERS} and told != {"records"}:
            raise contradiction("this kind of system needs `records` (and neither `folders` nor `mail`)")
        if self.kind == "microsoft365" and self.verbs.erase == "redact":
            raise contradiction("a message has no fields to clear: write `erase: review` instead", "verbs", "erase")
        if self.kind in FILE_SERVERS and self.verbs.erase == "redact":
            raise contradiction("a file has no fields to clear: write `erase: review` instead", "verbs", "erase")
        if self.kind not in FILE_SERVERS and self.files != FilesPolicy():
            raise contradiction("only a document server keeps files: leave `files` out", "files")
        if self.kind != "smb" and self.files.bin_folder:
            says = "only a share over SMB moves what is deleted into a folder: leave it out"
            raise contradiction(says, "files", "bin_folder")
        if self.connection.startswith(RESERVED_CONNECTIONS):
            says = f"connections that begin with {RESERVED_CONNECTIONS!r} are the pipeline's own: name another"
            raise contradiction(says, "connection")
        return self

    @model_validator(mode="after")
    def _folders_differ(self) -> SystemPolicy:
        seen: dict[str, str] = {}
        for name in self.folders:
            plain = str(PurePosixPath(unicodedata.normalize("NFC", name).strip("/")))
            same = plain.casefold()
            if same in seen:
                says = f"is the same folder as {seen[same]!r} but for case or slashes: leave one"
                raise contradiction(says, "folders", name)
            seen[same] = name
            if plain != name or ".." in PurePosixPath(name).parts:
                says = f"would never match a path: write it from the root, without slashes around, like {plain!r}"
                raise contradiction(says, "folders", name)
        return self

    def kinds(self) -> tuple[RecordKind, ...]:
        """The record kinds as connectors take them."""
        return tuple(
            RecordKind(
                name=name,
                field_sets=tuple(
                    FieldSet(s.data_class, s.fields, s.collected_from, s.lawful_basis, s.present_if)
                    for s in record.field_sets
                ),
                identifiers=tuple(record.identifiers.items()),
                opt_out=record.opt_out,
                opt_out_on=record.opt_out_on,
                consent_on=record.consent_on,
                undated_if=record.undated_if,
                restricted=record.restricted,
                not_personal=record.not_personal,
            )
            for name, record in self.records.items()
        )


class Systems(Strict):
    """All system instances, and our own stores: `include/policy/systems.yaml`."""

    version: Literal[1]
    systems: dict[Name, SystemPolicy] = Field(min_length=1)
    stores: Stores

    @model_validator(mode="after")
    def _each_is_reached_for_itself(self) -> Systems:
        by_connection: dict[str, str] = {}
        for name, system in self.systems.items():
            if name in RESERVED_SYSTEMS:
                raise contradiction(f"{name!r} is a reserved name: call the system something else", "systems", name)
            if (other := by_connection.setdefault(system.connection, name)) != name:
                says = f"connection {system.connection!r} is that of system {other!r}: two systems need two"
                raise contradiction(says, "systems", name, "connection")
        return self

    @model_validator(mode="after")
    def _none_waits_for_ever(self) -> Systems:
        for name, system in self.systems.items():
            if unknown := [other for other in system.after if other not in self.systems]:
                says = f"there is no system {unknown[0]!r} to wait for: name one of this file"
                raise contradiction(says, "systems", name, "after")
        try:
            TopologicalSorter({name: system.after for name, system in self.systems.items()}).prepare()
        except CycleError as error:
            circle = " after ".join(error.args[1])
            says = f"would wait for itself ({circle}): take one `after` away"
            raise contradiction(says, "systems", error.args[1][0], "after") from error
        return self


def differing(before: Mapping[str, SystemPolicy], after: Mapping[str, SystemPolicy]) -> list[str]:
    """The systems whose fields, folders or mail mean something else: what was read of them has to be read anew."""
    meaning = {name: _meaning(system) for name, system in before.items()}
    return [name for name, system in after.items() if meaning.get(name) != _meaning(system)]


def _meaning(system: SystemPolicy) -> tuple[object, ...]:
    return system.records, system.folders, system.mail, system.sought
