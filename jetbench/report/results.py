"""The results of a suite instance, read from the folders of its finished runs; no weights, no dataset, no tracker."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from jetbench.errors import StoreError
from jetbench.evaluation.artifacts import read_scores
from jetbench.report.pairing import Scores, averaged, by_unit, paired
from jetbench.statistics.comparison import Comparison, beside, mirrored
from jetbench.statistics.means import Mean
from jetbench.statistics.multiplicity import adjust
from jetbench.statistics.resolution import overlap
from jetbench.suites.graph import PlannedRun
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.roles import Role
from jetbench.suites.trials import Searching, searchings
from jetbench.suites.winner import Winner
from jetbench.tasks.task import Metric, Paired, Task
from jetbench.tracking.folder import noted
from jetbench.tracking.journal import Record, committed, read
from jetbench.tracking.ledger import Ledger

__all__ = ["FAILED", "NOT_RUN", "Reader", "Results"]

Reader = Callable[[CellKey], Scores]  # of what was predicted for one sample of jets
NOT_RUN = "not run yet"  # the one reason for a missing cell that is no failure
FAILED = ", which failed: "  # between the run that a missing cell needs and what that failed with

KEPT = 512 * 2**20  # bytes of scores that stay in memory; beyond, the oldest are read again when they are needed


@dataclass(frozen=True, eq=False)
class Results:
    """`cells` hold the metrics of every finished cell, `missing` the reason for every other one. `last` is the key of each cell's
    last run: where the cell has a study of its own, that of the trial that won. `winners` are what studies have decided, by the
    study's digest, and `trials` the keys of what they have tried so far; `runs` are those of the plan and the trials."""

    plan: Plan
    ledger: Ledger
    cells: dict[CellKey, dict[str, float]]
    missing: dict[CellKey, str]
    last: dict[CellKey, str]
    winners: dict[str, Winner]
    trials: dict[str, list[str]]
    runs: dict[str, PlannedRun]
    _scores: OrderedDict[CellKey, Scores] = field(default_factory=OrderedDict, init=False, repr=False)
    _metrics: dict[str, dict[str, float]] = field(default_factory=dict, init=False, repr=False)
    _means: dict[tuple[str, int], Mean | None] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def primaries(self) -> list[tuple[str, int]]:
        """Arm and label budget of each comparison that the suite was made for."""
        return [(one.arm, self.plan.instance.settings.primary_labels(one)) for one in self.plan.primaries]

    @property
    def baselines(self) -> dict[str, str]:
        """The baseline of each arm that is compared with one."""
        return self.plan.baselines

    @cached_property
    def searchings(self) -> dict[str, Searching]:
        """The studies with their trials so far, by digest."""
        return dict(zip(self.plan.studies, searchings(self.plan, self.ledger), strict=True))

    @cached_property
    def task(self) -> Task:
        return self.plan.task

    @cached_property
    def metric(self) -> Metric:
        """What arms are compared by, on the test set."""
        return self.task.headline_of(self.plan.instance.meta)

    @cached_property
    def _seeds(self) -> dict[tuple[str, int], list[int]]:
        found: dict[tuple[str, int], list[int]] = {}
        for cell in self.cells:
            found.setdefault((cell.arm, cell.labels), []).append(cell.seed)
        return found

    def seeds(self, arm: str, labels: int) -> list[int]:
        """List the seeds that are finished."""
        return self._seeds.get((arm, labels), [])

    @cached_property
    def _gaps(self) -> dict[tuple[str, int], dict[int, str]]:
        found: dict[tuple[str, int], dict[int, str]] = {}
        for cell, reason in self.missing.items():
            found.setdefault((cell.arm, cell.labels), {})[cell.seed] = reason
        return found

    def gaps(self, arm: str, labels: int) -> dict[int, str]:
        """Return the seeds that are not finished, each with the reason."""
        return self._gaps.get((arm, labels), {})

    def values(self, arm: str, labels: int, key: str) -> np.ndarray:
        """Return one value per finished seed that has the metric (n,)."""
        cells = [self.cells[CellKey(arm, labels, seed)] for seed in self.seeds(arm, labels)]
        return np.array([metrics[key] for metrics in cells if key in metrics])

    def headlines(self, arm: str, labels: int) -> np.ndarray:
        """Return the metric that arms are compared by, one value per finished seed (n,)."""
        return self.values(arm, labels, f"test/{self.metric.key}")

    def average(self, arm: str, labels: int, key: str) -> float | None:
        """Return the mean of a metric over seeds, or over encoders where seeds share them; None where no seed has it."""
        seeds = [seed for seed in self.seeds(arm, labels) if key in self.cells[CellKey(arm, labels, seed)]]
        values = np.array([self.cells[CellKey(arm, labels, seed)][key] for seed in seeds])
        return float(by_unit(values, self.clusters(arm, labels, seeds)).mean()) if seeds else None

    def mean(self, arm: str, labels: int) -> Mean | None:
        """Return the mean over all finished seeds of the metric that arms are compared by, with both of its errors."""
        if (arm, labels) not in self._means:
            self._means[arm, labels] = self.mean_of(arm, labels, self.headlines(arm, labels), self.scores)
        return self._means[arm, labels]

    def mean_of(self, arm: str, labels: int, values: np.ndarray, read: Reader, seeds: list[int] | None = None) -> Mean | None:
        """Return the mean of a metric with both of its errors, from values (n,) of the finished seeds, or of these, on the sample
        whose scores are read; None where there is no seed."""
        seeds = self.seeds(arm, labels) if seeds is None else seeds
        if not seeds:
            return None
        runs, clusters = [read(CellKey(arm, labels, seed)) for seed in seeds], self.clusters(arm, labels, seeds)
        return averaged(self.task, values, runs, clusters, self.shared(labels))

    def shared(self, labels: int) -> float:
        """Return the share of their labels that two seeds have in common at a budget."""
        instance = self.plan.instance
        return overlap(labels, instance.jets - instance.settings.test_jets)

    def clusters(self, arm: str, labels: int, seeds: list[int]) -> list[int] | None:
        """Return which pretraining each seed starts from, as an index; None where each has its own, or none."""
        first = [self.chain(CellKey(arm, labels, seed))[-1] for seed in seeds]
        return [first.index(key) for key in first] if len(set(first)) < len(first) else None

    def shared_encoders(self, arm: str, labels: int, seeds: list[int]) -> int:
        """Return how many pretrained encoders these seeds of an arm share; 0 where each has its own, or none."""
        return len(set(self.clusters(arm, labels, seeds) or ()))

    def winner(self, cell: CellKey) -> Winner | None:
        """Return what the study of a cell has decided; None where it has not, or where the cell has none."""
        return self.winners.get(self.plan.tuned.get(cell, ""))

    def chain(self, cell: CellKey) -> list[str]:
        """List the keys of a cell's run and of those that it starts from, the first of all last."""
        keys = [self.last[cell]]
        while start := self.runs[keys[-1]].spec.start:
            keys.append(start)
        return keys

    @cached_property
    def comparisons(self) -> dict[tuple[str, int], Comparison]:
        """Every arm against its baseline at every budget that both have fresh seeds at; Holm guards the primary ones among
        themselves, and all others but floors, which `clearings` decide on."""
        found: dict[tuple[str, int], Comparison] = {}
        for labels in self.plan.instance.settings.labels:  # budget by budget: a baseline's scores are read once for all arms
            for arm, baseline in self.baselines.items():
                if (baseline, arm, labels) not in self.clearings and (compared := self.compare(arm, baseline, labels)):
                    found[arm, labels] = compared
        guarded = adjust(found, self.primaries)
        told = {(floor, n): mirrored(c) for (arm, floor, n), c in self.clearings.items() if self.baselines.get(floor) == arm}
        ordered = [(arm, labels) for arm in self.baselines for labels in self.plan.instance.settings.labels]
        return {key: one for key in ordered if (one := told.get(key) or guarded.get(key))}

    def common_seeds(self, arm: str, other: str, labels: int) -> list[int]:
        """List the seeds that two arms have both finished."""
        return sorted({*self.seeds(arm, labels)} & {*self.seeds(other, labels)})

    def fresh_seeds(self, arm: str, other: str, labels: int) -> list[int]:
        """List the common seeds that take part in a verdict."""
        return [seed for seed in self.common_seeds(arm, other, labels) if seed >= self.fresh_from]

    @cached_property
    def clearings(self) -> dict[tuple[str, str, int], Comparison]:
        """Baselines and rivals against every floor that is no primary arm, by arm, floor and label budget; all corrected by Holm
        for their number. The margin of equivalence is the arm's, so that the floor's row beside its baseline is the same test."""
        named, found = self.plan.roles, {}
        floors = [arm for arm in self.plan.arms if named[arm] is Role.FLOOR and arm not in dict(self.primaries)]
        above = [arm for arm in self.plan.arms if named[arm] in (Role.BASELINE, Role.RIVAL)]
        for labels, floor, arm in product(self.plan.instance.settings.labels, floors, above):
            if compared := self.compare(floor, arm, labels):
                found[arm, floor, labels] = mirrored(compared)
        return adjust(found, ())

    @property
    def fresh_from(self) -> int:
        """The first seed that takes part in a verdict; those below were looked at before their number was raised."""
        return self.plan.instance.settings.fresh_from or 0

    def compare(
        self, arm: str, baseline: str, labels: int, read: Reader | None = None, seeds: list[int] | None = None
    ) -> Comparison | None:
        """Compare two arms by the fresh ones of the seeds that both have, or of these, on the test jets or on the sample whose
        scores are read; None without any."""
        seeds = self.common_seeds(arm, baseline, labels) if seeds is None else seeds
        fresh, read = [seed for seed in seeds if seed >= self.fresh_from], read or self.scores
        if not fresh:
            return None
        found = self._paired(arm, baseline, labels, fresh, read)
        return beside(found, self._paired(arm, baseline, labels, seeds, read)) if len(fresh) < len(seeds) else found

    def _paired(self, arm: str, baseline: str, labels: int, seeds: list[int], read: Reader) -> Comparison:
        mine, other = ([read(CellKey(name, labels, seed)) for seed in seeds] for name in (arm, baseline))
        clusters = self.clusters(arm, labels, seeds) or self.clusters(baseline, labels, seeds)
        try:
            return paired(self.task, mine, other, clusters, self.shared(labels))
        except StoreError as error:
            raise StoreError(f"{arm} and {baseline} at {labels} labels cannot be compared: {error}") from None

    def scores(self, cell: CellKey) -> Scores:
        """Read (rows, truth, scores) of the test jets, each (n,), but for more than two classes scores (n, K)."""
        kept = self._scores
        if cell not in kept:
            kept[cell] = read_scores(self.ledger.run(self.last[cell]).scores)
            while len(kept) * sum(column.nbytes for column in kept[cell]) > KEPT and len(kept) > 1:
                kept.popitem(last=False)
        kept.move_to_end(cell)
        return kept[cell]

    def also_scores(self, name: str, cell: CellKey) -> Scores:
        """Read what the run of a cell predicts for another test set by its name, columns as for `scores`."""
        return read_scores(self.ledger.run(self.last[cell]).also_scores(name))

    @cached_property
    def longer(self) -> dict[tuple[str, int], Paired]:
        """The headline of a longer training against that of its pair, by arm and label budget, where both are finished."""
        found = {}
        for place, keys in self.plan.checks.items():
            if all(self.ledger.done(key) for key in keys):
                (_, truth, usual), (_, _, longer) = (read_scores(self.ledger.run(key).scores) for key in keys)
                found[place] = self.task.paired(truth, longer[None], usual[None], np.ones(1))
        return found

    def metrics(self, key: str) -> dict[str, float]:
        """Return the final metrics of a finished run, a pretraining's too."""
        if key not in self._metrics:
            self._metrics[key] = self.ledger.metrics(key)
        return self._metrics[key]

    def journal(self, key: str) -> list[Record]:
        """Read what a run has noted, epoch by epoch."""
        path = self.ledger.run(key).journal
        return read(path, 0, committed(path))[0]

    @cached_property
    def environments(self) -> dict[str, dict[str, Any]]:
        """Packages, machine and precision by key, as each run behind a finished cell wrote them down."""
        keys = dict.fromkeys(key for cell in self.cells for key in self.chain(cell))
        return {key: noted(self.ledger.run(key).environment) for key in keys}

    def split(self, key: str) -> dict[str, Any]:
        """Return the sizes and digests of the parts that a finished run was split into."""
        return noted(self.ledger.run(key).split)

    def ended(self, key: str) -> dict[str, Any]:
        """Return what a run declared when it ended: the checksums of its files, and when that was in unix seconds. Empty for a
        run that has not ended, or whose declaration cannot be read and counts for nothing."""
        try:
            return noted(self.ledger.run(key).done)
        except StoreError:
            return {}

    def tidy(self, beside: Mapping[CellKey, Mapping[str, float]] | None = None) -> list[dict[str, str | int | float | None]]:
        """Return one row per cell and metric, those `beside` the cell's own among them; `fault` is None for an honest arm."""
        instance, added, faulty = self.plan.instance, beside or {}, self.plan.faulty
        shared = {"suite": instance.suite, "scale": instance.scale, "instance": instance.name}
        return [
            {
                **shared,
                "arm": cell.arm,
                "role": str(Role.FAULTY if cell.arm in faulty else self.plan.roles[cell.arm]),
                "fault": faulty[cell.arm].fault if cell.arm in faulty else None,
                "labels": cell.labels,
                "seed": cell.seed,
                "key": self.last[cell],
                "metric": metric,
                "value": value,
            }
            for cell, metrics in self.cells.items()
            for metric, value in sorted({**metrics, **added.get(cell, {})}.items())
        ]
