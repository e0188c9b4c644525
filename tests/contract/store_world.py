"""How does a tester reach behind a real document server? Past it, to its files, and by breaking line or store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from connectors.documents import DocumentsConnector, open_store
from connectors.documents.reader import Reader
from connectors.documents.restricted import content_at, manifest_at
from connectors.documents.stores.store import Forbidden, Lost, Missing
from retention.contract import Connector, Unavailable
from retention.vocabulary import Action, RecordRef, Scalar
from tests.contract.documents_world import DAYS, FOLDERS, SYSTEM
from tests.contract.world import LIVE_ON, Fault, Sample
from tests.servers.running import Served
from tests.servers.wire import Wire

EFFECTS = {Action.ERASE: "remove", Action.REDACT: "replace", Action.RESTRICT: "move", Action.RELEASE: "move"}
READS = frozenset({"list", "look", "read", "is_below_root", "parts", "copies", "unfinished"})
CHANGES = frozenset({"remove", "move", "replace", "make_folder", "write", "dress"})


@dataclass
class Trouble:
    """What goes wrong next, whoever asks: with every call, or those of one method."""

    fault: Fault | None = None
    method: str = ""


class Unreliable:
    """A store in trouble: its calls answer wrongly, or do their work once and give no answer."""

    def __init__(self, store: Any, trouble: Trouble) -> None:
        self._store = store
        self._trouble = trouble

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return partial(self._call, name, found) if name in READS | CHANGES else found

    def _call(self, name: str, call: Any, *given: Any) -> Any:
        fault = self._trouble.fault
        if fault is None or (self._trouble.method and self._trouble.method != name):
            return call(*given)
        match fault:
            case Fault.DENIED:
                raise Forbidden
            case Fault.HIDDEN:
                raise Missing
            case Fault.UNAVAILABLE:
                raise Unavailable(f"{SYSTEM}: does not answer")
        self._trouble.fault = None
        if fault is Fault.TIMEOUT_AFTER_EFFECT:
            call(*given)
            raise Lost
        return None


class KeptReader(Reader):
    """One reading process for many tests."""

    def close(self) -> None:
        """Nothing: the next test goes on with it."""

    def end(self) -> None:
        super().close()


class Site:
    """A running server with two connections that outlive the tests, the first over a wire that can be cut."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.wire = Wire(served.login.port) if served.login.port else None
        wired = replace(served.login, port=self.wire.port) if self.wire else served.login
        self.trouble = Trouble()
        self.first = Unreliable(open_store(served.kind, SYSTEM, wired), self.trouble)
        self.second = Unreliable(open_store(served.kind, SYSTEM, wired), self.trouble)
        self.reader = KeptReader()

    def connector(self, store: Unreliable, **settings: Any) -> DocumentsConnector:
        return DocumentsConnector(store, FOLDERS, reader=self.reader, **settings)  # type: ignore[arg-type]

    def mend(self) -> None:
        self.trouble.fault = None
        if self.wire:
            self.wire.mend()

    def close(self) -> None:
        self.first.close()
        self.second.close()
        self.reader.end()
        if self.wire:
            self.wire.close()


class StoreWorld:
    """One real server for the contract suite."""

    samples = frozenset({Sample.LIVE, Sample.EXPIRED, Sample.ONE_DAY_SHORT, Sample.SHARED})
    faults = frozenset(Fault) - {Fault.TRUNCATED}
    clearable: tuple[str, ...] = ()
    corrections: Mapping[str, Scalar] = {}
    bookkeeping = frozenset({"modified"})

    def __init__(self, site: Site) -> None:
        self.site = site
        self.place = site.served.place
        self.secrets: tuple[str, ...] = tuple(filter(None, (site.served.login.password,)))
        site.mend()
        self.place.empty("imports", "correspondence")
        self._made = 0
        self.connector: Connector = site.connector(site.first, page_size=2)

    def reconnect(self) -> DocumentsConnector:
        return self.site.connector(self.site.second, page_size=2)

    def make(self, sample: Sample, email: str) -> RecordRef:
        """A file that bears its date in its name: not every protocol lets a tester set another."""
        self._made += 1
        day = DAYS.get(sample, LIVE_ON)
        if sample is Sample.SHARED:
            path = f"imports/list-{self._made} {day}.csv"
            content = f"name,email\r\nAnn,{email}\r\nZoë,somebody-else@example.com\r\n"
        else:
            path = f"correspondence/letter-{self._made} {day}.txt"
            content = f"To: {email}\n\nThank you for writing to us.\n"
        self.place.put(path, content.encode())
        return RecordRef(SYSTEM, "file", path)

    def change(self, ref: RecordRef) -> None:
        at = self._at(ref.key)
        self.place.put(at, self.place.get(at) + b"edited by somebody else\r\n")

    def remove(self, ref: RecordRef) -> None:
        at = self._at(ref.key)
        self.place.remove(at)
        if at != ref.key:
            self.place.remove(manifest_at(ref.key))

    def _at(self, path: str) -> str:
        return path if path in self.place.files() else content_at(path)

    def snapshot(self) -> Mapping[tuple[str, str], Mapping[str, object]]:
        files = self.place.files()
        manifests = {
            name: json.loads(facts["content"])["path"] for name, facts in files.items() if name.endswith(".json")
        }
        first_paths = {content_at(path): path for path in manifests.values()}
        stored: dict[tuple[str, str], dict[str, object]] = {}
        for name, facts in files.items():
            if name not in manifests:
                stored["file", first_paths.get(name, name)] = {**facts, "at": name}
        for name, path in manifests.items():
            stored.setdefault(("file", path), {})["manifest"] = name
        return stored

    def break_next(self, fault: Fault, doing: Action | None = None) -> None:
        self.site.mend()
        if fault is Fault.UNAVAILABLE and doing is None and self.site.wire:
            self.site.wire.cut()
            return
        self.site.trouble.fault = fault
        self.site.trouble.method = EFFECTS[doing] if doing else ""

    def finish(self) -> None:
        """Nothing here is only accepted."""
