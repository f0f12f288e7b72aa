"""The rule of `winner` tested on itself: how often tuning leaves the recipe where nothing is better."""

from __future__ import annotations

from jetbench.seeds import numpy_rng
from jetbench.statistics.intervals import Interval, clopper_pearson
from jetbench.suites.pruning import Result
from jetbench.suites.studies import VALIDATION_LOSS
from jetbench.suites.winner import best_trial

__all__ = ["left_by_chance"]


def left_by_chance(trials: int, jets: int, replays: int, seed: int = 0) -> Interval:
    """Return the share of so many studies that leave the recipe, whose trials are all equally good, with its interval.

    What a validation jet adds to the loss is partly hard for every trial and partly each trial's own luck, both exponential, as
    a log-loss has its long tail. Only the own part matters: what all trials share cancels in the paired difference.
    """
    left = 0
    for replay in range(replays):
        rng = numpy_rng("left-by-chance", trials, jets, seed, replay)
        losses = rng.exponential(size=jets) + rng.exponential(size=(trials, jets))
        results = {number: Result(losses=own, scores=(float(own.mean()),)) for number, own in enumerate(losses)}
        best, *_ = best_trial("ahead", VALIDATION_LOSS, results, 0)
        left += best != 0
    return clopper_pearson(left, replays)
