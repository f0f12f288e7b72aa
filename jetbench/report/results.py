"""The results of a suite instance, read from the folders of its finished runs; no weights, no tracker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from jetbench.engine.studies import decided
from jetbench.errors import StoreError
from jetbench.evaluation.artifacts import read_scores
from jetbench.statistics.comparison import Comparison, compare, seed_weights
from jetbench.statistics.delong import mean_difference_variance, paired_delong
from jetbench.statistics.intervals import Interval, t_interval
from jetbench.statistics.multiplicity import adjust_secondary
from jetbench.suites.plan import CellKey, Plan, PlannedRun
from jetbench.suites.tuning import Winner
from jetbench.tracking.journal import Record, committed, read
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.tracking.store import Store

__all__ = ["Cost", "Results", "collect"]


@dataclass(frozen=True)
class Cost:
    """What an arm costs at one label budget: passes per seed [jets through the network], those of its tuning, and the
    seconds of training per seed, pretraining included."""

    labelled: float
    unlabelled: float
    tuning: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Results:
    """`cells` hold the figures of every finished cell, `missing` the reason for every other one."""

    plan: Plan
    ledger: Ledger
    cells: dict[CellKey, dict[str, float]]
    missing: dict[CellKey, str]
    winners: dict[tuple[str, int], Winner]  # by arm and label budget

    @property
    def baseline(self) -> str:
        return self.plan.instance.settings.primary.baseline

    @property
    def primary(self) -> tuple[str, int]:
        """Arm and label budget of the comparison that the suite was made for."""
        settings = self.plan.instance.settings
        return settings.primary.arm, settings.primary_labels()

    def seeds(self, arm: str, labels: int) -> list[int]:
        """The seeds that are finished."""
        return [c.seed for c in self.cells if (c.arm, c.labels) == (arm, labels)]

    def values(self, arm: str, labels: int, metric: str) -> np.ndarray:
        """One value per finished seed that has the metric (n,)."""
        cells = [self.cells[CellKey(arm, labels, seed)] for seed in self.seeds(arm, labels)]
        return np.array([figures[metric] for figures in cells if metric in figures])

    def folder(self, cell: CellKey) -> Path:
        return self.ledger.folder(self.plan.cells[cell])

    def scores(self, cell: CellKey) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rows, labels, scores) of the test jets, each (n,), but for more than two classes scores (n, K)."""
        return read_scores(RunFolder(self.folder(cell)).scores)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The classes, background first, as the first finished cell wrote them down; empty where none has finished."""
        return tuple(self._first("confusion.json").get("classes", ()))

    @property
    def many_classes(self) -> bool:
        return len(self.class_names) > 2

    @property
    def auc_name(self) -> str:
        """What the AUC of this suite is, for headings: that of more than two classes is a mean over pairs of them."""
        return "one-vs-one test AUC" if self.many_classes else "test AUC"

    def learning_curve(self, planned: PlannedRun) -> list[Record]:
        """Epoch by epoch, the journal of a run."""
        path = self.ledger.run(planned.key).journal
        return read(path, 0, committed(path))[0]

    @cached_property
    def comparisons(self) -> dict[tuple[str, int], Comparison]:
        """Every arm against the baseline at every budget that both have seeds at; all but the primary corrected by Holm."""
        found: dict[tuple[str, int], Comparison] = {}
        for arm, settings_labels in ((a, self.plan.instance.settings.budgets(a)) for a in self.plan.arms):
            for labels in settings_labels:
                seeds = sorted(set(self.seeds(arm, labels)) & set(self.seeds(self.baseline, labels)))
                if arm != self.baseline and seeds:
                    found[arm, labels] = self._compare(arm, labels, seeds)
        if not found:
            return found
        names = {f"{arm} {labels}": comparison for (arm, labels), comparison in found.items()}
        primary = f"{self.primary[0]} {self.primary[1]}"
        names.setdefault(primary, next(iter(names.values())))  # a primary that is missing yet spares no other its correction
        adjusted = adjust_secondary(names, primary)
        return {(arm, labels): adjusted[f"{arm} {labels}"] for arm, labels in found}

    def _compare(self, arm: str, labels: int, seeds: list[int]) -> Comparison:
        """The test sample's error is DeLong's of the *mean* difference. Calibration measures that form at its nominal error rate;
        the mean of the seeds' single variances counts the noise of each model twice, as it shows up between the seeds too."""
        mine = [self.scores(CellKey(arm, labels, seed)) for seed in seeds]
        other = [self.scores(CellKey(self.baseline, labels, seed)) for seed in seeds]
        if any(not np.array_equal(rows, mine[0][0]) for rows, _, _ in (*mine, *other)):
            raise StoreError(f"{arm} and {self.baseline} at {labels} labels were not tested on the same jets")
        truth, (scores, against) = mine[0][1], (np.stack([s for _, _, s in side]) for side in (mine, other))
        aucs, baselines, variances = paired_delong(truth, scores, against)
        clusters = self.clusters(arm, labels, seeds) or self.clusters(self.baseline, labels, seeds)
        of_mean = mean_difference_variance(truth, scores, against, seed_weights(len(seeds), clusters))
        return compare(aucs, baselines, variances, clusters, test_variance=of_mean)

    def clusters(self, arm: str, labels: int, seeds: list[int]) -> list[int] | None:
        """Which pretraining each seed starts from, as an index; None where each has its own, or none."""
        first = [list(self.plan.chain(CellKey(arm, labels, seed)))[-1].key for seed in seeds]
        return [first.index(key) for key in first] if len(set(first)) < len(first) else None

    def interval(self, arm: str, labels: int, metric: str) -> Interval | None:
        """Mean and t interval over seeds, or over encoders where seeds share them; None where no seed has the metric."""
        seeds = [seed for seed in self.seeds(arm, labels) if metric in self.cells[CellKey(arm, labels, seed)]]
        values = np.array([self.cells[CellKey(arm, labels, seed)][metric] for seed in seeds])
        clusters = self.clusters(arm, labels, seeds)
        if clusters is not None:
            values = np.array([values[np.array(clusters) == c].mean() for c in sorted(set(clusters))])
        return t_interval(values) if len(values) else None

    def environment(self) -> dict[str, Any]:
        """Packages, machine and precision, as the first finished run wrote them down; empty where none has finished."""
        return self._first("environment.json")

    def split(self) -> dict[str, Any]:
        """Jets of the pool and of the test set, each with its sha256, as the first finished run wrote them down."""
        return self._first("split.json")

    def _first(self, name: str) -> dict[str, Any]:
        """A JSON file of the first finished run that has it; empty where none has."""
        paths = (self.folder(cell) / name for cell in self.cells)
        return next((dict(json.loads(path.read_text())) for path in paths if path.is_file()), {})

    def span(self) -> tuple[float, float] | None:
        """When the first and the last of the finished cells ended, in unix seconds."""
        times = [self.ledger.finished(self.plan.cells[cell]) for cell in self.cells]
        return (min(times), max(times)) if times else None

    def cost(self, arm: str, labels: int) -> Cost:
        """Mean over the finished seeds; a pretraining that several arms share counts in full for each."""
        chains_of = [list(self.plan.chain(CellKey(arm, labels, seed))) for seed in self.seeds(arm, labels)]
        figures = [[self.ledger.metrics(run.key) for run in chain] for chain in chains_of]
        tuning = self.plan.studies.get(self.plan.tuned.get((arm, labels), ""))
        return Cost(
            labelled=_mean([sum(f["cost/labelled_passes"] for f in chain) for chain in figures]),
            unlabelled=_mean([sum(f["cost/unlabelled_passes"] for f in chain) for chain in figures]),
            tuning=float(tuning.trials * tuning.template.recipe.passes) if tuning else 0.0,
            seconds=_mean([sum(f["cost/seconds"] for f in chain) for chain in figures]),
        )

    def tidy(self) -> list[dict[str, str | int | float]]:
        """One row per cell and metric."""
        instance = self.plan.instance
        return [
            {
                "suite": instance.suite,
                "scale": instance.scale,
                "instance": instance.name,
                "arm": cell.arm,
                "labels": cell.labels,
                "seed": cell.seed,
                "key": self.plan.cells[cell],
                "metric": metric,
                "value": value,
            }
            for cell, figures in self.cells.items()
            for metric, value in sorted(figures.items())
        ]


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def collect(plan: Plan, store: Store) -> Results:
    """Read what is finished of a plan."""
    ledger = Ledger(store.work)
    cells: dict[CellKey, dict[str, float]] = {}
    missing: dict[CellKey, str] = {}
    for cell, key in plan.cells.items():
        if ledger.done(key):
            cells[cell] = ledger.metrics(key)
        else:
            missing[cell] = ledger.failure(key) or "not run yet"
    return Results(plan, ledger, cells, missing, _winners(plan, ledger))


def _winners(plan: Plan, ledger: Ledger) -> dict[tuple[str, int], Winner]:
    """The winners of the studies that have ended."""
    winners = {digest: decided(study, ledger) for digest, study in plan.studies.items()}
    return {cell: found for cell, digest in plan.tuned.items() if (found := winners[digest])}
