"""The plan of a suite: its comparison, cell by cell, on top of the runs and studies that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from jetbench.spec import Chosen, RunSpec
from jetbench.suites.faulty import FaultyArm, faulty_arms
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.suites.parameters import local
from jetbench.suites.primaries import primary_of
from jetbench.suites.roles import Role, role, truth
from jetbench.suites.sensitivity import GridPlace
from jetbench.suites.settings import Primary
from jetbench.suites.stages import Truth
from jetbench.suites.studies import Study
from jetbench.suites.suite import Instance

__all__ = ["CellKey", "Plan"]


@dataclass(frozen=True)
class CellKey:
    """A place in the comparison: which arm, at how many labels, with which seed."""

    arm: str
    labels: int
    seed: int


@dataclass
class Plan(Graph):
    """`cells` name the last run of each, or what it is without any search where the cell has a study of its own, one of whose
    trials is then its last run; `tuned` is the study that decides for a cell. `checks` are, by arm and budget, the keys of a
    training beside the comparison and of the same one for longer, and `grid` those of trainings at other rates and lengths."""

    instance: Instance
    tuned: dict[CellKey, str] = field(default_factory=dict)
    cells: dict[CellKey, str] = field(default_factory=dict)
    checks: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    grid: dict[GridPlace, str] = field(default_factory=dict)

    @cached_property
    def arms(self) -> list[str]:
        """The arms that are run, in the suite's order; those with a fault are none of them."""
        return [arm for arm in dict.fromkeys(cell.arm for cell in self.cells) if arm not in self.faulty]

    @property
    def faults(self) -> tuple[str, ...]:
        return self.instance.settings.faults

    @cached_property
    def faulty(self) -> dict[str, FaultyArm]:
        """The arms with a fault by name. They are part of no comparison but that of their fault."""
        return {one.name: one for one in faulty_arms(self.instance.settings)}

    @cached_property
    def primaries(self) -> list[Primary]:
        """The primary comparisons whose arms are both run."""
        return [one for one in self.instance.settings.primary if {one.arm, one.baseline} <= set(self.arms)]

    @cached_property
    def baselines(self) -> dict[str, str]:
        """What each arm that is run is compared with; baselines themselves are compared with nothing."""
        found = {arm: self._baseline(arm) for arm in self.arms}
        return {arm: baseline for arm, baseline in found.items() if baseline in self.arms and arm != baseline}

    def _baseline(self, arm: str) -> str:
        """That of the arm's own encoder, run or not; of the comparisons that are run for a model that is nobody's baseline."""
        settings = self.instance.settings
        own = primary_of(settings, settings.arms[arm]).baseline
        if settings.arms[own].model == settings.arms[arm].model:
            return own
        return primary_of(settings, settings.arms[arm], self.primaries).baseline

    @cached_property
    def roles(self) -> dict[str, Role]:
        """What each arm of the suite is to it."""
        return {arm: role(self.instance.settings, arm) for arm in self.instance.settings.arms}

    @cached_property
    def truths(self) -> dict[str, Truth]:
        """What must come out of an arm whatever the jets, where something must."""
        found = {arm: truth(self.instance.settings, arm) for arm in self.instance.settings.arms}
        return {arm: planted for arm, planted in found.items() if planted is not None}

    @cached_property
    def seeds_tune(self) -> bool:
        """Whether each cell has a study of its own."""
        tuning = self.instance.settings.tuning
        return tuning is not None and tuning.per == "seed"

    def tune(self, cell: CellKey, study: Study) -> str:
        """Enter the study that decides for a cell; returns its digest."""
        digest = study.digest()
        self.studies.setdefault(digest, study)
        self.tuned[cell] = digest
        template = study.template
        name = f"{cell.arm}/n{template.labels}" + (f"/s{template.seed}" if self.seeds_tune else "")
        self.named.setdefault(digest, (cell.arm, name))
        return digest

    def chain(self, cell: CellKey) -> Iterator[PlannedRun]:
        """Yield the runs behind a cell, last first."""
        key: str | None = self.cells[cell]
        while key is not None:
            yield self.runs[key]
            key = self.runs[key].spec.start

    def declared(self, cell: CellKey) -> list[RunSpec]:
        """Return the runs behind a cell, first to last; they say what is searched for them."""
        runs = [run.spec for run in self.chain(cell)]
        if (digest := self.tuned.get(cell)) is not None:
            chosen = [Chosen(path=one.path, study=digest) for one in self.studies[digest].searched]
            runs = [
                run.replace(chosen=tuple(one for one in chosen if local(one.path, back) is not None))
                for back, run in enumerate(runs)
            ]
        return runs[::-1]
