"""How a search went on: the best so far against what had been spent by then."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jetbench.report.study.fronts import hypervolume, unit_box
from jetbench.report.study.ranking import losses
from jetbench.report.study.spent import ended
from jetbench.statistics.best_so_far import best_so_far
from jetbench.suites.trials import Searching

__all__ = ["History", "history"]


@dataclass(frozen=True, eq=False)
class History:
    """After each trial that has ended, in the order of their numbers (n,): labelled and unlabelled passes spent until then, those
    of pruned and diverged trials among them, and the best so far: the score of a single aim, of several the hypervolume of the
    front. NaN before the first trial that was trained to its end."""

    labelled: np.ndarray
    unlabelled: np.ndarray
    best: np.ndarray


def history(searching: Searching) -> History:
    """Follow a search trial by trial."""
    trials = ended(searching)
    first, *more = searching.study.aims
    scores = [trial.scores[0] if trial.state == "complete" else math.nan for trial in trials]
    labelled, best = best_so_far([trial.labelled_passes for trial in trials], scores, larger_is_better=first.larger_is_better)
    return History(
        labelled=labelled,
        unlabelled=np.cumsum([trial.unlabelled_passes for trial in trials]),
        best=_dominated(searching) if more else best,
    )


def _dominated(searching: Searching) -> np.ndarray:
    """The hypervolume in the box of all finished trials, so that it only grows."""
    trials = ended(searching)
    complete = [trial for trial in trials if trial.state == "complete"]
    points = unit_box(losses(searching.study, complete))
    known = np.cumsum([trial.state == "complete" for trial in trials])
    return np.array([hypervolume(points[:number]) if number else np.nan for number in known])
