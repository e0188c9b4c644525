"""How does a test walk a connector without a ledger? With what it remembers of earlier walks in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from retention.contract import Known, Walked
from retention.listings import Extent
from retention.vocabulary import Page


@dataclass
class Remembered:
    """What was read so far: what the catalogue would know."""

    findings: dict[str, Known] = field(default_factory=dict)
    folders: dict[str, tuple[str, Extent]] = field(default_factory=dict)
    listings: int = 0

    def listing(self) -> int:
        self.listings += 1
        return self.listings

    def known(self, kind: str, keys: Sequence[str]) -> Mapping[str, Known]:
        return {key: self.findings[key] for key in keys if key in self.findings and self.findings[key].mark}

    def extents(self, groups: Sequence[str]) -> Mapping[str, Extent]:
        return {group: self._below(group) for group in groups if group in self.folders}

    def _below(self, group: str) -> Extent:
        _, own = self.folders[group]
        inside = [self._below(one) for one, (within, _) in self.folders.items() if within == group]
        return Extent(own.records + sum(e.records for e in inside), own.size + sum(e.size for e in inside))

    def take(self, page: Page) -> None:
        """Remember a page."""
        gaps = {gap.ref.key: gap.code for gap in page.gaps if gap.ref}
        for one in page.findings:
            self.findings[one.ref.key] = Known(one.ref.version, one.mark, gaps.get(one.ref.key))
        for group in page.whole_groups:
            self.folders[group] = (page.listings[group].within, page.listings[group].extent)


@dataclass(frozen=True)
class Pages(Sequence[Page]):
    """The pages of one walk, and what is remembered after it."""

    pages: tuple[Page, ...]
    remembered: Remembered

    def __len__(self) -> int:
        return len(self.pages)

    def __getitem__(self, at: int) -> Page:  # type: ignore[override]
        return self.pages[at]


def walk(connector: Walked, before: Remembered | None = None, at_most: int = 1) -> Pages:
    """All of a system, part after part, going on from an earlier walk; that one's memory stays as it was."""
    memory = replace(before, findings=dict(before.findings), folders=dict(before.folders)) if before else Remembered()
    pages: list[Page] = []
    for part in connector.divide(memory, at_most):
        for page in connector.walk(part, memory):
            memory.take(page)
            pages.append(page)
    return Pages(tuple(pages), memory)


def all_whole(pages: Pages) -> bool:
    """Whether nothing was left out, and every group that was begun was named to its end."""
    return pages[-1].whole and {g for p in pages for g in p.listings} == {g for p in pages for g in p.whole_groups}
