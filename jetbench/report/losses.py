"""What every arm loses on other test sets against its own, and whether an arm is sturdier than its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from jetbench.report.pairing import Scores
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import brief_difference, count, differences_of, joined, number, quantity
from jetbench.spec import Variation
from jetbench.statistics.comparison import Comparison, Verdict, beside
from jetbench.statistics.intervals import LEVEL, alpha_of
from jetbench.statistics.losses import Judged, Loss, compare_losses, loss_of, mean_loss
from jetbench.statistics.means import Mean
from jetbench.statistics.multiplicity import adjust
from jetbench.statistics.resolution import LEAST_SEEDS
from jetbench.suites.plan import CellKey
from jetbench.tasks.task import Metric, Task

__all__ = ["STURDY", "LossTable", "loss_answers", "loss_sentences", "loss_table"]

Key = tuple[str, int, str]  # arm, label budget, name of the test set
STURDY = {
    Verdict.BETTER: "sturdier",
    Verdict.WORSE: "less sturdy",
    Verdict.EQUIVALENT: "as sturdy",
    Verdict.UNDECIDED: "undecided",
}


@dataclass(frozen=True)
class LossTable:
    """`losses` are those of every arm on every other test set, means over its finished seeds; `differences` are the losses of an
    arm minus those of its baseline, over their fresh seeds. Holm corrects the latter of the primary comparisons for their number,
    which is that of the test sets times that of the comparisons, and all others for theirs."""

    losses: dict[Key, Mean]
    differences: dict[Key, Comparison]


KNOWN: WeakKeyDictionary[Results, LossTable] = WeakKeyDictionary()  # page, terminal and files ask for the same


def loss_table(results: Results) -> LossTable:
    """Compute losses and their differences; empty where the suite has no other test set."""
    if results not in KNOWN:
        judged, named = _Judged(results), results.plan.instance.variations
        at = [(arm, labels, one) for arm, labels in places(results) for one in named]
        losses = {(arm, n, one.name): lost for arm, n, one in at if (lost := _mean(results, judged, arm, n, one))}
        compared = {(arm, n, one.name): found for arm, n, one in at if (found := _compared(results, judged, arm, n, one))}
        first = [(*place, one.name) for place in results.primaries for one in named]
        KNOWN[results] = LossTable(losses, adjust(compared, first))
    return KNOWN[results]


class _Judged:
    """What each jet moves the metric of a cell by, read once for the own test jets and once for each other test set."""

    def __init__(self, results: Results) -> None:
        self.results, self.known = results, dict[tuple[CellKey, str | None], Judged]()

    def loss(self, arm: str, labels: int, one: Variation, seeds: Sequence[int], clusters: list[int] | None) -> Loss:
        """Return the loss of these seeds of an arm on another test set."""
        own, there = (self._stacked([CellKey(arm, labels, seed) for seed in seeds], name) for name in (None, one.name))
        better = self.results.metric.larger_is_better
        return loss_of(own, there, same_jets=one.dataset is None, larger_is_better=better, clusters=clusters)

    def _stacked(self, cells: Sequence[CellKey], name: str | None) -> Judged:
        found = [self._of(cell, name) for cell in cells]
        return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found]), found[0][2]

    def _of(self, cell: CellKey, name: str | None) -> Judged:
        if (cell, name) not in self.known:
            read = self.results.scores if name is None else partial(self.results.also_scores, name)
            self.known[cell, name] = _judged(self.results.task, read(cell))
        return self.known[cell, name]


def _judged(task: Task, scores: Scores) -> Judged:
    rows, truth, predicted = scores
    return (*task.influences(truth, predicted[None]), rows)


def _mean(results: Results, judged: _Judged, arm: str, labels: int, one: Variation) -> Mean | None:
    if not (seeds := results.seeds(arm, labels)):
        return None
    return mean_loss(judged.loss(arm, labels, one, seeds, results.clusters(arm, labels, seeds)), results.shared(labels))


def _compared(results: Results, judged: _Judged, arm: str, labels: int, one: Variation) -> Comparison | None:
    """The loss of an arm minus that of its baseline, over the fresh ones of the seeds that both have."""
    if (baseline := results.baselines.get(arm)) is None:
        return None
    common, fresh = results.common_seeds(arm, baseline, labels), results.fresh_seeds(arm, baseline, labels)
    if not fresh:
        return None
    pair = (arm, baseline)
    found = _paired(results, judged, pair, labels, one, fresh)
    return beside(found, _paired(results, judged, pair, labels, one, common)) if len(fresh) < len(common) else found


def _paired(
    results: Results, judged: _Judged, pair: tuple[str, str], labels: int, one: Variation, seeds: list[int]
) -> Comparison:
    """The margin is the smaller one of those that the baseline has on either sample, as where gains are compared."""
    clusters = next((found for arm in pair if (found := results.clusters(arm, labels, seeds))), None)
    mine, other = (judged.loss(arm, labels, one, seeds, clusters) for arm in pair)
    margin = min(results.task.margin(mean) for mean in other.means)
    return compare_losses(mine, other, margin, results.shared(labels))


def loss_answers(results: Results) -> list[str]:
    """Say of each primary arm against how many of the other test sets it is sturdier than its baseline, and which difference of
    losses could be told at all."""
    table, metric = loss_table(results).differences, results.metric
    lines = []
    for arm, labels in results.primaries:
        found = [one for (name, n, _), one in table.items() if (name, n) == (arm, labels)]
        if not found:
            continue
        counts = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
        easy = sum(_is_built_in(results, key, one) for key, one in table.items() if key[:2] == (arm, labels))
        built_in = f", {easy} of them nearly built in, as {results.baselines[arm]} itself loses less than the margin"
        others = [
            f"{STURDY[verdict]} {n}{built_in if easy and verdict is Verdict.EQUIVALENT else ''}"
            for verdict, n in counts.items()
            if n and verdict is not Verdict.BETTER
        ]
        rest = f" ({', '.join(others)})" if others else ""
        lines.append(
            f"{arm} is sturdier than {results.baselines[arm]} against {counts[Verdict.BETTER] or 'none'} of "
            f"{count(len(found), 'other test set')} at {count(labels)} labels{rest}{_told(metric, found)}."
        )
    return lines


def _is_built_in(results: Results, key: Key, found: Comparison) -> bool:
    """Whether an arm is as sturdy where its baseline hardly loses anything: there is little to lose."""
    lost = loss_table(results).losses.get((results.baselines[key[0]], *key[1:]))
    return found.verdict is Verdict.EQUIVALENT and lost is not None and abs(lost.mean) < found.margin


def _told(metric: Metric, found: list[Comparison]) -> str:
    """The smallest difference of losses that the strictest step of Holm's test would have called one, from test set to test
    set."""
    spreads = [(one.spread, one.family) for one in found if one.spread is not None and one.units >= LEAST_SEEDS]
    if not spreads:
        return ""
    least = [spread.half_width(alpha_of(LEVEL) / family) for spread, family in spreads]
    ends = dict.fromkeys(quantity(metric, number(metric, end)) for end in (min(least), max(least)))
    where = " from test set to test set" if len(ends) > 1 else ""
    return f"; a difference of losses below {' to '.join(ends)}{where} could not be told"


def loss_sentences(results: Results) -> list[str]:
    """Say of each primary arm on which of several test sets it loses less than its baseline, on which more, and where nobody
    knows."""
    named = [one.name for one in results.plan.instance.variations if one.name]
    table = loss_table(results).differences
    lines = []
    for arm, labels in results.primaries:
        found = {name: table[arm, labels, name] for name in named if (arm, labels, name) in table}
        parts = [
            f"{STURDY[verdict]} {'against' if verdict is not Verdict.UNDECIDED else 'under'} {_listed(results, some)}"
            for verdict in Verdict
            if (some := {name: one for name, one in found.items() if one.verdict is verdict})
        ]
        if parts and not any(one.verdict is Verdict.BETTER for one in found.values()):
            parts.insert(0, f"sturdier against none of {len(found)}")
        if parts:
            lost = f"loss of {results.metric.name} minus that of {results.baselines[arm]}"
            lines.append(f"{arm} at {count(labels)} labels, {lost}: {'; '.join(parts)}.")
    return lines


def _listed(results: Results, found: dict[str, Comparison]) -> str:
    metric = differences_of(results.metric)
    return joined([f"{name} ({brief_difference(metric, one)})" for name, one in found.items()])
