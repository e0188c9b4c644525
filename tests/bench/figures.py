"""Which figures are there, and what must each of them reach? Every name, its unit and its bar; no measuring here.

A ratio is always value divided by reference. Most bars are about the ratio, some about the value itself; a bar comes
from the text that asked for the figure (docs/performance.md says which), and is None where nothing was asked.
"""

from __future__ import annotations

from dataclasses import dataclass

CALLS, RATE_FILES, RATE_MB = "calls", "files/s", "MB/s"


@dataclass(frozen=True)
class Spec:
    """What a figure is counted in, and its bar. Fewer is better unless `at_least`."""

    unit: str
    bar: float | None = None
    of_value: bool = False
    at_least: bool = False


@dataclass(frozen=True)
class Figure:
    """One figure as measured."""

    name: str
    value: float
    unit: str
    reference: float
    ratio: float | None
    bar: float | None
    holds: bool | None


FIGURES: dict[str, Spec] = {
    **{
        f"requests.{name}.{what}": spec
        for name in ("one", "hundred", "thousand")
        for what, spec in {
            "seconds": Spec("s"),
            "p50_s": Spec("s"),
            "p95_s": Spec("s"),
            "lost": Spec("requests", bar=0, of_value=True),
            "doubled": Spec("records", bar=0, of_value=True),
        }.items()
    },
    "requests.thousand.waiting": Spec("requests"),
    "requests.thousand.memory_mb": Spec("MB"),
    "requests.salesforce.calls": Spec(CALLS, bar=1.1),
    "requests.hubspot.calls": Spec(CALLS, bar=1.1),
    "requests.documents.calls": Spec("round trips"),
    "requests.microsoft365.calls": Spec(CALLS),
    "salesforce.find.calls": Spec(CALLS),
    "salesforce.erase.calls": Spec(CALLS),
    "salesforce.redact.calls": Spec(CALLS),
    "salesforce.verify.calls": Spec(CALLS),
    "salesforce.night.calls": Spec(CALLS, bar=1.1),
    "salesforce.night.packed": Spec(CALLS),
    "salesforce.task.memory_mb": Spec("MB", bar=300, of_value=True),
    "salesforce.task.seconds": Spec("s", bar=1.3),
    "hubspot.find.calls": Spec(CALLS),
    "hubspot.erase.calls": Spec(CALLS),
    "hubspot.redact.calls": Spec(CALLS),
    "hubspot.verify.calls": Spec(CALLS),
    "hubspot.night.calls": Spec(CALLS, bar=1.1),
    "microsoft365.first.calls": Spec(CALLS, bar=1.1),
    "microsoft365.first.memory_mb": Spec("MB", bar=400, of_value=True),
    "microsoft365.night.calls": Spec(CALLS, bar=0.02),
    "microsoft365.erase.calls": Spec(CALLS, bar=1.1),
    "microsoft365.refused": Spec(CALLS, bar=0.0),
    "documents.list.files_per_s": Spec(RATE_FILES, bar=0.5, at_least=True),
    "documents.read.mb_per_s": Spec(RATE_MB),
    "documents.match.mb_per_s": Spec(RATE_MB, bar=100, of_value=True, at_least=True),
    "documents.night.reads": Spec("files read", bar=0, of_value=True),
    "reading.scan.files_per_s": Spec(RATE_FILES, bar=0.85, at_least=True),
    "reading.match.seconds": Spec("s", bar=1.2),
    "reading.memory_mb": Spec("MB", bar=500, of_value=True),
    "stores.smb.list.files_per_s": Spec(RATE_FILES, bar=0.5, at_least=True),
    "stores.sftp.list.files_per_s": Spec(RATE_FILES, bar=0.5, at_least=True),
    "scan.smb.first.files_per_s": Spec(RATE_FILES, bar=0.85, at_least=True),
    "scan.smb.workers.files_per_s": Spec(RATE_FILES, bar=1.8, at_least=True),
    "scan.smb.workers.cores": Spec("cores"),
    "scan.smb.night.seconds": Spec("s", bar=0.05),
    "scan.smb.short.files_per_s": Spec(RATE_FILES, bar=0.85, at_least=True),
    "scan.sftp.first.files_per_s": Spec(RATE_FILES, bar=0.85, at_least=True),
    "scan.sftp.workers.files_per_s": Spec(RATE_FILES, bar=1.8, at_least=True),
    "scan.sftp.workers.cores": Spec("cores"),
    "scan.sftp.night.seconds": Spec("s", bar=0.05),
    "scan.sftp.short.files_per_s": Spec(RATE_FILES, bar=0.85, at_least=True),
    "catalogue.match.seconds": Spec("s", bar=3),
    "catalogue.look_up.seconds": Spec("s"),
    "decide.items_per_s": Spec("items/s", bar=100_000, of_value=True, at_least=True),
    "decide.memory_mb": Spec("MB", bar=1.1),
    "audit.append": Spec("s", bar=5),
    "audit.write": Spec("s", bar=5),
    "page.home.ms": Spec("ms", bar=300, of_value=True),
    "page.sweeps.ms": Spec("ms", bar=300, of_value=True),
    "page.sweep.ms": Spec("ms", bar=300, of_value=True),
    "page.steps.ms": Spec("ms", bar=300, of_value=True),
    "page.requests.ms": Spec("ms", bar=300, of_value=True),
    "page.trend.ms": Spec("ms", bar=300, of_value=True),
    "ledger.findings": Spec("s"),
    "ledger.join": Spec("s"),
    "ledger.intents": Spec("ms per 1,000 steps", bar=4.7, of_value=True),
    "ledger.steps": Spec("ms per 1,000 steps"),
}


def figure(name: str, value: float, reference: float) -> Figure:
    """Hold what was measured against the bar."""
    spec = FIGURES[name]
    ratio = value / reference if reference else None
    return Figure(name, value, spec.unit, reference, ratio, spec.bar, _holds(spec, value, ratio))


def _holds(spec: Spec, value: float, ratio: float | None) -> bool | None:
    judged = value if spec.of_value else ratio
    if spec.bar is None or judged is None:
        return None
    return judged >= spec.bar if spec.at_least else judged <= spec.bar
