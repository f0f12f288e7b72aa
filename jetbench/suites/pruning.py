"""Which trials of a study are stopped before their end, as a pure function of what was measured.

Trials are compared with those of finished rounds only, so that what is stopped depends neither on the order in which trainings
end nor on interruptions. A run that was trained further than its trial needs, for another study or suite, is judged by the
epochs that count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from jetbench.spec import Scalar
from jetbench.suites.studies import Study
from jetbench.training.stops import Limits, behind

__all__ = ["REDUCTION", "Bar", "Ended", "Point", "Result", "bar_for", "bar_of", "result_so_far", "rungs"]

REDUCTION = 3  # of ASHA: a rung is a third of the next one, and the best third goes on (Li et al., arXiv:1810.05934: 3 or 4)
LEAST_SEEDS = 4  # before Wilcoxon's test is asked: with fewer its smallest p-value is 1/8
P_VALUE = 0.1  # of Wilcoxon's test, one-sided: below, a trial is worse than the best one

State = Literal["complete", "pruned", "diverged", "failed"]


class Point(NamedTuple):
    """The end of an epoch: epochs so far, passes, loss on the validation labels, and the study's first aim there, NaN where that
    is none of an epoch's metrics."""

    epoch: int
    passes: float
    loss: float
    score: float


@dataclass(frozen=True, eq=False)
class Ended:
    """How one run of a trial has ended. A "pruned" one was stopped early, for whomever. `losses` (n,) is what each validation jet
    adds to the loss, `scores` are those of the aims; a run that is not complete has neither."""

    state: State
    losses: np.ndarray | None = None
    scores: tuple[float, ...] = ()
    curve: tuple[Point, ...] = ()


@dataclass(frozen=True, eq=False)
class Result:
    """What a trial came to: `scores` by aim, means over its seeds, and `by_seed` of the first aim; `losses` (n,) are what each
    validation jet of all seeds adds to the loss, in the same order for all trials of a study. A diverged trial is worse than any
    other, and it has cost what it has cost; so is a failed one. `curve` is that of the first seed, as far as it counts. `runs`
    is how many seeds were trained."""

    state: State = "complete"
    losses: np.ndarray | None = None
    scores: tuple[float, ...] = ()
    by_seed: tuple[float, ...] = ()
    curve: tuple[Point, ...] = ()
    runs: int = 1

    @property
    def compared(self) -> bool:
        """Whether the trial has scores that it may win by."""
        return self.state == "complete"


@dataclass(frozen=True)
class Bar:
    """What the trials of a round are held against: largest validation losses by epoch, or the scores by seed of the best trial of
    the rounds before."""

    limits: Limits = field(default_factory=dict)
    best: tuple[float, ...] = ()


def rungs(epochs: int) -> tuple[int, ...]:
    """Return after which epochs ASHA looks at a training of so many, in falling order: a third of them, a ninth, …, at least one
    epoch, and never the last."""
    found = [max(1, epochs // REDUCTION)] if epochs > 1 else []
    while found and found[-1] >= REDUCTION:
        found.append(found[-1] // REDUCTION)
    return tuple(found)


def bar_of(study: Study, finished: Iterable[Result]) -> Bar:
    """Return what a round is held against, from the trials of the rounds before it; nothing in the first round."""
    before = list(finished)
    if study.pruner == "asha":
        reached = {rung: [_loss_at(one, rung) for one in before] for rung in rungs(study.template.recipe.epochs)}
        return Bar({rung: limit for rung, losses in reached.items() if (limit := _best_third(losses)) is not None})
    complete = [one for one in before if one.compared]
    if study.pruner == "wilcoxon" and complete:
        return Bar(best=(max if study.aims[0].larger_is_better else min)(complete, key=lambda one: one.scores[0]).by_seed)
    return Bar()


def bar_for(study: Study, values: Mapping[str, Scalar], bar: Bar) -> Bar:
    """Return what a trial with these values is held against: the bar of its round, but nothing where it has the values without
    any search, which the others are compared with in the end. A grid may come to them in any round."""
    return Bar() if values == study.unsearched else bar


def _loss_at(result: Result, epoch: int) -> float | None:
    return next((point.loss for point in result.curve if point.epoch == epoch), None)


def _best_third(losses: Sequence[float | None]) -> float | None:
    """The largest of the best third of the losses that there are."""
    there = sorted(loss for loss in losses if loss is not None)
    return there[math.ceil(len(there) / REDUCTION) - 1] if there else None


def result_so_far(study: Study, bar: Bar, ends: Sequence[Ended | None]) -> Result | int:
    """Return what a trial came to, from how its runs have ended, seed by seed, None where one has not; or the number of seeds, of
    the first ones, that are to be trained before more can be said."""
    together = 0
    for more in _batches(study, bar):
        together += more
        first = ends[0]
        if first is not None and (epoch := _behind(first, bar)) is not None:
            return _stopped(first, epoch)
        known = [end for end in ends[:together] if end is not None and end.state != "pruned"]
        if len(known) < together:
            return together
        if bad := next((end.state for end in known if end.state != "complete"), None):
            return Result(bad, curve=known[0].curve, runs=together)
        if together < study.runs_per_trial and _worse(study, known, bar.best):
            return _measured(known, "pruned")
    return _measured(known, "complete")


def _behind(end: Ended, bar: Bar) -> int | None:
    """After which epoch a run is stopped; None where it goes on."""
    return behind(((point.epoch, point.loss) for point in end.curve), bar.limits)


def _batches(study: Study, bar: Bar) -> list[int]:
    """How many seeds are trained at once, batch by batch: each is judged before the next one begins."""
    seeds = study.runs_per_trial
    if bar.limits:
        return [1, seeds - 1] if seeds > 1 else [1]
    first = min(seeds, LEAST_SEEDS) if bar.best else seeds
    return [first, *[1] * (seeds - first)]


def _worse(study: Study, known: Sequence[Ended], best: Sequence[float]) -> bool:
    """Wilcoxon's signed rank test, paired by seed: is the trial worse than the best one? A trial whose mean is not worse never
    is."""
    from scipy.stats import wilcoxon

    if not best:
        return False
    worse = np.array([end.scores[0] for end in known]) - np.array(best[: len(known)])
    worse = -worse if study.aims[0].larger_is_better else worse
    return bool(worse.mean() > 0 and wilcoxon(worse, alternative="greater", zero_method="zsplit").pvalue < P_VALUE)


def _stopped(first: Ended, epoch: int) -> Result:
    curve = tuple(point for point in first.curve if point.epoch <= epoch)
    scores = () if math.isnan(curve[-1].score) else (curve[-1].score,)
    return Result("pruned", scores=scores, by_seed=scores, curve=curve)


def _measured(known: Sequence[Ended], state: State) -> Result:
    scores = np.array([end.scores for end in known]).mean(axis=0)
    losses = [end.losses for end in known if end.losses is not None]
    return Result(
        state,
        losses=np.concatenate(losses),
        scores=tuple(map(float, scores)),
        by_seed=tuple(end.scores[0] for end in known),
        curve=known[0].curve,
        runs=len(known),
    )
